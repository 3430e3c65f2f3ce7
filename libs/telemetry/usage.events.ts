import { addPeriod, londonDate, startOfLondonDay } from '#calendar';
import type { Instant, Protected } from '#kernel';
import type { DeferralCause, ErasureCause } from '#subject';

/** What is decided about a person's usage in one month. Stands in `usage-<subject>-<yyyy-mm>`. */
export type UsageEvent = UsageRecorded | UsageExpired | UsageDeferred | UsageErased;

/** A value of a field of telemetry. */
export type UsageValue = string | number | boolean;

/** What was captured at one moment. */
export interface UsageEntry {
  readonly at: Instant;
  readonly values: Readonly<Record<string, UsageValue>>;
}

/** What stands under one seal. */
export interface UsageBatch {
  readonly entries: readonly UsageEntry[];
}

/** Usage of a service was recorded, batch by batch (C06, C07). Every value and every moment but two is under seal. */
export interface UsageRecorded {
  readonly type: 'UsageRecorded';
  readonly data: {
    readonly subjectId: string;
    /** The month of every entry, `yyyy-mm` in London. */
    readonly month: string;
    readonly streamId: string;
    readonly streamVersion: number;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly basis: string;
    /** The notice version that told the person. */
    readonly noticeId: string;
    readonly noticeVersion: number;
    readonly batchId: string;
    /** The sender's name for the batch; opaque. */
    readonly batchRef: string;
    readonly count: number;
    /** The first and the last entry. */
    readonly from: Instant;
    readonly to: Instant;
    /** Ids of the keys of the month so far; the last one seals this batch. */
    readonly keys: readonly string[];
    readonly batch: Protected<UsageBatch>;
    /** Until when the month may be kept, with this batch. */
    readonly due: Instant;
    /** What is held of the month, with this batch. */
    readonly held: { readonly batches: number; readonly entries: number };
  };
}

/** The period of the month's last entry has ended, or the person is erased; from here on the month is beyond use (C16). */
export interface UsageExpired {
  readonly type: 'UsageExpired';
  readonly data: {
    readonly subjectId: string;
    readonly month: string;
    readonly due: Instant;
    readonly keys: readonly string[];
    /** The erasure of the person that ends it, and why; its period alone when absent. */
    readonly erasureId?: string;
    readonly cause?: ErasureCause;
  };
}

/** The time of the month has come, and something keeps it (I-16d). */
export interface UsageDeferred {
  readonly type: 'UsageDeferred';
  readonly data: {
    readonly subjectId: string;
    readonly month: string;
    readonly cause: DeferralCause;
    /** The hold or the deferral; `restriction` for a restriction of the person's data. */
    readonly ref: string;
  };
}

/** The keys of the month were destroyed; nobody can read its usage again (C16). */
export interface UsageErased {
  readonly type: 'UsageErased';
  readonly data: {
    readonly subjectId: string;
    readonly month: string;
    readonly keys: readonly string[];
    readonly cause: ErasureCause;
    readonly method: 'keyDestruction';
    /** When the last backup that may still hold a key is gone. */
    readonly keystoreBackupHorizon: Instant;
  };
}

/** A service or a member of staff may use the person's usage now, for the purpose it was captured for (I-07c). */
export interface UsageAccessAuthorised {
  readonly type: 'UsageAccessAuthorised';
  readonly data: {
    readonly subjectId: string;
    readonly accessId: string;
    readonly streamIds: readonly string[];
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly basis: string;
    /** Delivery of the service, or an answer to the person about their own data (UK GDPR Art 15). */
    readonly ground: 'serviceDelivery' | 'rightsOfThePerson';
    readonly expiresAt: Instant;
  };
}

/** The stream of a person's usage in a month. */
export const usageStream = (subjectId: string, month: string): string => `usage-${subjectId}-${month}`;

/** The month of a moment in London, `yyyy-mm`. */
export const monthOf = (at: Instant): string => londonDate(at).slice(0, 7);

/** The first moment after a month in London. */
export const endOfMonth = (month: string): Instant => startOfLondonDay(addPeriod(`${month}-01`, 'P1M'));
