import { createHash } from 'node:crypto';
import type { CloudEvent } from './cloud-event.js';
import { openSealed, sealTo, type SealingKey } from './sealing.js';
import type { KeyObject } from 'node:crypto';

/** What a sender has to know of the bus: served at `GET /v1/bus`. Holds no secret. */
export interface BusDescription {
  readonly partitions: number;
  /** Newest first: seal to the first. An older one still opens for as long as it is listed. */
  readonly keys: readonly SealingKey[];
  /** By command: paths of the fields that are sealed; `*` stands for every index of a list. */
  readonly sealed: Readonly<Record<string, readonly string[]>>;
}

/** Prefix of the CloudEvents types of commands; the command's name and `.v1` follow. */
/** Ids of commands and people, as messages carry them. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const COMMAND_TYPE = 'com.chersoft.custos.command.';
export const ANSWER_TYPE = 'com.chersoft.custos.answer.v1';
/** Prefix of the CloudEvents types of integration events; the stored, versioned name follows. */
export const EVENT_TYPE = 'com.chersoft.custos.event.';

export const COMMAND_GROUP = 'engine';
export const EVENTS = 'custos:events';
export const DEAD_LETTERS = 'custos:dead-letters';
export const ENGINES = 'custos:engines';
/** Keys of one partition share a hash tag, so that they stand on one node of a cluster. */
export const commandsOf = (partition: number): string => `custos:commands:{${partition}}`;
export const ownerOf = (partition: number): string => `custos:owner:{${partition}}`;
export const repliesOf = (id: string): string => `custos:replies:{${id}}`;
export const REPLIES = /^custos:replies:\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$/;

/** What is kept in order: the messages about one person, or, about none, those of one sender. */
export const orderKeyOf = ({ subject, source }: Pick<CloudEvent, 'subject' | 'source'>): string => subject ?? source;

export function partitionOf(orderKey: string, partitions: number): number {
  return createHash('sha256').update(orderKey, 'utf8').digest().readUInt32BE(0) % partitions;
}

/** The clear part of a command's message, and the sealed one. */
export interface CommandData {
  readonly body: Readonly<Record<string, unknown>>;
  readonly sealed: string;
}

/** What is sealed in a command's message. */
interface SealedPart {
  readonly token: string;
  /** Key of the answer, base64url. */
  readonly answerKey: string;
  /** Values by their path in the body. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface OpenedMessage {
  readonly token: string;
  readonly answerKey: Buffer;
  readonly body: Record<string, unknown>;
}

/** Builds the message of one command. The token and the fields that are sealed stand in the JWE and nowhere else. */
export function commandMessage(
  description: BusDescription,
  command: { readonly type: string; readonly body: Readonly<Record<string, unknown>>; readonly commandId: string },
  sender: { readonly source: string; readonly token: string; readonly replyTo: string; readonly answerKey: Buffer },
  time: string,
): CloudEvent<CommandData> {
  const { clear, values } = partBody(command.body, description.sealed[command.type] ?? []);
  const subject = command.body['subjectId'];
  const event = {
    specversion: '1.0' as const,
    id: command.commandId,
    source: sender.source,
    type: `${COMMAND_TYPE}${command.type}.v1`,
    ...(typeof subject === 'string' && { subject }),
    time,
    datacontenttype: 'application/json',
    replyto: sender.replyTo,
  };
  const key = description.keys[0];
  if (!key) throw new Error('the engine publishes no key to seal to');
  const part: SealedPart = { token: sender.token, answerKey: sender.answerKey.toString('base64url'), values };
  return { ...event, data: { body: clear, sealed: sealTo(key, part, contextOf(event, clear)) } };
}

/**
 * Opens the message of a command that {@link commandMessage} or another sender built.
 *
 * @throws SealingKeyUnknown, SealBroken: nothing in the message can be trusted.
 */
export function openMessage(event: CloudEvent, keyOf: (kid: string) => KeyObject | undefined): OpenedMessage {
  const { body, sealed } = event.data as CommandData;
  const part = openSealed(sealed, keyOf, contextOf(event, body)) as Partial<SealedPart> | null;
  const token = typeof part?.token === 'string' ? part.token : '';
  const answerKey = Buffer.from(typeof part?.answerKey === 'string' ? part.answerKey : '', 'base64url');
  const whole = structuredClone(body) as Record<string, unknown>;
  for (const [path, value] of Object.entries(part?.values ?? {})) put(whole, path.split('.'), value);
  return { token, answerKey, body: whole };
}

/** What may not be changed between the seal and its opening: every attribute, and the clear part. */
export function contextOf(event: Omit<CloudEvent, 'data' | 'data_base64'>, body: unknown): string {
  const { data: _data, ...attributes } = event;
  return sorted({ attributes, body });
}

/** JSON with the members of every object in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}

/** Takes the values at these paths out of a body. */
export function partBody(
  body: Readonly<Record<string, unknown>>,
  paths: readonly string[],
): { readonly clear: Readonly<Record<string, unknown>>; readonly values: Readonly<Record<string, unknown>> } {
  const clear = structuredClone(body) as Record<string, unknown>;
  const values: Record<string, unknown> = {};
  for (const path of paths) take(clear, path.split('.'), [], values);
  return { clear, values };
}

/** Whether a body holds a value at one of these patterns, and where: the first path. */
export function pathHeld(body: unknown, patterns: readonly string[]): string | undefined {
  for (const pattern of patterns) {
    const path = heldAt(body, pattern.split('.'));
    if (path !== undefined) return path.join('.');
  }
  return undefined;
}

function heldAt(at: unknown, [name, ...rest]: readonly string[]): readonly string[] | undefined {
  if (name === undefined) return at === undefined || at === null ? undefined : [];
  if (typeof at !== 'object' || at === null) return undefined;
  for (const each of name === '*' ? (Array.isArray(at) ? Object.keys(at) : []) : [name]) {
    if (!Object.hasOwn(at, each)) continue;
    const path = heldAt((at as Record<string, unknown>)[each], rest);
    if (path) return [each, ...path];
  }
  return undefined;
}

function take(at: unknown, path: readonly string[], walked: readonly string[], into: Record<string, unknown>): void {
  const [name, ...rest] = path;
  if (typeof at !== 'object' || at === null || name === undefined) return;
  const members = at as Record<string, unknown>;
  for (const each of name === '*' ? (Array.isArray(at) ? Object.keys(at) : []) : [name]) {
    if (!Object.hasOwn(members, each) || members[each] === undefined || members[each] === null) continue;
    if (rest.length > 0) take(members[each], rest, [...walked, each], into);
    else {
      into[[...walked, each].join('.')] = members[each];
      // An element of a list keeps its place.
      if (Array.isArray(at)) members[each] = null;
      else delete members[each];
    }
  }
}

/** Puts a value where it was taken from. A path that leads nowhere in the body is left: the door says what is missing. */
function put(at: unknown, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (typeof at !== 'object' || at === null || name === undefined || name === '__proto__') return;
  const members = at as Record<string, unknown>;
  if (rest.length === 0) members[name] = value;
  else if (Object.hasOwn(members, name)) put(members[name], rest, value);
}
