import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import { uuidV5, type Actor, type Opened, type Row, type Sealed } from '#kernel';
import { KeyVault } from '#key-vault';
import { ReadModels } from '#read-model';
import { CLOCK, CommandDoor, FILE_VIEWS, type Clock, type Refused, type View } from '#slice';
import { holdingsProjection } from './holdings.projection.js';
import { rectificationsProjection } from './rectification.projection.js';

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
  /** Why there is no value: `beyondUse` (expired), or `forgotten` (its key is destroyed). */
  readonly withheld?: 'beyondUse' | 'forgotten';
}

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
  readonly reported: readonly { readonly category: string; readonly value?: string; readonly withheld?: 'forgotten' }[];
}

interface SubjectFile {
  readonly subject: SubjectRow;
  readonly holdings: readonly HoldingView[];
  readonly rectifications: readonly RectificationView[];
  /** What else is held about the person, by the name of its view; values open at its own address. */
  readonly alsoHeld: Readonly<Record<string, readonly Row[]>>;
  /** As `GET /v1/subjects/:id/views` lists it. */
  readonly viewId: string;
}

/** Rows of one view in a file, such as months of usage; all of them stand at the view's own address. */
const MOST_ROWS = 500;

/** The person's file. Every reading is on record before a value is opened (C15). */
@Controller('v1/subjects')
export class SubjectController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly vault: KeyVault,
    private readonly door: CommandDoor,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(FILE_VIEWS) private readonly fileViews: readonly View[],
  ) {}

  @Get(':subjectId')
  @OpenTo('staff', 'privacyOfficer', 'auditor')
  async file(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Query('purpose') purposeId: string | undefined,
    @Query('caseRef') caseRef: string | undefined,
    @SentBy() actor: Actor,
  ): Promise<SubjectFile | Refused> {
    const [subject] = this.readModels.rows<SubjectRow>(holdingsProjection, 'subjects', { subject_id: subjectId });
    if (!subject) throw new NotFoundException();
    const where = { subject_id: subjectId };
    const rows = this.readModels.rows<HoldingRow>(holdingsProjection, 'holdings', where, 'position');
    const ofCases = <R>(table: string): readonly R[] =>
      this.readModels.rows<R>(rectificationsProjection, table, where, 'position');
    const reported = ofCases<ReportedRow>('reported_values');
    const commandId = randomUUID();
    const answer = await this.door.submit(
      'ViewPersonalData',
      {
        commandId,
        occurredAt: this.clock.now(),
        subjectId,
        categories: [...new Set([...rows, ...reported].map((row) => row.category))],
        ...(purposeId !== undefined && { purposeId }),
        ...(caseRef !== undefined && { caseRef }),
      },
      actor,
    );
    if (!answer.accepted) return answer;
    const usable = [...rows, ...reported].filter((row) => OPENABLE.includes(row.status));
    const opened = await this.vault.open<string>(usable.map((row) => JSON.parse(row.sealed) as Sealed<string>));
    const values = new Map<object, Opened<string> | undefined>(usable.map((row, index) => [row, opened[index]]));
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
      viewId: uuidV5(commandId, 'view'),
    };
  }
}

/** Item versions that are held or replaced, and reported values that are kept. */
const OPENABLE: readonly string[] = ['held', 'superseded', 'kept'];

function reportedOf(
  { category }: ReportedRow,
  value: Opened<string> | undefined,
): RectificationView['reported'][number] {
  return value?.kind === 'opened' ? { category, value: value.value } : { category, withheld: 'forgotten' };
}

function viewOf({ sealed: _sealed, disputed, ...row }: HoldingRow, value: Opened<string> | undefined): HoldingView {
  const view = { ...row, disputed: disputed === 1 };
  if (value === undefined) return { ...view, withheld: row.status === 'erased' ? 'forgotten' : 'beyondUse' };
  return value.kind === 'opened' ? { ...view, value: value.value } : { ...view, withheld: 'forgotten' };
}
