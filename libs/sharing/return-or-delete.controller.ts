import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { londonDate } from '#calendar';
import type { CivilDate, Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, limitOf, wholeNumber, type Clock } from '#slice';
import { disclosuresProjection } from './disclosure.projection.js';
import { returnOrDeleteProjection } from './return-or-delete.projection.js';
import type { EndedGround, ReturnOutcome } from './return-or-delete.events.js';

/** A recipient whose ground has ended: what it was given is to be retrieved, or shown to be deleted (C19). */
interface ReturnOrDelete {
  readonly taskId: string;
  readonly recipientId: string;
  readonly reason: EndedGround;
  /** Company number or agreement id. */
  readonly reference: string;
  /** First day on which the ground was none. */
  readonly since: CivilDate;
  /** Last day in time. */
  readonly due: CivilDate;
  readonly overdue: boolean;
  readonly status: 'open' | 'closed';
  readonly outcome?: ReturnOutcome;
}

interface Tasks {
  readonly tasks: readonly ReturnOrDelete[];
  /** Give it as `after` for the next page; absent at the end. */
  readonly next?: number;
  readonly position: number;
}

/** Tasks of recipients whose membership or agreement has ended: those that are open, and what one is about. */
@Controller('v1/return-or-delete')
export class ReturnOrDeleteController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @OpenTo('privacyOfficer', 'legal', 'auditor')
  open(@Query('after') after: string | undefined, @Query('limit') limit: string | undefined): Tasks {
    const { position } = this.readModels;
    const where = { status: 'open' };
    const from = wholeNumber('after', after);
    const page = this.readModels.page(returnOrDeleteProjection, 'return_or_delete', where, from, limitOf(limit));
    return {
      tasks: page.rows.map((row) => this.#task(row)),
      ...(page.next !== undefined && { next: page.next }),
      position,
    };
  }

  /** The item versions that were given on the ground: a page of them. */
  @Get(':taskId')
  @OpenTo('privacyOfficer', 'legal', 'auditor')
  one(
    @Param('taskId', ParseUUIDPipe) taskId: string,
    @Query('after') after: string | undefined,
    @Query('limit') limit: string | undefined,
  ): {
    readonly task: ReturnOrDelete;
    readonly items: readonly Row[];
    readonly next?: number;
    readonly position: number;
  } {
    const { position } = this.readModels;
    const [row] = this.readModels.rows<Row>(returnOrDeleteProjection, 'return_or_delete', { task_id: taskId });
    if (!row) throw new NotFoundException();
    const task = this.#task(row);
    const where = {
      recipient_id: task.recipientId,
      ...(task.reason === 'groupExit' ? { group_company_number: task.reference } : { agreement_id: task.reference }),
    };
    const from = wholeNumber('after', after);
    const page = this.readModels.page(disclosuresProjection, 'disclosures', where, from, limitOf(limit));
    return { task, items: page.rows, ...(page.next !== undefined && { next: page.next }), position };
  }

  #task(row: Row): ReturnOrDelete {
    const due = String(row['due']);
    return {
      taskId: String(row['task_id']),
      recipientId: String(row['recipient_id']),
      reason: row['reason'] === 'groupExit' ? 'groupExit' : 'agreementEnded',
      reference: String(row['reference']),
      since: String(row['since']),
      due,
      overdue: row['status'] === 'open' && due < londonDate(this.clock.now()),
      status: row['status'] === 'open' ? 'open' : 'closed',
      ...(row['outcome'] !== null && { outcome: row['outcome'] as ReturnOutcome }),
    };
  }
}
