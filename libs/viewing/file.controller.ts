import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import type { Actor, Opened, Row, Sealed } from '#kernel';
import { KeyVault } from '#key-vault';
import { ReadModels } from '#read-model';
import {
  CATEGORY,
  CLOCK,
  CommandDoor,
  FILE_VIEWS,
  InvalidCommand,
  REFERENCE,
  REGISTER_ID,
  RegisterHost,
  type Clock,
  type Refused,
  type View,
} from '#slice';
import { holdingsProjection, rectificationsProjection } from '#subject';
import { ViewDoor } from './view-door.js';

interface SubjectRow {
  readonly subject_id: string;
  readonly capacity: string;
  readonly subscriber_type: string;
  readonly division: string;
  readonly opened_at: string;
  readonly restricted_on: string | null;
}

interface HoldingRow {
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly sealed: string;
  readonly purpose_id: string | null;
  readonly source: string | null;
  readonly source_recipient_id: string | null;
  readonly status: string;
  readonly since: string;
  readonly superseded_at: string | null;
  readonly expired_at: string | null;
  readonly erased_at: string | null;
  readonly disputed: number;
  readonly next_check_due: string | null;
  readonly event_id: string;
}

/** One item version; a value only where the reader may see it and it still exists. */
interface HoldingView extends Omit<HoldingRow, 'sealed' | 'disputed'> {
  readonly disputed: boolean;
  readonly value?: string;
  readonly withheld?: Withheld;
}

/**
 * Why there is no value: `masked` (it was not opened), `beyondUse` (expired), or `forgotten` (its key is destroyed).
 */
type Withheld = 'masked' | 'beyondUse' | 'forgotten';

interface RectificationRow {
  readonly request_id: string;
  readonly channel: string;
  readonly received_at: string;
  readonly due: string;
  readonly due_date: string;
  readonly not_held: string;
  readonly status: string;
  readonly answered_at: string | null;
  readonly overdue_at: string | null;
  readonly completed_at: string | null;
  readonly outcome: string | null;
  readonly event_id: string;
}

interface RectificationItemRow {
  readonly request_id: string;
  readonly item_id: string;
  readonly category: string;
  readonly version: number;
  readonly status: string;
  readonly corrected_version: number | null;
  readonly corrected_at: string | null;
}

interface ReportedRow {
  readonly request_id: string;
  readonly category: string;
  readonly sealed: string;
  readonly status: string;
}

/** A case of rectification: what was in question, and what the person said is right. */
interface RectificationView extends Omit<RectificationRow, 'not_held'> {
  readonly not_held: readonly string[];
  readonly items: readonly Omit<RectificationItemRow, 'request_id'>[];
  readonly reported: readonly { readonly category: string; readonly value?: string; readonly withheld?: Withheld }[];
}

interface SubjectFile {
  readonly subject: SubjectRow;
  readonly holdings: readonly HoldingView[];
  readonly rectifications: readonly RectificationView[];
  /** What else is held about the person, by the name of its view; values open at its own address. */
  readonly alsoHeld: Readonly<Record<string, readonly Row[]>>;
  /** As `GET /v1/subjects/:id/views` lists it; absent when nothing was opened. */
  readonly viewId?: string;
}

/** Rows of one view in a file, such as months of usage; all of them stand at the view's own address. */
const MOST_ROWS = 500;

/**
 * The person's file, with its values masked; or with those opened that the reader's grants and the purpose allow, once
 * a purpose and a case are stated. Every opening is on record before a value is opened (C15).
 */
@Controller('v1/subjects')
export class FileController {
  readonly #views: ViewDoor;

  constructor(
    private readonly readModels: ReadModels,
    private readonly vault: KeyVault,
    @Inject(FILE_VIEWS) private readonly fileViews: readonly View[],
    registers: RegisterHost,
    door: CommandDoor,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#views = new ViewDoor(door, registers, clock);
  }

  @Get(':subjectId')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  async file(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Query() query: Readonly<Record<string, unknown>>,
    @SentBy() actor: Actor,
  ): Promise<SubjectFile | Refused> {
    const question = questionIn(query);
    const [subject] = this.readModels.rows<SubjectRow>(holdingsProjection, 'subjects', { subject_id: subjectId });
    if (!subject) throw new NotFoundException();
    const where = { subject_id: subjectId };
    const rows = this.readModels.rows<HoldingRow>(holdingsProjection, 'holdings', where, 'position');
    const ofCases = <R>(table: string): readonly R[] =>
      this.readModels.rows<R>(rectificationsProjection, table, where, 'position');
    const reported = ofCases<ReportedRow>('reported_values');
    const usable = [...rows, ...reported].filter((row) => OPENABLE.includes(row.status));
    const held = [...new Set(usable.map((row) => row.category))];
    const wanted = question?.categories ?? held;
    const view =
      question === undefined || held.length === 0
        ? undefined
        : await this.#views.open(
            { subjectId, ...question, categories: wanted, inPart: question.categories === undefined },
            actor,
          );
    if (view && !view.accepted) return view;
    const opening = usable.filter((row) => view?.categories.includes(row.category));
    const opened = await this.vault.open<string>(opening.map((row) => JSON.parse(row.sealed) as Sealed<string>));
    const values = new Map<object, Opened<string> | undefined>(opening.map((row, index) => [row, opened[index]]));
    const items = ofCases<RectificationItemRow>('rectification_items');
    return {
      subject,
      holdings: rows.map((row) => viewOf(row, values.get(row))),
      rectifications: ofCases<RectificationRow>('rectifications').map(({ not_held, ...row }) => ({
        ...row,
        not_held: JSON.parse(not_held) as readonly string[],
        items: items
          .filter(({ request_id }) => request_id === row.request_id)
          .map(({ request_id: _case, ...item }) => item),
        reported: reported
          .filter(({ request_id }) => request_id === row.request_id)
          .map((each) => reportedOf(each, values.get(each))),
      })),
      alsoHeld: Object.fromEntries(
        this.fileViews.map(({ name, projection, table }) => [
          name,
          this.readModels.page(projection as never, table, { subject_id: subjectId }, 0, MOST_ROWS).rows,
        ]),
      ),
      ...(view && { viewId: view.viewId }),
    };
  }
}

interface Question {
  readonly purposeId?: string;
  readonly caseRef?: string;
  /** Which categories to open; as many as are open when absent. */
  readonly categories?: readonly string[];
}

const PARAMETERS: readonly string[] = ['purpose', 'caseRef', 'categories', 'min-position'];

/**
 * What is to be opened, and why; `undefined` when nothing is.
 *
 * @throws InvalidCommand naming the parameter, never its value.
 */
function questionIn(query: Readonly<Record<string, unknown>>): Question | undefined {
  const shaped = (name: string, shape: RegExp, rule: string): string | undefined => {
    const value = query[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length > 64 || !shape.test(value))
      throw new InvalidCommand([{ field: name, rule }]);
    return value;
  };
  if (Object.keys(query).some((name) => !PARAMETERS.includes(name)))
    throw new InvalidCommand([{ field: 'query', rule: 'isKnownParameter' }]);
  const purposeId = shaped('purpose', REGISTER_ID, 'isRegisterId');
  const caseRef = shaped('caseRef', REFERENCE, 'isReference');
  const { categories } = query;
  const wanted = typeof categories === 'string' ? [...new Set(categories.split(','))] : undefined;
  if (
    categories !== undefined &&
    (!wanted || wanted.length > 200 || !wanted.every((each) => each.length <= 64 && CATEGORY.test(each)))
  )
    throw new InvalidCommand([{ field: 'categories', rule: 'areCategories' }]);
  if (purposeId === undefined && caseRef === undefined && wanted === undefined) return undefined;
  return {
    ...(purposeId !== undefined && { purposeId }),
    ...(caseRef !== undefined && { caseRef }),
    ...(wanted && { categories: wanted }),
  };
}

/** Item versions that are held or replaced, and reported values that are kept. */
const OPENABLE: readonly string[] = ['held', 'superseded', 'kept'];

function reportedOf(
  { category, status }: ReportedRow,
  value: Opened<string> | undefined,
): RectificationView['reported'][number] {
  if (value?.kind === 'opened') return { category, value: value.value };
  return { category, withheld: value === undefined && OPENABLE.includes(status) ? 'masked' : 'forgotten' };
}

function viewOf({ sealed: _sealed, disputed, ...row }: HoldingRow, value: Opened<string> | undefined): HoldingView {
  const view = { ...row, disputed: disputed === 1 };
  if (value?.kind === 'opened') return { ...view, value: value.value };
  if (value?.kind === 'forgotten' || row.status === 'erased') return { ...view, withheld: 'forgotten' };
  return { ...view, withheld: OPENABLE.includes(row.status) ? 'masked' : 'beyondUse' };
}
