import { Body, Controller, Get, HttpCode, Inject, Post, ServiceUnavailableException } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsISO8601,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { OpenTo, Tokens } from '#access';
import { EventLog } from '#event-log';
import { parseInstant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, readBody, REGISTER_ID, SimulatedClock, type Clock } from '#slice';

const ISSUABLE = ['service', 'staff', 'privacyOfficer', 'legal', 'auditor', 'operator'] as const;

class NewToken {
  @IsString()
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly actorId!: string;

  @IsIn(['user', 'service_account'])
  readonly actorType!: 'user' | 'service_account';

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(6)
  @IsIn(ISSUABLE, { each: true })
  readonly roles!: readonly (typeof ISSUABLE)[number][];
}

class NewTokens {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => NewToken)
  readonly tokens!: readonly NewToken[];
}

class NewTime {
  @IsISO8601({ strict: true })
  readonly now!: string;
}

/** What operators need: tokens, health, and the clock of a simulated engine. */
@Controller()
export class OperationController {
  constructor(
    private readonly tokens: Tokens,
    private readonly log: EventLog,
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Issues local tokens; each is shown here once and never again. */
  @Post('v1/tokens')
  @OpenTo('operator')
  async issue(@Body() body: unknown): Promise<{ tokens: readonly { actorId: string; token: string }[] }> {
    const { tokens } = await readBody(NewTokens, body);
    const at = this.clock.now();
    const issued = tokens.map(async ({ actorId, actorType, roles }) => ({
      actorId,
      token: await this.tokens.issue({ id: actorId, type: actorType, roles }, at),
    }));
    return { tokens: await Promise.all(issued) };
  }

  @Get('v1/clock')
  @OpenTo('service', 'staff', 'privacyOfficer', 'legal', 'auditor', 'operator')
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
