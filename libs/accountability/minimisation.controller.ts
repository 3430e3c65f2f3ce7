import { Controller, Get, Inject, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import type { Instant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { timePassed } from './accountability.times.js';
import { minimisationProjection } from './minimisation.projection.js';
import { fieldNeeds, type FieldNeed, type FieldTraceRow } from './minimisation.query.js';
import { registerFactsProjection } from './register-facts.projection.js';
import { registersFrom, type RegisterFactRow } from './register-facts.query.js';

const A_YEAR = 12;
const LONGEST = 120;

/** Whether what people are asked for is needed (C12, UK GDPR Art 5(1)(c)). */
@Controller('v1/minimisation')
export class MinimisationController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Of every field in use at `asOf`, as far as was recorded by then, with the unused ones of the last `months`. */
  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  needs(
    @Query('months') months: string | undefined,
    @Query('asOf') asOf: string | undefined,
  ): {
    readonly asOf: Instant;
    readonly months: number;
    readonly rows: readonly FieldNeed[];
    readonly position: number;
  } {
    const now = this.clock.now();
    const at = asOf === undefined ? now : timePassed('asOf', asOf, now);
    const window = monthsOf(months);
    const facts = this.readModels.rows<RegisterFactRow>(registerFactsProjection, 'register_facts', {}, 'position', at);
    const traces = this.readModels.rows<FieldTraceRow>(minimisationProjection, 'minimisation', {}, 'position', at);
    return {
      asOf: at,
      months: window,
      rows: fieldNeeds(registersFrom(facts), traces, at, window),
      position: this.readModels.position,
    };
  }
}

function monthsOf(text: string | undefined): number {
  if (text === undefined) return A_YEAR;
  const months = typeof text === 'string' && /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (months < 1 || months > LONGEST) throw new InvalidCommand([{ field: 'months', rule: 'isFrom1To120' }]);
  return months;
}
