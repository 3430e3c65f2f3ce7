/** A CloudEvent 1.0 in structured JSON form. Extension attributes stand beside the core ones. */
export interface CloudEvent<T = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: T;
  readonly data_base64?: string;
  readonly [extension: string]: unknown;
}

/** The value is no CloudEvent. Names the attribute and the rule, never the value. */
export class InvalidCloudEvent extends Error {
  override readonly name = 'InvalidCloudEvent';
  constructor(
    /** Of CloudEvents itself; the name of any other is the sender's word, and stays out: `(extension)`, `(unnamed)`. */
    readonly attribute: string,
    readonly rule: string,
  ) {
    super(`no CloudEvent: ${attribute} (${rule})`);
  }
}

const ATTRIBUTE = /^[a-z0-9]+$/;
const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
/** RFC 2045: type, subtype, parameters. */
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(\\s*;\\s*${TOKEN}=(${TOKEN}|"([^"\\\\]|\\\\.)*"))*$`);
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** RFC 3986: the characters of a URI reference, with whole percent escapes. */
const URI_REFERENCE = /^([A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const FORBIDDEN_IN_TEXT = /[\u0000-\u001f\u007f-\u009f]/;
/** What the specification names, and all that is repeated of an event that is wrong. */
const named = (name: string): string => (CORE.has(name) ? name : '(extension)');
const CORE = new Set(['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema']);

/**
 * Checks a parsed JSON value against CloudEvents 1.0, more strictly than the public JSON schema: that one takes an
 * unknown `specversion`, a malformed `datacontenttype`, names of extensions in upper case or with dots, numbers that
 * are no 32-bit integers, and `data` beside `data_base64`. An attribute that is null counts as left out.
 *
 * @throws InvalidCloudEvent naming the first attribute that is wrong.
 */
export function readCloudEvent(value: unknown): CloudEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidCloudEvent('(event)', 'isObject');
  const event = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  const { data, data_base64: bytes, ...attributes } = event;
  for (const name of Object.keys(attributes))
    if (!ATTRIBUTE.test(name)) throw new InvalidCloudEvent('(unnamed)', 'isLowerCaseAlphanumeric');
  for (const [name, member] of Object.entries(attributes)) checkValue(name, member);
  if (event['specversion'] !== '1.0') throw new InvalidCloudEvent('specversion', 'isOnePointZero');
  for (const name of ['id', 'source', 'type'])
    if (typeof event[name] !== 'string') throw new InvalidCloudEvent(name, 'isRequired');
  for (const name of CORE)
    if (name in event && (typeof event[name] !== 'string' || event[name] === ''))
      throw new InvalidCloudEvent(name, 'isNonEmptyText');
  const { source, time, datacontenttype, dataschema } = event as unknown as CloudEvent;
  if (!URI_REFERENCE.test(source)) throw new InvalidCloudEvent('source', 'isUriReference');
  if (time !== undefined && !isTimestamp(time)) throw new InvalidCloudEvent('time', 'isTimestamp');
  if (datacontenttype !== undefined && !MEDIA_TYPE.test(datacontenttype))
    throw new InvalidCloudEvent('datacontenttype', 'isMediaType');
  if (dataschema !== undefined && !(URI.test(dataschema) && URI_REFERENCE.test(dataschema)))
    throw new InvalidCloudEvent('dataschema', 'isUri');
  if (bytes !== undefined) {
    if (data !== undefined) throw new InvalidCloudEvent('data_base64', 'isAlone');
    if (typeof bytes !== 'string' || !BASE64.test(bytes)) throw new InvalidCloudEvent('data_base64', 'isBase64');
  }
  return event as unknown as CloudEvent;
}

/** An attribute is a well-formed text without control characters, a boolean, or a 32-bit integer. */
function checkValue(name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31)
      throw new InvalidCloudEvent(named(name), 'isInteger32');
    return;
  }
  if (typeof value !== 'string') throw new InvalidCloudEvent(named(name), 'isTextIntegerOrBoolean');
  if (!value.isWellFormed() || FORBIDDEN_IN_TEXT.test(value)) throw new InvalidCloudEvent(named(name), 'isPlainText');
}

function isTimestamp(text: string): boolean {
  const [, year, month, day] = TIMESTAMP.exec(text) ?? [];
  if (year === undefined) return false;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(8, 10) === day;
}
