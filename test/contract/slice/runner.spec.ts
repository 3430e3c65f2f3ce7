import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '#database';
import { LogUnavailable } from '#event-log';
import { instant, plusMilliseconds, REFUSALS, type DomainEvent, type Recorded, type Sealed } from '#kernel';
import { Projector, ReadModels } from '#read-model';
import {
  codecsOf,
  commandLedgerIn,
  commandLedgerProjection,
  refusalCapability,
  refusalsProjection,
  RegisterHost,
  SliceRunner,
  type Accepted,
  type Answer,
  type AnySlice,
  type Clock,
  type Command,
  type CommandLedger,
  type Refused,
} from '#slice';
import { collect, Ground, SERVICE, until } from './ground.js';
import {
  Add,
  blankLedger,
  CloseTally,
  limitRegister,
  limitSlice,
  Remark,
  SetLimit,
  tallyCapability,
  tallySlice,
} from './tally.js';

const PROJECTIONS = [refusalsProjection, commandLedgerProjection] as never;
const tally = tallySlice();

let ground: Ground;
let hosts: RegisterHost[] = [];
let databases: Database<unknown>[] = [];

beforeAll(async () => {
  ground = await Ground.open(codecsOf([refusalCapability, tallyCapability]));
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  await Promise.all(databases.map((database) => database.close()));
  hosts = [];
  databases = [];
});
afterAll(() => ground.close());

interface Parts {
  readonly ledger?: CommandLedger;
  readonly clock?: Clock;
  readonly slices?: readonly AnySlice[];
  readonly started?: boolean;
}

/** One engine's runner; several on one log are several engines. */
async function newRunner(parts: Parts = {}): Promise<{ runner: SliceRunner; host: RegisterHost }> {
  const host = new RegisterHost([limitRegister as never]);
  hosts.push(host);
  if (parts.started !== false) await host.start(ground.log, () => undefined);
  const slices = parts.slices ?? [tally, limitSlice];
  const runner = new SliceRunner(ground.log, host, parts.ledger ?? blankLedger, parts.clock ?? ground.clock, slices);
  return { runner, host };
}

/** The ledger and the refusals as read models of the whole log so far. */
async function projected(): Promise<{ ledger: CommandLedger; readModels: ReadModels; projector: Projector }> {
  const database = openDatabase(`file:${join(ground.folder, randomUUID())}.db`);
  databases.push(database);
  const projector = new Projector(database, PROJECTIONS);
  projector.apply(await collect(ground.log.readAll(Number.MAX_SAFE_INTEGER, () => true)));
  const readModels = new ReadModels(database, PROJECTIONS);
  const ledger = commandLedgerIn(readModels);
  return { ledger, readModels, projector };
}

const command = <T extends Command>(kind: new () => T, fields: Partial<T>): T =>
  Object.assign(new kind(), { commandId: randomUUID(), actor: SERVICE, ...fields });
const newId = (): string => `t-${randomUUID()}`;
const add = (tallyId: string, by = 1, fields: Partial<Add> = {}): Add => command(Add, { tallyId, by, ...fields });
const eventsOf = (tallyId: string): Promise<Recorded[]> => collect(ground.log.readStream(`tally-${tallyId}`));
const totals = async (tallyId: string): Promise<number[]> =>
  (await eventsOf(tallyId)).map(({ data }) => (data as { total: number }).total);
const refusalsOf = async ({ commandId }: Command): Promise<Recorded[]> =>
  (await collect(ground.log.readAll(Number.MAX_SAFE_INTEGER, (stream) => stream.startsWith('refusal-')))).filter(
    (event) => event.commandId === commandId,
  );
const asRefused = (answer: Answer): Refused => {
  if (answer.accepted) throw new Error('accepted');
  return answer;
};
const asAccepted = (answer: Answer): Accepted => {
  if (!answer.accepted) throw new Error(`refused with ${answer.code}`);
  return answer;
};

describe('a command', () => {
  it('is answered with what was recorded, and where', async () => {
    const { runner } = await newRunner();
    const id = newId();
    const first = asAccepted(await runner.run(tally, add(id, 2)));
    const second = asAccepted(await runner.run(tally, add(id, 3)));
    expect(await totals(id)).toEqual([2, 5]);
    const [one, two] = await eventsOf(id);
    expect(first).toMatchObject({ stream: `tally-${id}`, position: one?.position });
    expect(second).toMatchObject({ position: two?.position, events: [{ id: two?.id, type: 'Added', revision: 1 }] });
    expect(one).toMatchObject({ actorId: 'crm', commandId: first.commandId, recordedAt: ground.clock.now() });
  });

  it('keeps when it happened apart from when it was recorded', async () => {
    const { runner } = await newRunner();
    const id = newId();
    await runner.run(tally, add(id, 1, { occurredAt: '2026-11-01T10:00:00+01:00' }));
    expect((await eventsOf(id))[0]).toMatchObject({
      occurredAt: '2026-11-01T09:00:00.000Z',
      recordedAt: ground.clock.now(),
    });
  });

  it.each(['2026-11-23T09:00:00.001Z', '2027-01-01T00:00:00+14:00'])(
    'cannot have happened at %s',
    async (occurredAt) => {
      const { runner } = await newRunner();
      const mine = add(newId(), 1, { occurredAt });
      expect(asRefused(await runner.run(tally, mine))).toMatchObject({
        code: 'OCCURRED_IN_FUTURE',
        details: { field: 'occurredAt' },
      });
      expect(await refusalsOf(mine)).toHaveLength(1);
    },
  );

  it('that changes nothing records nothing, however often it comes', async () => {
    const { runner } = await newRunner();
    const id = newId();
    const close = command(CloseTally, { tallyId: id });
    await runner.run(tally, close);
    const again = command(CloseTally, { tallyId: id });
    const answer = asAccepted(await runner.run(tally, again));
    expect(answer.events).toEqual([]);
    expect(await runner.run(tally, again)).toEqual(answer);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  it('whose personal value is declared is sealed with a key of its own', async () => {
    const { runner } = await newRunner();
    const id = newId();
    await runner.run(tally, command(Remark, { tallyId: id, text: 'Asha called' }));
    const [event] = await eventsOf(id);
    const { text } = event?.data as { text: Sealed<string> };
    expect(await ground.vault.open([text])).toEqual([{ kind: 'opened', value: 'Asha called' }]);
  });

  it('whose capability forgot to declare a personal field is refused by name, and nothing of it is stored', async () => {
    const { runner } = await newRunner();
    const marker = `marker-${randomUUID()}`;
    const mine = command(Remark, { tallyId: newId(), text: 'Asha called', leak: marker });
    const answer = asRefused(await runner.run(tally, mine));
    expect(answer).toMatchObject({ code: 'PLAINTEXT_PERSONAL_DATA', clauses: ['C02'], details: { field: 'leak' } });
    expect(await eventsOf(mine.tallyId)).toEqual([]);
    expect(await refusalsOf(mine)).toHaveLength(1);
    expect(ground.bytes().includes(marker)).toBe(false);
  });

  it('leaves the runner fit for the next one when its stream cannot be read', async () => {
    const { runner } = await newRunner();
    const id = newId();
    await runner.run(tally, add(id, 1));
    await ground.stopServer();
    const mine = add(id, 1);
    await expect(runner.run(tally, mine)).rejects.toThrow(LogUnavailable);
    await ground.startServer();
    for (const deadline = Date.now() + 10_000; !(await ground.log.isAvailable());)
      if (Date.now() > deadline) throw new Error('the log does not answer again');
    expect(asAccepted(await runner.run(tally, mine)).events).toHaveLength(1);
    expect(await totals(id)).toEqual([1, 2]);
  });
});

describe('a command that comes twice', () => {
  it('is answered alike and happens once', async () => {
    const { runner } = await newRunner();
    const mine = add(newId());
    const answer = await runner.run(tally, mine);
    expect(await runner.run(tally, mine)).toEqual(answer);
    expect(await totals(mine.tallyId)).toEqual([1]);
  });

  it('64 times at once happens once, and all get one answer', async () => {
    const { runner } = await newRunner();
    const mine = add(newId());
    const answers = await Promise.all(Array.from({ length: 64 }, () => runner.run(tally, add('', 0, mine))));
    expect(asAccepted(answers[0] as Answer).events).toHaveLength(1);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await totals(mine.tallyId)).toEqual([1]);
  });

  it('at two engines at once happens once, and both give one answer', async () => {
    const [a, b] = [await newRunner(), await newRunner()];
    for (let n = 0; n < 10; n += 1) {
      const mine = add(newId());
      const [left, right] = await Promise.all([a.runner.run(tally, mine), b.runner.run(tally, mine)]);
      expect(left).toEqual(right);
      expect(await totals(mine.tallyId)).toEqual([1]);
    }
  });

  it.each(['with a ledger that has followed', 'with a ledger that knows nothing yet'])(
    'before and after a restart, %s, is answered alike',
    async (kind) => {
      const mine = add(newId());
      const answer = await (await newRunner()).runner.run(tally, mine);
      const ledger = kind.includes('nothing') ? blankLedger : (await projected()).ledger;
      const { runner } = await newRunner({ ledger });
      await runner.run(tally, add(mine.tallyId, 5));
      expect(await runner.run(tally, mine)).toEqual(answer);
      expect(await totals(mine.tallyId)).toEqual([1, 6]);
    },
  );

  it('with another body is refused, whatever the stream', async () => {
    const { runner } = await newRunner();
    const mine = add(newId());
    await runner.run(tally, mine);
    for (const other of [add(mine.tallyId, 2), add(newId(), 1)]) {
      const reused = Object.assign(other, { commandId: mine.commandId });
      expect(asRefused(await runner.run(tally, reused))).toMatchObject({
        code: 'COMMAND_ID_REUSED',
        details: { field: 'commandId' },
      });
    }
    const stranger = Object.assign(add(mine.tallyId), mine, { actor: { ...SERVICE, id: 'somebody-else' } });
    expect(asRefused(await runner.run(tally, stranger)).code).toBe('COMMAND_ID_REUSED');
    expect(await totals(mine.tallyId)).toEqual([1]);
    expect(await refusalsOf(mine)).toHaveLength(3);
  });

  it('with another body while the first is decided is refused', async () => {
    const { runner } = await newRunner();
    const mine = add(newId());
    const other = add(newId(), 9, { commandId: mine.commandId });
    const [first, second] = await Promise.all([runner.run(tally, mine), runner.run(tally, other)]);
    expect(first.accepted).toBe(true);
    expect(asRefused(second).code).toBe('COMMAND_ID_REUSED');
    expect(await totals(other.tallyId)).toEqual([]);
  });

  it('with another body after a restart is refused: on its own stream at once, on another once it is projected', async () => {
    const mine = add(newId());
    await (await newRunner()).runner.run(tally, mine);
    const here = add(mine.tallyId, 2, { commandId: mine.commandId });
    const elsewhere = add(newId(), 1, { commandId: mine.commandId });
    const blank = await newRunner();
    expect(asRefused(await blank.runner.run(tally, here)).code).toBe('COMMAND_ID_REUSED');
    const { runner } = await newRunner({ ledger: (await projected()).ledger });
    expect(asRefused(await runner.run(tally, elsewhere)).code).toBe('COMMAND_ID_REUSED');
    expect(await totals(elsewhere.tallyId)).toEqual([]);
  });
});

describe('a refusal', () => {
  const closed = async (runner: SliceRunner): Promise<string> => {
    const id = newId();
    await runner.run(tally, command(CloseTally, { tallyId: id }));
    return id;
  };

  it('cites its rule, is on record without the payload, and says where', async () => {
    const { runner } = await newRunner();
    const mine = add(await closed(runner), 4_711, { caseRef: 'TICKET-1' });
    const answer = asRefused(await runner.run(tally, mine));
    expect(answer).toMatchObject({
      code: 'REGISTER_ENTRY_UNKNOWN',
      clauses: [],
      legalRef: 'engine rule',
      remedy: REFUSALS.REGISTER_ENTRY_UNKNOWN.remedy,
      retryable: false,
    });
    const [event] = await refusalsOf(mine);
    expect(event).toMatchObject({
      type: 'CommandRefused',
      id: answer.refusalId,
      position: answer.position,
      stream: 'refusal-2026-11-23',
      actorId: 'crm',
      data: {
        commandType: 'Add',
        code: 'REGISTER_ENTRY_UNKNOWN',
        streamRef: `tally-${mine.tallyId}`,
        caseRef: 'TICKET-1',
      },
    });
    expect(JSON.stringify(event?.data)).not.toContain('4711');
  });

  it.each(['in the same engine', 'after a restart', 'the next day, after a restart'])(
    'is the same refusal, once, when the command is repeated %s',
    async (when) => {
      const { runner } = await newRunner();
      const mine = add(await closed(runner));
      const answer = await runner.run(tally, mine);
      const later = when.startsWith('in') ? runner : (await newRunner({ ledger: (await projected()).ledger })).runner;
      if (when.includes('day')) ground.clock.advanceTo(plusMilliseconds(ground.clock.now(), 86_400_000));
      expect(await later.run(tally, mine)).toEqual(answer);
      expect(await refusalsOf(mine)).toHaveLength(1);
    },
  );

  it('of a command id that is reused on another day is another record, and the read model takes both', async () => {
    const { runner } = await newRunner();
    const mine = add(newId());
    await runner.run(tally, mine);
    const reused = add(mine.tallyId, 2, { commandId: mine.commandId });
    await runner.run(tally, reused);
    await runner.run(tally, reused);
    ground.clock.advanceTo(plusMilliseconds(ground.clock.now(), 86_400_000));
    await runner.run(tally, reused);
    const refusals = await refusalsOf(mine);
    expect(refusals).toHaveLength(2);
    expect(new Set(refusals.map(({ id }) => id)).size).toBe(2);
    const { readModels } = await projected();
    expect(readModels.rows(refusalsProjection as never, 'refusals', { command_id: mine.commandId })).toHaveLength(2);
  });

  it('for want of a role, repeated after midnight, is one refusal once it was projected', async () => {
    const mine = add(newId());
    const stream = `tally-${mine.tallyId}`;
    const { runner } = await newRunner();
    const answer = await runner.refuse(mine, stream, 'FORBIDDEN', { command: 'Add' });
    ground.clock.advanceTo(plusMilliseconds(ground.clock.now(), 86_400_000));
    const { runner: restarted } = await newRunner({ ledger: (await projected()).ledger });
    expect(await restarted.refuse(mine, stream, 'FORBIDDEN', { command: 'Add' })).toEqual(answer);
    expect(await refusalsOf(mine)).toHaveLength(1);
  });

  it('for want of a role, repeated after midnight before it was projected, does not stop the read models', async () => {
    const mine = add(newId());
    const { runner } = await newRunner();
    await runner.refuse(mine, `tally-${mine.tallyId}`, 'FORBIDDEN');
    ground.clock.advanceTo(plusMilliseconds(ground.clock.now(), 86_400_000));
    await runner.refuse(mine, `tally-${mine.tallyId}`, 'FORBIDDEN');
    const { readModels } = await projected();
    expect(readModels.rows(refusalsProjection as never, 'refusals', { command_id: mine.commandId })).toHaveLength(1);
  });

  it('made on what an engine remembers is made on what the log says: another engine may have written since', async () => {
    const [a, b] = [await newRunner(), await newRunner()];
    const id = newId();
    await a.runner.run(limitSlice, command(SetLimit, { limitId: id, limit: 10 }));
    await until(() => b.host.get(limitRegister)[id] === 10, 'the limit at the other engine');
    await a.runner.run(tally, add(id, 8));
    await b.runner.run(tally, add(id, -7));
    expect(asAccepted(await a.runner.run(tally, add(id, 5))).events).toHaveLength(1);
    expect(await totals(id)).toEqual([8, 1, 6]);
  });

  it('is made when another engine has closed what this one remembers as open', async () => {
    const [a, b] = [await newRunner(), await newRunner()];
    const id = newId();
    await a.runner.run(tally, add(id));
    await b.runner.run(tally, command(CloseTally, { tallyId: id }));
    expect(asRefused(await a.runner.run(tally, add(id))).code).toBe('REGISTER_ENTRY_UNKNOWN');
    expect(asAccepted(await a.runner.run(tally, command(CloseTally, { tallyId: id }))).events).toEqual([]);
    expect(await eventsOf(id)).toHaveLength(2);
  });
});

describe('commands on one stream', () => {
  it('64 at once at one engine lose nothing', async () => {
    const { runner } = await newRunner();
    const id = newId();
    await Promise.all(Array.from({ length: 64 }, () => runner.run(tally, add(id))));
    expect(await totals(id)).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));
  });

  it('64 at once at two engines lose nothing', async () => {
    const [a, b] = [await newRunner(), await newRunner()];
    const id = newId();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) => (n % 2 === 0 ? a : b).runner.run(tally, add(id))),
    );
    expect(answers.every(({ accepted }) => accepted)).toBe(true);
    expect(await totals(id)).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));
  });

  it('are decided anew after a conflict, at the time of the new decision', async () => {
    const id = newId();
    const { runner: other } = await newRunner();
    let asked = 0;
    const interrupted = tallySlice(async () => {
      asked += 1;
      if (asked === 1) {
        ground.clock.advanceTo(plusMilliseconds(ground.clock.now(), 60_000));
        await other.run(tally, add(id, 10));
      }
      return {};
    });
    const { runner } = await newRunner({ slices: [interrupted] });
    const answer = asAccepted(await runner.run(interrupted, add(id, 1)));
    expect(answer.events).toMatchObject([{ revision: 1 }]);
    expect(asked).toBe(2);
    expect(await totals(id)).toEqual([10, 11]);
    const [theirs, mine] = await eventsOf(id);
    expect(Date.parse(mine?.recordedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(theirs?.recordedAt ?? 'never'));
  });

  it('that will not stand still are given up after a bounded number of attempts, with nothing recorded', async () => {
    const id = newId();
    const { runner: other } = await newRunner();
    let asked = 0;
    const interrupted = tallySlice(async () => {
      asked += 1;
      await other.run(tally, add(id, 1));
      return {};
    });
    const { runner } = await newRunner({ slices: [interrupted] });
    const mine = add(id, 1_000);
    await expect(runner.run(interrupted, mine)).rejects.toMatchObject({ name: 'TooContended' });
    expect(asked).toBeGreaterThan(2);
    expect(await totals(id)).toEqual(Array.from({ length: asked }, (_, n) => n + 1));
    expect(await refusalsOf(mine)).toEqual([]);
    expect(asAccepted(await other.run(tally, mine)).events).toHaveLength(1);
  });
});

describe('a register', () => {
  it('holds what a command wrote once the command was answered', async () => {
    const { runner, host } = await newRunner();
    for (let limit = 1; limit <= 25; limit += 1) {
      const id = newId();
      await runner.run(limitSlice, command(SetLimit, { limitId: id, limit }));
      expect(host.get(limitRegister)[id]).toBe(limit);
      expect(asRefused(await runner.run(tally, add(id, limit + 1))).code).toBe('DATA_EXCESSIVE');
    }
  });

  it('holds it also for a repeat that is answered while the first still waits', async () => {
    const { runner, host } = await newRunner({ started: false });
    const mine = command(SetLimit, { limitId: newId(), limit: 3 });
    const answered: string[] = [];
    const running = ['first', 'repeat'].map(async (name) => {
      await runner.run(limitSlice, mine);
      answered.push(name);
    });
    await until(() => false, 'long enough', 300).catch(() => undefined);
    expect(answered).toEqual([]);
    await host.start(ground.log, () => undefined);
    await Promise.all(running);
    expect(host.get(limitRegister)[mine.limitId]).toBe(3);
  });

  it('folds an event once, however often it is handed over', async () => {
    const counted: string[] = [];
    const counting = {
      ...limitRegister,
      evolve: (state: object, event: DomainEvent & { id: string }) => {
        counted.push(event.id);
        return state;
      },
    };
    const { runner } = await newRunner();
    const id = newId();
    for (const limit of [1, 2, 3]) await runner.run(limitSlice, command(SetLimit, { limitId: id, limit }));
    const host = new RegisterHost([counting as never]);
    const events = await collect(ground.log.readStream(`limit-${id}`));
    for (const event of [...events, ...events, ...events.slice(1)]) host.apply(event);
    expect(counted).toEqual(events.map((event) => event.id));
  });

  it('lets nobody wait for ever when it is stopped', async () => {
    const { host } = await newRunner();
    const waiting = host.reached(Number.MAX_SAFE_INTEGER);
    await Promise.all([expect(waiting).rejects.toThrow(LogUnavailable), host.stop()]);
    await expect(host.reached(Number.MAX_SAFE_INTEGER)).rejects.toThrow(LogUnavailable);
  });

  it('is defined once and asked for where it is hosted', () => {
    expect(() => new RegisterHost([limitRegister, limitRegister] as never)).toThrow('limits is defined twice');
    expect(() => new RegisterHost([]).get(limitRegister)).toThrow('limits is not part of this engine');
  });
});

describe('a runner', () => {
  it('refuses a slice whose streams it could not tell apart', () => {
    const odd: AnySlice = { ...tally, streamPrefix: 'tally-of-' };
    expect(() => new SliceRunner(ground.log, new RegisterHost([]), blankLedger, ground.clock, [odd])).toThrow(
      'tally-of-',
    );
  });

  it('keeps time by the clock it is given', () => {
    expect(() => ground.clock.advanceTo(instant('2026-01-01T00:00:00Z'))).toThrow('a clock does not go back');
  });
});
