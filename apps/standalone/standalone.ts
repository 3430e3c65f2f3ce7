import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino, type Logger } from 'pino';
import { AccessStore, IdentityProvider } from '#access';
import { CommandBusServer, Outbox, sealedFieldsOf, SealingKeys } from '#command-bus';
import { openDatabase } from '#database';
import { EventLog } from '#event-log';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import { applyPolicy, InvalidPolicy, readPolicy, SHIPPED_POLICY, type Policy } from '#policy';
import { Projector, ReadModels } from '#read-model';
import { ErasureJournal } from '#retention';
import {
  codecsOf,
  CommandCatalogue,
  CommandDoor,
  followedPrefixes,
  RegisterHost,
  SimulatedClock,
  systemClock,
  type Clock,
} from '#slice';
import { BlindIndex } from '#viewing';
import { capabilities } from '../capabilities.js';
import { BadSetting, type Configuration } from '../configuration.js';
import { EngineModule, type Foundations } from '../engine/engine.module.js';
import { guardDoor, httpAdapter } from '../engine/http-door.js';
import { integrationEvents } from '../engine/integration-events.js';
import { recordRebuilds } from '../steward/rebuilds.js';
import { reconcile } from '../steward/reconcile.js';
import { Steward } from '../steward/steward.js';
import { startEventLogProcess } from './event-log-process.js';

/** A running installation on one machine: engine, projector, steward and, by default, the event log. */
export interface Standalone {
  readonly url: string;
  /** Of the embedded event log; absent when another server is used, whose URL may hold a password. */
  readonly eventStoreUrl?: string;
  /** Made at the first start and given out once: it opens the door for an operator, who issues all others. */
  readonly firstToken?: string;
  readonly policy: { readonly id: string; readonly version: number; readonly commands: number };
  readonly steward: Steward;
  readonly clock: Clock;
  /** Stops in the order of dependence; nothing accepted is lost without it either. */
  stop(): Promise<void>;
}

/** Where the parts of a running installation are: read by the command-line client. */
export const RUNTIME_FILE = 'standalone.json';
/** Stands in a data folder for as long as a restore into it is under way. */
export const UNFINISHED_RESTORE = 'restore-unfinished';

/**
 * @param onFatal called when a part has stopped for good: the process must end, and may be started again.
 */
export async function startStandalone(
  configuration: Configuration,
  onFatal: (error: Error) => void,
): Promise<Standalone> {
  const { dataDir } = configuration;
  const policy = policyOf(configuration.policyFile);
  if (existsSync(join(dataDir, UNFINISHED_RESTORE)))
    throw new BadSetting('DATA_DIR', 'a restore into this folder was not finished; empty it and restore again');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logger = pino({ level: configuration.logLevel, base: null });
  const clock = configuration.clock.kind === 'system' ? systemClock : new SimulatedClock(configuration.clock.start);
  const closing: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  };
  try {
    const vault = await openKeyVault({
      url: configuration.keyVaultUrl,
      masterKey: masterKeyFrom(configuration.masterKey),
      clock: () => clock.now(),
    });
    closing.push(() => vault.close());
    const access = await AccessStore.open(configuration.accessUrl);
    closing.push(() => access.close());
    const identityProvider =
      configuration.identity &&
      new IdentityProvider({
        ...configuration.identity,
        pseudonym: (name) => Buffer.from(vault.hmac('actor', name), 'base64url').toString('hex'),
      });

    const { eventStore } = configuration;
    const embedded =
      eventStore.kind === 'embedded'
        ? await startEventLogProcess(join(dataDir, 'events'), eventStore.port, onFatal)
        : undefined;
    if (embedded) closing.push(() => embedded.stop());
    const log = new EventLog(
      eventStore.kind === 'server' ? eventStore.url : (embedded?.url ?? ''),
      codecsOf(capabilities),
      vault,
    );
    closing.push(() => log.close());
    const searchIndex = await BlindIndex.open(configuration.searchIndexUrl, vault);
    closing.push(() => searchIndex.close());

    const projections = capabilities.flatMap((each) => each.projections);
    const writable = openDatabase(configuration.databaseUrl, { name: 'read models' });
    closing.push(() => writable.close());
    const projector = new Projector(writable, projections);
    const readable = openDatabase(configuration.databaseUrl, { name: 'read models', readOnly: true });
    closing.push(() => readable.close());
    const readModels = new ReadModels(readable, projections);
    closing.push(() => projector.stop());
    await projector.start(log, followedPrefixes(capabilities), onFatal);

    searchIndex.start(log, followedPrefixes(capabilities), (error) =>
      logger.error({ error: error.name }, 'search is not available: delete its index, and it is built anew'),
    );
    const { app, close } = await startEngine(
      {
        ...{ log, vault, readModels, access, searchIndex, clock, logger },
        ...(identityProvider && { identityProvider }),
        ...(configuration.bus && { bus: configuration.bus }),
      },
      configuration,
    );
    closing.push(close);
    const registers = app.get(RegisterHost);
    closing.push(() => registers.stop());
    await registers.start(log, onFatal);

    const door = app.get(CommandDoor);
    const applied = await applyPolicy(policy, {
      registers,
      submit: (type, body, actor) => door.submit(type, body, actor),
    });
    if (applied.outcome === 'refused')
      throw new Error(`the policy was refused: ${applied.command.summary}: ${applied.refusal.code}`);
    const steward = new Steward(
      capabilities.flatMap((each) => each.policies),
      { door, readModels, log, clock, logger },
      configuration.erasureJournal === undefined ? undefined : new ErasureJournal(configuration.erasureJournal),
    );
    closing.push(() => steward.stop());
    await reconcile({ door, readModels, vault, logger });
    const firstToken = (await access.isEmpty())
      ? (await access.tokens.issue({ id: 'first-operator', type: 'user', roles: ['operator'] }, systemClock.now()))
          .token
      : undefined;

    await app.listen(configuration.port, configuration.host);
    const url = (await app.getUrl()).replace('[::1]', 'localhost');
    if (configuration.bus) {
      const bus = new CommandBusServer({
        url: configuration.bus.url,
        keys: app.get(SealingKeys),
        sealedFields: configuration.bus.allowPlaintext ? {} : sealedFieldsOf(app.get(CommandCatalogue)),
        isCommand: (type) => app.get(CommandCatalogue).get(type) !== undefined,
        now: () => clock.now(),
        onState: (state, error) =>
          state === 'connected'
            ? logger.info('Redis answers')
            : logger.warn({ error: error?.name }, 'Redis does not answer; commands come over HTTP only'),
      });
      app.connectMicroservice({ strategy: bus });
      closing.push(() => bus.close());
      await app.startAllMicroservices();
      const outbox = new Outbox({
        url: configuration.bus.url,
        events: integrationEvents,
        prefixes: followedPrefixes(capabilities),
        log,
        onStopped: (error) =>
          logger.error({ error: error.name }, 'events are no longer published: the stream is not one of this log'),
      });
      closing.push(() => outbox.stop());
      outbox.start();
    }
    steward.start();
    const recording = recordRebuilds({ door, projector, logger });
    closing.push(() => recording);
    const runtime = join(dataDir, RUNTIME_FILE);
    writeFileSync(`${runtime}.new`, JSON.stringify({ pid: process.pid, url, eventStoreUrl: embedded?.url }), {
      mode: 0o600,
    });
    renameSync(`${runtime}.new`, runtime);
    closing.push(() => rmSync(runtime, { force: true }));
    return {
      url,
      ...(embedded && { eventStoreUrl: embedded.url }),
      ...(firstToken !== undefined && { firstToken }),
      policy: { ...policy.policy, commands: applied.answers.length },
      steward,
      clock,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function policyOf(file: string | undefined): Policy {
  const text = policyText(file);
  try {
    return readPolicy(text);
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    throw new BadSetting('POLICY_FILE', error.message.replaceAll('\n', '; '));
  }
}

function policyText(file: string | undefined): string {
  try {
    return readFileSync(file ?? SHIPPED_POLICY, 'utf8');
  } catch {
    throw new BadSetting('POLICY_FILE', 'the file cannot be read');
  }
}

async function startEngine(
  foundations: Foundations,
  { http, tls, bus }: Configuration,
): Promise<{ readonly app: NestFastifyApplication; close(): Promise<void> }> {
  const adapter = httpAdapter({ ...http, ...(tls && { tls }) });
  const app = await NestFactory.create<NestFastifyApplication>(EngineModule.with(foundations), adapter, {
    logger: new NestLines(foundations.logger),
    abortOnError: false,
    // Nest would take forms as well: a body is JSON.
    bodyParser: false,
  });
  const release = await guardDoor(app, {
    ...http,
    nameOf: (text) => foundations.vault.hmac('rate limit', text),
    ...(bus && { redisUrl: bus.url }),
  });
  await app.init();
  return {
    app,
    async close() {
      await app.close();
      release();
    },
  };
}

/** Nest's own lines, at the levels of ours. */
class NestLines {
  constructor(private readonly logger: Logger) {}
  log(message: unknown): void {
    this.logger.debug(String(message));
  }
  warn(message: unknown): void {
    this.logger.warn(String(message));
  }
  error(message: unknown): void {
    this.logger.error(String(message));
  }
}
