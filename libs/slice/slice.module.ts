import { Inject, Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import { CodecRegistry, EventLog } from '#event-log';
import type { Answer } from './answer.js';
import { capability, FILE_VIEWS, READERS, streamPrefixesOf, view, type Capability } from './capability.js';
import { CLOCK, type Clock } from './clock.js';
import type { Command } from './command.js';
import { CommandCatalogue, CommandDoor, type KnownCommand } from './door.js';
import { commandLedgerProjection, REFUSAL_STREAM_PREFIX, refusalCodec, refusalsProjection } from './refusal-log.js';
import { RegisterHost } from './register-host.js';
import { SliceRunner, type CommandLedger } from './runner.js';

export const COMMAND_LEDGER = Symbol('CommandLedger');

/** The engine's own records: refusals, and which command ids were answered. */
export const refusalCapability: Capability = capability({
  name: 'refusal',
  codec: refusalCodec,
  projections: [refusalsProjection, commandLedgerProjection],
  views: [view('log', 'refusals', refusalsProjection, 'refusals', [...READERS, 'securityOfficer'])],
});

/** Prefixes of every stream an engine with these capabilities writes. */
export const followedPrefixes = (capabilities: readonly Capability[]): readonly string[] => [
  ...streamPrefixesOf(capabilities),
  REFUSAL_STREAM_PREFIX,
];

/** The codecs of these capabilities. */
export function codecsOf(capabilities: readonly Capability[]): CodecRegistry {
  return new CodecRegistry(capabilities.map(({ codec }) => codec));
}

/**
 * Brings the rules of the given capabilities to Nest: one generated handler per command on the CommandBus.
 * Expects `EventLog`, `CLOCK` and `COMMAND_LEDGER` from a global module.
 */
@Module({})
export class SliceModule {
  static forRoot(capabilities: readonly Capability[]): DynamicModule {
    const catalogue = new CommandCatalogue(capabilities);
    const slices = capabilities.flatMap((each) => each.slices);
    const rules = capabilities.flatMap((each) => each.doorRules);
    const registers = new RegisterHost(capabilities.flatMap((each) => each.registers));
    const providers: Provider[] = [
      { provide: CommandCatalogue, useValue: catalogue },
      { provide: RegisterHost, useValue: registers },
      { provide: FILE_VIEWS, useValue: capabilities.flatMap(({ views }) => views.filter(({ inFile }) => inFile)) },
      {
        provide: SliceRunner,
        useFactory: (log: EventLog, ledger: CommandLedger, clock: Clock) =>
          new SliceRunner(log, registers, ledger, clock, slices, rules),
        inject: [EventLog, COMMAND_LEDGER, CLOCK],
      },
      CommandDoor,
      ...catalogue.all().map(handlerFor),
    ];
    return {
      module: SliceModule,
      imports: [CqrsModule.forRoot()],
      providers,
      exports: [CommandCatalogue, CommandDoor, FILE_VIEWS, RegisterHost, SliceRunner],
    };
  }
}

/** Nobody writes a handler by hand: all of them are this one. */
function handlerFor(known: KnownCommand): Type<ICommandHandler> {
  class Handler implements ICommandHandler<Command, Answer> {
    constructor(private readonly runner: SliceRunner) {}

    execute(command: Command): Promise<Answer> {
      return this.runner.run(known.slice, command);
    }
  }
  Inject(SliceRunner)(Handler, undefined, 0);
  CommandHandler(known.command)(Handler);
  Object.defineProperty(Handler, 'name', { value: `${known.type}Handler` });
  return Handler;
}
