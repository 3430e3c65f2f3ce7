/**
 * The protobuf messages of `event_store.client`, as far as this server speaks them: decoders for requests,
 * encoders for answers. Field numbers stand beside the fields they belong to; unknown fields are passed over.
 *
 * Numbers above 2^53 lose precision when decoded; the two that matter are named here.
 */

/** The revision of a tombstone, and `$tb` of a deleted stream: 2^63 - 1 on the wire, 2^63 as a number. */
export const TOMBSTONE_REVISION = 2 ** 63;

/** A request that is not well-formed protobuf, or whose values this server cannot accept. */
export class MalformedMessage extends Error {}

const VARINT = 0;
const BYTES = 2;

export class Reader {
  field = 0;
  private wire = 0;

  constructor(
    private readonly buffer: Buffer,
    private at = 0,
    private readonly end = buffer.length,
  ) {}

  /** Steps to the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    return true;
  }

  uint(): number {
    if (this.wire !== VARINT) throw new MalformedMessage(`field ${this.field} is not a number`);
    return this.varint();
  }

  bytes(): Buffer {
    if (this.wire !== BYTES) throw new MalformedMessage(`field ${this.field} is not a byte string`);
    const length = this.varint();
    const from = this.at;
    if (length > this.end - from) throw new MalformedMessage('a field runs past the end of its message');
    this.at = from + length;
    return this.buffer.subarray(from, this.at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  message(): Reader {
    const length = this.bytes().length;
    return new Reader(this.buffer, this.at - length, this.at);
  }

  skip(): void {
    if (this.wire === VARINT) this.varint();
    else if (this.wire === BYTES) this.bytes();
    else if (this.wire === 1) this.forward(8);
    else if (this.wire === 5) this.forward(4);
    else throw new MalformedMessage(`wire type ${this.wire} is not used`);
  }

  /** Bytes from the start of the buffer to the read point. */
  get offset(): number {
    return this.at;
  }

  private forward(bytes: number): void {
    if (bytes > this.end - this.at) throw new MalformedMessage('a field runs past the end of its message');
    this.at += bytes;
  }

  private varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new MalformedMessage('a number runs past the end of its message');
      const byte = this.buffer[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new MalformedMessage('a number is longer than ten bytes');
  }
}

function varintSize(value: number): number {
  if (value >= TOMBSTONE_REVISION) return 9;
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function putVarint(into: Buffer, at: number, value: number): number {
  if (value >= TOMBSTONE_REVISION) {
    into.fill(0xff, at, at + 8);
    into[at + 8] = 0x7f;
    return at + 9;
  }
  let rest = value;
  while (rest >= 0x80000000) {
    into[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

export const uintField = (field: number, value: number): Buffer => {
  const buffer = Buffer.allocUnsafe(1 + varintSize(value));
  buffer[0] = field * 8 + VARINT;
  putVarint(buffer, 1, value);
  return buffer;
};

export const bytesField = (field: number, ...parts: readonly Buffer[]): Buffer => {
  let length = 0;
  for (const part of parts) length += part.length;
  const buffer = Buffer.allocUnsafe(1 + varintSize(length) + length);
  buffer[0] = field * 8 + BYTES;
  let at = putVarint(buffer, 1, length);
  for (const part of parts) at += part.copy(buffer, at);
  return buffer;
};

export const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text, 'utf8'));

export const emptyField = (field: number): Buffer => bytesField(field);

// ---------------------------------------------------------------------------------------------- identities

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function readUuid(reader: Reader): string {
  let text = '';
  while (reader.next()) {
    if (reader.field === 2) text = reader.text().toLowerCase();
    else if (reader.field === 1) text = readStructuredUuid(reader.bytes());
    else reader.skip();
  }
  if (!UUID_TEXT.test(text)) throw new MalformedMessage('an id is not a UUID');
  return text;
}

/** The two halves are signed 64-bit varints; read here as bytes because a number does not hold them. */
function readStructuredUuid(message: Buffer): string {
  const halves = [0n, 0n];
  let at = 0;
  while (at < message.length) {
    const half = ((message[at++] as number) >> 3) - 1;
    let value = 0n;
    for (let shift = 0n; at < message.length; shift += 7n) {
      const byte = message[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (half === 0 || half === 1) halves[half] = BigInt.asUintN(64, value);
  }
  const hex = halves.map((half) => half.toString(16).padStart(16, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function structuredUuid(text: string): Buffer {
  const hex = text.replaceAll('-', '');
  return bytesField(1, bigField(1, BigInt(`0x${hex.slice(0, 16)}`)), bigField(2, BigInt(`0x${hex.slice(16)}`)));
}

function bigField(field: number, value: bigint): Buffer {
  const bytes = [field * 8 + VARINT];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function readStreamName(reader: Reader): string {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.text();
    else reader.skip();
  }
  return name;
}

const streamIdentifier = (field: number, name: string): Buffer => bytesField(field, textField(3, name));

// ---------------------------------------------------------------------------------------------- appends

/** What the stream must look like for a write to happen: a revision from 0 up, or one of these. */
export const NO_STREAM = -1;
export const ANY = -2;
export const STREAM_EXISTS = -4;

export interface ProposedEvent {
  /** UUID, lower case. */
  readonly id: string;
  /** `undefined` when the request left it out. */
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  /** Slices of the request: valid as long as the request's buffer is. */
  readonly data: Buffer;
  readonly metadata: Buffer;
}

export interface WriteTarget {
  readonly stream: string;
  /** A revision, `NO_STREAM`, `ANY` or `STREAM_EXISTS`. */
  readonly expected: number;
}

function readProposed(reader: Reader): ProposedEvent {
  let id: string | undefined;
  let type: string | undefined;
  let contentType: string | undefined;
  let data: Buffer = Buffer.alloc(0);
  let metadata: Buffer = data;
  while (reader.next()) {
    if (reader.field === 1) id = readUuid(reader.message());
    else if (reader.field === 2) {
      const [key, value] = readMapEntry(reader.message());
      if (key === 'type') type = value;
      else if (key === 'content-type') contentType = value;
    } else if (reader.field === 3) metadata = reader.bytes();
    else if (reader.field === 4) data = reader.bytes();
    else reader.skip();
  }
  if (id === undefined) throw new MalformedMessage('an event has no id');
  return { id, type, contentType, data, metadata };
}

function readMapEntry(reader: Reader): [string, string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
    else reader.skip();
  }
  return [key, value];
}

/** By field of the options. */
const EXPECTATIONS: Readonly<Record<number, number>> = { 3: NO_STREAM, 4: ANY, 5: STREAM_EXISTS };

/** Fields 1 to 5 are the same in the options of Append, BatchAppend, Delete and Tombstone. */
function readTarget(reader: Reader, more?: (reader: Reader) => boolean): WriteTarget {
  let stream = '';
  let expected: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) stream = readStreamName(reader.message());
    else if (reader.field === 2) expected = reader.uint();
    else if (!more?.(reader)) {
      expected = EXPECTATIONS[reader.field] ?? expected;
      reader.skip();
    }
  }
  if (expected === undefined) throw new MalformedMessage('a write does not say what it expects of the stream');
  return { stream, expected };
}

export type AppendRequest =
  | { readonly kind: 'options'; readonly target: WriteTarget }
  | { readonly kind: 'event'; readonly event: ProposedEvent };

export function decodeAppend(message: Buffer): AppendRequest {
  const reader = new Reader(message);
  while (reader.next()) {
    if (reader.field === 1) return { kind: 'options', target: readTarget(reader.message()) };
    if (reader.field === 2) return { kind: 'event', event: readProposed(reader.message()) };
    reader.skip();
  }
  throw new MalformedMessage('an append message carries neither options nor an event');
}

export interface BatchAppendRequest {
  /** UUID, lower case. */
  readonly correlationId: string;
  /** In the first chunk of a correlation id only. */
  readonly target: WriteTarget | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly events: readonly ProposedEvent[];
  readonly isFinal: boolean;
}

/** @param now milliseconds since the epoch, for deadlines given as a duration */
export function decodeBatchAppend(message: Buffer, now: number): BatchAppendRequest {
  const reader = new Reader(message);
  let correlationId: string | undefined;
  let target: WriteTarget | undefined;
  let deadline: number | undefined;
  let isFinal = false;
  const events: ProposedEvent[] = [];
  while (reader.next()) {
    if (reader.field === 1) correlationId = readUuid(reader.message());
    else if (reader.field === 2) {
      target = readTarget(reader.message(), (options) => {
        if (options.field === 6) deadline = readSeconds(options.message());
        else if (options.field === 7) deadline = now + readSeconds(options.message());
        else return false;
        return true;
      });
    } else if (reader.field === 3) events.push(readProposed(reader.message()));
    else if (reader.field === 4) isFinal = reader.uint() !== 0;
    else reader.skip();
  }
  if (correlationId === undefined) throw new MalformedMessage('a batch append has no correlation id');
  return { correlationId, target, deadline, events, isFinal };
}

/** Timestamp and Duration share their shape; the result is in milliseconds. */
function readSeconds(reader: Reader): number {
  let milliseconds = 0;
  while (reader.next()) {
    if (reader.field === 1) milliseconds += reader.uint() * 1000;
    else if (reader.field === 2) milliseconds += reader.uint() / 1e6;
    else reader.skip();
  }
  return milliseconds;
}

/** The request of Delete and of Tombstone. */
export function decodeDelete(message: Buffer): WriteTarget {
  const reader = new Reader(message);
  while (reader.next()) {
    if (reader.field === 1) return readTarget(reader.message());
    reader.skip();
  }
  throw new MalformedMessage('a delete has no options');
}

const position = (field: number, value: number): Buffer => bytesField(field, uintField(1, value), uintField(2, value));

/** Fields 1 to 4 of a success: revision or no_stream, position or no_position. */
const success = (revision: number, at: number | undefined): Buffer[] => [
  revision < 0 ? emptyField(2) : uintField(1, revision),
  at === undefined ? emptyField(4) : position(3, at),
];

/** @param revision -1 when the stream has no event */
export const encodeAppendSuccess = (revision: number, at: number | undefined): Buffer =>
  bytesField(1, ...success(revision, at));

const expectation = (expected: number, revision: number, any: number, exists: number, none: number): Buffer =>
  expected === ANY
    ? emptyField(any)
    : expected === STREAM_EXISTS
      ? emptyField(exists)
      : expected === NO_STREAM
        ? emptyField(none)
        : uintField(revision, expected);

export const encodeAppendWrongVersion = (current: number, expected: number): Buffer =>
  bytesField(2, current < 0 ? emptyField(7) : uintField(6, current), expectation(expected, 8, 9, 10, 11));

export const encodeBatchSuccess = (id: string, stream: string, revision: number, at: number | undefined): Buffer =>
  Buffer.concat([
    bytesField(1, textField(2, id)),
    bytesField(3, ...success(revision, at)),
    streamIdentifier(4, stream),
  ]);

/** What a batch append can fail with; each has its own detail message on the wire. */
export type BatchFailure =
  | { readonly kind: 'wrong-version'; readonly current: number; readonly expected: number }
  | { readonly kind: 'deleted' | 'timeout' | 'access-denied' }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'bad-request' | 'failed'; readonly message: string };

function batchDetail(
  stream: string,
  failure: BatchFailure,
): [code: number, text: string, type: string, detail: Buffer] {
  switch (failure.kind) {
    case 'wrong-version':
      return [
        6,
        'the stream is not at the expected revision',
        'WrongExpectedVersion',
        Buffer.concat([
          failure.current < 0 ? emptyField(2) : uintField(1, failure.current),
          expectation(failure.expected, 3, 4, 5, 6),
        ]),
      ];
    case 'deleted':
      return [5, 'the stream is deleted', 'StreamDeleted', streamIdentifier(1, stream)];
    case 'timeout':
      return [4, 'the deadline has passed', 'Timeout', Buffer.alloc(0)];
    case 'access-denied':
      return [7, 'access denied', 'AccessDenied', Buffer.alloc(0)];
    case 'too-large':
      return [3, 'the append is too large', 'MaximumAppendSizeExceeded', uintField(1, failure.limit)];
    case 'bad-request':
      return [3, failure.message, 'BadRequest', textField(1, failure.message)];
    case 'failed':
      return [13, failure.message, 'Unknown', Buffer.alloc(0)];
  }
}

export function encodeBatchFailure(id: string, stream: string, failure: BatchFailure): Buffer {
  const [code, text, type, detail] = batchDetail(stream, failure);
  const any = bytesField(3, textField(1, `type.googleapis.com/event_store.client.${type}`), bytesField(2, detail));
  return Buffer.concat([
    bytesField(1, textField(2, id)),
    bytesField(2, uintField(1, code), textField(2, text), any),
    streamIdentifier(4, stream),
  ]);
}

export const encodeDeleteResponse = (at: number): Buffer => position(1, at);

// ---------------------------------------------------------------------------------------------- reads

export interface FilterRequest {
  readonly on: 'stream' | 'type';
  /** Decides when it is not empty. */
  readonly regex: string;
  readonly prefixes: readonly string[];
  /** Search window times multiplier: a checkpoint every so many considered events. */
  readonly checkpointEvery: number;
}

/** Where a read begins: `number` is a revision of a stream or a position in $all. */
export type Start = 'start' | 'end' | number;

export interface ReadRequest {
  /** `undefined`: read $all. */
  readonly stream: string | undefined;
  readonly start: Start;
  readonly backwards: boolean;
  readonly resolveLinks: boolean;
  /** `undefined`: a subscription. */
  readonly count: number | undefined;
  readonly filter: FilterRequest | undefined;
  /** Ids are wanted as two numbers instead of text. */
  readonly structuredIds: boolean;
}

const DEFAULT_SEARCH_WINDOW = 32;

export function decodeRead(message: Buffer): ReadRequest {
  const reader = new Reader(message);
  while (reader.next()) {
    if (reader.field === 1) return readOptions(reader.message());
    reader.skip();
  }
  throw new MalformedMessage('a read has no options');
}

function readOptions(reader: Reader): ReadRequest {
  let stream: string | undefined;
  let from: Start | undefined;
  let backwards = false;
  let resolveLinks = false;
  let count: number | undefined;
  let subscription = false;
  let filter: FilterRequest | undefined;
  let structuredIds = false;
  while (reader.next()) {
    switch (reader.field) {
      case 1: {
        const options = reader.message();
        stream = '';
        while (options.next()) {
          if (options.field === 1) stream = readStreamName(options.message());
          else from = readStart(options, () => options.uint()) ?? from;
        }
        break;
      }
      case 2: {
        const options = reader.message();
        while (options.next()) from = readStart(options, () => readPosition(options.message()), 1) ?? from;
        break;
      }
      case 3:
        backwards = reader.uint() === 1;
        break;
      case 4:
        resolveLinks = reader.uint() !== 0;
        break;
      case 5:
        count = reader.uint();
        break;
      case 6:
        reader.skip();
        subscription = true;
        break;
      case 7:
        filter = readFilter(reader.message());
        break;
      case 9: {
        const options = reader.message();
        while (options.next()) {
          structuredIds = options.field === 1;
          options.skip();
        }
        break;
      }
      default:
        reader.skip();
    }
  }
  if (from === undefined) throw new MalformedMessage('a read does not say where it begins');
  if (!subscription && count === undefined) throw new MalformedMessage('a read has neither a count nor a subscription');
  return {
    stream,
    start: from,
    backwards,
    resolveLinks,
    count: subscription ? undefined : count,
    filter,
    structuredIds,
  };
}

/** The fields of a start: the value, then `start`, then `end`, numbered from `first`. */
export function readStart(reader: Reader, value: () => number, first = 2): Start | undefined {
  if (reader.field === first) {
    const start = value();
    return start >= 2 ** 64 - 1 ? 'end' : start;
  }
  const field = reader.field;
  reader.skip();
  return field === first + 1 ? 'start' : field === first + 2 ? 'end' : undefined;
}

export function readPosition(reader: Reader): number {
  let commit = 0;
  let prepare = 0;
  while (reader.next()) {
    if (reader.field === 1) commit = reader.uint();
    else if (reader.field === 2) prepare = reader.uint();
    else reader.skip();
  }
  if (commit !== prepare) throw new MalformedMessage('no event has this position');
  return commit;
}

export function readFilter(reader: Reader): FilterRequest {
  let on: FilterRequest['on'] | undefined;
  let regex = '';
  const prefixes: string[] = [];
  let window = DEFAULT_SEARCH_WINDOW;
  let multiplier = 1;
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) {
      on = reader.field === 1 ? 'stream' : 'type';
      const expression = reader.message();
      while (expression.next()) {
        if (expression.field === 1) regex = expression.text();
        else if (expression.field === 2) prefixes.push(expression.text());
        else expression.skip();
      }
    } else if (reader.field === 3) window = reader.uint();
    else if (reader.field === 5) multiplier = reader.uint();
    else reader.skip();
  }
  if (on === undefined) throw new MalformedMessage('a filter does not say what it looks at');
  if (window === 0 || multiplier === 0) throw new MalformedMessage('a filter has an empty checkpoint interval');
  return { on, regex, prefixes, checkpointEvery: window * multiplier };
}

export const encodeConfirmation = (id: string): Buffer => bytesField(2, textField(1, id));
export const encodeCheckpoint = (at: number): Buffer => position(3, at);
export const encodeStreamNotFound = (stream: string): Buffer => bytesField(4, streamIdentifier(1, stream));
export const encodeCaughtUp = (): Buffer => emptyField(8);

// ---------------------------------------------------------------------------------------------- frames

/**
 * A frame is what a reader receives and what a segment holds: one gRPC length-prefixed message
 * (`u8 0, u32 length big endian`) whose body is `ReadResp { event: ReadEvent { event: RecordedEvent, commit_position } }`.
 */
export interface NewFrame {
  readonly id: string;
  readonly stream: Buffer;
  readonly revision: number;
  readonly type: Buffer;
  readonly contentType: Buffer;
  /** Ticks of 100 ns since the Unix epoch, decimal. */
  readonly created: string;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

export const FRAME_PREFIX = 5;

const TYPE = Buffer.from('type');
const CONTENT_TYPE = Buffer.from('content-type');
const CREATED = Buffer.from('created');

const lengthField = (length: number): number => 1 + varintSize(length) + length;

/** No frame of these parts is longer than this. */
export const frameBound = (frame: NewFrame): number =>
  256 + frame.stream.length + frame.type.length + frame.contentType.length + frame.data.length + frame.metadata.length;

/** Writes the frame at `at`; returns where it ends. The caller has made room (`frameBound`). */
export function encodeFrame(into: Buffer, at: number, frame: NewFrame, framePosition: number): number {
  const name = lengthField(frame.stream.length);
  const positionSize = varintSize(framePosition);
  const entries = [
    lengthField(TYPE.length) + lengthField(frame.type.length),
    lengthField(CONTENT_TYPE.length) + lengthField(frame.contentType.length),
    lengthField(CREATED.length) + lengthField(frame.created.length),
  ] as const;
  const recorded =
    40 +
    lengthField(name) +
    1 +
    varintSize(frame.revision) +
    2 * (1 + positionSize) +
    lengthField(entries[0]) +
    lengthField(entries[1]) +
    lengthField(entries[2]) +
    (frame.metadata.length === 0 ? 0 : lengthField(frame.metadata.length)) +
    (frame.data.length === 0 ? 0 : lengthField(frame.data.length));
  const readEvent = lengthField(recorded) + 1 + positionSize;
  into[at] = 0;
  at = into.writeUInt32BE(lengthField(readEvent), at + 1);
  at = putLength(into, at, 1, readEvent);
  at = putLength(into, at, 1, recorded);
  at = putLength(into, at, 1, 38);
  at = putLength(into, at, 2, 36);
  at += into.write(frame.id, at, 36, 'latin1');
  at = putLength(into, at, 2, name);
  at = putBytes(into, at, 3, frame.stream);
  at = putUint(into, at, 3, frame.revision);
  at = putUint(into, at, 4, framePosition);
  at = putUint(into, at, 5, framePosition);
  at = putEntry(into, at, entries[0], TYPE, frame.type);
  at = putEntry(into, at, entries[1], CONTENT_TYPE, frame.contentType);
  at = putLength(into, at, 6, entries[2]);
  at = putBytes(into, at, 1, CREATED);
  at = putLength(into, at, 2, frame.created.length);
  at += into.write(frame.created, at, frame.created.length, 'latin1');
  if (frame.metadata.length > 0) at = putBytes(into, at, 7, frame.metadata);
  if (frame.data.length > 0) at = putBytes(into, at, 8, frame.data);
  return putUint(into, at, 3, framePosition);
}

function putLength(into: Buffer, at: number, field: number, length: number): number {
  into[at] = field * 8 + BYTES;
  return putVarint(into, at + 1, length);
}

function putBytes(into: Buffer, at: number, field: number, bytes: Buffer): number {
  at = putLength(into, at, field, bytes.length);
  return at + bytes.copy(into, at);
}

function putUint(into: Buffer, at: number, field: number, value: number): number {
  into[at] = field * 8 + VARINT;
  return putVarint(into, at + 1, value);
}

function putEntry(into: Buffer, at: number, length: number, key: Buffer, value: Buffer): number {
  return putBytes(into, putBytes(into, putLength(into, at, 6, length), 1, key), 2, value);
}

export interface RecordedFrame {
  readonly id: string;
  readonly stream: string;
  /** `TOMBSTONE_REVISION` for a tombstone. */
  readonly revision: number;
  readonly position: number;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly data: Buffer;
}

export interface DecodedFrame extends RecordedFrame {
  /** The client's own metadata; empty without any. */
  readonly metadata: Buffer;
}

/** The whole length of the frame at `at`, prefix included. */
export const frameLength = (buffer: Buffer, at: number): number => FRAME_PREFIX + buffer.readUInt32BE(at + 1);

function recordedEventOf(frame: Buffer): Reader {
  const response = new Reader(frame, FRAME_PREFIX);
  if (!response.next() || response.field !== 1) throw new MalformedMessage('a frame holds no event');
  const readEvent = response.message();
  if (!readEvent.next() || readEvent.field !== 1) throw new MalformedMessage('a frame holds no event');
  return readEvent.message();
}

export function decodeFrame(frame: Buffer): DecodedFrame {
  const reader = recordedEventOf(frame);
  let id = '';
  let stream = '';
  let revision = 0;
  let at = 0;
  let type = '';
  let created = 0;
  let data: Buffer = Buffer.alloc(0);
  let metadata = data;
  while (reader.next()) {
    switch (reader.field) {
      case 1: {
        const uuid = reader.message();
        if (uuid.next()) id = uuid.bytes().toString('latin1');
        break;
      }
      case 2:
        stream = readStreamName(reader.message());
        break;
      case 3:
        revision = reader.uint();
        break;
      case 5:
        at = reader.uint();
        break;
      case 6: {
        const [key, value] = readMapEntry(reader.message());
        if (key === 'type') type = value;
        else if (key === 'created') created = Number(value) / 10_000;
        break;
      }
      case 7:
        metadata = reader.bytes();
        break;
      case 8:
        data = reader.bytes();
        break;
      default:
        reader.skip();
    }
  }
  return { id, stream, revision, position: at, type, created, data, metadata };
}

/** Where the data of an event lies within its frame, and whether its content type is JSON. */
export function dataWithin(frame: Buffer): { readonly start: number; readonly end: number; readonly json: boolean } {
  const reader = recordedEventOf(frame);
  let json = false;
  let start = 0;
  let end = 0;
  while (reader.next()) {
    if (reader.field === 6) {
      const [key, value] = readMapEntry(reader.message());
      if (key === 'content-type') json = value === 'application/json';
    } else if (reader.field === 8) {
      const { length } = reader.bytes();
      end = reader.offset;
      start = end - length;
    } else {
      reader.skip();
    }
  }
  return { start, end, json };
}

/** The `RecordedEvent` inside a frame, with the id in the form the reader asked for. */
export function recordedBytes(frame: Buffer, structuredIds: boolean): Buffer {
  const reader = recordedEventOf(frame);
  const start = reader.offset;
  const end = frame.length;
  const whole = frame.subarray(start, end);
  reader.next();
  const id = readUuid(reader.message());
  const afterId = reader.offset;
  while (reader.next()) reader.skip();
  if (!structuredIds) return whole.subarray(0, reader.offset - start);
  return Buffer.concat([bytesField(1, structuredUuid(id)), frame.subarray(afterId, reader.offset)]);
}

/**
 * A `ReadResp` put together anew: for resolved links and for readers that want structured ids.
 *
 * @param event the frame the reader is to see; `undefined` when a link points at nothing
 * @param link the frame of the link, when `event` was found through one
 * @param at the position of `link`, or of `event` without one
 */
export function encodeResolved(
  event: Buffer | undefined,
  link: Buffer | undefined,
  at: number,
  structuredIds: boolean,
): Buffer {
  const parts: Buffer[] = [];
  if (event) parts.push(bytesField(1, recordedBytes(event, structuredIds)));
  if (link) parts.push(bytesField(2, recordedBytes(link, structuredIds)));
  parts.push(uintField(3, at));
  return bytesField(1, ...parts);
}

// ---------------------------------------------------------------------------------------------- discovery

export interface SupportedMethod {
  readonly service: string;
  readonly method: string;
  readonly features: readonly string[];
}

export const encodeSupportedMethods = (methods: readonly SupportedMethod[], version: string): Buffer =>
  Buffer.concat([
    ...methods.map(({ service, method, features }) =>
      bytesField(1, textField(1, method), textField(2, service), ...features.map((feature) => textField(3, feature))),
    ),
    textField(2, version),
  ]);

const LEADER = 8;

/** A cluster of one, which leads. @param now milliseconds since the epoch */
export const encodeClusterInfo = (instanceId: string, now: number, host: string, port: number): Buffer =>
  bytesField(
    1,
    bytesField(1, textField(2, instanceId)),
    uintField(2, now * 10_000),
    uintField(3, LEADER),
    uintField(4, 1),
    bytesField(5, textField(1, host), uintField(2, port)),
  );
