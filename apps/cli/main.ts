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

custos
  .command('backup <folder>')
  .description('copies the installation, running or not, into an empty folder, and checks the copy')
  .action(async (folder: string) => {
    const configuration = settings();
    const { backupInstallation } = await import('./backup.js');
    json(await backupInstallation(configuration, process.env, folder));
  });

custos
  .command('restore <folder>')
  .description('puts a backup into an empty DATA_DIR and repeats every erasure since')
  .addOption(
    new Option('--erasures <journal>', 'the file of ERASURE_JOURNAL, or of `custos erasures`').conflicts(
      'withoutErasures',
    ),
  )
  .option('--without-erasures', 'there is no journal: people who were erased since may be readable again')
  .action(
    async (folder: string, options: { erasures?: string; withoutErasures?: true }, command: Command): Promise<void> => {
      if (options.erasures === undefined && !options.withoutErasures)
        command.error('name the erasure journal with --erasures, or say --without-erasures');
      const configuration = settings();
      const { restoreInstallation } = await import('./backup.js');
      json(await restoreInstallation(configuration, folder, options.erasures));
    },
  );

custos
  .command('restore-test <folder>')
  .description('restores a backup into a temporary folder, compares its read models, and writes the record of it')
  .action(async (folder: string) => {
    const configuration = settings();
    const { testRestore } = await import('./backup.js');
    const { record, problem } = await testRestore(configuration, folder);
    json(record);
    if (problem !== undefined) throw new Error(`the test failed: ${problem}`);
  });

custos
  .command('remove-ciphertext')
  .description('overwrites, in the embedded log, the encrypted values of erasures that are final')
  .action(async () => {
    const configuration = settings();
    const { removeCiphertext } = await import('./remove-ciphertext.js');
    json(await removeCiphertext(configuration));
  });

custos
  .command('erasures <file>')
  .description('adds every destruction of a key that the file does not know to it; keep it apart from the backups')
  .action(async (file: string) => {
    const configuration = settings();
    const { exportErasures } = await import('./backup.js');
    line(`${await exportErasures(configuration, file)} destructions stand in ${file}.`);
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
