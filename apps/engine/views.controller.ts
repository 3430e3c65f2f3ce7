import { Controller, Get, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { AccessRefused, OpenTo, SentBy } from '#access';
import { type Actor, type Instant, type Row } from '#kernel';
import { ReadModels, type PageOfRows } from '#read-model';
import { isDiscreet, secretInstruments, secretRecipients } from '#sharing';
import { instantIn, InvalidCommand, LARGEST_PAGE, permits, PERSONAL_ROLES, wholeNumber, type View } from '#slice';
import { capabilities } from '../capabilities.js';

interface Page extends PageOfRows {
  /** How many rows of the page this reader may not know of (I-22c). */
  readonly withheld: number;
  /** How far the read models have come. */
  readonly position: number;
}

/** Stands for whoever was given data under a duty not to tip off, where a reader may not know of them. */
const WITHHELD = 'withheld';

const VIEWS: readonly View[] = capabilities.flatMap((each) => each.views);
/** Which of them each view is open to is written with the view. */
const READERS = ['staff', 'privacyOfficer', 'legal', 'securityOfficer', 'auditor'] as const;

/** Columns that say which of us did it: people read what happened to their data, and who did it in which role. */
export const NAMES_OF_EMPLOYEES: readonly string[] = ['actor_id', 'recorded_by'];

/**
 * Read models as lists, as they are or, with `asOf`, as they stood at a time: when everything up to then had been
 * recorded, and nothing since. No view here holds a value in the clear or under seal.
 */
@Controller('v1')
export class ViewsController {
  constructor(private readonly readModels: ReadModels) {}

  @Get('registers/:name')
  @OpenTo(...READERS)
  register(@Param('name') name: string, @Query() query: Record<string, unknown>, @SentBy() actor: Actor): Page {
    return this.#page(viewNamed('register', name), {}, query, actor);
  }

  @Get('refusals')
  @OpenTo(...READERS)
  refusals(@Query() query: Record<string, unknown>, @SentBy() actor: Actor): Page {
    return this.#page(viewNamed('log', 'refusals'), {}, query, actor);
  }

  @Get('subjects/:subjectId/:name')
  @OpenTo(...READERS, 'subject', 'agent')
  ofSubject(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @SentBy() actor: Actor,
  ): Page {
    return this.#page(viewNamed('subject', name), { subject_id: subjectId }, query, actor);
  }

  @Get('digest')
  @OpenTo('auditor', 'privacyOfficer', 'operator')
  digest(): object {
    return this.readModels.digest();
  }

  /** Every query parameter is paging, a time, or a column to be equal to; anything else is refused by name. */
  #page(view: View, scope: Row, query: Record<string, unknown>, actor: Actor): Page {
    if (!permits(view.roles, actor, scope['subject_id'])) throw new AccessRefused('FORBIDDEN');
    const ofEmployees = view.roles.filter((role) => !PERSONAL_ROLES.includes(role));
    const hidden = permits(ofEmployees, actor) ? [] : NAMES_OF_EMPLOYEES;
    const columns = without(view.projection.tables[view.table]?.columns ?? {}, hidden);
    const where: Record<string, string | number | null> = {};
    let after = 0;
    let limit = 100;
    let asOf: Instant | undefined;
    for (const [name, value] of Object.entries(query)) {
      if (name === 'min-position') continue;
      if (typeof value !== 'string') throw new InvalidCommand([{ field: 'query', rule: 'isText' }]);
      if (name === 'after') after = wholeNumber(name, value);
      else if (name === 'limit') limit = Math.min(wholeNumber(name, value), LARGEST_PAGE);
      else if (name === 'asOf') asOf = instantIn(name, value);
      else if (Object.hasOwn(columns, name))
        where[name] = columns[name]?.startsWith('integer') ? wholeNumber(name, value) : value;
      else throw new InvalidCommand([{ field: 'query', rule: 'isKnownColumn' }]);
    }
    const page = this.readModels.page(view.projection as never, view.table, { ...where, ...scope }, after, limit, asOf);
    const rows = isDiscreet(actor) ? page.rows : this.#told(page.rows);
    return {
      ...page,
      rows: rows.map((row) => without(row, hidden)),
      withheld: page.rows.length - rows.length,
      position: this.readModels.position,
    };
  }

  /** Without the rows about a disclosure under a duty not to tip off, and with its recipient unnamed in all others. */
  #told(rows: readonly Row[]): readonly Row[] {
    const secret = secretInstruments(this.readModels);
    if (secret.length === 0) return rows;
    const told = rows.filter((row) => !secret.some((instrumentId) => speaksOf(row, instrumentId)));
    const people = [...new Set(told.flatMap((row) => subjectOf(row) ?? []))];
    const recipients = secretRecipients(this.readModels, people, secret);
    return told.map((row) => unnamed(row, recipients.get(subjectOf(row) ?? '') ?? []));
  }
}

function without<T>(row: Readonly<Record<string, T>>, columns: readonly string[]): Readonly<Record<string, T>> {
  return columns.length === 0
    ? row
    : Object.fromEntries(Object.entries(row).filter(([name]) => !columns.includes(name)));
}

function viewNamed(scope: View['scope'], name: string): View {
  const found = VIEWS.find((view) => view.scope === scope && view.name === name);
  if (!found) throw new NotFoundException();
  return found;
}

/** The person a row is about. */
function subjectOf({ subject_id, stream_ref }: Row): string | undefined {
  if (typeof subject_id === 'string') return subject_id;
  return typeof stream_ref === 'string' ? /^subject-(.+)$/.exec(stream_ref)?.[1] : undefined;
}

/** The row with these names left out where they stand: as a cell, or within the JSON of one. */
function unnamed(row: Row, names: readonly string[]): Row {
  const without = (cell: string): string =>
    names.includes(cell)
      ? WITHHELD
      : names.reduce((text, name) => text.replaceAll(JSON.stringify(name), JSON.stringify(WITHHELD)), cell);
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [name, typeof cell === 'string' ? without(cell) : cell]),
  );
}

/** Whether a row names the instrument: as a cell, within the JSON of one, or as the stream it was about. */
function speaksOf(row: Row, instrumentId: string): boolean {
  const names = [instrumentId, `instrument-${instrumentId}`];
  return Object.values(row).some(
    (cell) => typeof cell === 'string' && (names.includes(cell) || cell.includes(JSON.stringify(instrumentId))),
  );
}
