import { Controller, Get, Inject, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import type { Instant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, type Clock } from '#slice';
import { timePassed } from './accountability.times.js';
import { registerFactsProjection } from './register-facts.projection.js';
import { registersFrom, type RegisterFactRow } from './register-facts.query.js';
import { differenceOf, ropaAsOf, type Ropa, type RopaDifference } from './ropa.query.js';

/** The record of processing activities (UK GDPR Art 30), now, at a time, and between two times. */
@Controller('v1/ropa')
export class RopaController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What had been recorded by `asOf`, and of that what was in force at `asOf`. */
  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  record(@Query('asOf') asOf: string | undefined): Ropa & { readonly asOf: Instant; readonly position: number } {
    const now = this.clock.now();
    const at = asOf === undefined ? now : timePassed('asOf', asOf, now);
    return { asOf: at, ...this.#ropa(at), position: this.readModels.position };
  }

  @Get('difference')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  difference(
    @Query('from') from: string | undefined,
    @Query('to') to: string | undefined,
  ): RopaDifference & { readonly from: Instant; readonly to: Instant; readonly position: number } {
    const now = this.clock.now();
    const before = timePassed('from', from, now);
    const after = to === undefined ? now : timePassed('to', to, now);
    return {
      from: before,
      to: after,
      ...differenceOf(this.#ropa(before), this.#ropa(after)),
      position: this.readModels.position,
    };
  }

  #ropa(at: Instant): Ropa {
    const rows = this.readModels.rows<RegisterFactRow>(registerFactsProjection, 'register_facts', {}, 'position', at);
    return ropaAsOf(registersFrom(rows), at);
  }
}
