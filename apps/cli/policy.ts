import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventLog, type LogReader, type Subscription } from '#event-log';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import {
  applyPolicy,
  planPolicy,
  policyRegisters,
  readPolicy,
  SHIPPED_POLICY,
  type Policy,
  type PolicyApplied,
  type PolicyPlan,
} from '#policy';
import {
  CLOCK,
  codecsOf,
  COMMAND_LEDGER,
  CommandDoor,
  RegisterHost,
  SliceModule,
  type Clock,
  type CommandLedger,
} from '#slice';
import { capabilities } from '../capabilities.js';
import { BadSetting, type Configuration } from '../configuration.js';
import { clockOf } from './installation.js';

/** The policy of a file; of `POLICY_FILE` or the shipped one when none is named. @throws InvalidPolicy, BadSetting */
export function policyOf(file: string | undefined, { policyFile }: Configuration): Policy {
  let text: string;
  try {
    text = readFileSync(file ?? policyFile ?? SHIPPED_POLICY, 'utf8');
  } catch {
    throw new BadSetting(file === undefined ? 'POLICY_FILE' : '--file', 'the file cannot be read');
  }
  return readPolicy(text);
}

/** What would bring the registers, as the log has them now, to the policy. */
export async function planned(log: LogReader, policy: Policy): Promise<PolicyPlan> {
  const definitions = capabilities.flatMap((each) => each.registers);
  const registers = new RegisterHost(definitions);
  let reached = 0;
  let following: Subscription | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      following = log.follow([...new Set(definitions.map(({ streamPrefix }) => streamPrefix))], {
        from: () => reached,
        handle: (events) =>
          events.forEach((event) => {
            registers.apply(event);
            reached = event.position;
          }),
        onCaughtUp: resolve,
        onStopped: reject,
      });
    });
  } finally {
    await following?.stop();
  }
  return planPolicy(policy, policyRegisters(registers));
}

/**
 * Decides the policy's commands here, over the log; an engine that runs meanwhile learns of them as of any other.
 * Each run is an attempt of its own, so what was refused before is decided anew.
 *
 * @param url connection string of the log.
 * @throws LogUnavailable when it does not answer; another run goes on from what it has.
 */
export async function applied(url: string, configuration: Configuration, policy: Policy): Promise<PolicyApplied> {
  const clock = clockOf(configuration);
  const closing: (() => unknown)[] = [];
  try {
    const vault = await openKeyVault({
      url: configuration.keyVaultUrl,
      masterKey: masterKeyFrom(configuration.masterKey),
      clock: () => clock.now(),
    });
    closing.push(() => vault.close());
    const log = new EventLog(url, codecsOf(capabilities), vault);
    closing.push(() => log.close());
    await log.head();
    const app = await NestFactory.createApplicationContext(DecidingModule.over(log, clock), {
      logger: false,
      abortOnError: false,
    });
    closing.push(() => app.close());
    const registers = app.get(RegisterHost);
    closing.push(() => registers.stop());
    // A failure later on reaches whoever waits for the registers.
    await registers.start(log, () => undefined);
    const door = app.get(CommandDoor);
    return await applyPolicy(policy, {
      registers,
      submit: (type, body, actor) => door.submit(type, body, actor),
      attempt: randomUUID(),
    });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The ids of a run's commands are its own: none of them was answered before. */
const NOTHING_ANSWERED: CommandLedger = { find: () => Promise.resolve(undefined) };

@Module({})
class DecidingModule {
  static over(log: EventLog, clock: Clock): DynamicModule {
    const providers = [
      { provide: EventLog, useValue: log },
      { provide: CLOCK, useValue: clock },
      { provide: COMMAND_LEDGER, useValue: NOTHING_ANSWERED },
    ];
    return {
      module: DecidingModule,
      global: true,
      imports: [SliceModule.forRoot(capabilities)],
      providers,
      exports: providers,
    };
  }
}
