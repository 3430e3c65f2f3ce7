import { Controller, Get, Inject, NotFoundException, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { parseInstant, plusMilliseconds, type Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { LAW_OF } from './deferral.decider.js';
import { erasureLedgerProjection } from './erasure.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';

/** How long an erasure may take from the moment it is due, in milliseconds: a day (C16). */
export const ERASURE_WITHIN = 24 * 60 * 60 * 1000;
const ROWS_SHOWN = 500;
const NOT_DEFERRED = { status: 'kept', deferred_ref: null } as const;

interface ScheduleRow extends Row {
  readonly subject_id: string;
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly due: string | null;
  readonly status: string;
  readonly deferred_by: keyof typeof LAW_OF | null;
  readonly deferred_ref: string | null;
  readonly deferred_since: string | null;
  readonly erasure_id: string | null;
}

interface PurposeRow extends Row {
  readonly purpose_id: string;
  readonly purpose_version: number;
  readonly basis: string;
  readonly trigger_event: string;
  readonly period: string;
  readonly held_from: string;
  readonly due: string | null;
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
    return {
      at: by,
      due: count(NOT_DEFERRED),
      beyondUse: this.readModels.count(retentionScheduleProjection, 'retention_schedule', { status: 'beyondUse' }),
      deferred: exceptions.reduce((sum, { versions }) => sum + versions, 0),
      exceptions,
      rows: this.#rows('retention_schedule', NOT_DEFERRED, 'due', by),
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
      versions: versions.map(({ version, status, due, deferred_by, deferred_ref, deferred_since, erasure_id }) => ({
        version,
        status,
        due,
        deferral: deferred_by && {
          cause: deferred_by,
          ref: deferred_ref,
          since: deferred_since,
          law: LAW_OF[deferred_by],
        },
        erasureId: erasure_id,
      })),
      purposes: purposes.map((row) => ({
        purposeId: row.purpose_id,
        purposeVersion: row.purpose_version,
        basis: row.basis,
        trigger: row.trigger_event,
        period: row.period,
        heldFrom: row.held_from,
        due: row.due,
        endedAt: row.ended_at,
      })),
      inPlainWords: versions.map((version) => sentence(version, purposes)),
      position: this.readModels.position,
    };
  }

  #rows(table: 'retention_schedule' | 'erasures', where: Row, column: string, now: string): readonly Row[] {
    const projection = table === 'erasures' ? erasureLedgerProjection : retentionScheduleProjection;
    return this.readModels
      .due<Row>(projection as never, table, where, column, now, ROWS_SHOWN)
      .map(({ row_number: _number, ...row }) => row);
  }
}

const CAUSES: Readonly<Record<keyof typeof LAW_OF, string>> = {
  legalHold: 'a legal hold',
  restriction: 'a restriction that the person asked for',
  openAccessRequest: 'an access request that is not answered yet',
  openComplaint: 'a complaint that is open',
  openIncident: 'an incident that is being looked into',
};

function sentence({ version, status, due, deferred_by }: ScheduleRow, purposes: readonly PurposeRow[]): string {
  const what = `Version ${version}`;
  if (status === 'erased') return `${what} is erased: its key was destroyed.`;
  if (deferred_by) return `${what} is past its time and stays, used for nothing, because of ${CAUSES[deferred_by]}.`;
  if (status === 'beyondUse') return `${what} is used for nothing any more; its key is about to be destroyed.`;
  const holding = purposes.filter(({ ended_at }) => ended_at === null).map(({ purpose_id }) => purpose_id);
  if (due === null) return `${what} is held for ${holding.join(' and ')}; its period has not begun to run.`;
  return `${what} is held for ${holding.join(' and ') || 'no purpose'} and goes on ${due.slice(0, 10)}.`;
}
