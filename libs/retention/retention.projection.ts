import { addPeriodToInstant } from '#calendar';
import {
  insert,
  insertIfAbsent,
  update,
  type Instant,
  type Projection,
  type Recorded,
  type Row,
  type RowChange,
} from '#kernel';
import { dueWhenCausePasses } from '#subject';
import type {
  ConsentEndView,
  ConsentGivenView,
  DataCollected,
  DataCorrected,
  DataErased,
  DataShareView,
  ErasureStarted,
  HeldForPurpose,
  ProcessingRestricted,
  PurposeEnded,
  RestrictionLifted,
  RetentionDeferred,
  RetentionExpired,
  RetentionReviewDue,
  RetentionReviewed,
  RetentionTerm,
  UseView,
} from '#subject';
import { KEEPING } from './deferral.decider.js';
import type { LegalHoldLifted } from './legal-hold.events.js';
import type { DataAnonymised, DeferralClosed, DeferralOpened, RetentionScheduled } from './retention.events.js';

type ScheduleEvent =
  | DataCollected
  | DataCorrected
  | HeldForPurpose
  | PurposeEnded
  | RetentionScheduled
  | DeferralOpened
  | DeferralClosed
  | LegalHoldLifted
  | ProcessingRestricted
  | RestrictionLifted
  | RetentionExpired
  | RetentionDeferred
  | RetentionReviewDue
  | RetentionReviewed
  | DataAnonymised
  | UseView
  | DataShareView
  | ConsentEndView
  | ConsentGivenView
  | ErasureStarted
  | DataErased;

const NOT_DEFERRED: Row = { deferred_by: null, deferred_ref: null, deferred_since: null };

const dueAgain = dueWhenCausePasses('retention_schedule', NOT_DEFERRED);

/**
 * Of a row whose rule counts from the last reliance: whether there was one since `due` was written. Such a row is
 * looked at when `due` comes, and gets a later date then: every use has no write of its own.
 */
type Reliance = 'written' | 'moved';
const RELIED_ON: Row = { trigger_event: 'lastReliedOn' };

/** When a period ends that runs from the start; `null` where it waits for something. */
const dueFromStart = ({ trigger, period }: RetentionTerm, at: Instant): string | null =>
  trigger === 'collected' || trigger === 'lastReliedOn' ? addPeriodToInstant(at, period) : null;

const followsReliance = ({ trigger }: RetentionTerm): Reliance | null =>
  trigger === 'lastReliedOn' ? 'written' : null;

/**
 * `RetentionSchedule`: until when each item version may be kept, which purposes hold it and what defers its erasure.
 * What is past `due`, still `kept` and not deferred awaits the steward; what is `beyondUse` awaits the destruction of
 * its key.
 */
export const retentionScheduleProjection: Projection<ScheduleEvent> = {
  name: 'retention-schedule',
  version: 3,
  tables: {
    retention_schedule: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        key_id: 'text',
        trigger_event: 'text',
        period: 'text',
        due: 'text?',
        /** `kept`, `beyondUse` or `erased`. */
        status: 'text',
        deferred_by: 'text?',
        deferred_ref: 'text?',
        deferred_since: 'text?',
        /** Since when somebody has to decide about it; `due` is until when. */
        review_since: 'text?',
        /** `moved`: relied on since `due` was written, which is set anew when it comes. */
        reliance: 'text?',
        erasure_id: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'version'],
      indexes: [['status', 'deferred_ref', 'due'], ['subject_id'], ['deferred_ref'], ['key_id'], ['erasure_id']],
      history: true,
    },
    retention_purposes: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        basis: 'text',
        trigger_event: 'text',
        period: 'text',
        /** `erase`, `anonymise` or `review`. */
        action: 'text',
        held_from: 'text',
        due: 'text?',
        /** Of a period that counts from it, once there was one after the start. */
        relied_on: 'text?',
        /** When the last consent to it ended, where it rests on that; the purpose ends for the item then. */
        consent_ended_at: 'text?',
        ended_at: 'text?',
        ended_for: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'purpose_id'],
      indexes: [['subject_id'], ['ended_at', 'consent_ended_at']],
      history: true,
    },
    retention_reviews: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        /** When its period was over. */
        due: 'text',
        since: 'text',
        decide_by: 'text',
        /** `keep`, `erase`, `undecided` (ended because nobody decided), `deferred` (nobody decided, and something keeps
         * it beyond that) or `erased` (for another reason). */
        outcome: 'text?',
        decided_at: 'text?',
        decided_by: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'since'],
      indexes: [['subject_id'], ['outcome', 'decide_by']],
      history: true,
    },
    anonymised_cells: {
      columns: { category: 'text', year: 'integer', position: 'integer' },
      key: ['category', 'year'],
    },
    /** One row a person: how many there are of a cell is the number of people. */
    anonymised: {
      columns: { category: 'text', year: 'integer', position: 'integer', number: 'integer' },
      key: ['position', 'number'],
      indexes: [['category', 'year']],
    },
    deferrals: {
      columns: {
        deferral_id: 'text',
        subject_id: 'text',
        cause: 'text',
        case_ref: 'text',
        /** Item ids and categories, as JSON; everything about the person when null. */
        scope: 'text?',
        opened_at: 'text',
        closed_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['subject_id', 'deferral_id'],
      history: true,
    },
  },
  handles: {
    DataCollected: ({ data, occurredAt, position, id }) =>
      data.items.flatMap((item) => {
        const { trigger, period, action = 'erase' } = item.retention;
        const due = dueFromStart(item.retention, occurredAt);
        const rule = { trigger_event: trigger, period, due, event_id: id, position };
        return [
          insert('retention_schedule', {
            subject_id: data.subjectId,
            item_id: item.itemId,
            version: item.version,
            category: item.category,
            key_id: item.keyId,
            ...rule,
            status: 'kept',
            ...NOT_DEFERRED,
            review_since: null,
            reliance: followsReliance(item.retention),
            erasure_id: null,
          }),
          insert('retention_purposes', {
            subject_id: data.subjectId,
            item_id: item.itemId,
            purpose_id: data.purposeId,
            purpose_version: data.purposeVersion,
            basis: data.basis,
            held_from: occurredAt,
            action,
            relied_on: null,
            ...rule,
            consent_ended_at: null,
            ended_at: null,
            ended_for: null,
          }),
        ];
      }),
    // The row goes on with the new version; the superseded one gets a row and a period of its own.
    DataCorrected: ({ data, occurredAt, position, id }) => [
      update(
        'retention_reviews',
        { item_id: data.itemId, version: data.fromVersion, outcome: null },
        { version: data.toVersion },
      ),
      update(
        'retention_schedule',
        { item_id: data.itemId, version: data.fromVersion },
        { version: data.toVersion, key_id: data.keyId, event_id: id, position },
      ),
      insert('retention_schedule', {
        subject_id: data.subjectId,
        item_id: data.itemId,
        version: data.fromVersion,
        category: data.category,
        key_id: data.supersededKeyId,
        trigger_event: 'corrected',
        period: data.supersededPeriod,
        due: addPeriodToInstant(occurredAt, data.supersededPeriod),
        status: 'kept',
        ...NOT_DEFERRED,
        review_since: null,
        reliance: null,
        erasure_id: null,
        event_id: id,
        position,
      }),
    ],
    HeldForPurpose: ({ data, occurredAt, position, id }) =>
      data.items.flatMap((item) => [
        insert('retention_purposes', {
          subject_id: data.subjectId,
          item_id: item.itemId,
          purpose_id: data.purposeId,
          purpose_version: data.purposeVersion,
          basis: data.basis,
          trigger_event: item.retention.trigger,
          period: item.retention.period,
          action: item.retention.action ?? 'erase',
          held_from: occurredAt,
          due: item.due,
          relied_on: null,
          consent_ended_at: null,
          ended_at: null,
          ended_for: null,
          event_id: id,
          position,
        }),
        update(
          'retention_schedule',
          { item_id: item.itemId, version: item.version },
          { due: item.itemDue, ...(item.retention.trigger === 'lastReliedOn' && { reliance: 'written' }) },
        ),
      ]),
    PurposeEnded: ({ data, occurredAt, id }) => [
      ...data.items.flatMap((item) => [
        update(
          'retention_purposes',
          { item_id: item.itemId, purpose_id: data.purposeId },
          { ended_at: occurredAt, ended_for: data.reason, event_id: id },
        ),
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { due: item.itemDue }),
      ]),
      // Of what is erased, too: nothing is left to be ended.
      ...(data.nothingLeft ? [consentEnded(data, null)] : []),
    ],
    RetentionScheduled: ({ data }) =>
      data.items.flatMap(({ itemId, version, due, purposeId, itemDue }) => [
        update(
          'retention_purposes',
          { item_id: itemId, ...(purposeId !== undefined && { purpose_id: purposeId }) },
          { due },
        ),
        update('retention_schedule', { item_id: itemId, version }, { due: itemDue === undefined ? due : itemDue }),
        update('retention_schedule', { item_id: itemId, version, reliance: 'moved' }, { reliance: 'written' }),
      ]),
    UseAuthorised: ({ data, occurredAt }) => reliedOn(data, occurredAt),
    DataShared: ({ data, occurredAt }) => (data.recipientKind === 'SELF' ? [] : reliedOn(data, occurredAt)),
    ConsentWithdrawn: endOfConsent,
    ConsentExpired: endOfConsent,
    ConsentInvalidated: endOfConsent,
    ConsentGiven: ({ data }) => [consentEnded(data, null)],
    ConsentRenewed: ({ data }) => [consentEnded(data, null)],
    RetentionReviewDue: ({ data, occurredAt, id, position }) =>
      data.items.flatMap(({ itemId, version, category, due, decideBy }) => [
        update('retention_schedule', { item_id: itemId, version }, { due: decideBy, review_since: occurredAt }),
        insert('retention_reviews', {
          subject_id: data.subjectId,
          item_id: itemId,
          version,
          category,
          due,
          since: occurredAt,
          decide_by: decideBy,
          outcome: null,
          decided_at: null,
          decided_by: null,
          event_id: id,
          position,
        }),
      ]),
    RetentionReviewed: ({ data, occurredAt, actorId }) =>
      data.items.flatMap(({ itemId, version, outcome, holds, itemDue }) => [
        update('retention_schedule', { item_id: itemId, version }, { due: itemDue, review_since: null }),
        ...holds.map(({ purposeId, purposeVersion, retention, due }) =>
          update(
            'retention_purposes',
            { item_id: itemId, purpose_id: purposeId },
            {
              purpose_version: purposeVersion,
              trigger_event: retention.trigger,
              period: retention.period,
              action: retention.action ?? 'erase',
              due,
            },
          ),
        ),
        endReview({ item_id: itemId }, outcome, occurredAt, actorId),
      ]),
    DataAnonymised: ({ data, position }) =>
      data.counted.flatMap(({ category, year }, number) => [
        insertIfAbsent('anonymised_cells', { category, year, position }),
        insert('anonymised', { category, year, position, number }),
      ]),
    DeferralOpened: ({ data, occurredAt, position, id }) => {
      const { subjectId, deferralId, cause, caseRef, itemIds, categories } = data;
      const scope = { ...(itemIds && { itemIds }), ...(categories && { categories }) };
      return [
        insert('deferrals', {
          deferral_id: deferralId,
          subject_id: subjectId,
          cause,
          case_ref: caseRef,
          scope: itemIds || categories ? JSON.stringify(scope) : null,
          opened_at: occurredAt,
          closed_at: null,
          event_id: id,
          position,
        }),
      ];
    },
    ...dueAgain,
    DeferralClosed: (event) => [
      update(
        'deferrals',
        { subject_id: event.data.subjectId, deferral_id: event.data.deferralId },
        { closed_at: event.occurredAt },
      ),
      ...dueAgain.DeferralClosed(event),
    ],
    ProcessingRestricted: (event) => (KEEPING.includes(event.data.ground) ? [] : dueAgain.ProcessingRestricted(event)),
    RetentionExpired: ({ data, occurredAt }) =>
      data.items.flatMap(({ itemId, version, undecided }) => [
        update(
          'retention_schedule',
          { item_id: itemId, version },
          { status: 'beyondUse', review_since: null, ...NOT_DEFERRED },
        ),
        ...(undecided ? [endReview({ item_id: itemId }, 'undecided', occurredAt)] : []),
      ]),
    RetentionDeferred: ({ data, occurredAt }) =>
      data.items.flatMap(({ itemId, version, cause, ref }) => [
        update(
          'retention_schedule',
          { item_id: itemId, version },
          { review_since: null, deferred_by: cause, deferred_ref: ref, deferred_since: occurredAt },
        ),
        endReview({ item_id: itemId, version }, 'deferred', occurredAt),
      ]),
    ErasureStarted: ({ data, occurredAt }) => [
      ...endedRows(data).map((where) =>
        update('retention_schedule', where, {
          status: 'beyondUse',
          erasure_id: data.erasureId,
          review_since: null,
          ...NOT_DEFERRED,
        }),
      ),
      ...endedReviews(data).map((where) => endReview(where, 'erased', occurredAt)),
      // What stays is due from the moment its reason has passed.
      ...data.remaining.flatMap(({ itemId, version, reason, ref, until }) => {
        const row = { item_id: itemId, version };
        if (isDeferral(reason))
          return [
            update('retention_schedule', row, {
              due: occurredAt,
              deferred_by: reason,
              deferred_ref: ref,
              deferred_since: occurredAt,
            }),
          ];
        return until === undefined ? [] : [update('retention_schedule', row, { due: until })];
      }),
    ],
    DataErased: ({ data }) =>
      endedRows(data).flatMap((where) => [update('retention_schedule', where, { status: 'erased', ...NOT_DEFERRED })]),
  },
};

/** Whatever was held for a purpose on a consent that ended. */
const consentEnded = ({ subjectId, purposeId }: ConsentGivenView['data'], at: string | null): RowChange =>
  update(
    'retention_purposes',
    { subject_id: subjectId, purpose_id: purposeId, basis: 'consent' },
    { consent_ended_at: at },
  );

function endOfConsent({ data, occurredAt }: Recorded<ConsentEndView>): readonly RowChange[] {
  const { subjectId, purposeId, endsPurpose } = data;
  return [
    ...(endsPurpose ? [consentEnded(data, occurredAt)] : []),
    update(
      'retention_purposes',
      { subject_id: subjectId, purpose_id: purposeId, basis: 'consent', ...RELIED_ON, ended_at: null },
      { relied_on: occurredAt, consent_ended_at: null },
    ),
    // Of another purpose: it is looked at when its date comes, and nothing has moved.
    update('retention_schedule', { subject_id: subjectId, reliance: 'written' }, { reliance: 'moved' }),
  ];
}

function reliedOn({ purposeId, items }: (UseView | DataShareView)['data'], occurredAt: string): readonly RowChange[] {
  return items.flatMap(({ itemId }) => [
    update(
      'retention_purposes',
      { item_id: itemId, purpose_id: purposeId, ...RELIED_ON, ended_at: null },
      { relied_on: occurredAt },
    ),
    update('retention_schedule', { item_id: itemId, reliance: 'written' }, { reliance: 'moved' }),
  ]);
}

const endReview = (where: Row, outcome: string, decidedAt: string, decidedBy: string | null = null): RowChange =>
  update('retention_reviews', { ...where, outcome: null }, { outcome, decided_at: decidedAt, decided_by: decidedBy });

/** The reviews that an erasure leaves nothing to decide of. */
const endedReviews = ({ subjectId, everything, items }: ErasureStarted['data']): readonly Row[] =>
  everything
    ? [{ subject_id: subjectId }]
    : [...new Set(items.map(({ itemId }) => itemId))].map((itemId) => ({ item_id: itemId }));

const DEFERRALS: readonly string[] = ['legalHold', 'openAccessRequest', 'openComplaint', 'openIncident', 'restriction'];
const isDeferral = (reason: string): boolean => DEFERRALS.includes(reason);

/** The rows of what an erasure is about: all of the person that are not erased yet, or these versions. */
function endedRows(data: (ErasureStarted | DataErased)['data']): readonly Row[] {
  const { subjectId, everything, items } = data;
  if (!everything) return items.map(({ itemId, version }) => ({ item_id: itemId, version }));
  return ['kept', 'beyondUse'].map((status) => ({ subject_id: subjectId, status }));
}
