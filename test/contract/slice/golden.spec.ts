import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openDatabase } from '#database';
import { CodecRegistry, type StoredData } from '#event-log';
import { instant, uuidV5, type Recorded } from '#kernel';
import { fromStored, isStoredSeal } from '#key-vault';
import { Projector, ReadModels } from '#read-model';
import type { Capability } from '#slice';
import { capabilities } from '../../../apps/capabilities.js';

/** One stored event of every version, as it once was written. Samples are added, never edited and never removed. */
interface Sample {
  readonly type: string;
  readonly data: StoredData;
}

/** The engine's own records stand with the slices. */
const folderOf = (name: string): string => (name === 'refusal' ? 'slice' : name);

function samplesOf({ name }: Capability): readonly Sample[] {
  const file = new URL(`../../../libs/${folderOf(name)}/${name}.golden.json`, import.meta.url);
  if (!existsSync(file)) return [];
  const content = JSON.parse(readFileSync(file, 'utf8')) as readonly Sample[] | Readonly<Record<string, StoredData>>;
  return Array.isArray(content)
    ? (content as readonly Sample[])
    : Object.entries(content).map(([type, data]) => ({ type, data: data as StoredData }));
}

const registry = new CodecRegistry(capabilities.map(({ codec }) => codec));
const samples = capabilities.flatMap((each) => samplesOf(each).map((sample) => [sample.type, sample, each] as const));
const LOG = '0c7f5a1e-9b1d-4a53-8f0e-6d1b2c3a4e5f';

/** The paths of everything under seal, with `*` for the place in a list. */
function sealedIn(value: unknown, path: readonly string[] = []): string[] {
  if (isStoredSeal(value)) return [path.join('.')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    sealedIn(member, [...path, Array.isArray(value) ? '*' : name]),
  );
}

/** The sample as it would be read from the log. */
function read({ type, data }: Sample, position: number): Recorded {
  const [id, stream] = [uuidV5(LOG, `event ${position}`), `sample-${position}`];
  const bind = (value: unknown): unknown => {
    if (isStoredSeal(value)) return fromStored(value, { eventId: id, type, stream, path: 'value' });
    if (Array.isArray(value)) return value.map(bind);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, bind(member)]));
  };
  const resolved = registry.resolve(type);
  if (!resolved) throw new Error(`no codec reads ${type}`);
  return {
    type: resolved.type,
    data: resolved.upcasts.reduce((older, upcast) => upcast.change(older), bind(data) as StoredData),
    id,
    stream,
    revision: 0,
    position,
    occurredAt: instant('2026-11-23T08:00:00Z'),
    recordedAt: instant('2026-11-23T09:00:00Z'),
    commandId: uuidV5(LOG, `command ${position}`),
    actorId: 'crm',
    fingerprint: 'digest',
    storedType: type,
  };
}

describe('stored events', () => {
  it.each(capabilities.map((each) => [each.name, each] as const))('of %s have a sample of every name', (_name, each) =>
    expect(
      samplesOf(each)
        .map(({ type }) => type)
        .sort(),
    ).toEqual(new CodecRegistry([each.codec]).storedTypes()),
  );

  it.each(samples)('%s is read as an event of its capability, sealed where its codec says', (type, sample, each) => {
    const event = read(sample, 1);
    expect(Object.keys(each.codec.events)).toContain(event.type);
    const declared = registry.storedAs(event.type);
    if (declared.stored !== type) return;
    expect([...new Set(sealedIn(sample.data))].sort()).toEqual([...(declared.personal ?? [])].sort());
  });
});

describe('read models', () => {
  it('fold a log of all samples, live and rebuilt alike', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'golden-'));
    const projections = capabilities.flatMap((each) => each.projections);
    const events = samples.map(([, sample], index) => read(sample, index + 1));
    const digests = ['live', 'rebuilt'].map((name) => {
      const database = openDatabase(`file:${folder}/${name}.db`);
      const projector = new Projector(database, projections);
      if (name === 'rebuilt') projector.apply(events);
      else events.forEach((event) => projector.apply([event]));
      const { digest, position } = new ReadModels(database, projections).digest();
      database.sqlite.close();
      return [digest, position];
    });
    rmSync(folder, { recursive: true });
    expect(digests[0]).toEqual(digests[1]);
    expect(digests[0]?.[1]).toBe(events.length);
  });
});

describe('registers', () => {
  it('fold a log of all samples', () => {
    for (const register of capabilities.flatMap((each) => each.registers)) {
      const folded = samples
        .map(([, sample], index) => read(sample, index + 1))
        .filter((event) => event.type in register.folds)
        .reduce((state, event) => register.evolve(state, event), register.initialState);
      expect([register.name, folded]).not.toEqual([register.name, register.initialState]);
    }
  });
});
