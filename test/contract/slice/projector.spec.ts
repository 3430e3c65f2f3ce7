import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '#database';
import { CodecRegistry, UnknownStoredType, type EventCodec, type Identified } from '#event-log';
import { insert, instant, update, type Projection, type Recorded } from '#kernel';
import { Projector, ReadModels } from '#read-model';
import { Ground, SERVICE, until } from './ground.js';

interface Counted {
  readonly type: 'Counted';
  readonly data: { readonly n: number };
}
const codec: EventCodec<Counted> = { capability: 'count', events: { Counted: { stored: 'counted.v1' } } };
const strange: EventCodec = { capability: 'strange', events: { Odd: { stored: 'odd.v1' } } };

/** Every event, and their sum: a sum is wrong as soon as one event counts twice or not at all. */
const counts: Projection<Counted> = {
  name: 'counts',
  version: 1,
  tables: {
    counts: { columns: { position: 'integer', n: 'integer' }, key: ['position'] },
    sums: { columns: { stream: 'text', sum: 'integer' }, key: ['stream'] },
  },
  handles: {
    Counted: ({ stream, position, revision, data }) => [
      insert('counts', { position, n: data.n }),
      revision === 0
        ? insert('sums', { stream, sum: data.n })
        : update('sums', { stream }, { sum: ((revision + 1) * revision) / 2 }),
    ],
  },
};
const projections = [counts] as unknown as Projection[];

let ground: Ground;
let databases: Database<unknown>[] = [];
let projectors: Projector[] = [];

beforeAll(async () => {
  ground = await Ground.open(new CodecRegistry([codec as EventCodec, strange]));
});
afterEach(async () => {
  for (const projector of projectors) await projector.stop();
  for (const database of databases) await database.close();
  projectors = [];
  databases = [];
});
afterAll(() => ground.close());

const file = (): string => `file:${join(ground.folder, randomUUID())}.db`;
const open = (url: string): Database<unknown> => {
  const database = openDatabase(url);
  databases.push(database);
  return database;
};
const project = (url: string, what = projections): Projector => {
  const projector = new Projector(open(url), what);
  projectors.push(projector);
  return projector;
};
const fill = async (stream: string, from: number, count: number): Promise<number> => {
  const events = Array.from({ length: count }, (_, i): Identified => ({
    type: 'Counted',
    data: { n: from + i },
    id: randomUUID(),
  }));
  const { position } = await ground.log.append(stream, from - 1, events, {
    commandId: randomUUID(),
    actor: SERVICE,
    occurredAt: instant('2026-11-23T09:00:00Z'),
    recordedAt: instant('2026-11-23T09:00:00Z'),
    fingerprint: 'digest',
  });
  return position;
};
const expectWhole = (readModels: ReadModels, stream: string, count: number): void => {
  expect(readModels.rows(counts as never, 'sums', { stream })).toMatchObject([{ sum: (count * (count - 1)) / 2 }]);
  const rows = readModels.rows<{ n: number }>(counts as never, 'counts', {}, 'position');
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => n));
};

describe('read models over the log', () => {
  it('hold each event once, though the projector was closed in the middle of the log again and again', async () => {
    const url = file();
    for (let round = 0; round < 12; round += 1) {
      await fill('first-1', round * 50, 50);
      const projector = new Projector(open(url), projections);
      const before = projector.position;
      const stopped = new Promise<void>((resolve) => projector.onAdvance(() => resolve(projector.stop())));
      const start = projector.start(ground.log, ['first-'], () => undefined);
      await Promise.race([stopped, start]);
      await projector.stop();
      expect(projector.position).toBeGreaterThan(before);
    }
    await project(url).start(ground.log, ['first-'], () => undefined);
    expectWhole(new ReadModels(open(url), projections), 'first-1', 600);
  });

  it('have everything stored when they have started, and soon after what comes', async () => {
    const url = file();
    await fill('second-1', 0, 50);
    await project(url).start(ground.log, ['second-'], () => undefined);
    const readModels = new ReadModels(open(url), projections);
    expectWhole(readModels, 'second-1', 50);
    await readModels.reached(await fill('second-1', 50, 3));
    expectWhole(readModels, 'second-1', 53);
  });

  it('are the same rebuilt as they were live', async () => {
    const [live, rebuilt] = [file(), file()];
    await fill('third-1', 0, 5);
    await project(live).start(ground.log, ['third-'], () => undefined);
    const position = await fill('third-1', 5, 40);
    const readModels = new ReadModels(open(live), projections);
    await readModels.reached(position);
    await project(rebuilt).start(ground.log, ['third-'], () => undefined);
    expect(new ReadModels(open(rebuilt), projections).digest()).toEqual(readModels.digest());
    expect(readModels.digest().position).toBe(position);
  });

  it('that were built from the beginning of a log say so until it is on record, and no others do', async () => {
    const url = file();
    await project(url).start(ground.log, ['rebuilt-'], () => undefined);
    const through = await fill('rebuilt-1', 0, 20);
    const readModels = new ReadModels(open(url), projections);
    await readModels.reached(through);
    expect(projectors.at(-1)!.rebuilds()).toEqual([]);
    await projectors.at(-1)!.stop();

    const anew = file();
    const killed = project(anew);
    await killed.start(ground.log, ['rebuilt-'], () => undefined);
    const { digest, projections: digests } = readModels.digest();
    const rebuild = { through, digest, projections: digests };
    expect(killed.rebuilds()).toEqual([rebuild]);
    await killed.stop();
    // Whatever comes meanwhile: what was built is what it was.
    await fill('rebuilt-1', 20, 5);
    const restarted = project(anew);
    await restarted.start(ground.log, ['rebuilt-'], () => undefined);
    expect(restarted.rebuilds()).toEqual([rebuild]);
    restarted.rebuildRecorded(through);
    expect(restarted.rebuilds()).toEqual([]);
    await restarted.stop();

    const [first, ...rest] = projections;
    const newer = { ...first!, version: first!.version + 1 };
    const upgraded = project(anew, [newer, ...rest]);
    await upgraded.start(ground.log, ['rebuilt-'], () => undefined);
    expect(upgraded.rebuilds().map((each) => Object.keys(each.projections))).toEqual([
      [`${newer.name}.v${newer.version}`],
    ]);
  });

  it('go on after the event store was away', async () => {
    const url = file();
    await fill('fourth-1', 0, 10);
    const stopped: Error[] = [];
    await project(url).start(ground.log, ['fourth-'], (error) => stopped.push(error));
    await ground.stopServer();
    await ground.startServer();
    for (const deadline = Date.now() + 10_000; !(await ground.log.isAvailable());)
      if (Date.now() > deadline) throw new Error('the log does not answer again');
    const readModels = new ReadModels(open(url), projections);
    await readModels.reached(await fill('fourth-1', 10, 10), 10_000);
    expectWhole(readModels, 'fourth-1', 20);
    expect(stopped).toEqual([]);
  });

  it('stand still at an event that cannot be folded, say so, and hold what was before', async () => {
    const url = file();
    await fill('fifth-1', 0, 5);
    const failing: Projection<Counted> = {
      ...counts,
      handles: {
        Counted: (event: Recorded<Counted>) => {
          if (event.data.n === 7) throw new Error('cannot be folded');
          return counts.handles.Counted(event);
        },
      },
    };
    const stopped: Error[] = [];
    const projector = project(url, [failing] as unknown as Projection[]);
    await projector.start(ground.log, ['fifth-'], (error) => stopped.push(error));
    await fill('fifth-1', 5, 5);
    await until(() => stopped.length > 0, 'the end');
    expect(stopped[0]?.message).toBe('cannot be folded');
    const readModels = new ReadModels(open(url), projections);
    const rows = readModels.rows<{ n: number; position: number }>(counts as never, 'counts', {}, 'position');
    expect([5, 6, 7]).toContain(rows.length);
    expectWhole(readModels, 'fifth-1', rows.length);
    expect([projector.position, readModels.position]).toEqual([rows.at(-1)?.position, rows.at(-1)?.position]);
    await projector.stop();
    await project(url).start(ground.log, ['fifth-'], () => undefined);
    expectWhole(readModels, 'fifth-1', 10);
  });

  it('do not start over an event that no codec knows', async () => {
    await ground.log.append('sixth-1', -1, [{ type: 'Odd', data: {}, id: randomUUID() }], {
      commandId: randomUUID(),
      actor: SERVICE,
      occurredAt: instant('2026-11-23T09:00:00Z'),
      recordedAt: instant('2026-11-23T09:00:00Z'),
      fingerprint: 'digest',
    });
    const log = await ground.reopen(new CodecRegistry([codec as EventCodec]));
    const stopped: Error[] = [];
    const started = project(file()).start(log, ['sixth-'], (error) => stopped.push(error));
    await expect(started).rejects.toThrow(UnknownStoredType);
    expect(stopped).toHaveLength(1);
  });
});
