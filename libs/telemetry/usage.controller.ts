import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import type { Actor, Sealed } from '#kernel';
import { KeyVault } from '#key-vault';
import { USAGE } from '#purpose';
import { ReadModels } from '#read-model';
import { CLOCK, CommandDoor, InvalidCommand, REGISTER_ID, RegisterHost, type Clock, type Refused } from '#slice';
import { ViewDoor } from '#viewing';
import { USAGE_MONTH } from './usage.commands.js';
import type { UsageBatch, UsageEntry } from './usage.events.js';
import { usageProjection } from './usage.projection.js';

/** Batches on one page: at most as many times the largest batch. */
const BATCHES_AT_ONCE = 10;

interface MonthRow {
  readonly month: string;
  readonly status: 'held' | 'expired' | 'erased';
  readonly batches: number;
  readonly entries: number;
  readonly due: string;
}

interface BatchRow {
  readonly batch_id: string;
  readonly stream_id: string;
  readonly stream_version: number;
  readonly purpose_id: string;
  readonly batch_ref: string;
  readonly count: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly recorded_at: string;
  readonly sealed: string;
  readonly event_id: string;
}

interface BatchView extends Omit<BatchRow, 'sealed'> {
  readonly usage?: readonly UsageEntry[];
  /** Why there is none: `beyondUse` (the month has expired), or `forgotten` (its keys are destroyed). */
  readonly withheld?: 'beyondUse' | 'forgotten';
}

interface UsageFile extends MonthRow {
  readonly held: readonly BatchView[];
  /** Where the next page begins; absent at the end. */
  readonly next?: number;
  /** As `GET /v1/subjects/:id/views` lists it. */
  readonly viewId: string;
}

/**
 * A month of a person's usage, opened. It is read for the purpose it was captured for or to answer the person, and
 * every reading is on record twice before a value is opened: as a use of usage (C07) and as a view (C15).
 */
@Controller('v1/subjects')
export class UsageController {
  readonly #views: ViewDoor;

  constructor(
    private readonly readModels: ReadModels,
    private readonly vault: KeyVault,
    private readonly door: CommandDoor,
    registers: RegisterHost,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#views = new ViewDoor(door, registers, clock);
  }

  @Get(':subjectId/usage')
  @OpenTo('staff', 'privacyOfficer', 'auditor')
  async month(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Query() query: Readonly<Record<string, string | undefined>>,
    @SentBy() actor: Actor,
  ): Promise<UsageFile | Refused> {
    const { month, stream, after, purpose: purposeId, caseRef } = asked(query);
    const where = { subject_id: subjectId, month };
    const [found] = this.readModels.rows<MonthRow>(usageProjection, 'usage_months', where);
    if (!found) throw new NotFoundException();
    const page = this.readModels.page(
      usageProjection,
      'usage_batches',
      { ...where, ...(stream !== undefined && { stream_id: stream }) },
      after,
      BATCHES_AT_ONCE,
    );
    const rows = page.rows as unknown as readonly BatchRow[];
    const mayOpen = found.status === 'held' && rows.length > 0;
    const wanted = {
      subjectId,
      categories: [USAGE],
      ...(purposeId !== undefined && { purposeId }),
      ...(caseRef !== undefined && { caseRef }),
    };
    // Whoever may not view, or does not say what for, is told so before any use is authorised.
    if (
      mayOpen &&
      purposeId !== undefined &&
      caseRef !== undefined &&
      !actor.roles.includes('auditor') &&
      !this.#views.lacksGrant(wanted, actor)
    ) {
      const streamIds = [...new Set(rows.map(({ stream_id }) => stream_id))];
      const access = { commandId: randomUUID(), subjectId, purposeId, streamIds, caseRef };
      const authorised = await this.door.submit('AuthoriseUsageAccess', access, actor);
      if (!authorised.accepted) return authorised;
    }
    const view = await this.#views.open(wanted, actor);
    if (!view.accepted) return view;
    const opened = mayOpen
      ? await this.vault.open<UsageBatch>(rows.map(({ sealed }) => JSON.parse(sealed) as Sealed<UsageBatch>))
      : [];
    const { status, batches, entries, due } = found;
    return {
      month,
      status,
      batches,
      entries,
      due,
      held: rows.map(({ sealed: _sealed, ...row }, index): BatchView => {
        const batch = opened[index];
        if (batch === undefined) return { ...row, withheld: 'beyondUse' };
        return batch.kind === 'opened' ? { ...row, usage: batch.value.entries } : { ...row, withheld: 'forgotten' };
      }),
      ...(page.next !== undefined && { next: page.next }),
      viewId: view.viewId,
    };
  }
}

const PARAMETERS: readonly string[] = ['month', 'stream', 'after', 'purpose', 'caseRef', 'min-position'];

/** The question, checked. @throws InvalidCommand naming the parameter, never its value. */
function asked(query: Readonly<Record<string, unknown>>) {
  const wrong = (field: string, rule: string): never => {
    throw new InvalidCommand([{ field, rule }]);
  };
  const text = (name: string): string | undefined => {
    const value = query[name];
    return value === undefined || typeof value === 'string' ? value : wrong(name, 'isText');
  };
  if (Object.keys(query).some((name) => !PARAMETERS.includes(name))) wrong('query', 'isKnownParameter');
  const [month, stream, after = '0'] = [text('month'), text('stream'), text('after')];
  if (month === undefined || !USAGE_MONTH.test(month)) return wrong('month', 'isMonth');
  if (stream !== undefined && !REGISTER_ID.test(stream)) wrong('stream', 'isRegisterId');
  if (!/^\d{1,15}$/.test(after)) wrong('after', 'isInt');
  return { month, stream, after: Number(after), purpose: text('purpose'), caseRef: text('caseRef') };
}
