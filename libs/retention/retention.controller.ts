import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { RETENTION_ACTIONS, type RetentionAction } from '#purpose';
import { parseInstant, plusMilliseconds, type Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { addPeriodToInstant } from '#calendar';
import { LAW_OF } from './deferral.decider.js';
import { VERSIONS_IN_RUN } from './erasure-run.commands.js';
import { digestOfRun } from './erasure-run.digest.js';
import type { ErasureRun, ItemOfRun } from './erasure-run.events.js';
import { erasureRunsProjection } from './erasure-run.projection.js';
import { erasureLedgerProjection } from './erasure.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';

/** How long an erasure may take from the moment it is due, in milliseconds: a day (C16). */
export const ERASURE_WITHIN = 24 * 60 * 60 * 1000;
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

interface CellRow extends Row {
  readonly category: string;
  readonly year: number;
}

interface RunRow extends Row {
  readonly at: string;
  readonly digest: string;
  readonly approved_by: string;
  readonly approved_at: string;
  readonly versions: number;
  readonly items: string;
  readonly exceptions: string;
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
    const listed = this.#rows('retention_schedule', NOT_DEFERRED, 'due', by) as readonly ScheduleRow[];
    const purposes = this.#purposesOf(listed.map(({ item_id }) => item_id));
    const rows = listed.map((row) => ({ ...row, action: actionOf(row, purposes.get(row.item_id) ?? []) }));
    const run: ErasureRun = {
      at: by,
      items: rows.map(({ subject_id, item_id, version, action }) => ({
        subjectId: subject_id,
        itemId: item_id,
        version,
        action,
      })),
      exceptions: exceptions.map(({ cause, versions }) => ({ cause, versions })),
    };
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
      rows,
      // What a privacy officer approves: send it back with the digest.
      run: { ...run, digest: digestOfRun(run) },
      position: this.readModels.position,
    };
  }

  /** What became of what was approved: it is carried out at its time, and this says how far that is. */
  @Get('runs/:runId')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  run(@Param('runId', ParseUUIDPipe) runId: string): object {
    const [row] = this.readModels.rows<RunRow>(erasureRunsProjection, 'erasure_runs', { run_id: runId });
    if (!row) throw new NotFoundException();
    const approved = JSON.parse(row.items) as readonly ItemOfRun[];
    const schedule = this.readModels.rowsAmong<ScheduleRow>(
      retentionScheduleProjection,
      'retention_schedule',
      {},
      'item_id',
      approved.map(({ itemId }) => itemId),
    );
    const found = new Map(schedule.map((each) => [`${each.item_id}@${each.version}`, each]));
    const items = approved.map((item) => ({ ...item, ...stateOf(found.get(`${item.itemId}@${item.version}`)) }));
    const outcome: Record<string, number> = {};
    for (const { state } of items) outcome[state] = (outcome[state] ?? 0) + 1;
    return {
      runId,
      at: row.at,
      digest: row.digest,
      approvedBy: row.approved_by,
      approvedAt: row.approved_at,
      exceptions: JSON.parse(row.exceptions) as unknown,
      versions: row.versions,
      outcome,
      done: items.every(({ state }) => state === 'erased'),
      remaining: items.filter(({ state }) => state !== 'erased'),
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
    const rows = this.readModels
      .rows<CellRow>(retentionScheduleProjection, 'anonymised_cells', {})
      .map(({ category, year }) => {
        const people = this.readModels.count(retentionScheduleProjection, 'anonymised', { category, year });
        return { category, year, people: people - (people % SMALLEST_CELL) };
      })
      .filter(({ people }) => people > 0)
      .sort((a, b) => (`${a.category} ${a.year}` < `${b.category} ${b.year}` ? -1 : 1));
    return { unit: SMALLEST_CELL, rows, position: this.readModels.position };
  }

  /** The purposes that hold each of these items. */
  #purposesOf(itemIds: readonly string[]): ReadonlyMap<string, readonly PurposeRow[]> {
    const held = new Map<string, PurposeRow[]>();
    for (const row of this.readModels.rowsAmong<PurposeRow>(
      retentionScheduleProjection,
      'retention_purposes',
      { ended_at: null },
      'item_id',
      itemIds,
    ))
      held.set(row.item_id, [...(held.get(row.item_id) ?? []), row]);
    return held;
  }

  #rows(
    table: 'retention_schedule' | 'retention_reviews' | 'erasures',
    where: Row,
    column: string,
    now: string,
  ): readonly Row[] {
    const projection = table === 'erasures' ? erasureLedgerProjection : retentionScheduleProjection;
    return this.readModels
      .due<Row>(projection as never, table, where, column, now, VERSIONS_IN_RUN)
      .map(({ row_number: _number, ...row }) => row);
  }
}

/** What became of a version that was approved to end. */
function stateOf(row: ScheduleRow | undefined): {
  readonly state: string;
  readonly cause?: string;
  readonly due?: string;
} {
  if (!row) return { state: 'unknown' };
  if (row.status !== 'kept') return { state: row.status };
  if (row.deferred_by !== null) return { state: 'deferred', cause: row.deferred_by };
  const due = row.due === null ? {} : { due: row.due };
  return { state: row.review_since === null ? 'kept' : 'inReview', ...due };
}

/** What the rule of the purpose that holds an item last does at its end. */
function actionOf({ trigger_event, review_since }: ScheduleRow, purposes: readonly PurposeRow[]): RetentionAction {
  // An older version goes by itself; a review that nobody decides ends in an erasure.
  if (trigger_event === 'corrected' || review_since !== null) return 'erase';
  const holding = purposes.filter(({ due }) => due !== null);
  const last = holding.filter((row) => dueOf(row) === endOf(holding)).map(({ action }) => action);
  return RETENTION_ACTIONS.find((action) => last.includes(action)) ?? 'erase';
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
