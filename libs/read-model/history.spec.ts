import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openDatabase } from '#database';
import { insert, instant, instantOf, remove, update, type Instant, type Projection, type Recorded } from '#kernel';
import { Projector, ReadModels } from './index.js';

interface Changed {
  readonly type: 'Changed';
  readonly data: { readonly what: 'join' | 'age' | 'rename' | 'leave'; readonly id: string; readonly to: number };
}

/** Members with a past, and the same without one. */
const membersWith = (history: { readonly history?: true }): Projection<Changed> => ({
  name: 'members',
  version: 1,
  tables: {
    members: { columns: { id: 'text', age: 'integer?', team: 'text' }, key: ['id'], indexes: [['team']], ...history },
  },
  handles: {
    Changed: ({ data: { what, id, to } }) => {
      switch (what) {
        case 'join':
          return [insert('members', { id, age: null, team: `t${to % 3}` })];
        case 'age':
          return [update('members', { id }, { age: to })];
        // Many rows at once, found by another column than the key.
        case 'rename':
          return [update('members', { team: `t${to % 3}` }, { team: `t${(to + 1) % 3}` })];
        case 'leave':
          return [remove('members', { id })];
      }
    },
  },
});
const members = membersWith({ history: true }) as never;
const plain = membersWith({}) as never;

const at = (position: number, recordedAt: Instant, data: Changed['data']): Recorded =>
  ({ type: 'Changed', data, position, id: `event-${position}`, recordedAt, occurredAt: recordedAt }) as Recorded;

/** Members come, change and go; several changes fall on one moment, and some clocks are behind. */
const lives = fc
  .array(
    fc.tuple(
      fc.constantFrom('join', 'age', 'rename', 'leave'),
      fc.integer({ min: 0, max: 4 }),
      fc.nat(99),
      fc.integer({ min: -3, max: 6 }),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    const present = new Set<string>();
    let now = 1_000_000;
    return steps.flatMap(([what, who, to, pause], index) => {
      const id = `m${who}`;
      if (what === 'join' && present.has(id)) return [];
      if (what === 'join') present.add(id);
      if (what === 'leave') present.delete(id);
      now += pause;
      return [at((index + 1) * 3, instantOf(now), { what, id, to })];
    });
  });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function folded(projection: never, events: readonly Recorded[], batch = events.length) {
  const database = openDatabase(`file:${mkdtempSync(join(folder, 'run-'))}/read-models.db`);
  let from = 0;
  do {
    // A projector of its own for each batch: what it needs to know of the past stands in the file.
    new Projector(database, [projection]).apply(events.slice(from, from + batch));
    from += batch;
  } while (from < events.length);
  return { database, readModels: new ReadModels(database, [projection]) };
}

/** What a table says page by page. */
function pages(readModels: ReadModels, projection: never, asOf?: Instant, where = {}): readonly unknown[] {
  const rows: unknown[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = readModels.page(projection, 'members', where, after, 2, asOf);
    rows.push(...page.rows);
    after = page.next;
  }
  return rows;
}

describe('a table with a history', () => {
  it('says at any time what a fold of everything recorded by then says', () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 7 }), (events, batch) => {
        const { database, readModels } = folded(members, events, batch);
        const times = [...new Set(events.map(({ recordedAt }) => recordedAt))];
        for (const time of [instantOf(0), ...times, instantOf(9_000_000)]) {
          // A clock that is behind counts as standing still: a time then stands for one place in the log.
          const later = events.findIndex(({ recordedAt }) => recordedAt > time);
          const { database: then, readModels: expected } = folded(plain, later < 0 ? events : events.slice(0, later));
          if (later !== 0) {
            expect(pages(readModels, members, time)).toEqual(pages(expected, plain));
            expect(pages(readModels, members, time, { team: 't1' })).toEqual(
              pages(expected, plain, undefined, { team: 't1' }),
            );
          } else expect(pages(readModels, members, time)).toEqual([]);
          then.sqlite.close();
        }
        database.sqlite.close();
      }),
      { numRuns: 40 },
    );
  });

  it('says now what a table without one says, and has the same past however the log was cut', () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 7 }), (events, batch) => {
        const cut = folded(members, events, batch);
        const whole = folded(members, events);
        const without = folded(plain, events);
        expect(pages(cut.readModels, members)).toEqual(pages(without.readModels, plain));
        expect(cut.readModels.digest()).toEqual(whole.readModels.digest());
        for (const { database } of [cut, whole, without]) database.sqlite.close();
      }),
      { numRuns: 25 },
    );
  });

  it('keeps nothing of what was so for no time, and its digest changes with its past', () => {
    const [nine, ten] = [instant('2026-11-23T09:00:00Z'), instant('2026-11-23T10:00:00Z')];
    const { database, readModels } = folded(members, [
      at(1, nine, { what: 'join', id: 'a', to: 0 }),
      at(2, nine, { what: 'age', id: 'a', to: 30 }),
      at(3, ten, { what: 'age', id: 'a', to: 31 }),
    ]);
    expect(database.sqlite.prepare('SELECT * FROM members_v1_past').all()).toEqual([
      { id: 'a', age: 30, team: 't0', _row: 1, _since: nine, _until: ten },
    ]);
    expect(readModels.rows(members, 'members', { id: 'a' }, 'id', nine)).toMatchObject([{ age: 30 }]);
    expect(readModels.rows(members, 'members', { age: 30 }, undefined, ten)).toEqual([]);
    const before = readModels.digest().digest;
    database.sqlite.exec('UPDATE members_v1_past SET age = 29');
    expect(readModels.digest().digest).not.toBe(before);
    database.sqlite.close();
  });

  it('is asked for by name: a table without one has no past to ask for', () => {
    const { database, readModels } = folded(plain, [
      at(1, instant('2026-11-23T09:00:00Z'), { what: 'join', id: 'a', to: 0 }),
    ]);
    expect(() => readModels.page(plain, 'members', {}, 0, 9, instant('2026-11-23T09:00:00Z'))).toThrow(
      'the table members has no history',
    );
    database.sqlite.close();
  });
});
