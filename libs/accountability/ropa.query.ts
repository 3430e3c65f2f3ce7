import { londonDate } from '#calendar';
import { canonicalJson, type Instant } from '#kernel';
import { SERVICE_LINES, type Purpose, type PurposeEntry, type RetentionRule, type ServiceLine } from '#purpose';
import { agreementsAsOf, membershipOn, type Recipient } from '#sharing';
import { controllersAsOf, type DescribedController } from './data-controller.register.js';
import type { KnownRegisters } from './register-facts.query.js';

/** The record of processing activities (UK GDPR Art 30(1)): generated from the registers, never written by hand. */
export interface Ropa {
  /** Paragraphs (a) and (g). */
  readonly controllers: readonly DescribedController[];
  /** The lines of the policy, each with its activities by purpose id. Every line is there, also without any. */
  readonly serviceLines: readonly {
    readonly serviceLine: ServiceLine;
    readonly activities: readonly ProcessingActivity[];
  }[];
  /** What Art 30 asks for and no register says. */
  readonly gaps: readonly RopaGap[];
}

/** One purpose of the controller, in the words and order of Art 30(1)(b) to (f). */
export interface ProcessingActivity {
  readonly purposeId: string;
  readonly version: number;
  readonly title: string;
  readonly plainWords: string;
  readonly serviceLine: ServiceLine;
  /** A suspended purpose is not used, but its data is still kept: that is processing too. */
  readonly standing: 'inForce' | 'suspended';
  /** From when this version is in force. */
  readonly effectiveFrom: Instant;
  readonly commercial: boolean;
  readonly basis: string;
  readonly rliCondition?: string;
  readonly liaRef?: string;
  readonly dpiaRef?: string;
  readonly specialCategoryCondition?: string;
  readonly dataSubjects: readonly string[];
  readonly dataCategories: readonly {
    readonly category: string;
    readonly necessity: 'required' | 'optional';
    readonly special: boolean;
  }[];
  readonly recipientKinds: readonly string[];
  /** Those that may be given its data on that day; who was given what stands in the ledger of disclosures. */
  readonly recipients: readonly RopaRecipient[];
  /** Recipients outside the United Kingdom, with what carries the transfer. */
  readonly transfers: readonly {
    readonly recipientId: string;
    readonly country: string;
    readonly mechanism: string | null;
    readonly agreementId: string | null;
  }[];
  readonly timeLimits: readonly RetentionRule[];
  /** Ids of the events it was generated from, in the order of the log. */
  readonly events: readonly string[];
}

export interface RopaRecipient {
  readonly recipientId: string;
  readonly kind: string;
  readonly name: string | null;
  readonly country: string | null;
  readonly agreementId: string | null;
}

export interface RopaGap {
  /** Absent where the gap is about the record as a whole. */
  readonly purposeId?: string;
  readonly recipientId?: string;
  readonly lacks: 'controller' | 'dataProtectionOfficer' | 'dataSubjects' | 'transferMechanism';
  readonly law: string;
}

const HOME = 'GB';

/**
 * The record as it stood at a time, from registers that hold what had been recorded by then: what of that was in force
 * at that time. A purpose recorded afterwards is not in it, even where it applies from before. A retired purpose is
 * not in it either.
 */
export function ropaAsOf(known: KnownRegisters, at: Instant): Ropa {
  const controllers = controllersAsOf(known.controllers, at);
  const activities = [...known.purposes]
    .flatMap(([purposeId, entry]) => {
      const purpose = versionAsOf(entry, at);
      return purpose ? [activityOf(purposeId, entry, purpose, known, at)] : [];
    })
    .sort((a, b) => (a.purposeId < b.purposeId ? -1 : 1));
  return {
    controllers,
    serviceLines: SERVICE_LINES.map((serviceLine) => ({
      serviceLine,
      activities: activities.filter((activity) => activity.serviceLine === serviceLine),
    })),
    gaps: gapsOf(controllers, activities),
  };
}

/** The version in force or suspended at a time; `undefined` when there was none, or the purpose had been given up. */
function versionAsOf(entry: PurposeEntry, at: Instant): Purpose | undefined {
  if (entry.retiredAt !== undefined && entry.retiredAt <= at) return undefined;
  return entry.approved.findLast(({ effectiveFrom }) => effectiveFrom <= at);
}

function activityOf(
  purposeId: string,
  entry: PurposeEntry,
  purpose: Purpose,
  known: KnownRegisters,
  at: Instant,
): ProcessingActivity {
  const { version, basis, rliCondition, liaRef, dpiaRef, specialCategoryCondition } = purpose;
  const suspended = entry.suspensions.some(({ from, to }) => from <= at && (to === undefined || at < to));
  const recipients = recipientsOf(purpose, known, at);
  const streams = new Set([
    ...recipients.map(({ recipientId }) => `recipient-${recipientId}`),
    ...recipients.map(({ agreementId }) => `agreement-${agreementId}`),
  ]);
  return {
    purposeId,
    version,
    title: purpose.title,
    plainWords: purpose.plainWords,
    serviceLine: purpose.serviceLine,
    standing: suspended ? 'suspended' : 'inForce',
    effectiveFrom: purpose.effectiveFrom,
    commercial: purpose.commercial,
    basis,
    ...(rliCondition !== undefined && { rliCondition }),
    ...(liaRef !== undefined && { liaRef }),
    ...(dpiaRef !== undefined && { dpiaRef }),
    ...(specialCategoryCondition !== undefined && { specialCategoryCondition }),
    dataSubjects: purpose.dataSubjects ?? [],
    dataCategories: purpose.fields.map(({ category, necessity, special }) => ({
      category,
      necessity,
      special: special ?? false,
    })),
    recipientKinds: purpose.recipientKindsAllowed,
    recipients: recipients.map(({ mechanism: _carries, ...recipient }) => recipient),
    transfers: recipients.flatMap(({ recipientId, country, mechanism, agreementId }) =>
      country === null || country === HOME ? [] : [{ recipientId, country, mechanism, agreementId }],
    ),
    timeLimits: purpose.retention,
    events: known.events
      .filter(
        ({ stream, data }) =>
          streams.has(stream) ||
          (stream === `purpose-${purposeId}` && (!('version' in data) || data.version === version)),
      )
      .map(({ id }) => id),
  };
}

/** By agreements that cover the purpose; companies of the group also without one, for the group needs none at home. */
function recipientsOf(
  purpose: Purpose,
  known: KnownRegisters,
  at: Instant,
): readonly (RopaRecipient & { readonly mechanism: string | null })[] {
  const date = londonDate(at);
  const allowed = (recipient: Recipient | undefined): recipient is Recipient =>
    recipient !== undefined && purpose.recipientKindsAllowed.includes(recipient.registered.kind);
  const agreed = agreementsAsOf(known.agreements, date)
    .filter(({ recorded }) => recorded.purposes.includes(purpose.purposeId))
    .flatMap(({ recorded }) => {
      const recipient = known.recipients.get(recorded.recipientId);
      if (!allowed(recipient)) return [];
      if (recipient.registered.kind === 'GROUP' && !membershipOn(recipient, date)) return [];
      return [
        { ...nameOf(recipient), agreementId: recorded.agreementId, mechanism: recorded.transferMechanism ?? null },
      ];
    });
  const group = [...known.recipients.values()].filter(
    (recipient) =>
      allowed(recipient) &&
      recipient.registered.kind === 'GROUP' &&
      membershipOn(recipient, date) !== undefined &&
      !known.controllers.has(recipient.registered.recipientId) &&
      !agreed.some(({ recipientId }) => recipientId === recipient.registered.recipientId),
  );
  return [...agreed, ...group.map((each) => ({ ...nameOf(each), agreementId: null, mechanism: null }))].sort((a, b) =>
    a.recipientId < b.recipientId ? -1 : 1,
  );
}

const nameOf = ({ registered: { recipientId, kind, name, country } }: Recipient) => ({
  recipientId,
  kind,
  name: name ?? null,
  country: country ?? null,
});

function gapsOf(
  controllers: readonly DescribedController[],
  activities: readonly ProcessingActivity[],
): readonly RopaGap[] {
  const identity = { law: 'UK GDPR Art 30(1)(a)' };
  return [
    ...(controllers.length === 0 ? [{ lacks: 'controller', ...identity } as const] : []),
    ...controllers
      .filter(({ dataProtectionOfficer }) => dataProtectionOfficer === undefined)
      .map(() => ({ lacks: 'dataProtectionOfficer', ...identity }) as const),
    ...activities.flatMap(({ purposeId, dataSubjects, transfers }) => [
      ...(dataSubjects.length === 0
        ? [{ purposeId, lacks: 'dataSubjects', law: 'UK GDPR Art 30(1)(c)' } as const]
        : []),
      ...transfers
        .filter(({ mechanism }) => mechanism === null)
        .map(({ recipientId }) => ({
          purposeId,
          recipientId,
          lacks: 'transferMechanism' as const,
          law: 'UK GDPR Art 30(1)(e), 44',
        })),
    ]),
  ];
}

/** What became of the record between two times. */
export interface RopaDifference {
  readonly controllers: Difference;
  readonly activities: Difference;
}

export interface Difference {
  /** Ids that only the later record has. */
  readonly added: readonly string[];
  /** Ids that only the earlier record has. */
  readonly removed: readonly string[];
  /** Field by field, in the order of their names. A field that was or is not there is null. */
  readonly changed: readonly {
    readonly id: string;
    readonly fields: readonly { readonly field: string; readonly before: unknown; readonly after: unknown }[];
  }[];
}

/** Compares two records. The events they were generated from are no difference of their own. */
export function differenceOf(before: Ropa, after: Ropa): RopaDifference {
  const activities = ({ serviceLines }: Ropa) => serviceLines.flatMap((line) => line.activities);
  return {
    controllers: compared(before.controllers, after.controllers, ({ controllerId }) => controllerId),
    activities: compared(activities(before), activities(after), ({ purposeId }) => purposeId),
  };
}

function compared<T extends object>(before: readonly T[], after: readonly T[], idOf: (entry: T) => string): Difference {
  const old = new Map(before.map((entry) => [idOf(entry), entry]));
  const now = new Map(after.map((entry) => [idOf(entry), entry]));
  return {
    added: [...now.keys()].filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
    changed: [...now].flatMap(([id, entry]) => {
      const was = old.get(id);
      const fields = was ? changedFields(was, entry) : [];
      return fields.length === 0 ? [] : [{ id, fields }];
    }),
  };
}

function changedFields(before: object, after: object) {
  const was = before as Readonly<Record<string, unknown>>;
  const is = after as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((field) => field !== 'events')
    .map((field) => ({ field, before: was[field] ?? null, after: is[field] ?? null }))
    .filter((each) => canonicalJson(each.before) !== canonicalJson(each.after))
    .sort((a, b) => (a.field < b.field ? -1 : 1));
}
