import { text } from 'node:stream/consumers';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  addUser,
  backup,
  redact,
  restore,
  scavenge,
  startEmbeddedEventStore,
  stats,
  verify,
  type EventReference,
} from '#embedded-event-store';

/** What the commands below need of the program they belong to. */
interface Terminal {
  readonly line: (text: string) => void;
  readonly json: (answer: object) => void;
  /** Resolves when the program is interrupted. */
  readonly interrupted: () => Promise<void>;
}

interface ServeOptions {
  readonly data: string;
  readonly port: number;
  readonly host: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly users?: string;
  readonly healthPort?: number;
}

function port(given: string): number {
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) throw new InvalidArgumentError('not a port number.');
  return Number(given);
}

function eventReference(given: string): EventReference {
  const [, at, revision, stream] = /^(?:(\d{1,15})|(\d{1,15})@(.+))$/s.exec(given) ?? [];
  if (at !== undefined) return { position: Number(at) };
  if (revision !== undefined && stream !== undefined) return { stream, revision: Number(revision) };
  throw new InvalidArgumentError('neither a position nor <revision>@<stream>.');
}

/**
 * `custos eventstore ...`: the embedded event log on its own. Commands on a folder ask the process that owns it; when
 * there is none they own the folder for as long as they take. Reports are JSON on stdout.
 */
export function eventStoreCommands(custos: Command, { line, json, interrupted }: Terminal): void {
  const eventstore = custos.command('eventstore').description('the embedded event log on its own');
  const onFolder = (name: string, description: string): Command =>
    eventstore.command(name).description(description).requiredOption('--data <dir>', 'the folder of events');

  onFolder('serve', 'serves a folder of events until it is interrupted; on loopback unless users are named')
    .addOption(new Option('--port <number>', 'a free one when absent').argParser(port).default(0))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tls-cert <file>', 'certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--users <file>', 'file of users; everybody has to sign in then')
    .addOption(new Option('--health-port <number>', 'answers /health/live and /health/ready there').argParser(port))
    .action(async ({ data, tlsCert, tlsKey, ...options }: ServeOptions) => {
      if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new Error('--tls-cert and --tls-key go together');
      const store = await startEmbeddedEventStore({
        dataDir: data,
        ...options,
        ...(tlsCert !== undefined && tlsKey !== undefined && { tls: { certFile: tlsCert, keyFile: tlsKey } }),
      });
      line(`The event log is served at ${store.connectionString}`);
      await interrupted();
      await store.stop();
    });

  onFolder('verify', 'checks every byte of a folder that is not in use, or of a backup').action(
    async ({ data }: { data: string }) => {
      const report = await verify(data);
      json(report);
      if (report.problem) throw new Error(report.problem.reason);
    },
  );

  onFolder('backup', 'copies the log, running or not, into an empty folder and checks the copy')
    .requiredOption('--to <dir>', 'an empty folder')
    .action(async ({ data, to }: { data: string; to: string }) => json(await backup(data, to)));

  onFolder('restore', 'puts a backup into an empty folder, checked')
    .requiredOption('--from <dir>', 'the backup')
    .action(async ({ data, from }: { data: string; from: string }) => json(await restore(from, data)));

  onFolder('scavenge', 'removes what is truncated, expired or deleted').action(async ({ data }: { data: string }) =>
    json(await scavenge(data)),
  );

  onFolder('redact', 'overwrites the data of one event; everything else about it stays')
    .addOption(
      new Option('--event <reference>', 'its position, or <revision>@<stream>')
        .argParser(eventReference)
        .makeOptionMandatory(),
    )
    .action(async ({ data, event }: { data: string; event: EventReference }) => json(await redact(data, event)));

  onFolder('stats', 'says what a folder holds').action(async ({ data }: { data: string }) => json(await stats(data)));

  eventstore
    .command('user')
    .description('adds or replaces a user; the password is read from stdin, so that no process list shows it')
    .requiredOption('--users <file>', 'the file of users; made when it is not there')
    .requiredOption('--name <name>', 'the name to sign in with')
    .option('--groups <names>', 'separated by commas, for example $admins', '')
    .action(async ({ users, name, groups }: { users: string; name: string; groups: string }) => {
      const password = (await text(process.stdin)).replace(/\r?\n$/, '');
      await addUser(
        users,
        name,
        password,
        groups.split(',').filter((group) => group !== ''),
      );
      line(`The user ${name} stands in ${users}.`);
    });
}
