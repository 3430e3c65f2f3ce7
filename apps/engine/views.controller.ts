import { Controller, Get, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { AccessRefused, OpenTo, SentBy } from '#access';
import { type Actor, type Instant, type Row } from '#kernel';
import { ReadModels, type PageOfRows } from '#read-model';
import { isDiscreet, sharingRegistersProjection } from '#sharing';
import { instantIn, InvalidCommand, LARGEST_PAGE, permits, PERSONAL_ROLES, wholeNumber, type View } from '#slice';
import { capabilities } from '../capabilities.js';

interface Page extends PageOfRows {
  /** How many rows of the page this reader may not know of (I-22c). */
  readonly withheld: number;
  /** How far the read models have come. */
  readonly position: number;
}

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
    const secret = isDiscreet(actor) ? [] : this.#secretInstruments();
    const rows = page.rows.filter((row) => !secret.some((instrumentId) => speaksOf(row, instrumentId)));
    return {
      ...page,
      rows: rows.map((row) => without(row, hidden)),
      withheld: page.rows.length - rows.length,
      position: this.readModels.position,
    };
  }

  #secretInstruments(): readonly string[] {
    const where = { no_tipping_off: 1 };
    return this.readModels
      .rows<{ readonly instrument_id: string }>(sharingRegistersProjection, 'instruments', where)
      .map((row) => row.instrument_id);
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

/** Whether a row names the instrument: as a cell, within the JSON of one, or as the stream it was about. */
function speaksOf(row: Row, instrumentId: string): boolean {
  const names = [instrumentId, `instrument-${instrumentId}`];
  return Object.values(row).some(
    (cell) => typeof cell === 'string' && (names.includes(cell) || cell.includes(JSON.stringify(instrumentId))),
  );
}
