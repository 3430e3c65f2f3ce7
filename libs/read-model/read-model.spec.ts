import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openDatabase, type Database } from '#database';
import {
  insert,
  insertIfAbsent,
  instant,
  remove,
  update,
  type Projection,
  type Recorded,
  type RowChange,
} from '#kernel';
import { physicalName, Projector, ReadModelBehind, ReadModels } from './index.js';

interface Joined {
  readonly type: 'Joined';
  readonly data: { readonly id: string; readonly age?: number };
}
interface Aged {
  readonly type: 'Aged';
  readonly data: { readonly id: string; readonly age: number };
}
interface Left {
  readonly type: 'Left';
  readonly data: { readonly id: string };
}
type MemberEvent = Joined | Aged | Left;

const columns = { id: 'text', age: 'integer?', since: 'integer' } as const;

/** Who is a member, and since which position. */
const members: Projection<MemberEvent> = {
  name: 'members',
  version: 1,
  tables: { members: { columns, key: ['id'], indexes: [['age', 'id']] } },
  handles: {
    Joined: ({ data, position }) => [insert('members', { id: data.id, age: data.age ?? null, since: position })],
    Aged: ({ data }) => [update('members', { id: data.id }, { age: data.age })],
    Left: ({ data }) => [remove('members', { id: data.id })],
  },
};

/** How many events of each kind there were, and every event by its position. */
const journal: Projection<never> & Pick<Required<Projection>, 'every'> = {
  name: 'journal',
  version: 1,
  tables: { journal: { columns: { position: 'integer', type: 'text' }, key: ['position'] } },
  handles: {},
  every: ({ position, type }) => [insert('journal', { position, type })],
};

/** A projection that does what a test says. */
const doing = (changes: (event: Recorded) => readonly RowChange[], version = 1): Projection => ({
  name: 'doing',
  version,
  tables: { done: { columns: { id: 'text', note: 'text?' }, key: ['id'] } },
  handles: {},
  every: changes,
});

let folder: string;
let opened: Database<unknown>[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-model-'));
  opened = [];
});
afterEach(async () => {
  for (const database of opened) await database.close();
  rmSync(folder, { recursive: true });
});

const open = (file = 'read-models.db'): Database<unknown> => {
  const database = openDatabase(`file:${folder}/${file}`);
  opened.push(database);
  return database;
};
const all = (...projections: unknown[]): Projection[] => projections as Projection[];
const at = (position: number, event: MemberEvent): Recorded =>
  ({ ...event, position, id: `event-${position}`, occurredAt: instant('2026-11-23T09:00:00Z') }) as Recorded;
const joined = (position: number, id: string, age?: number): Recorded =>
  at(position, { type: 'Joined', data: { id, ...(age !== undefined && { age }) } });
const aged = (position: number, id: string, age: number): Recorded => at(position, { type: 'Aged', data: { id, age } });
const left = (position: number, id: string): Recorded => at(position, { type: 'Left', data: { id } });
const tablesOf = (database: Database<unknown>): unknown =>
  database.sqlite.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).pluck().all();
const rowsOf = (database: Database<unknown>, table: string): unknown[] =>
  database.sqlite.prepare(`SELECT * FROM "${table}"`).all();

const checkpointsOf = (database: Database<unknown>): unknown[] =>
  database.sqlite.prepare('SELECT projection, position FROM checkpoints ORDER BY projection').all();

/** A life of some members, in batches, with gaps between positions as the log has them. */
const lives = fc
  .array(fc.tuple(fc.constantFrom('join', 'age', 'leave'), fc.integer({ min: 0, max: 5 }), fc.nat(99)), {
    maxLength: 60,
  })
  .map((steps) => {
    const present = new Set<string>();
    return steps.flatMap(([what, who, age], index) => {
      const [id, position] = [`m${who}`, (index + 1) * 7];
      if (what === 'age') return [aged(position, id, age)];
      if (what === 'leave') return present.delete(id) ? [left(position, id)] : [];
      if (present.has(id)) return [];
      present.add(id);
      return [joined(position, id, age % 2 === 0 ? age : undefined)];
    });
  });

describe('a projector', () => {
  it('turns changes into rows', () => {
    const database = open();
    const projector = new Projector(database, all(members));
    projector.apply([joined(1, 'a', 30), joined(2, 'b'), aged(3, 'b', 41), joined(4, 'c'), left(5, 'a')]);
    expect(rowsOf(database, 'members_v1')).toEqual([
      { id: 'b', age: 41, since: 2 },
      { id: 'c', age: null, since: 4 },
    ]);
    expect(projector.position).toBe(5);
  });

  it('takes null in a condition for a cell without a value', () => {
    const database = open();
    const projector = new Projector(
      database,
      all(
        doing(({ id, position }) =>
          position < 3
            ? [insert('done', { id, note: position === 1 ? null : 'kept' })]
            : [update('done', { note: null }, { note: 'found' }), insertIfAbsent('done', { id: 'event-1', note: 'x' })],
        ),
      ),
    );
    projector.apply([joined(1, 'a'), joined(2, 'b'), joined(3, 'c')]);
    expect(rowsOf(database, 'done_v1')).toEqual([
      { id: 'event-1', note: 'found' },
      { id: 'event-2', note: 'kept' },
    ]);
  });

  it('takes each event once, however the log is cut into batches, repeated, and interrupted by restarts', () => {
    fc.assert(
      fc.property(lives, fc.array(fc.nat(20), { maxLength: 8 }), (events, cuts) => {
        const database = openDatabase(`file:${mkdtempSync(join(folder, 'run-'))}/read-models.db`);
        for (const cut of cuts) {
          const projector = new Projector(database, all(members, journal));
          const from = events.filter(({ position }) => position > projector.position);
          projector.apply(from.slice(0, cut));
          projector.apply(from.slice(0, Math.floor(cut / 2)));
        }
        const projector = new Projector(database, all(members, journal));
        projector.apply(events);
        expect(rowsOf(database, 'journal_v1')).toEqual(events.map(({ position, type }) => ({ position, type })));
        const live = new ReadModels(database, all(members, journal)).digest();
        const again = openDatabase(`file:${mkdtempSync(join(folder, 'rebuilt-'))}/read-models.db`);
        new Projector(again, all(members, journal)).apply(events);
        expect(new ReadModels(again, all(members, journal)).digest()).toEqual(live);
        database.sqlite.close();
        again.sqlite.close();
      }),
      { numRuns: 25 },
    );
  });

  it('leaves rows and checkpoint as they were when one change of a batch cannot be made', () => {
    const database = open();
    const failing = doing(({ position }) => {
      if (position === 12) throw new Error('cannot be folded');
      return [];
    });
    const projector = new Projector(database, all(members, failing));
    const heard: number[] = [];
    projector.onAdvance((position) => heard.push(position));
    projector.apply([joined(10, 'a')]);
    const before = new ReadModels(database, all(members, failing)).digest();
    expect(() => projector.apply([joined(11, 'b'), joined(12, 'c')])).toThrow('cannot be folded');
    expect(() => projector.apply([joined(11, 'b'), joined(12, 'a')])).toThrow(/UNIQUE|cannot/);
    expect(new ReadModels(database, all(members, failing)).digest()).toEqual(before);
    expect([projector.position, new Projector(database, all(members, failing)).position]).toEqual([10, 10]);
    expect(heard).toEqual([10]);
    projector.apply([joined(11, 'b')]);
    expect([projector.position, heard]).toEqual([11, [10, 11]]);
  });

  it.each<[string, RowChange, RegExp]>([
    ['an unknown column', insert('done', { id: 'a', nickname: 'b' }), /no column named nickname/],
    ['an unknown column of a condition', update('done', { nickname: 'b' }, { note: 'c' }), /no such column/],
    ['no value where one must be', insert('done', { id: 'a', note: null }), /NOT NULL/],
    ['a value of another kind', insert('done', { id: 'a', note: 'b', count: 'many' }), /cannot store TEXT value/],
    ['no value where one must be, if absent', insertIfAbsent('done', { id: 'a', note: null }), /NOT NULL/],
    ['a table of another projection', insert('members', { id: 'a', age: null, since: 1 }), /doing .*members/],
    ['a table that nobody has', remove('nowhere', { id: 'a' }), /doing .*nowhere/],
  ])('stops at a change with %s', (_name, change, message) => {
    const database = open();
    const strict: Projection = {
      ...doing(() => [change]),
      tables: { done: { columns: { id: 'text', note: 'text', count: 'integer?' }, key: ['id'] } },
    };
    const projector = new Projector(database, all(members, strict));
    expect(() => projector.apply([joined(1, 'a')])).toThrow(message);
    expect(rowsOf(database, 'members_v1')).toEqual([]);
    expect(projector.position).toBe(0);
  });

  it('writes into the table of the projection whose change it is, when two versions of it stand side by side', () => {
    const database = open();
    const first = doing(({ id }) => [insert('done', { id, note: 'first' })]);
    const second = { ...doing(({ id }) => [insert('done', { id, note: 'second' })], 2), name: 'trial' };
    new Projector(database, all(first, second)).apply([joined(1, 'a')]);
    expect(rowsOf(database, 'done_v1')).toEqual([{ id: 'event-1', note: 'first' }]);
    expect(rowsOf(database, 'done_v2')).toEqual([{ id: 'event-1', note: 'second' }]);
  });

  it('refuses two projections of one table', () => {
    expect(() => new Projector(open(), all(members, { ...journal, tables: members.tables }))).toThrow(
      'the table members_v1 is claimed by two projections',
    );
  });
});

describe('a read-model file', () => {
  const events = [joined(1, 'a', 30), joined(2, 'b'), aged(3, 'b', 41)];

  it('builds a new version under its own name, from the start, and drops the old one', () => {
    const database = open();
    new Projector(database, all(members, journal)).apply(events);
    const next: Projection<MemberEvent> = { ...members, version: 2 };
    const projector = new Projector(database, all(next, journal));
    expect(tablesOf(database)).toEqual(['checkpoints', 'journal_v1', 'members_v2']);
    expect(checkpointsOf(database)).toEqual([
      { projection: 'journal.v1', position: 3 },
      { projection: 'members.v2', position: 0 },
    ]);
    expect(projector.position).toBe(0);
    projector.apply(events);
    expect(rowsOf(database, 'members_v2')).toHaveLength(2);
    expect(rowsOf(database, 'journal_v1')).toHaveLength(3);
    expect(physicalName(next as never, 'members')).toBe('members_v2');
  });

  it('lets an added projection catch up while the others stand still', () => {
    const database = open();
    new Projector(database, all(members)).apply(events);
    const before = rowsOf(database, 'members_v1');
    const projector = new Projector(database, all(members, journal));
    projector.apply(events.slice(0, 2));
    expect(rowsOf(database, 'members_v1')).toEqual(before);
    expect(rowsOf(database, 'journal_v1')).toHaveLength(2);
    expect(projector.position).toBe(2);
    expect(checkpointsOf(database)).toEqual([
      { projection: 'journal.v1', position: 2 },
      { projection: 'members.v1', position: 3 },
    ]);
    projector.apply([...events.slice(2), joined(4, 'c')]);
    expect([rowsOf(database, 'members_v1').length, rowsOf(database, 'journal_v1').length]).toEqual([3, 4]);
  });

  it('builds a table anew that has another shape than it is declared with, and leaves the others', () => {
    const database = open();
    new Projector(database, all(members, journal)).apply(events);
    const shaped: Projection<MemberEvent> = {
      ...members,
      tables: { members: { ...members.tables['members']!, history: true } },
    };
    const projector = new Projector(database, all(shaped, journal));
    expect([projector.position, rowsOf(database, 'journal_v1').length]).toEqual([0, 3]);
    projector.apply(events);
    expect(rowsOf(database, 'members_v1')).toHaveLength(2);
    expect(tablesOf(database)).toEqual(['checkpoints', 'journal_v1', 'members_v1', 'members_v1_past']);
    expect(new Projector(database, all(shaped, journal)).position).toBe(3);
  });

  it('forgets a projection that is no more', () => {
    const database = open();
    new Projector(database, all(members, journal)).apply(events);
    new Projector(database, all(members));
    expect(tablesOf(database)).toEqual(['checkpoints', 'members_v1']);
    expect(rowsOf(database, 'checkpoints')).toHaveLength(1);
  });

  it('is never one that holds something else: nothing of it is dropped', () => {
    const database = open('vault.db');
    database.sqlite.exec('CREATE TABLE item_keys (id TEXT); INSERT INTO item_keys VALUES (1)');
    expect(() => new Projector(database, all(members))).toThrow('item_keys');
    expect(rowsOf(database, 'item_keys')).toHaveLength(1);
    expect(tablesOf(database)).toEqual(['item_keys']);
  });
});

describe('a digest', () => {
  it('is whole when all projections are there and stand at one position', () => {
    const database = open();
    const whole = (...projections: unknown[]) => new ReadModels(database, all(...projections)).wholeDigest();
    new Projector(database, all(members)).apply([joined(1, 'a')]);
    expect(whole(members)).toEqual(new ReadModels(database, all(members)).digest());
    expect(whole(members, journal)).toBeUndefined();
    const projector = new Projector(database, all(members, journal));
    expect(whole(members, journal)).toBeUndefined();
    projector.apply([joined(1, 'a')]);
    expect(whole(members, journal)).toMatchObject({ position: 1 });
  });

  const filled = (events: readonly Recorded[]): [Database<unknown>, ReadModels] => {
    const database = open();
    new Projector(database, all(members, journal)).apply(events);
    return [database, new ReadModels(database, all(members, journal))];
  };

  it('changes with any cell, any row and nothing else', () => {
    const [database, readModels] = filled([joined(1, 'a', 30), joined(2, 'b'), joined(3, 'c', 7)]);
    const before = readModels.digest();
    const changed = (sql: string): boolean => {
      database.sqlite.exec('BEGIN');
      database.sqlite.exec(sql);
      const after = database.sqlite.prepare('SELECT 1').get() && digestWithin(database);
      database.sqlite.exec('ROLLBACK');
      return after !== before.digest;
    };
    for (const [id, column, value] of [
      ['a', 'id', `'z'`],
      ['a', 'age', '31'],
      ['a', 'age', 'NULL'],
      ['b', 'age', '0'],
      ['c', 'since', '4'],
    ])
      expect([id, column, changed(`UPDATE members_v1 SET "${column}" = ${value} WHERE id = '${id}'`)]).toEqual([
        id,
        column,
        true,
      ]);
    expect(changed(`DELETE FROM journal_v1 WHERE position = 2`)).toBe(true);
    expect(changed(`INSERT INTO journal_v1 VALUES (9, 'Left')`)).toBe(true);
    expect(changed(`UPDATE members_v1 SET age = age`)).toBe(false);
    expect(changed(`DELETE FROM members_v1 WHERE id = 'nobody'`)).toBe(false);
    expect(readModels.digest()).toEqual(before);
    expect(before.position).toBe(3);
    expect(Object.keys(before.projections).sort()).toEqual(['journal.v1', 'members.v1']);
  });

  it('does not depend on the order in which rows came', () => {
    const [database, readModels] = filled([joined(1, 'a', 30), joined(2, 'b')]);
    const before = readModels.digest().projections['members.v1'];
    const rows = rowsOf(database, 'members_v1') as { id: string; age: number | null; since: number }[];
    database.sqlite.exec('DELETE FROM members_v1');
    for (const { id, age, since } of rows.reverse())
      database.sqlite.prepare('INSERT INTO members_v1 VALUES (?, ?, ?)').run(id, age, since);
    expect(readModels.digest().projections['members.v1']).toBe(before);
  });

  /** The digest within an open transaction: a nested one becomes a savepoint. */
  const digestWithin = (database: Database<unknown>): string =>
    new ReadModels(database, all(members, journal)).digest().digest;
});

describe('a question', () => {
  const ask = (events: readonly Recorded[]): [Projector, ReadModels] => {
    const projector = new Projector(open(), all(members));
    projector.apply(events);
    const readable = openDatabase(`file:${folder}/read-models.db`, { readOnly: true });
    opened.push(readable);
    return [projector, new ReadModels(readable, all(members))];
  };
  const ids = (rows: readonly unknown[]): unknown[] => rows.map((row) => (row as { id: unknown }).id);

  it('finds rows by equality, null included, in the order asked for', () => {
    const [, readModels] = ask([joined(1, 'c'), joined(2, 'a', 5), joined(3, 'b')]);
    expect(ids(readModels.rows(members as never, 'members', { age: null }, 'id'))).toEqual(['b', 'c']);
    expect(ids(readModels.rows(members as never, 'members', { age: 5, id: 'a' }))).toEqual(['a']);
    expect(readModels.rows(members as never, 'members', { id: 'nobody' })).toEqual([]);
  });

  it('finds which of many values stand in rows like these, once each', () => {
    const [, readModels] = ask([joined(1, 'x', 30), joined(2, 'y', 31), joined(3, "z'", 30)]);
    const found = (values: readonly string[]) =>
      [...readModels.among(members as never, 'members', { age: 30 }, 'id', values)].sort();
    expect(found(['x', 'y', "z'", 'nobody', 'x'])).toEqual(['x', "z'"]);
    expect(found([])).toEqual([]);
  });

  it('finds all rows with one of many values, in one look', () => {
    const [, readModels] = ask([joined(1, 'x', 30), joined(2, 'y', 31), joined(3, "z'", 30)]);
    const found = (values: readonly string[], where = {}) =>
      ids(readModels.rowsAmong(members as never, 'members', where, 'id', values)).sort();
    expect(found(['x', 'y', "z'", 'nobody', 'x'])).toEqual(['x', 'y', "z'"]);
    expect(found(['x', 'y'], { age: 31 })).toEqual(['y']);
    expect(found([])).toEqual([]);
  });

  it('waits for the position it names', async () => {
    const [projector, readModels] = ask([joined(1, 'a')]);
    await readModels.reached(1, 0);
    const waiting = readModels.reached(8);
    projector.apply([joined(8, 'b')]);
    await waiting;
    expect(readModels.position).toBe(8);
  });

  it('waits no longer than it may, and says how far the read models have come', async () => {
    const [, readModels] = ask([joined(1, 'a')]);
    const waiting = readModels.reached(2, 30);
    await expect(waiting).rejects.toBeInstanceOf(ReadModelBehind);
    await expect(waiting).rejects.toMatchObject({ wanted: 2, position: 1 });
  });

  it('waits for the slowest projection', async () => {
    const database = open();
    new Projector(database, all(members)).apply([joined(1, 'a')]);
    const projector = new Projector(database, all(members, journal));
    await expect(new ReadModels(database, all(members, journal)).reached(1, 20)).rejects.toThrow('asked for 1');
    projector.apply([joined(1, 'a')]);
    await new ReadModels(database, all(members, journal)).reached(1, 0);
  });

  it('finds what is due: the longest overdue first, at most so many, nothing without a date', () => {
    const [, readModels] = ask([joined(1, 'a', 30), joined(2, 'b', 10), joined(3, 'c'), joined(4, 'd', 20)]);
    const due = (now: number, limit: number): unknown[] =>
      ids(readModels.due(members as never, 'members', {}, 'age', now as never, limit));
    expect(due(9, 9)).toEqual([]);
    expect(due(20, 9)).toEqual(['b', 'd']);
    expect(due(99, 2)).toEqual(['b', 'd']);
    expect(ids(readModels.due(members as never, 'members', { id: 'a' }, 'age', 99 as never, 9))).toEqual(['a']);
  });

  it('gets every row that stays in pages, once, whatever is added, changed or removed meanwhile', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.constantFrom('join', 'age', 'leave'), { maxLength: 30 }),
        (count, limit, meanwhile) => {
          const database = openDatabase(`file:${mkdtempSync(join(folder, 'pages-'))}/read-models.db`);
          const projector = new Projector(database, all(members));
          const readModels = new ReadModels(database, all(members));
          let position = 0;
          const names = Array.from({ length: count }, (_, n) => `m${n}`);
          projector.apply(names.map((name) => joined((position += 1), name, 1)));
          const seen: string[] = [];
          const added: string[] = [];
          const removed = new Set<string>();
          let after = 0;
          for (;;) {
            const page = readModels.page(members as never, 'members', {}, after, limit);
            expect(page.rows.length).toBeLessThanOrEqual(limit);
            for (const row of page.rows) expect(Object.keys(row).sort()).toEqual(['age', 'id', 'since']);
            seen.push(...(ids(page.rows) as string[]));
            if (page.next === undefined) break;
            after = page.next;
            const step = meanwhile.pop();
            if (step === 'join') {
              added.push(`n${added.length}`);
              projector.apply([joined((position += 1), `n${added.length - 1}`, 1)]);
            }
            if (step === 'age') projector.apply([aged((position += 1), seen[0] ?? '', 99)]);
            if (step === 'leave') {
              const going = names.find((name) => !removed.has(name)) ?? 'nobody';
              removed.add(going);
              projector.apply([left((position += 1), going)]);
            }
          }
          expect(new Set(seen).size).toBe(seen.length);
          const stayed = names.filter((name) => !removed.has(name));
          expect(seen).toEqual(expect.arrayContaining(removed.size === 0 ? [...stayed, ...added] : stayed));
          database.sqlite.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
