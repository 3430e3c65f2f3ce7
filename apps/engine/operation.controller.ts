import { Body, Controller, Get, HttpCode, Inject, Post, ServiceUnavailableException } from '@nestjs/common';
import { IsISO8601 } from 'class-validator';
import { OpenTo } from '#access';
import { EventLog } from '#event-log';
import { parseInstant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, readBody, SimulatedClock, type Clock } from '#slice';

class NewTime {
  @IsISO8601({ strict: true })
  readonly now!: string;
}

/** What operators need: health, and the clock of a simulated engine. */
@Controller()
export class OperationController {
  constructor(
    private readonly log: EventLog,
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('v1/clock')
  @OpenTo('actor')
  time(): { now: string; simulated: boolean } {
    return { now: this.clock.now(), simulated: this.clock instanceof SimulatedClock };
  }

  /** Moves the time of an engine that runs on a simulated clock; refused on the system's. */
  @Post('v1/clock')
  @HttpCode(200)
  @OpenTo('operator')
  async advance(@Body() body: unknown): Promise<{ now: string }> {
    const now = parseInstant((await readBody(NewTime, body)).now);
    if (!(this.clock instanceof SimulatedClock)) throw new InvalidCommand([{ field: 'now', rule: 'clockIsSimulated' }]);
    if (now === undefined || now < this.clock.now()) throw new InvalidCommand([{ field: 'now', rule: 'isLater' }]);
    this.clock.advanceTo(now);
    return { now };
  }

  @Get('health/live')
  @OpenTo('anyone')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @OpenTo('anyone')
  async ready(): Promise<{ status: 'ok'; position: number }> {
    if (!(await this.log.isAvailable())) throw new ServiceUnavailableException();
    return { status: 'ok', position: this.readModels.position };
  }
}
