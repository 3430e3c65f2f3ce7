import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { instant, Personal, type DomainEvent, type KeyRef, type Protected, type Sealed } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from '#key-vault';
import { CodecRegistry, PlaintextPersonalData, UnknownStoredType, type EventCodec } from './codec.js';
import { decode, encode, keysOf, type Envelope, type StoredRecord } from './envelope.js';

const VALUE = 'asha@example.org';
const ASHA = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const EVENT = 'b7c54f0a-54b7-4f0c-9d55-8f1d1e7d9a11';
const STREAM = `subject-${ASHA}`;
const AT = instant('2026-11-23T09:00:00Z');
const key = (n: number): KeyRef => ({ subjectId: ASHA, keyId: `5d6c1f00-0000-4000-8000-00000000000${n}` });

interface Met {
  readonly type: 'Met';
  readonly data: {
    readonly place: string;
    readonly email: Protected<string>;
    readonly people: readonly { readonly role: string; readonly name: Protected<string> }[];
  };
}

const codec: EventCodec<Met> = {
  capability: 'meeting',
  events: { Met: { stored: 'met.v3', personal: ['email', 'people.*.name'] } },
  upcasts: {
    'met.v1': { to: 'met.v2', change: ({ mail, ...kept }) => ({ ...kept, email: mail }) },
    'met.v2': { to: 'met.v3', change: (data) => ({ place: 'unknown', ...data }) },
  },
};
/** The same capability when its first event was written. */
const first: EventCodec = { capability: 'meeting', events: { Met: { stored: 'met.v1', personal: ['mail'] } } };

const met = (data: object): DomainEvent => ({ type: 'Met', data });
const envelope: Envelope = {
  commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
  actor: { id: 'crm', type: 'service_account', roles: ['service'] },
  occurredAt: instant('2026-11-20T09:00:00Z'),
  recordedAt: AT,
  fingerprint: 'digest',
};

describe('a registry', () => {
  const registry = (...codecs: object[]) => new CodecRegistry(codecs as EventCodec[]);
  const stored = (capability: string, events: Record<string, string>, upcasts: Record<string, string> = {}) => ({
    capability,
    events: Object.fromEntries(Object.entries(events).map(([type, name]) => [type, { stored: name }])),
    upcasts: Object.fromEntries(
      Object.entries(upcasts).map(([from, to]) => [from, { to, change: (data: object) => data }]),
    ),
  });

  it('knows every name that can be read, old ones too', () => {
    const known = registry(codec, stored('other', { Left: 'left.v1' }));
    expect(known.storedTypes()).toEqual(['left.v1', 'met.v1', 'met.v2', 'met.v3']);
    expect(known.capabilities).toEqual(['meeting', 'other']);
    expect(known.resolve('met.v1')).toMatchObject({ type: 'Met', upcasts: [{ to: 'met.v2' }, { to: 'met.v3' }] });
    expect(known.resolve('met.v3')).toEqual({ type: 'Met', upcasts: [] });
    expect(known.resolve('met.v4')).toBeUndefined();
    expect(() => known.storedAs('Missed')).toThrow('no codec declares the event Missed');
  });

  it('follows an upcast into another capability to its end', () => {
    const moved = registry(codec, { capability: 'old', events: {}, upcasts: { 'seen.v1': { to: 'met.v1' } } });
    expect(moved.resolve('seen.v1')).toMatchObject({ type: 'Met', upcasts: [{}, { to: 'met.v2' }, { to: 'met.v3' }] });
  });

  it.each([
    ['one type twice', [stored('a', { Met: 'met.v1' }), stored('b', { Met: 'seen.v1' })]],
    ['one stored name twice', [stored('a', { Met: 'met.v1' }), stored('b', { Seen: 'met.v1' })]],
    ['an upcast of a name that is stored now', [stored('a', { Met: 'met.v2' }, { 'met.v2': 'met.v2' })]],
    [
      'an upcast of a name another codec stores',
      [stored('a', { Met: 'met.v1' }), stored('b', { Seen: 'seen.v1' }, { 'met.v1': 'seen.v1' })],
    ],
    [
      'two upcasts of one name',
      [stored('a', { Met: 'met.v2' }, { 'met.v1': 'met.v2' }), stored('b', { Seen: 's.v2' }, { 'met.v1': 's.v2' })],
    ],
    ['an upcast that ends nowhere', [stored('a', { Met: 'met.v2' }, { 'met.v1': 'met.v3' })]],
    ['upcasts that go in a circle', [stored('a', { Met: 'met.v3' }, { 'met.v1': 'met.v2', 'met.v2': 'met.v1' })]],
  ])('refuses %s', (_name, codecs) => expect(() => registry(...codecs)).toThrow(/met\.v|Met/));
});

describe('an event in the log', () => {
  const registry = new CodecRegistry([codec as EventCodec]);
  let folder: string;
  let vault: KeyVault;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'event-log-'));
    vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${folder}/master.key`),
      clock: () => AT,
    });
    await vault.ensureKeys([key(1), key(2)]);
  });
  afterAll(async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  const write = (event: DomainEvent, as = registry): StoredRecord =>
    encode(as, vault.seal.bind(vault), event, EVENT, STREAM, envelope);
  const read = ({ id, type, data, metadata }: StoredRecord, stream = STREAM) =>
    decode(registry, {
      id,
      type,
      stream,
      revision: 3,
      position: 900,
      data: JSON.parse(JSON.stringify(data)),
      metadata,
    });
  const sealed = () =>
    met({
      place: 'Exeter',
      email: new Personal(VALUE, key(1)),
      people: [{ role: 'guest', name: new Personal('Asha', key(2)) }],
    });

  it('has the attributes of CloudEvents and no value', () => {
    const record = write(sealed());
    expect(record).toMatchObject({ id: EVENT, type: 'met.v3', data: { place: 'Exeter', email: { enc: 'A256GCM' } } });
    expect(record.metadata).toEqual({
      specversion: '1.0',
      source: '/engine/meeting',
      time: '2026-11-20T09:00:00.000Z',
      recordedtime: '2026-11-23T09:00:00.000Z',
      causationid: envelope.commandId,
      commandfingerprint: 'digest',
      authtype: 'service_account',
      authid: 'crm',
      dataclassification: 'personal',
      dataregulation: 'UK-GDPR',
    });
    expect(JSON.stringify(record)).not.toMatch(/asha/i);
  });

  it('is read back sealed, bound to where it stood', async () => {
    const event = read(write(sealed())) as DomainEvent as Met;
    expect(event).toMatchObject({
      type: 'Met',
      stream: STREAM,
      revision: 3,
      position: 900,
      occurredAt: '2026-11-20T09:00:00.000Z',
      recordedAt: '2026-11-23T09:00:00.000Z',
      commandId: envelope.commandId,
      actorId: 'crm',
      fingerprint: 'digest',
      storedType: 'met.v3',
      data: { email: { kind: 'sealed', binding: { eventId: EVENT, type: 'met.v3', stream: STREAM, path: 'email' } } },
    });
    const values = [event.data.email, event.data.people[0]?.name] as Sealed<string>[];
    expect(values[1]?.binding.path).toBe('people.0.name');
    expect(await vault.open(values)).toEqual([
      { kind: 'opened', value: VALUE },
      { kind: 'opened', value: 'Asha' },
    ]);
  });

  it('opens nowhere else', async () => {
    const moved = read(write(sealed()), 'subject-somebody-else') as DomainEvent as Met;
    await expect(vault.open([moved.data.email as Sealed])).rejects.toThrow('does not authenticate');
  });

  it('of the first version opens after its field was renamed: the seal is bound to the name it was stored under', async () => {
    const old = write(met({ mail: new Personal(VALUE, key(1)), people: [] }), new CodecRegistry([first]));
    const event = read(old) as DomainEvent as Met;
    expect(event).toMatchObject({ type: 'Met', storedType: 'met.v1', data: { place: 'unknown', people: [] } });
    expect((event.data.email as Sealed).binding).toMatchObject({ type: 'met.v1', path: 'mail' });
    expect(await vault.open([event.data.email as Sealed])).toEqual([{ kind: 'opened', value: VALUE }]);
  });

  it.each([
    ['a declared field in the clear', { email: VALUE }, 'email'],
    ['a declared field within a list in the clear', { people: [{ name: VALUE }] }, 'people.0.name'],
    ['a declared field that is a structure in the clear', { email: { address: VALUE } }, 'email'],
    ['a personal value in a field not declared', { place: new Personal(VALUE, key(1)) }, 'place'],
    ['a personal value in an item not declared', { people: [new Personal(VALUE, key(1))] }, 'people.0'],
    ['a seal from elsewhere', { place: { kind: 'sealed', enc: 'A256GCM' } }, 'place'],
  ])('is never written with %s', (_name, data, path) => {
    let thrown: unknown;
    try {
      write(met(data));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PlaintextPersonalData);
    expect(thrown).toMatchObject({ storedType: 'met.v3', path });
    expect(String(thrown)).toContain(`met.v3: the field ${path}`);
    expect(String(thrown)).not.toContain('asha');
  });

  it('may leave a personal field out', () => {
    expect(write(met({ place: 'Exeter', email: null })).data).toEqual({ place: 'Exeter', email: null });
    expect(keysOf([met({ place: 'Exeter' })])).toEqual([]);
    expect(keysOf([sealed(), met({ email: new Personal(1, key(3)) })])).toEqual([key(1), key(2), key(3)]);
  });

  it('of an unknown name stops the reader, and says which codecs there are', () => {
    const unknown = { ...write(sealed()), type: 'consent-withdrawn.v9' };
    expect(() => read(unknown)).toThrow(UnknownStoredType);
    expect(() => read(unknown)).toThrow(
      `unknown stored event type 'consent-withdrawn.v9' in stream '${STREAM}' at position 900: extend the codec of ` +
        'the capability that owns it (known codecs: meeting)',
    );
  });

  it('that is not personal is not searched for seals', () => {
    const plain: EventCodec = { capability: 'plain', events: { Kept: { stored: 'kept.v1' } } };
    const lookalike = { enc: 'A256GCM', kid: 'k', iv: 'i', ct: 'c', tag: 't' };
    const names = new CodecRegistry([plain]);
    const record = write({ type: 'Kept', data: { lookalike } }, names);
    expect(record.metadata.dataclassification).toBe('operational');
    expect(decode(names, { ...record, stream: 'kept-1', revision: 0, position: 1 }).data).toEqual({ lookalike });
  });
});
