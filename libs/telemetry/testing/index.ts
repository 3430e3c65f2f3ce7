import { instant, Personal, uuidV5, type Instant } from '#kernel';
import { factsAt, registerOf } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import { purposeRegister, type PurposeDefined, type PurposeEvent } from '#purpose';
import { nothingKept } from '#retention';
import type { NoticePresented, ProcessingRestricted, RestrictionLifted, SubjectRegistered } from '#subject';
import type { AuthoriseUsageAccess, ConfirmUsageErasure, ExpireUsage, RecordUsage } from '../usage.commands.js';
import type { UsageFacts } from '../usage.decider.js';
import type { UsageAccessAuthorised, UsageErased, UsageExpired, UsageRecorded } from '../usage.events.js';
import type { UsageStanding } from '../usage.standing.js';
import type {
  ApproveEssentiality,
  RegisterTelemetryStream,
  TelemetryStreamDomainCommand,
} from '../telemetry-stream.commands.js';
import type {
  EssentialityApproved,
  EssentialityRejected,
  TelemetryField,
  TelemetryStreamEvent,
  TelemetryStreamRegistered,
} from '../telemetry-stream.events.js';
import { telemetryStreamRegister } from '../telemetry-stream.register.js';

export const ASHA = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
export const COMMAND = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
export const OPENED = instant('2026-01-05T09:00:00Z');
/** A Monday in London, and a moment of use shortly before. */
export const TODAY = instant('2026-03-02T09:00:00Z');
export const USED = instant('2026-03-02T08:30:00Z');
export const idsOf = (commandId: string) => (name: string) => uuidV5(commandId, name);

export const ada = { id: 'ada', type: 'user', roles: ['privacyOfficer'] } as const;
export const ben = { id: 'ben', type: 'user', roles: ['privacyOfficer'] } as const;
const sent = { commandId: COMMAND, actor: ada };

export const field = (name: string, changes: Partial<TelemetryField> = {}): TelemetryField => ({
  name,
  type: 'text',
  essentialFor: 'licensing',
  justification: 'Nothing opens without it.',
  traceability: 'direct',
  ...changes,
});
const FIELDS = [
  field('licence'),
  field('edition', { type: 'number', traceability: 'none' }),
  field('worked', { type: 'boolean', traceability: 'none' }),
];
const definition = {
  service: 'chart-cloud',
  purposeId: 'delivery',
  noticeId: 'privacy',
  traceability: 'direct',
  readsDevice: false,
  fields: FIELDS,
} as const;

export const register = (changes: Partial<RegisterTelemetryStream> = {}): RegisterTelemetryStream => ({
  ...sent,
  type: 'RegisterTelemetryStream',
  streamId: 'charts',
  ...definition,
  ...changes,
});
export const about = <T extends TelemetryStreamDomainCommand['type']>(type: T, more: object = {}) =>
  ({ ...sent, type, streamId: 'charts', ...more }) as unknown as Extract<TelemetryStreamDomainCommand, { type: T }>;
export const approve = (version = 1, reviewAfter?: string): ApproveEssentiality =>
  about('ApproveEssentiality', { version, ...(reviewAfter !== undefined && { reviewAfter }) });

export const registered = (changes: Partial<TelemetryStreamRegistered['data']> = {}): TelemetryStreamRegistered => ({
  type: 'TelemetryStreamRegistered',
  data: { streamId: 'charts', version: 1, author: 'ada', ...definition, ...changes },
});
export const approved = (changes: Partial<EssentialityApproved['data']> = {}): EssentialityApproved => ({
  type: 'EssentialityApproved',
  data: {
    streamId: 'charts',
    version: 1,
    approver: 'ben',
    reviewBy: instant('2027-03-02T09:00:00Z'),
    ...changes,
  },
});
export const rejected = (version = 1): EssentialityRejected => ({
  type: 'EssentialityRejected',
  data: { streamId: 'charts', version, reviewer: 'ben', reasonCode: 'notEssential' },
});
export const suspended = {
  type: 'TelemetryStreamSuspended',
  data: { streamId: 'charts', reasonCode: 'incident' },
} as const;
export const resumed = { type: 'TelemetryStreamResumed', data: { streamId: 'charts' } } as const;
export const retired = { type: 'TelemetryStreamRetired', data: { streamId: 'charts' } } as const;
export const reviewDue = (reviewBy: Instant): TelemetryStreamEvent => ({
  type: 'EssentialityReviewDue',
  data: { streamId: 'charts', version: 1, reviewBy },
});

const rule = {
  category: 'usage',
  trigger: 'collected',
  period: 'P90D',
  action: 'erase',
  legalRef: 'UK GDPR Art 5(1)(e)',
} as const;
const purpose = (purposeId: string, changes: Partial<PurposeDefined['data']> = {}): PurposeEvent[] => [
  {
    type: 'PurposeDefined',
    data: {
      purposeId,
      version: 1,
      author: 'ada',
      title: 'Delivery',
      plainWords: 'We run the service.',
      serviceLine: 'B2C',
      commercial: false,
      basis: 'contract',
      dpiaRequired: false,
      dpvIri: 'dpv:TechnicalServiceProvision',
      fields: [{ category: 'usage', necessity: 'required', justification: 'The service runs by it.' }],
      retention: [rule],
      recipientKindsAllowed: ['SELF'],
      ...changes,
    },
  },
  {
    type: 'PurposeApproved',
    data: { purposeId, version: 1, approver: 'ben', effectiveFrom: instant('2018-05-25T00:00:00Z') },
  },
];
const [draftOnly] = purpose('drafted');

export const purposes = registerOf<PurposeEvent, typeof purposeRegister.initialState>(
  purposeRegister,
  ...purpose('delivery'),
  ...purpose('upkeep', { basis: 'legitimateInterests' }),
  ...purpose('news', { commercial: true, basis: 'consent' }),
  ...purpose('website', { serviceLine: 'WEBSITE' }),
  ...purpose('by-choice', { basis: 'consent' }),
  ...purpose('without-usage', { fields: [] }),
  ...purpose('without-end', { retention: [{ ...rule, trigger: 'relationshipClosed' }] }),
  ...purpose('to-be-reviewed', { retention: [{ ...rule, action: 'review' }] }),
  ...purpose('short', { retention: [{ ...rule, period: 'P1D' }] }),
  ...purpose('rights', { serviceLine: 'GOVERNANCE', basis: 'legalObligation' }),
  draftOnly!,
  ...purpose('stopped'),
  { type: 'PurposeSuspended', data: { purposeId: 'stopped', reasonCode: 'incident' } },
);
const published = (
  version: number,
  covered: readonly string[],
  from: string,
  noticeId = 'privacy',
): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version,
    language: 'en-GB',
    title: 'How we use your data',
    content: 'We run the service.',
    contentHash: 'a'.repeat(64),
    purposes: covered,
    effectiveFrom: instant(from),
  },
});
/** Version 1 says nothing of usage; versions 2 and 3 do; the third takes effect in June. */
export const notices = registerOf(
  noticeRegister,
  published(1, [], '2018-05-25T00:00:00Z'),
  published(2, ['delivery', 'upkeep', 'short'], '2026-01-01T00:00:00Z'),
  published(3, ['delivery', 'upkeep', 'short'], '2026-06-01T00:00:00Z'),
  published(1, [], '2018-05-25T00:00:00Z', 'silent'),
);
/** The register after these events about any streams, all of which happened long ago. */
export const streamsOf = (...events: readonly TelemetryStreamEvent[]) =>
  registerOf<TelemetryStreamEvent, typeof telemetryStreamRegister.initialState>(telemetryStreamRegister, ...events);
/** A stream of its own that was approved. */
export const stream = (
  streamId: string,
  changes: Partial<TelemetryStreamRegistered['data']> = {},
  reviewBy: Instant = instant('2027-03-02T09:00:00Z'),
): TelemetryStreamEvent[] => [registered({ streamId, ...changes }), approved({ streamId, reviewBy })];

export const streams = streamsOf(
  ...stream('charts'),
  ...stream('upkeep', { purposeId: 'upkeep' }),
  ...stream('short', { purposeId: 'short' }),
  ...stream('overdue', {}, TODAY),
  ...stream('anonymous', { traceability: 'none', anonymityAssessmentRef: 'a-1', fields: [] }),
  ...stream('unannounced', { noticeId: 'silent' }),
  ...stream('unpublished', { noticeId: 'nowhere' }),
  ...stream('unbased', { purposeId: 'stopped' }),
  registered({ streamId: 'proposed' }),
  ...stream('withdrawn'),
  { type: 'EssentialityRejected', data: { ...rejected().data, streamId: 'withdrawn' } },
  ...stream('halted'),
  { type: 'TelemetryStreamSuspended', data: { streamId: 'halted', reasonCode: 'incident' } },
  ...stream('gone'),
  { type: 'TelemetryStreamRetired', data: { streamId: 'gone' } },
);

/** Asha as she stands: registered, told by version 2. */
export const asha: UsageStanding = {
  openedAt: OPENED,
  capacity: 'individual',
  restricted: false,
  keeping: nothingKept,
  presented: [{ noticeId: 'privacy', version: 2, at: OPENED }],
};
export const facts = (at: string = TODAY, changes: Partial<UsageFacts> = {}): UsageFacts => ({
  ...factsAt(at),
  streams,
  purposes,
  notices,
  legalHolds: new Map(),
  person: asha,
  erased: false,
  ...changes,
});

export const entry = (at: string = USED, values: RecordUsage['entries'][number]['values'] = { licence: 'L-77' }) => ({
  at,
  values,
});
export const use = (changes: Partial<RecordUsage> = {}): RecordUsage => ({
  commandId: COMMAND,
  actor: facts().actor,
  type: 'RecordUsage',
  streamId: 'charts',
  subjectId: ASHA,
  batchRef: 'batch-1',
  entries: [entry()],
  ...changes,
});
export const expire: ExpireUsage = { ...sent, type: 'ExpireUsage', subjectId: ASHA, month: '2026-03' };
export const confirm: ConfirmUsageErasure = { ...expire, type: 'ConfirmUsageErasure' };
export const access = (changes: Partial<AuthoriseUsageAccess> = {}): AuthoriseUsageAccess => ({
  ...sent,
  type: 'AuthoriseUsageAccess',
  subjectId: ASHA,
  purposeId: 'delivery',
  streamIds: ['charts'],
  ...changes,
});

export const KEY = idsOf(COMMAND)('key');
export const used = (changes: Partial<UsageRecorded['data']> = {}): UsageRecorded => ({
  type: 'UsageRecorded',
  data: {
    subjectId: ASHA,
    month: '2026-03',
    streamId: 'charts',
    streamVersion: 1,
    purposeId: 'delivery',
    purposeVersion: 1,
    basis: 'contract',
    noticeId: 'privacy',
    noticeVersion: 2,
    batchId: idsOf(COMMAND)('batch'),
    batchRef: 'batch-1',
    count: 1,
    from: USED,
    to: USED,
    keys: [KEY],
    batch: new Personal({ entries: [{ at: USED, values: { licence: 'L-77' } }] }, { subjectId: ASHA, keyId: KEY }),
    due: instant('2026-05-31T07:30:00.000Z'),
    held: { batches: 1, entries: 1 },
    ...changes,
  },
});
export const expired: UsageExpired = {
  type: 'UsageExpired',
  data: { subjectId: ASHA, month: '2026-03', due: instant('2026-05-31T07:30:00.000Z'), keys: [KEY] },
};
export const erased: UsageErased = {
  type: 'UsageErased',
  data: {
    subjectId: ASHA,
    month: '2026-03',
    keys: [KEY],
    cause: 'retention',
    method: 'keyDestruction',
    keystoreBackupHorizon: instant('2026-06-30T07:30:00.000Z'),
  },
};
export const accessed = (changes: Partial<UsageAccessAuthorised['data']> = {}): UsageAccessAuthorised => ({
  type: 'UsageAccessAuthorised',
  data: {
    subjectId: ASHA,
    accessId: idsOf(COMMAND)('access'),
    streamIds: ['charts'],
    purposeId: 'delivery',
    purposeVersion: 1,
    basis: 'contract',
    ground: 'serviceDelivery',
    expiresAt: instant('2026-03-02T09:15:00Z'),
    ...changes,
  },
});

export const opened = (capacity: SubjectRegistered['data']['capacity'] = 'individual'): SubjectRegistered => ({
  type: 'SubjectRegistered',
  data: { subjectId: ASHA, capacity, subscriberType: 'individual', division: 'england-and-wales' },
});
export const presented = (version = 2, noticeId = 'privacy'): NoticePresented => ({
  type: 'NoticePresented',
  data: { subjectId: ASHA, noticeId, version, how: 'shown', channel: 'web' },
});
export const restricted: ProcessingRestricted = {
  type: 'ProcessingRestricted',
  data: { subjectId: ASHA, ground: '18(1)(a)' },
};
export const lifted: RestrictionLifted = { type: 'RestrictionLifted', data: { subjectId: ASHA, informedAt: OPENED } };

/** The event as a projection meets it, with its batch under seal. */
export const stored = <E extends { readonly type: string; readonly data: object }>(event: E): E =>
  event.type === 'UsageRecorded'
    ? {
        ...event,
        data: { ...event.data, batch: { kind: 'sealed', enc: 'A256GCM', kid: KEY, iv: '', ct: '', tag: '' } },
      }
    : event;
