import { Controller, Get, Inject, NotFoundException } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { AccessRefused, Authentication, IdentityProviderUnavailable, OpenTo } from '#access';
import {
  asyncApiOf,
  BUS_COMMAND,
  PARTITIONS,
  sealedFieldsOf,
  SealingKeys,
  type BusCommand,
  type Handled,
} from '#command-bus';
import type { BusDescription } from '#command-bus/sdk';
import { DatabaseUnavailable } from '#database';
import { LogUnavailable } from '#event-log';
import { CommandCatalogue, CommandDoor, EMPLOYED_ROLES, TooContended } from '#slice';
import { integrationEvents } from './integration-events.js';
import { placeOf, problemOfRequest, refusalStatus } from './http-answers.js';

export const BUS_SETTINGS = Symbol('BusSettings');

interface BusSettings {
  readonly on: boolean;
  readonly allowPlaintext: boolean;
  readonly logger: Logger;
}

/** Commands over the message bus: the door, the tokens and the answers are those of HTTP. */
@Controller()
export class BusController {
  constructor(
    private readonly door: CommandDoor,
    private readonly authentication: Authentication,
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
  ) {}

  /** Never throws: what went wrong is part of the outcome, and the transport decides what follows. */
  @MessagePattern(BUS_COMMAND)
  async submit({ type, body, token, inClear }: BusCommand): Promise<Handled> {
    try {
      const actor = await this.authentication.holderOf(token);
      if (!actor) throw new AccessRefused('UNAUTHENTICATED_ACTOR');
      const answer = await this.door.submit(type, body, actor, inClear);
      return { status: refusalStatus(answer) ?? 200, body: answer };
    } catch (error) {
      const problem = problemOfRequest(error);
      if (problem) return { status: problem.status, body: problem };
      if (OUTAGES.some((outage) => error instanceof outage)) return { failed: 'outage' };
      if (error instanceof TooContended) return { failed: 'busy' };
      this.settings.logger.error(
        { error: error instanceof Error ? error.name : typeof error, at: placeOf(error) },
        'a command of the message bus failed',
      );
      return { failed: 'error' };
    }
  }
}

/** What no message is to blame for: it waits until that has passed. */
const OUTAGES = [LogUnavailable, DatabaseUnavailable, IdentityProviderUnavailable];

/** What a service has to know to send commands over the bus. */
@Controller('v1/bus')
export class BusDescriptionController {
  constructor(
    private readonly keys: SealingKeys,
    private readonly catalogue: CommandCatalogue,
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
  ) {}

  @Get()
  @OpenTo('service', ...EMPLOYED_ROLES)
  async describe(): Promise<BusDescription> {
    if (!this.settings.on) throw new NotFoundException();
    return { partitions: PARTITIONS, keys: await this.keys.published(), sealed: sealedFieldsOf(this.catalogue) };
  }
}

/** The bus as AsyncAPI describes it, from the classes that the commands are read into. */
@Controller('docs')
export class AsyncApiController {
  constructor(private readonly catalogue: CommandCatalogue) {}

  @Get('asyncapi.json')
  @OpenTo('service', ...EMPLOYED_ROLES)
  describe(): object {
    return asyncApiOf(this.catalogue, integrationEvents);
  }
}
