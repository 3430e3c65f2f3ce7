import { addPeriodToInstant } from '#calendar';
import { insert, update, type Projection, type Row } from '#kernel';
import { dueWhenCausePasses } from '#subject';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  HeldForPurpose,
  ProcessingRestricted,
  PurposeEnded,
  RestrictionLifted,
  RetentionDeferred,
  RetentionExpired,
} from '#subject';
import { KEEPING } from './deferral.decider.js';
import type { LegalHoldLifted } from './legal-hold.events.js';
import type { DeferralClosed, DeferralOpened, RetentionScheduled } from './retention.events.js';

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
  | ErasureStarted
  | DataErased;

const NOT_DEFERRED: Row = { deferred_by: null, deferred_ref: null, deferred_since: null };

const dueAgain = dueWhenCausePasses('retention_schedule', NOT_DEFERRED);

/**
 * `RetentionSchedule`: until when each item version may be kept, which purposes hold it and what defers its erasure.
 * What is past `due`, still `kept` and not deferred awaits the steward; what is `beyondUse` awaits the destruction of
 * its key.
 */
export const retentionScheduleProjection: Projection<ScheduleEvent> = {
  name: 'retention-schedule',
  version: 2,
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
        held_from: 'text',
        due: 'text?',
        ended_at: 'text?',
        ended_for: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'purpose_id'],
      indexes: [['subject_id']],
      history: true,
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
        const { trigger, period } = item.retention;
        const due = trigger === 'collected' ? addPeriodToInstant(occurredAt, period) : null;
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
            erasure_id: null,
          }),
          insert('retention_purposes', {
            subject_id: data.subjectId,
            item_id: item.itemId,
            purpose_id: data.purposeId,
            purpose_version: data.purposeVersion,
            basis: data.basis,
            held_from: occurredAt,
            ...rule,
            ended_at: null,
            ended_for: null,
          }),
        ];
      }),
    // The row goes on with the new version; the superseded one gets a row and a period of its own.
    DataCorrected: ({ data, occurredAt, position, id }) => [
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
          held_from: occurredAt,
          due: item.due,
          ended_at: null,
          ended_for: null,
          event_id: id,
          position,
        }),
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { due: item.itemDue }),
      ]),
    PurposeEnded: ({ data, occurredAt, id }) =>
      data.items.flatMap((item) => [
        update(
          'retention_purposes',
          { item_id: item.itemId, purpose_id: data.purposeId },
          { ended_at: occurredAt, ended_for: data.reason, event_id: id },
        ),
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { due: item.itemDue }),
      ]),
    RetentionScheduled: ({ data }) =>
      data.items.flatMap(({ itemId, version, due, purposeId, itemDue }) => [
        update(
          'retention_purposes',
          { item_id: itemId, ...(purposeId !== undefined && { purpose_id: purposeId }) },
          { due },
        ),
        update('retention_schedule', { item_id: itemId, version }, { due: itemDue === undefined ? due : itemDue }),
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
    RetentionExpired: ({ data }) =>
      data.items.map(({ itemId, version }) =>
        update('retention_schedule', { item_id: itemId, version }, { status: 'beyondUse', ...NOT_DEFERRED }),
      ),
    RetentionDeferred: ({ data, occurredAt }) =>
      data.items.map(({ itemId, version, cause, ref }) =>
        update(
          'retention_schedule',
          { item_id: itemId, version },
          { deferred_by: cause, deferred_ref: ref, deferred_since: occurredAt },
        ),
      ),
    ErasureStarted: ({ data, occurredAt }) => [
      ...endedRows(data).map((where) =>
        update('retention_schedule', where, { status: 'beyondUse', erasure_id: data.erasureId, ...NOT_DEFERRED }),
      ),
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

const DEFERRALS: readonly string[] = ['legalHold', 'openAccessRequest', 'openComplaint', 'openIncident', 'restriction'];
const isDeferral = (reason: string): boolean => DEFERRALS.includes(reason);

/** The rows of what an erasure is about: all of the person that are not erased yet, or these versions. */
function endedRows(data: (ErasureStarted | DataErased)['data']): readonly Row[] {
  const { subjectId, everything, items } = data;
  if (!everything) return items.map(({ itemId, version }) => ({ item_id: itemId, version }));
  return ['kept', 'beyondUse'].map((status) => ({ subject_id: subjectId, status }));
}
