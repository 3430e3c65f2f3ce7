/**
 * Keeping and erasing: `npm run bench keep [-- --sizes 10000,100000] [--asked 200] [--erased 100] [--due 100000]
 * [--only g8,g9,expiry]`.
 *
 * - G8, the access report: a person's file, opened and put on record, and who held what about them, at each size of the
 *   log with ten events a person; the ratio of the medians of the last size and the first, goal <= 1.25.
 * - G9, erasure: a person erased on request, to the answer, to the moment when no door returns a value any more (p99,
 *   goal <= 1 s), and to the statement that the key is gone; at each size (goal <= 1.25), and for a person with 10,000
 *   events against one with ten (goal <= 1.25).
 * - expiry: that many items that fall due within one hour, and how long it takes until all of them are erased, which
 *   must be within a day of their time (C16). `--people` gives how many people they belong to.
 *
 * The installation is the built product in a process of its own; the log is filled through its own append. Every
 * figure is gated by a check of what was answered. The sizes are measured one after the other over one log.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { instant } from '#kernel';
import { Population, type Plan } from './population.js';
import { median, table } from './rounds.js';

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    due: { type: 'string', default: '100000' },
    people: { type: 'string', default: '25000' },
    asked: { type: 'string', default: '200' },
    erased: { type: 'string', default: '100' },
    only: { type: 'string', default: 'g8,g9,expiry' },
  },
});
const wants = (part: string): boolean => options.only.split(',').includes(part);
const SIZES = options.sizes.split(',').map(Number);
const EVENTS = 10;
const ASKED = Number(options.asked);
const ERASED = Number(options.erased);
const HEAVY = 10_000;
/** Nobody opens the files of more than 200 people in a day: the files are opened by several, in turn. */
const FILES_OF_ONE = 100;
const DESKS = Array.from(
  { length: Math.ceil(((ASKED + ERASED) * SIZES.length + ERASED) / FILES_OF_ONE) },
  (_, index) => `desk-${index}`,
);
let opened = 0;
const START = '2026-11-23T09:00:00Z';
/** Ended with this process, however that ends. */
const children: ChildProcess[] = [];
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));
const MAIN = fileURLToPath(new URL('../../apps/standalone/main.js', import.meta.url));
const VALUE = 'Chart 12 does not open.';

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`wrong answer: ${what}`);
}

interface Door {
  readonly dataDir: string;
  // Answers are checked where they are read.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  get(actor: string, path: string): Promise<any>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  post(actor: string, path: string, body: object): Promise<any>;
  end(): Promise<void>;
}

async function open(): Promise<Door> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-keep-'));
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: '0', CLOCK: `simulated:${START}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const output = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (/^ {2}message bus .*$/m.test(text)) resolve(text);
    });
    child.once('exit', () => reject(new Error(`Custos did not start:\n${text}`)));
  });
  const url = /API +(\S+)\/v1$/m.exec(output)?.[1] ?? '';
  const tokens = new Map([['operator', /^ {2}(custos_\S+)$/m.exec(output)?.[1] ?? '']]);
  const ask = async (actor: string, path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${tokens.get(actor)}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    check(response.ok, `${response.status} of ${path.split('?')[0]}`);
    return response.json();
  };
  const roles = {
    ...{ dpo: 'privacyOfficer', 'second-dpo': 'privacyOfficer', auditor: 'auditor' },
    ...Object.fromEntries(DESKS.map((desk) => [desk, 'staff'])),
  };
  const { tokens: issued } = (await ask('operator', '/v1/tokens', {
    tokens: Object.entries(roles).map(([actorId, role]) => ({ actorId, actorType: 'user', roles: [role] })),
  })) as { readonly tokens: readonly { readonly actorId: string; readonly token: string }[] };
  issued.forEach(({ actorId, token }) => tokens.set(actorId, token));
  const accepted = async (actor: string, type: string, body: object) => {
    const sent = { commandId: randomUUID(), ...body };
    const answer = (await ask(actor, `/v1/commands/${type}`, sent)) as { accepted: boolean; code?: string };
    check(answer.accepted, `${type}: ${answer.code}`);
  };
  for (const granteeId of DESKS) {
    const grant = { granteeId, grantId: randomUUID() };
    const scope = { role: 'staff', purposeId: 'support-ticket', categories: ['ticket.text'] };
    await accepted('dpo', 'RequestAccess', { ...grant, ...scope, to: '2027-06-01T00:00:00Z' });
    await accepted('second-dpo', 'GrantAccess', grant);
  }
  return {
    dataDir,
    get: (actor, path) => ask(actor, path),
    post: ask,
    async end() {
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until the read models show a position. */
async function shown(door: Door, position: number): Promise<void> {
  for (;;) {
    const { position: reached } = await door.get('dpo', '/v1/retention/due');
    if (reached >= position) return;
    await wait(200);
  }
}

const percentile = (times: readonly number[], share: number): number =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]!;

const some = <T>(all: readonly T[], count: number): readonly T[] =>
  all.filter((_, index) => index % Math.max(1, Math.floor(all.length / count)) === 0).slice(0, count);

/** As one of those at the desk sees it. */
const fileOf = (door: Door, subjectId: string, desk = deskOf()) =>
  door.get(desk, `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
const deskOf = (): string => DESKS[Math.floor(opened++ / FILES_OF_ONE)]!;

async function accessReports(door: Door, people: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const subjectId of some(people, ASKED)) {
    const from = performance.now();
    const file = await fileOf(door, subjectId);
    const held = await door.get('dpo', `/v1/who-held-what?subject=${subjectId}`);
    times.push(performance.now() - from);
    check(file.holdings[0].value === VALUE, 'the file has no value');
    check(held.rows.length === 1, 'nobody held anything');
  }
  return times;
}

interface Erasure {
  /** Milliseconds from the command to its answer, to no door's returning a value, and to the key's being gone. */
  readonly answered: number;
  readonly withheld: number;
  readonly erased: number;
}

async function erasure(door: Door, subjectId: string): Promise<Erasure> {
  const from = performance.now();
  const answer = await door.post('dpo', '/v1/commands/EraseData', {
    commandId: randomUUID(),
    subjectId,
    cause: 'request',
  });
  const answered = performance.now() - from;
  check(answer.accepted, `EraseData: ${answer.code}`);
  let withheld: number | undefined;
  const desk = deskOf();
  for (;;) {
    if (withheld === undefined) {
      const file = await fileOf(door, subjectId, desk);
      if (file.holdings.every(({ value }: { value?: string }) => value === undefined))
        withheld = performance.now() - from;
    } else {
      const { rows } = await door.get('auditor', `/v1/subjects/${subjectId}/erasures`);
      if (rows[0]?.status === 'erased') return { answered, withheld, erased: performance.now() - from };
      await wait(10);
    }
  }
}

async function erasures(door: Door, people: readonly string[]): Promise<readonly Erasure[]> {
  const all: Erasure[] = [];
  for (const subjectId of people) all.push(await erasure(door, subjectId));
  return all;
}

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const rows: string[][] = [['', 'events', 'p50 ms', 'p99 ms', 'ratio of p50']];
const results: object[] = [];
function tell(name: string, events: number | string, times: readonly number[], first?: readonly number[]): void {
  const ratio = first && median(times) / median(first);
  rows.push([
    name,
    String(events),
    ms(median(times)),
    ms(percentile(times, 0.99)),
    ratio === undefined ? '' : ratio.toFixed(2),
  ]);
  results.push({
    name,
    events,
    p50: median(times),
    p99: percentile(times, 0.99),
    ...(ratio !== undefined && { ratio }),
  });
}

/** Kept for years: nothing falls due while it is measured. */
const kept = (events: number): Plan => ({ items: 1, events, collectedAt: instant(START), period: 'P6Y' });

async function flatness(): Promise<void> {
  const door = await open();
  const population = await Population.of(door.dataDir);
  try {
    let held = 0;
    let firstReports: readonly number[] | undefined;
    let firstErasures: readonly Erasure[] | undefined;
    for (const size of SIZES) {
      const { people, position } = await population.add((size - held) / EVENTS, () => kept(EVENTS));
      held = size;
      await shown(door, position);
      if (wants('g8')) {
        const times = await accessReports(door, people);
        tell('G8 access report', size, times, firstReports);
        firstReports ??= times;
      }
      if (wants('g9')) {
        const done = await erasures(door, some(people, ERASED));
        tell(
          'G9 erasure, answered',
          size,
          done.map((each) => each.answered),
          firstErasures?.map((each) => each.answered),
        );
        tell(
          'G9 no door returns it',
          size,
          done.map((each) => each.withheld),
          firstErasures?.map((each) => each.withheld),
        );
        tell(
          'G9 key destroyed',
          size,
          done.map((each) => each.erased),
          firstErasures?.map((each) => each.erased),
        );
        firstErasures ??= done;
      }
    }
    if (wants('g9')) {
      const heavy = await population.add(Math.ceil(ERASED / 20), () => kept(HEAVY));
      const light = await population.add(Math.ceil(ERASED / 5), () => kept(EVENTS));
      await shown(door, Math.max(heavy.position, light.position));
      const [many, few] = [await erasures(door, heavy.people), await erasures(door, light.people)];
      tell(
        'G9 of a person with 10 events',
        10,
        few.map((each) => each.erased),
      );
      tell(
        'G9 of a person with 10,000 events',
        HEAVY,
        many.map((each) => each.erased),
        few.map((each) => each.erased),
      );
      tell(
        '  answered',
        HEAVY,
        many.map((each) => each.answered),
        few.map((each) => each.answered),
      );
    }
  } finally {
    await population.close();
    await door.end();
  }
}

/** So many items fall due within an hour. */
async function expiry(due: number, people: number): Promise<void> {
  const door = await open();
  const population = await Population.of(door.dataDir);
  try {
    const loading = performance.now();
    const { position } = await population.add(people, (index) => ({
      items: Math.floor(due / people),
      events: 2,
      // Their period ends within the hour after nine o'clock, thirty days on.
      collectedAt: instant(new Date(Date.parse(START) + Math.floor((index * 3_600_000) / people)).toISOString()),
      period: 'P30D',
    }));
    await shown(door, position);
    const loaded = performance.now();
    await door.post('operator', '/v1/clock', { now: '2026-12-23T10:00:00Z' });
    const from = performance.now();
    for (;;) {
      const { due: left, beyondUse } = await door.get('dpo', '/v1/retention/due');
      if (left === 0 && beyondUse === 0) break;
      await wait(100);
    }
    const seconds = (performance.now() - from) / 1000;
    const overdue = await door.get('dpo', '/v1/retention/overdue');
    check(overdue.notStarted.length + overdue.notErased.length === 0, 'something is overdue');
    rows.push(['expiry of all that is due', String(due), ms(seconds * 1000), '', '']);
    results.push({
      name: 'expiry',
      due,
      people,
      seconds,
      perSecond: due / seconds,
      loadedInSeconds: (loaded - loading) / 1000,
    });
  } finally {
    await population.close();
    await door.end();
  }
}

if (wants('g8') || wants('g9')) await flatness();
if (wants('expiry')) await expiry(Number(options.due), Number(options.people));
process.stdout.write(`${table(rows)}\n${JSON.stringify({ bench: 'keep', results })}\n`);
process.exit(0);
