import { Controller, Get, Inject, NotFoundException, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { RETENTION_ACTIONS, type RetentionAction } from '#purpose';
import { parseInstant, plusMilliseconds, type Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { addPeriodToInstant } from '#calendar';
import { LAW_OF } from './deferral.decider.js';
import { erasureLedgerProjection } from './erasure.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';

/** How long an erasure may take from the moment it is due, in milliseconds: a day (C16). */
export const ERASURE_WITHIN = 24 * 60 * 60 * 1000;
const ROWS_SHOWN = 500;
/** The number of people in a cell is given out in whole multiples of this, rounded down; fewer are not shown. */
export const SMALLEST_CELL = 10;
const NOT_DEFERRED = { status: 'kept', deferred_ref: null } as const;

interface ScheduleRow extends Row {
  readonly subject_id: string;
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly due: string | null;
  readonly trigger_event: string;
  readonly status: string;
  readonly deferred_by: keyof typeof LAW_OF | null;
  readonly deferred_ref: string | null;
  readonly deferred_since: string | null;
  readonly review_since: string | null;
  readonly reliance: 'written' | 'moved' | null;
  readonly erasure_id: string | null;
}

interface PurposeRow extends Row {
  readonly item_id: string;
  readonly purpose_id: string;
  readonly purpose_version: number;
  readonly basis: string;
  readonly trigger_event: string;
  readonly period: string;
  readonly action: RetentionAction;
  readonly held_from: string;
  readonly due: string | null;
  readonly relied_on: string | null;
  readonly ended_at: string | null;
}

/** Questions about how long what is kept. They hold ids, categories and dates. */
@Controller('v1/retention')
export class RetentionController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `DueForErasure`, the dry run: what goes by a time, now or to come, and what would stay and why. */
  @Get('due')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  due(@Query('at') at: string | undefined): object {
    const by = at === undefined ? this.clock.now() : parseInstant(at);
    if (by === undefined) throw new InvalidCommand([{ field: 'at', rule: 'isInstant' }]);
    const when = { column: 'due', now: by };
    const count = (where: Row): number =>
      this.readModels.count(retentionScheduleProjection, 'retention_schedule', where, when);
    const exceptions = Object.keys(LAW_OF)
      .map((cause) => ({
        cause,
        law: LAW_OF[cause as keyof typeof LAW_OF],
        versions: count({ status: 'kept', deferred_by: cause }),
      }))
      .filter(({ versions }) => versions > 0);
    const moved = count({ ...NOT_DEFERRED, reliance: 'moved' });
    return {
      at: by,
      due: count(NOT_DEFERRED) - moved,
      // Relied on since their date was written: they get a later one when it comes, or go.
      movedByReliance: moved,
      reviews: this.readModels.count(
        retentionScheduleProjection,
        'retention_reviews',
        { outcome: null },
        { column: 'decide_by', now: by },
      ),
      beyondUse: this.readModels.count(retentionScheduleProjection, 'retention_schedule', { status: 'beyondUse' }),
      deferred: exceptions.reduce((sum, { versions }) => sum + versions, 0),
      exceptions,
      rows: this.#rows('retention_schedule', NOT_DEFERRED, 'due', by).map((row) => ({
        ...row,
        action: this.#actionOf(row as ScheduleRow),
      })),
      position: this.readModels.position,
    };
  }

  /** `OverdueErasures`: what should be gone and is not. Must be empty. */
  @Get('overdue')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor', 'operator')
  overdue(): object {
    const since = plusMilliseconds(this.clock.now(), -ERASURE_WITHIN);
    return {
      since,
      notStarted: this.#rows('retention_schedule', NOT_DEFERRED, 'due', since),
      notDecided: this.#rows('retention_reviews', { outcome: null }, 'decide_by', this.clock.now()),
      notErased: this.#rows('erasures', { status: 'started', suspended_ref: null }, 'started_at', since),
      notFinal: this.#rows('erasures', { status: 'erased' }, 'backup_horizon', since),
      position: this.readModels.position,
    };
  }

  /** Why an item is still here: each purpose that holds it, its trigger and end, and what defers its erasure. */
  @Get('why')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  why(@Query('subject', ParseUUIDPipe) subjectId: string, @Query('item', ParseUUIDPipe) itemId: string): object {
    const of = <R>(table: string): readonly R[] =>
      this.readModels.rows<R>(
        retentionScheduleProjection,
        table,
        { subject_id: subjectId, item_id: itemId },
        'position',
      );
    const versions = of<ScheduleRow>('retention_schedule');
    if (versions.length === 0) throw new NotFoundException();
    const purposes = of<PurposeRow>('retention_purposes');
    return {
      subjectId,
      itemId,
      category: versions[0]?.category,
      versions: versions.map(
        ({ version, status, due, deferred_by, deferred_ref, deferred_since, review_since, erasure_id, ...row }) => ({
          version,
          status,
          due: row.reliance === 'moved' ? endOf(purposes) : due,
          reviewSince: review_since,
          deferral: deferred_by && {
            cause: deferred_by,
            ref: deferred_ref,
            since: deferred_since,
            law: LAW_OF[deferred_by],
          },
          erasureId: erasure_id,
        }),
      ),
      purposes: purposes.map((row) => ({
        purposeId: row.purpose_id,
        purposeVersion: row.purpose_version,
        basis: row.basis,
        trigger: row.trigger_event,
        period: row.period,
        action: row.action,
        heldFrom: row.held_from,
        reliedOn: row.relied_on,
        due: dueOf(row),
        endedAt: row.ended_at,
      })),
      inPlainWords: versions.map((version) => sentence(version, purposes)),
      position: this.readModels.position,
    };
  }

  /**
   * How many people's data of a category, collected in a year, has become unreadable under a rule that keeps the count.
   * In whole tens, rounded down, and nothing below ten.
   */
  @Get('anonymised')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  anonymised(): object {
    const people = new Map<string, { category: string; year: number; people: number }>();
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = this.readModels.page(retentionScheduleProjection, 'anonymised', {}, after, 1_000);
      for (const row of page.rows) {
        const { category, year } = row as unknown as { readonly category: string; readonly year: number };
        const cell = people.get(`${category} ${year}`) ?? { category, year, people: 0 };
        people.set(`${category} ${year}`, { ...cell, people: cell.people + 1 });
      }
      after = page.next;
    }
    const rows = [...people.values()]
      .map((cell) => ({ ...cell, people: cell.people - (cell.people % SMALLEST_CELL) }))
      .filter((cell) => cell.people > 0)
      .sort((a, b) => (`${a.category} ${a.year}` < `${b.category} ${b.year}` ? -1 : 1));
    return { unit: SMALLEST_CELL, rows, position: this.readModels.position };
  }

  /** What the rule of the purpose that holds an item last does at its end. */
  #actionOf({ item_id, trigger_event, review_since }: ScheduleRow): RetentionAction {
    // An older version goes by itself; a review that nobody decides ends in an erasure.
    if (trigger_event === 'corrected' || review_since !== null) return 'erase';
    const holding = this.readModels
      .rows<PurposeRow>(retentionScheduleProjection, 'retention_purposes', { item_id, ended_at: null })
      .filter(({ due }) => due !== null);
    const last = holding.filter((row) => dueOf(row) === endOf(holding)).map(({ action }) => action);
    return RETENTION_ACTIONS.find((action) => last.includes(action)) ?? 'erase';
  }

  #rows(
    table: 'retention_schedule' | 'retention_reviews' | 'erasures',
    where: Row,
    column: string,
    now: string,
  ): readonly Row[] {
    const projection = table === 'erasures' ? erasureLedgerProjection : retentionScheduleProjection;
    return this.readModels
      .due<Row>(projection as never, table, where, column, now, ROWS_SHOWN)
      .map(({ row_number: _number, ...row }) => row);
  }
}

/** Until when a purpose holds an item, by the last time it relied on it. */
function dueOf({ due, relied_on, period }: PurposeRow): string | null {
  const from = relied_on === null ? undefined : parseInstant(relied_on);
  if (due === null || from === undefined) return due;
  const moved = addPeriodToInstant(from, period);
  return moved > due ? moved : due;
}

/** Until when an item is kept: the last of its purposes, or `null`. */
function endOf(purposes: readonly PurposeRow[]): string | null {
  const dues = purposes.filter(({ ended_at }) => ended_at === null).map(dueOf);
  return dues.includes(null) ? null : (dues.sort().at(-1) ?? null);
}

const CAUSES: Readonly<Record<keyof typeof LAW_OF, string>> = {
  legalHold: 'a legal hold',
  restriction: 'a restriction that the person asked for',
  openAccessRequest: 'an access request that is not answered yet',
  openComplaint: 'a complaint that is open',
  openIncident: 'an incident that is being looked into',
};

function sentence(
  { version, status, due: written, deferred_by, review_since, reliance }: ScheduleRow,
  purposes: readonly PurposeRow[],
): string {
  const what = `Version ${version}`;
  if (status === 'erased') return `${what} is erased: its key was destroyed.`;
  if (deferred_by) return `${what} is past its time and stays, used for nothing, because of ${CAUSES[deferred_by]}.`;
  if (status === 'beyondUse') return `${what} is used for nothing any more; its key is about to be destroyed.`;
  const due = reliance === 'moved' ? endOf(purposes) : written;
  if (review_since !== null)
    return `${what} is past its time since ${review_since.slice(0, 10)} and used for nothing; somebody has to decide about it, or it goes on ${(due ?? '').slice(0, 10)}.`;
  const holding = purposes.filter(({ ended_at }) => ended_at === null).map(({ purpose_id }) => purpose_id);
  if (due === null) return `${what} is held for ${holding.join(' and ')}; its period has not begun to run.`;
  return `${what} is held for ${holding.join(' and ') || 'no purpose'} and goes on ${due.slice(0, 10)}.`;
}
