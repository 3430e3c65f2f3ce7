import type { Actor, DomainEvent, Instant, Recorded } from '#kernel';
import { isSealed, Personal, type KeyRef, type SealBinding, type Sealed } from '#kernel';
import { fromStored, isStoredSeal, toStored } from '#key-vault';
import { PlaintextPersonalData, UnknownStoredType, type CodecRegistry, type StoredData } from './codec.js';

/** What stands around the events of one command. */
export interface Envelope {
  readonly commandId: string;
  readonly actor: Actor;
  readonly occurredAt: Instant;
  readonly recordedAt: Instant;
  /** Keyed digest of the command's content. */
  readonly fingerprint: string;
}

/** An event ready for the log: named, sealed, with its metadata. */
export interface StoredRecord {
  readonly id: string;
  readonly type: string;
  readonly data: StoredData;
  readonly metadata: StoredMetadata;
}

/** CloudEvents 1.0 attributes (with the extensions of the engine) as the log keeps them beside the data. */
interface StoredMetadata {
  readonly specversion: '1.0';
  readonly source: string;
  readonly time: string;
  readonly recordedtime: string;
  readonly causationid: string;
  readonly commandfingerprint: string;
  readonly authtype: string;
  readonly authid: string;
  /** How the actor proved who they are, with what an identity provider said of it. */
  readonly authmethod?: string;
  readonly authacr?: string;
  /** Words with blanks between them. */
  readonly authamr?: string;
  readonly dataclassification: 'personal' | 'operational';
  readonly dataregulation: 'UK-GDPR';
}

/** Seals one value; the key must exist by then. */
export type Seal = (value: unknown, key: KeyRef, binding: SealBinding) => Sealed;

const matches = (path: readonly string[], pattern: readonly string[]): boolean =>
  path.length === pattern.length && pattern.every((part, index) => part === '*' || part === path[index]);

/** The keys that the personal values of these events need. */
export function keysOf(events: readonly DomainEvent[]): readonly KeyRef[] {
  const keys: KeyRef[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof Personal) keys.push(value.key);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  events.forEach((event) => visit(event.data));
  return keys;
}

/**
 * Names and seals one event.
 *
 * @throws PlaintextPersonalData when a declared personal field is in the clear, or a personal value stands in a
 * field that is not declared.
 */
export function encode(
  registry: CodecRegistry,
  seal: Seal,
  event: DomainEvent,
  id: string,
  stream: string,
  envelope: Envelope,
): StoredRecord {
  const { stored, capability, patterns } = registry.storedAs(event.type);
  const visit = (value: unknown, path: readonly string[]): unknown => {
    const declared = patterns.some((pattern) => matches(path, pattern));
    if (value instanceof Personal) {
      if (!declared) throw new PlaintextPersonalData(stored, path.join('.'));
      const binding: SealBinding = { eventId: id, type: stored, stream, path: path.join('.') };
      return toStored(seal(value.value, value.key, binding));
    }
    if (value === null || value === undefined) return value;
    if (declared || isSealed(value)) throw new PlaintextPersonalData(stored, path.join('.'));
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, String(index)]));
    if (typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member, [...path, name])]));
    return value;
  };
  return {
    id,
    type: stored,
    data: visit(event.data, []) as StoredData,
    metadata: {
      specversion: '1.0',
      source: `/engine/${capability}`,
      time: envelope.occurredAt,
      recordedtime: envelope.recordedAt,
      causationid: envelope.commandId,
      commandfingerprint: envelope.fingerprint,
      authtype: envelope.actor.type,
      authid: envelope.actor.id,
      ...authenticationOf(envelope.actor),
      dataclassification: patterns.length > 0 ? 'personal' : 'operational',
      dataregulation: 'UK-GDPR',
    },
  };
}

function authenticationOf({ authentication }: Actor): Partial<StoredMetadata> {
  if (!authentication) return {};
  const { method, acr, amr } = authentication;
  return {
    authmethod: method,
    ...(acr !== undefined && { authacr: acr }),
    ...(amr !== undefined && { authamr: amr.join(' ') }),
  };
}

/** What the log hands back for one event. */
export interface RawRecord {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly data: unknown;
  readonly metadata: unknown;
}

/**
 * Reads one event: seals get their binding and stay closed, older versions are upcast.
 *
 * @throws UnknownStoredType when no codec names the stored type.
 */
export function decode(registry: CodecRegistry, record: RawRecord): Recorded {
  const resolved = registry.resolve(record.type);
  if (!resolved) throw new UnknownStoredType(record.type, record.stream, record.position, registry.capabilities);
  const metadata = record.metadata as StoredMetadata;
  const bind = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isStoredSeal(value))
      return fromStored(value, { eventId: record.id, type: record.type, stream: record.stream, path });
    if (Array.isArray(value))
      return value.map((item, index) => bind(item, path === '' ? `${index}` : `${path}.${index}`));
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, bind(member, path === '' ? name : `${path}.${name}`)]),
    );
  };
  const bound = (metadata.dataclassification === 'personal' ? bind(record.data, '') : record.data) as StoredData;
  return {
    type: resolved.type,
    data: resolved.upcasts.reduce((data, upcast) => upcast.change(data), bound),
    id: record.id,
    stream: record.stream,
    revision: record.revision,
    position: record.position,
    occurredAt: metadata.time as Instant,
    recordedAt: metadata.recordedtime as Instant,
    commandId: metadata.causationid,
    actorId: metadata.authid,
    fingerprint: metadata.commandfingerprint,
    storedType: record.type,
  };
}
