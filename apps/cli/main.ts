#!/usr/bin/env node
/**
 * `custos`, for operators and auditors. Settings come from the environment, as those of the engine do. Answers go to
 * stdout; what went wrong, in one line, to stderr. Exit code 0: done; 1: failed; 2: asked or configured wrongly.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseInstant, type Instant } from '#kernel';
import { BadSetting, readConfiguration, type Configuration } from '../configuration.js';
import { eventStoreCommands } from './event-store.js';
import { settingLines } from './settings.js';

// The capabilities take a second to load: an action imports what it needs of them.

const line = (text: string): void => void process.stdout.write(`${text}\n`);
const json = (answer: object): void => line(JSON.stringify(answer, undefined, 2));
const complain = (text: string): void =>
  void process.stderr.write(`custos: ${text.trim().replaceAll(/\s*\n\s*/g, '; ')}\n`);

const settings = (): Configuration => readConfiguration(process.env);

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) throw new InvalidArgumentError('not a UUID.');
  return text;
}

function time(text: string): Instant {
  const at = parseInstant(text);
  if (at === undefined) throw new InvalidArgumentError('not an RFC 3339 timestamp.');
  return at;
}

const wholeUpTo =
  (most: number) =>
  (text: string): number => {
    if (!/^\d{1,15}$/.test(text) || Number(text) > most) throw new InvalidArgumentError('not a whole number in range.');
    return Number(text);
  };

/** What an interruption does. */
let interrupt = (): void => process.exit(130);
process.on('SIGINT', () => interrupt());
process.on('SIGTERM', () => interrupt());

const custos = new Command('custos')
  .description('Replays and checks what Custos has recorded, and plans and applies policies.')
  .exitOverride()
  .showSuggestionAfterError(false)
  .configureOutput({ outputError: (text) => complain(text.replace(/^error: /, '')) });

custos
  .command('config')
  .description('shows the effective settings, without secrets')
  .action(() => settingLines(settings(), process.env).forEach(line));

custos
  .command('sdk-types')
  .description('writes the commands of this version as the TypeScript types of the SDK')
  .action(async () => {
    const { sdkTypesOfThisVersion } = await import('./sdk-types.js');
    process.stdout.write(sdkTypesOfThisVersion());
  });

custos
  .command('permissions')
  .description('writes who may do what in this version: the permission matrix as JSON')
  .action(async () => {
    const { permissionsOfThisVersion } = await import('../engine/engine.module.js');
    json({ permissions: permissionsOfThisVersion() });
  });

custos
  .command('replay')
  .description('answers from the log alone who held what about a person, or which digest the read models must have')
  .addOption(new Option('--subject <uuid>', 'the person').argParser(uuid).conflicts(['digest', 'through']))
  .addOption(new Option('--at <time>', 'the moment asked about, RFC 3339; now when absent').argParser(time))
  .addOption(new Option('--digest', 'folds the whole log').conflicts('at'))
  .addOption(
    new Option('--through <position>', 'the last event to take; the end of the log when absent')
      .argParser(wholeUpTo(Number.MAX_SAFE_INTEGER))
      .conflicts('at'),
  )
  .action(async (options: { subject?: string; at?: Instant; digest?: true; through?: number }, command: Command) => {
    const { subject, at, digest, through } = options;
    if (subject === undefined && !digest) command.error('name a person with --subject, or ask for --digest');
    const configuration = settings();
    const { clockOf, withLog } = await import('./installation.js');
    const { replayDigest, replaySubject } = await import('./replay.js');
    json(
      await withLog<object>(configuration, (log) =>
        subject === undefined
          ? replayDigest(log, through)
          : replaySubject(log, subject, at ?? clockOf(configuration).now()),
      ),
    );
  });

const policy = custos.command('policy').description('compares a policy file with the registers');
const policyFile = (): Option =>
  new Option('--file <path>', 'the policy file; POLICY_FILE or the shipped one when absent');

policy
  .command('plan')
  .description('shows what would bring the registers to the file')
  .addOption(policyFile())
  .action(async ({ file }: { file?: string }) => {
    const configuration = settings();
    const { withLog } = await import('./installation.js');
    const { planned, policyOf } = await import('./policy.js');
    const wanted = policyOf(file, configuration);
    const { commands, notes } = await withLog(configuration, (log) => planned(log, wanted));
    commands.forEach(({ summary, as }) => line(`${summary} (${as})`));
    notes.forEach((note) => line(`note: ${note}`));
    line(commands.length === 0 ? 'The registers say what the file says.' : `${commands.length} commands to apply.`);
  });

policy
  .command('apply')
  .description("brings the registers to the file, in the name of the file's author and approver")
  .addOption(policyFile())
  .action(async ({ file }: { file?: string }) => {
    const configuration = settings();
    const { withEventStore } = await import('./installation.js');
    const { applied, policyOf } = await import('./policy.js');
    const wanted = policyOf(file, configuration);
    const outcome = await withEventStore(configuration, (url) => applied(url, configuration, wanted));
    line(`${outcome.answers.filter(({ accepted }) => accepted).length} commands applied.`);
    if (outcome.outcome === 'refused')
      throw new Error(`refused: ${outcome.command.summary}: ${outcome.refusal.code}: ${outcome.refusal.remedy}`);
    outcome.remaining.notes.forEach((note) => line(`note: ${note}`));
  });

custos
  .command('token')
  .description('issues a token to an operator, for whoever may read and write the data folder; it is shown this once')
  .requiredOption('--actor <id>', 'who it is for: lower-case words joined by hyphens')
  .action(async ({ actor }: { actor: string }) => {
    const { AccessStore } = await import('#access');
    const { REGISTER_ID, systemClock } = await import('#slice');
    if (!REGISTER_ID.test(actor) || actor.length > 64)
      throw new BadSetting('--actor', 'not lower-case words and hyphens');
    const configuration = settings();
    const access = await AccessStore.open(configuration.accessUrl);
    try {
      const operator = { id: actor, type: 'user', roles: ['operator'] } as const;
      line((await access.tokens.issue(operator, systemClock.now())).token);
    } finally {
      await access.close();
    }
  });

eventStoreCommands(custos, {
  line,
  json,
  interrupted: () => new Promise<void>((resolve) => (interrupt = resolve)),
});

try {
  await custos.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    complain(error instanceof Error ? error.message : 'failed');
    process.exitCode = error instanceof BadSetting ? 2 : 1;
  }
}
