/** The messages of `event_store.client.persistent_subscriptions`; field numbers stand beside the fields. */
import {
  MalformedMessage,
  Reader,
  bytesField,
  readFilter,
  readPosition,
  readStart,
  readStreamName,
  readUuid,
  recordedBytes,
  textField,
  uintField,
  type FilterRequest,
  type Start,
} from './wire.js';

/** The source of a group that listens to everything. */
export const ALL = '$all';

export const STRATEGIES = ['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation'] as const;

export interface GroupSettings {
  readonly resolveLinks: boolean;
  readonly extraStatistics: boolean;
  /** Milliseconds until an event that is neither acknowledged nor refused is retried. */
  readonly messageTimeout: number;
  /** An event is delivered once and retried so many times, then parked. */
  readonly maxRetryCount: number;
  /** Milliseconds between two checkpoints of at least `minCheckpointCount` events; 0: never by time. */
  readonly checkpointAfter: number;
  readonly minCheckpointCount: number;
  /** So many finished events make a checkpoint at once. */
  readonly maxCheckpointCount: number;
  /** 0: any number. */
  readonly maxSubscriberCount: number;
  readonly liveBufferSize: number;
  readonly readBatchSize: number;
  readonly historyBufferSize: number;
  /** One of `STRATEGIES`, or what a client thinks is one. */
  readonly strategy: string;
}

/** A group, by the stream it listens to and its name. */
export interface GroupName {
  readonly source: string;
  readonly group: string;
}

export interface GroupRequest extends GroupName {
  /** Not a stream that happens to be called `$all`. */
  readonly isAll: boolean;
  /** Inclusive. */
  readonly start: Start;
  readonly filter: FilterRequest | undefined;
  readonly settings: GroupSettings;
}

const REVISION_END = 2 ** 64 - 1;
/** A negative int32 on the wire is larger than this. */
const INT32_MAX = 2 ** 31 - 1;
const TICKS_PER_MS = 10_000;

const int32 = (reader: Reader): number => {
  const value = reader.uint();
  return value > INT32_MAX ? -1 : value;
};

function optionsOf(message: Buffer): Reader {
  const reader = new Reader(message);
  while (reader.next()) {
    if (reader.field === 1) return reader.message();
    reader.skip();
  }
  throw new MalformedMessage('a request has no options');
}

/** The request of Create and of Update. */
export function decodeGroup(message: Buffer): GroupRequest {
  const reader = optionsOf(message);
  let source = '';
  let isAll = false;
  let group = '';
  let start: Start | undefined;
  let filter: FilterRequest | undefined;
  let settings: SettingsRequest | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        source ||= readStreamName(reader.message());
        break;
      case 2:
        group = reader.text();
        break;
      case 3:
        settings = readSettings(reader.message());
        break;
      case 4: {
        const options = reader.message();
        while (options.next()) {
          if (options.field === 1) source = readStreamName(options.message());
          else start = readStart(options, () => options.uint()) ?? start;
        }
        break;
      }
      case 5: {
        const options = reader.message();
        source = ALL;
        isAll = true;
        while (options.next()) {
          if (options.field === 4) filter = readFilter(options.message());
          else start = readStart(options, () => readPosition(options.message()), 1) ?? start;
        }
        break;
      }
      default:
        reader.skip();
    }
  }
  if (!settings) throw new MalformedMessage('a group has no settings');
  if (start === undefined && isAll) throw new MalformedMessage('a group does not say where it begins');
  return { source, isAll, group, start: start ?? settings.revision, filter, settings };
}

interface SettingsRequest extends GroupSettings {
  /** Where older clients say a group on a stream begins. */
  readonly revision: Start;
}

function readSettings(reader: Reader): SettingsRequest {
  const numbers: Record<number, number> = {};
  let revision = 0;
  let strategy = '';
  while (reader.next()) {
    if (reader.field === 2) revision = reader.uint();
    else if (reader.field === 4 || reader.field === 6) numbers[reader.field] = reader.uint();
    else if (reader.field === 16) strategy = reader.text();
    else if (reader.field <= 15) numbers[reader.field] = int32(reader);
    else reader.skip();
  }
  const milliseconds = (ticks: number, field: number): number =>
    numbers[field] ?? Math.floor((numbers[ticks] ?? 0) / TICKS_PER_MS);
  return {
    revision: revision >= REVISION_END ? 'end' : revision,
    resolveLinks: numbers[1] === 1,
    extraStatistics: numbers[3] === 1,
    messageTimeout: milliseconds(4, 14),
    maxRetryCount: numbers[5] ?? 0,
    checkpointAfter: milliseconds(6, 15),
    minCheckpointCount: numbers[7] ?? 0,
    maxCheckpointCount: numbers[8] ?? 0,
    maxSubscriberCount: numbers[9] ?? 0,
    liveBufferSize: numbers[10] ?? 0,
    readBatchSize: numbers[11] ?? 0,
    historyBufferSize: numbers[12] ?? 0,
    strategy: strategy || (STRATEGIES[numbers[13] ?? 0] ?? String(numbers[13])),
  };
}

/** @param fields where the options say the stream, `$all`, and the group */
function readGroupName(
  reader: Reader,
  fields: { stream: number; all: number; group: number },
  more: (reader: Reader) => boolean = () => false,
): GroupName {
  let source = '';
  let group = '';
  while (reader.next()) {
    if (reader.field === fields.stream) source = readStreamName(reader.message());
    else if (reader.field === fields.group) group = reader.text();
    else if (!more(reader)) {
      if (reader.field === fields.all) source = ALL;
      reader.skip();
    }
  }
  return { source, group };
}

export const decodeDeleteGroup = (message: Buffer): GroupName =>
  readGroupName(optionsOf(message), { stream: 1, group: 2, all: 3 });

export const decodeGetInfo = (message: Buffer): GroupName =>
  readGroupName(optionsOf(message), { stream: 1, all: 2, group: 3 });

export interface ReplayRequest extends GroupName {
  /** The revision of the parked stream to stop before; negative when the client says so. */
  readonly stopAt: number | undefined;
}

export function decodeReplay(message: Buffer): ReplayRequest {
  let stopAt: number | undefined;
  const name = readGroupName(optionsOf(message), { group: 1, stream: 2, all: 3 }, (reader) => {
    if (reader.field !== 4) return false;
    const value = reader.uint();
    stopAt = value >= 2 ** 63 ? -1 : value;
    return true;
  });
  return { ...name, stopAt };
}

/** @returns the source whose groups are wanted; `undefined`: all groups */
export function decodeList(message: Buffer): string | undefined {
  const reader = optionsOf(message);
  let source: string | undefined;
  while (reader.next()) {
    if (reader.field === 2) {
      const options = reader.message();
      source = '';
      while (options.next()) {
        if (options.field === 1) source = readStreamName(options.message());
        else {
          if (options.field === 2) source = ALL;
          options.skip();
        }
      }
    } else reader.skip();
  }
  return source;
}

/** What a consumer wants done with events it has not processed, by number. */
export const NACK_ACTIONS = ['unknown', 'park', 'retry', 'skip', 'stop'] as const;
export type NackAction = (typeof NACK_ACTIONS)[number];

export type ConsumerMessage =
  | { readonly kind: 'options'; readonly name: GroupName; readonly bufferSize: number; readonly structuredIds: boolean }
  | { readonly kind: 'ack'; readonly ids: readonly string[] }
  | { readonly kind: 'nack'; readonly ids: readonly string[]; readonly action: NackAction; readonly reason: string };

/** A message of the Read call. */
export function decodeConsumer(message: Buffer): ConsumerMessage {
  const reader = new Reader(message);
  while (reader.next()) {
    if (reader.field === 1) return readConsumerOptions(reader.message());
    if (reader.field === 2) return { kind: 'ack', ids: readVerdict(reader.message()).ids };
    if (reader.field === 3) {
      const { ids, action: number, reason } = readVerdict(reader.message());
      const action = NACK_ACTIONS[number];
      if (action === undefined) throw new MalformedMessage(`there is no action ${number}`);
      return { kind: 'nack', ids, action, reason };
    }
    reader.skip();
  }
  throw new MalformedMessage('a message carries neither options nor an answer');
}

function readConsumerOptions(reader: Reader): ConsumerMessage {
  let bufferSize = 0;
  let structuredIds = false;
  const name = readGroupName(reader, { stream: 1, group: 2, all: 5 }, (options) => {
    if (options.field === 3) {
      bufferSize = int32(options);
      return true;
    }
    if (options.field !== 4) return false;
    const uuidOption = options.message();
    while (uuidOption.next()) {
      structuredIds = uuidOption.field === 1;
      uuidOption.skip();
    }
    return true;
  });
  return { kind: 'options', name, bufferSize, structuredIds };
}

function readVerdict(reader: Reader): { ids: string[]; action: number; reason: string } {
  const ids: string[] = [];
  let action = 0;
  let reason = '';
  while (reader.next()) {
    if (reader.field === 2) ids.push(readUuid(reader.message()));
    else if (reader.field === 3) action = reader.uint();
    else if (reader.field === 4) reason = reader.text();
    else reader.skip();
  }
  return { ids, action, reason };
}

export const encodeSubscribed = (subscriptionId: string): Buffer => bytesField(2, textField(1, subscriptionId));

/**
 * @param event the frame the consumer is to see; `undefined` when a link points at nothing
 * @param link the frame of the link, when `event` was found through one
 * @param at the position of `link`, or of `event` without one
 */
export function encodeDelivery(
  event: Buffer | undefined,
  link: Buffer | undefined,
  at: number,
  retryCount: number,
  structuredIds: boolean,
): Buffer {
  const parts: Buffer[] = [];
  if (event) parts.push(bytesField(1, recordedBytes(event, structuredIds)));
  if (link) parts.push(bytesField(2, recordedBytes(link, structuredIds)));
  parts.push(uintField(3, at), uintField(5, retryCount));
  return bytesField(1, ...parts);
}

export interface ConsumerInfo {
  readonly connectionName: string;
  readonly averagePerSecond: number;
  readonly totalItems: number;
  readonly countSinceLastMeasurement: number;
  readonly measurements: readonly (readonly [key: string, value: number])[];
  readonly availableSlots: number;
  readonly inFlight: number;
}

export interface GroupInfo extends GroupName {
  readonly status: string;
  readonly consumers: readonly ConsumerInfo[];
  readonly averagePerSecond: number;
  readonly totalItems: number;
  readonly countSinceLastMeasurement: number;
  /** Empty when there is none yet; so is `lastKnown`. */
  readonly lastCheckpoint: string;
  readonly lastKnown: string;
  readonly startFrom: string;
  readonly settings: GroupSettings;
  readonly readBufferCount: number;
  readonly liveBufferCount: number;
  readonly retryBufferCount: number;
  readonly inFlight: number;
  readonly outstanding: number;
  readonly parked: number;
}

const flag = (field: number, value: boolean): Buffer => uintField(field, value ? 1 : 0);

/** As `uintField`, for fields from 16 on, whose tag takes two bytes. */
const highUint = (field: number, value: number): Buffer => highTag(field, uintField(1, value));
const highText = (field: number, text: string): Buffer => highTag(field, textField(1, text));
function highTag(field: number, encoded: Buffer): Buffer {
  const wireType = (encoded[0] as number) % 8;
  const tag = field * 8 + wireType;
  return Buffer.concat([Buffer.from([(tag & 0x7f) | 0x80, tag >> 7]), encoded.subarray(1)]);
}

const encodeConsumerInfo = (consumer: ConsumerInfo): Buffer =>
  bytesField(
    4,
    textField(2, 'anonymous'),
    uintField(3, consumer.averagePerSecond),
    uintField(4, consumer.totalItems),
    uintField(5, consumer.countSinceLastMeasurement),
    ...consumer.measurements.map(([key, value]) => bytesField(6, textField(1, key), uintField(2, value))),
    uintField(7, consumer.availableSlots),
    uintField(8, consumer.inFlight),
    textField(9, consumer.connectionName),
  );

const subscriptionInfo = (info: GroupInfo): Buffer =>
  bytesField(
    1,
    textField(1, info.source),
    textField(2, info.group),
    textField(3, info.status),
    ...info.consumers.map(encodeConsumerInfo),
    uintField(5, info.averagePerSecond),
    uintField(6, info.totalItems),
    uintField(7, info.countSinceLastMeasurement),
    textField(8, info.lastCheckpoint),
    textField(9, info.lastKnown),
    flag(10, info.settings.resolveLinks),
    textField(11, info.startFrom),
    uintField(12, info.settings.messageTimeout),
    flag(13, info.settings.extraStatistics),
    uintField(14, info.settings.maxRetryCount),
    uintField(15, info.settings.liveBufferSize),
    highUint(16, info.settings.historyBufferSize),
    highUint(17, info.settings.readBatchSize),
    highUint(18, info.settings.checkpointAfter),
    highUint(19, info.settings.minCheckpointCount),
    highUint(20, info.settings.maxCheckpointCount),
    highUint(21, info.readBufferCount),
    highUint(22, info.liveBufferCount),
    highUint(23, info.retryBufferCount),
    highUint(24, info.inFlight),
    highUint(25, info.outstanding),
    highText(26, info.settings.strategy),
    highUint(27, info.settings.maxSubscriberCount),
    highUint(28, info.parked),
  );

export const encodeInfo = (info: GroupInfo): Buffer => subscriptionInfo(info);
export const encodeList = (infos: readonly GroupInfo[]): Buffer => Buffer.concat(infos.map(subscriptionInfo));

/** The answer of every method that only says it has been done. */
export const DONE: Buffer = Buffer.alloc(0);
