import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsObject,
  IsString,
  Matches,
  MaxLength,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { parseInstant, type Instant } from '#kernel';
import { Command, IsId, IsInstant, REFERENCE, REGISTER_ID } from '#slice';
import { FIELD_NAME } from './telemetry-stream.commands.js';
import { monthOf, type UsageValue } from './usage.events.js';

/** Entries of one batch, its size as JSON in bytes, and the length of one text in characters. */
export const MOST_ENTRIES = 1_000;
export const LARGEST_BATCH = 192 * 1024;
export const LONGEST_TEXT = 200;
/** Fields of one entry. */
const MOST_FIELDS = 50;

export const USAGE_MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** Names of fields with a text, a number or a truth value each. */
const IsUsageValues = (): PropertyDecorator =>
  ValidateBy({
    name: 'isUsageValues',
    validator: {
      validate: (values) => {
        if (typeof values !== 'object' || values === null || Array.isArray(values)) return false;
        const members = Object.entries(values);
        return members.length >= 1 && members.length <= MOST_FIELDS && members.every(isUsageMember);
      },
    },
  });

const isUsageMember = ([name, value]: [string, unknown]): boolean =>
  FIELD_NAME.test(name) &&
  ((typeof value === 'string' && value.length <= LONGEST_TEXT) ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)));

/** A batch that is small enough to be one sealed value. */
const IsSmallBatch = (): PropertyDecorator =>
  ValidateBy({
    name: 'isSmallBatch',
    validator: { validate: (entries) => Buffer.byteLength(JSON.stringify(entries) ?? '') <= LARGEST_BATCH },
  });

/** Entries of one calendar month in London: a month has a key, and an end, of its own. */
const IsOneMonth = (): PropertyDecorator =>
  ValidateBy({
    name: 'isOneMonth',
    validator: {
      validate: (entries) => {
        const [from, to] = extentOf(Array.isArray(entries) ? entries : []);
        // Malformed times are reported where they stand.
        return from === undefined || to === undefined || monthOf(from) === monthOf(to);
      },
    },
  });

/** The first and the last moment among the entries; of those that have one. */
export function extentOf(
  entries: readonly ({ readonly at?: unknown } | null | undefined)[],
): readonly [from: Instant | undefined, to: Instant | undefined] {
  let from: Instant | undefined;
  let to: Instant | undefined;
  for (const entry of entries) {
    const at = typeof entry?.at === 'string' ? parseInstant(entry.at) : undefined;
    if (at === undefined) continue;
    if (from === undefined || at < from) from = at;
    if (to === undefined || at > to) to = at;
  }
  return [from, to];
}

export class UsageToRecord {
  /** When it was captured. */
  @IsInstant()
  readonly at!: string;

  @IsObject()
  @IsUsageValues()
  readonly values!: Readonly<Record<string, UsageValue>>;
}

/** Records usage that leads back to a person: all of it, or none (C06, C07). */
export class RecordUsage extends Command {
  get type() {
    return 'RecordUsage' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly streamId!: string;

  /** The person that licences and devices among the values belong to. */
  @IsId()
  readonly subjectId!: string;

  /** The sender's name for the batch; an opaque reference, never a name or an address. */
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly batchRef!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_ENTRIES)
  @IsSmallBatch()
  @IsOneMonth()
  @ValidateNested({ each: true })
  @Type(() => UsageToRecord)
  readonly entries!: readonly UsageToRecord[];
}

/** Commands about a person's usage in one month. */
abstract class UsageMonthCommand extends Command {
  @IsId()
  readonly subjectId!: string;

  @IsString()
  @Matches(USAGE_MONTH)
  readonly month!: string;
}

/** Ends the retention of a month of usage; sent by the steward (C16). */
export class ExpireUsage extends UsageMonthCommand {
  get type() {
    return 'ExpireUsage' as const;
  }
}

/** Destroys the keys of a month that is beyond use, and states it; sent by the steward (X5). */
export class ConfirmUsageErasure extends UsageMonthCommand {
  get type() {
    return 'ConfirmUsageErasure' as const;
  }
}

/** Asks whether a person's usage may be used for a purpose now (C07, C17). */
export class AuthoriseUsageAccess extends Command {
  get type() {
    return 'AuthoriseUsageAccess' as const;
  }

  @IsId()
  readonly subjectId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ArrayUnique()
  @Matches(REGISTER_ID, { each: true })
  @MaxLength(64, { each: true })
  readonly streamIds!: readonly string[];
}

export type UsageDomainCommand = RecordUsage | ExpireUsage | ConfirmUsageErasure;
