import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#database';
import { instant, type Projection, type Recorded, type Row, type RowChange } from '#kernel';
import { Projector, ReadModels } from '#read-model';
import { RowsInMemory } from './rows-in-memory.js';

interface Changed {
  readonly type: 'Changed';
  readonly data: RowChange;
}

const projection: Projection<Changed> = {
  name: 'rows',
  version: 1,
  tables: { cells: { columns: { a: 'integer', b: 'text', c: 'text?' }, key: ['a', 'b'] } },
  handles: { Changed: (event) => [event.data] },
};

const eventOf = (change: RowChange, index: number): Recorded<Changed> => ({
  type: 'Changed',
  data: change,
  id: `event-${index}`,
  stream: 'any',
  revision: index,
  position: index + 1,
  occurredAt: instant('2026-01-01T00:00:00Z'),
  recordedAt: instant('2026-01-01T00:00:00Z'),
  commandId: 'any',
  actorId: 'any',
  fingerprint: '',
  storedType: 'changed.v1',
});

const cells = {
  a: fc.integer({ min: 0, max: 2 }),
  b: fc.constantFrom('x', 'y'),
  c: fc.constantFrom('p', 'q', null),
};
const some = fc.record(cells, { requiredKeys: [] }) as fc.Arbitrary<Row>;
const named = some.filter((row) => Object.keys(row).length > 0);
const table = fc.constant('cells');
const change: fc.Arbitrary<RowChange> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ change: fc.constantFrom('insert', 'insertIfAbsent'), table, row: fc.record(cells) }),
  },
  { weight: 2, arbitrary: fc.record({ change: fc.constant('update'), table, where: some, set: named }) },
  { weight: 1, arbitrary: fc.record({ change: fc.constant('delete'), table, where: some }) },
) as fc.Arbitrary<RowChange>;

const sorted = (rows: readonly Row[]): readonly string[] => rows.map(({ a, b, c }) => JSON.stringify([a, b, c])).sort();

describe('rows in memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-rows-'));
  let files = 0;
  afterAll(() => rmSync(folder, { recursive: true }));

  it('change as the rows of the read models do, and refuse what those refuse', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const database = openDatabase(`file:${join(folder, `${(files += 1)}.db`)}`);
        try {
          const projector = new Projector(database, [projection as unknown as Projection]);
          const memory = new RowsInMemory(projection as Projection<never>);
          for (const [index, each] of changes.entries()) {
            const event = eventOf(each, index);
            const outcome = refused(() => projector.apply([event]));
            expect(refused(() => memory.apply(event))).toBe(outcome);
            if (outcome) return;
          }
          const stored = new ReadModels(database, [projection as unknown as Projection]);
          expect(sorted(memory.rows('cells'))).toEqual(sorted(stored.rows(projection as never, 'cells', {})));
        } finally {
          await database.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each<[string, RowChange]>([
    ['column', { change: 'insert', table: 'cells', row: { a: 1, b: 'x', d: 'p' } }],
    ['table', { change: 'delete', table: 'seals', where: {} }],
    ['cells.b cannot be empty', { change: 'insert', table: 'cells', row: { a: 1, b: null } }],
  ])('refuse what does not fit: %s', (word, unfit) => {
    expect(() => new RowsInMemory(projection as Projection<never>).apply(eventOf(unfit, 0))).toThrow(word);
  });
});

function refused(work: () => void): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}
