import { factsAt } from '#kernel/testing';
import { uuidV5 } from '#kernel';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  ItemVersionRef,
  RetentionDeferred,
  RetentionTerm,
  SubjectRegistered,
  UseView,
} from '#subject';
import type { LegalHoldEvent } from '../legal-hold.events.js';
import type { RetentionDomainCommand } from '../retention.commands.js';
import type { RetentionFacts } from '../retention.state.js';

export const OPENED = '2026-01-05T09:00:00Z';
export const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
export const EMAIL = '11111111-1111-4111-8111-111111111111';
export const PHONE = '22222222-2222-4222-8222-222222222222';
export const TICKET = '33333333-3333-4333-8333-333333333333';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor, subjectId };
export const close: RetentionDomainCommand = { ...sent, type: 'CloseRelationship', reasonCode: 'contractEnded' };
export const closeRequest = (serviceRequestRef = 'ticket-1'): RetentionDomainCommand => ({
  ...sent,
  type: 'CloseServiceRequest',
  serviceRequestRef,
});
export const endPeriod: RetentionDomainCommand = { ...sent, type: 'EndAccountingPeriod' };
export const expire = (itemIds?: readonly string[]): RetentionDomainCommand => ({
  ...sent,
  type: 'ExpireRetention',
  ...(itemIds && { itemIds }),
});
export const confirmErasure: RetentionDomainCommand = { ...sent, type: 'ConfirmErasure' };
export const confirmReported: RetentionDomainCommand = {
  ...sent,
  type: 'ConfirmReportedValuesErased',
  requestId: '55555555-5555-4555-8555-555555555555',
};
export const extend = (itemId = EMAIL): RetentionDomainCommand => ({
  ...sent,
  type: 'ExtendRetention',
  itemId,
  until: '2040-01-01T00:00:00Z',
});

export const registered: SubjectRegistered = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
const sealed = { kind: 'sealed' } as DataCorrected['data']['value'];
/** One item, kept for two years from a trigger unless told otherwise. */
export const collected = (
  itemId: string,
  trigger: RetentionTerm['trigger'],
  changes: {
    readonly period?: string;
    readonly serviceRequestRef?: string;
    readonly purposeId?: string;
    readonly basis?: string;
    readonly action?: RetentionTerm['action'];
  } = {},
): DataCollected => ({
  type: 'DataCollected',
  data: {
    subjectId,
    purposeId: changes.purposeId ?? 'support',
    purposeVersion: 1,
    basis: changes.basis ?? 'contract',
    noticeId: 'privacy',
    noticeVersion: 1,
    collectionPointId: 'contact-form',
    collectionPointVersion: 1,
    source: 'subject',
    ...(changes.serviceRequestRef !== undefined && { serviceRequestRef: changes.serviceRequestRef }),
    items: [
      {
        itemId,
        version: 1,
        category: 'contact.email',
        necessity: 'required',
        keyId: `key 1 of ${itemId}`,
        value: sealed,
        retention: { trigger, period: changes.period ?? 'P2Y', ...(changes.action && { action: changes.action }) },
      },
    ],
  },
});
export const corrected = (itemId: string, toVersion = 2): DataCorrected => ({
  type: 'DataCorrected',
  data: {
    subjectId,
    itemId,
    category: 'contact.email',
    fromVersion: toVersion - 1,
    toVersion,
    supersededKeyId: `key ${toVersion - 1} of ${itemId}`,
    supersededPeriod: 'P12M',
    keyId: `key ${toVersion} of ${itemId}`,
    value: sealed,
    reasonCode: 'outOfDate',
    recipientsToNotify: [],
  },
});
/** An authorised use of items for the purpose that holds them. */
export const usedItem = (...itemIds: readonly string[]): UseView => ({
  type: 'UseAuthorised',
  data: { useId: subjectId, purposeId: 'support', items: itemIds.map((itemId) => ({ itemId, version: 1 })) },
});
export const decide = (outcome: 'erase' | 'keep', ...itemIds: readonly string[]): RetentionDomainCommand => ({
  ...sent,
  type: 'DecideRetentionReview',
  outcome,
  itemIds,
});
export const ref = (itemId: string, version = 1): ItemVersionRef => ({
  itemId,
  version,
  category: 'contact.email',
  keyId: `key ${version} of ${itemId}`,
});

/** Nothing is held by lawyers, and no purpose is registered. */
export const factsOfRetention = (at?: string): RetentionFacts => ({
  ...factsAt(at),
  legalHolds: new Map(),
  purposes: new Map(),
});

export const DEFERRAL = '44444444-4444-4444-8444-444444444444';
/** The id of the erasure that the scenarios' command begins. */
export const ERASURE = uuidV5('5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', 'erasure');
export const erase = (more: object = {}): RetentionDomainCommand =>
  ({ ...sent, type: 'EraseData', cause: 'request', ...more }) as RetentionDomainCommand;
export const openDeferral = (more: object = {}): RetentionDomainCommand =>
  ({
    ...sent,
    type: 'OpenDeferral',
    deferralId: DEFERRAL,
    cause: 'openAccessRequest',
    caseRef: 'SAR-1',
    ...more,
  }) as RetentionDomainCommand;
export const closeDeferral: RetentionDomainCommand = { ...sent, type: 'CloseDeferral', deferralId: DEFERRAL };
export const finalise: RetentionDomainCommand = { ...sent, type: 'FinaliseErasure', erasureId: ERASURE };
export const restate: RetentionDomainCommand = { ...sent, type: 'RestateErasure' };
export const endPurpose = (purposeId: string, itemIds: readonly string[]): RetentionDomainCommand => ({
  ...sent,
  type: 'EndPurposeForItem',
  purposeId,
  itemIds,
  reason: 'fulfilled',
});
export const holdFor = (purposeId: string, itemIds: readonly string[]): RetentionDomainCommand => ({
  ...sent,
  type: 'HoldForPurpose',
  purposeId,
  itemIds,
  assessmentRef: 'ASSESSMENT-1',
});

export const started = (
  items: readonly ItemVersionRef[],
  more: Partial<ErasureStarted['data']> = {},
): ErasureStarted => ({
  type: 'ErasureStarted',
  data: {
    subjectId,
    erasureId: ERASURE,
    cause: 'retention',
    scope: 'items',
    items,
    remaining: [],
    recipients: [],
    ...more,
  },
});
export const deferred = (
  items: readonly ItemVersionRef[],
  cause: RetentionDeferred['data']['items'][number]['cause'],
  refOf: string,
  more: object = {},
): RetentionDeferred => ({
  type: 'RetentionDeferred',
  data: { subjectId, items: items.map((item) => ({ ...item, cause, ref: refOf, ...more })) },
});
export const erasedAt = (horizon: string, items: readonly ItemVersionRef[], more: object = {}): DataErased => ({
  type: 'DataErased',
  data: {
    subjectId,
    method: 'keyDestruction',
    keystoreBackupHorizon: horizon,
    erasureId: ERASURE,
    items,
    cause: 'retention',
    ...more,
  },
});
/** A hold of which counsel has given word, over what the scope names. */
export const placed = (scope: object): LegalHoldEvent => ({
  type: 'LegalHoldPlaced',
  data: {
    holdId: 'matter-1',
    scope,
    matterRef: 'M-1',
    basis: 'legalClaims',
    placedBy: 'counsel',
    reviewAt: '2026-09-02T08:00:00.000Z',
    approveBy: '2026-03-16T09:00:00.000Z',
  },
});
