import { insert, isSealed, update, type Projection } from '#kernel';
import { dueWhenCausePasses } from './passed-cause.js';
import type { RectificationEvent } from './rectification.events.js';
import type {
  CausePassedView,
  CorrectionCompleted,
  DataCorrected,
  DataErased,
  ErasureStarted,
  ProcessingRestricted,
  RectificationRefused,
  ReportedValuesDeferred,
  RestrictionLifted,
} from './subject.events.js';

const NOT_DEFERRED = { deferred_by: null, deferred_ref: null } as const;

/**
 * The board of rectification cases: when the person's word arrived, until when the case must be done, how it stands
 * and how each item in it ended (C18, C21). What the person said is right stands under seal in a table of its own,
 * until its key is destroyed.
 */
export const rectificationsProjection: Projection<
  | RectificationEvent
  | DataCorrected
  | CorrectionCompleted
  | RectificationRefused
  | ReportedValuesDeferred
  | ErasureStarted
  | DataErased
  | ProcessingRestricted
  | RestrictionLifted
  | CausePassedView
> = {
  name: 'rectifications',
  version: 3,
  tables: {
    rectifications: {
      columns: {
        request_id: 'text',
        subject_id: 'text',
        channel: 'text',
        /** Opened when the person's word arrived: the clock runs from here. */
        received_at: 'text',
        recorded_at: 'text',
        due: 'text',
        due_date: 'text',
        calendar_version: 'text',
        /** JSON: categories of which nothing was held. */
        not_held: 'text',
        status: 'text',
        answered_at: 'text?',
        overdue_at: 'text?',
        completed_at: 'text?',
        outcome: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['request_id'],
      indexes: [['status', 'overdue_at', 'due'], ['subject_id']],
      history: true,
    },
    rectification_items: {
      columns: {
        request_id: 'text',
        item_id: 'text',
        subject_id: 'text',
        category: 'text',
        /** The version that was in question. */
        version: 'integer',
        status: 'text',
        corrected_version: 'integer?',
        corrected_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['request_id', 'item_id'],
      indexes: [['item_id', 'status'], ['subject_id']],
      history: true,
    },
    reported_values: {
      columns: {
        request_id: 'text',
        number: 'integer',
        subject_id: 'text',
        category: 'text',
        key_id: 'text',
        sealed: 'text',
        status: 'text',
        /** From when on it is no longer kept; set when the case is completed. */
        due: 'text?',
        /** What keeps it beyond that, and which. */
        deferred_by: 'text?',
        deferred_ref: 'text?',
        erased_at: 'text?',
        position: 'integer',
      },
      key: ['request_id', 'number'],
      indexes: [['status', 'deferred_ref', 'due'], ['subject_id'], ['deferred_ref'], ['erased_at']],
    },
  },
  handles: {
    SubjectReportedChange: ({ data, position }) =>
      data.changes.flatMap(({ category, keyId, value }, number) => {
        if (value === undefined || keyId === undefined) return [];
        if (!isSealed(value)) throw new TypeError('a read model takes sealed values only');
        const row = { request_id: data.requestId, number, subject_id: data.subjectId, category, key_id: keyId };
        const kept = { status: 'kept', due: null, ...NOT_DEFERRED, erased_at: null, position };
        return [insert('reported_values', { ...row, sealed: JSON.stringify(value), ...kept })];
      }),
    RectificationRequested: ({ data, recordedAt, id, position }) => [
      insert('rectifications', {
        request_id: data.requestId,
        subject_id: data.subjectId,
        channel: data.channel,
        received_at: data.receivedAt,
        recorded_at: recordedAt,
        due: data.due,
        due_date: data.dueDate,
        calendar_version: data.calendarVersion,
        not_held: JSON.stringify(data.notHeld),
        status: 'open',
        answered_at: null,
        overdue_at: null,
        completed_at: null,
        outcome: null,
        event_id: id,
        position,
      }),
      ...data.items.map(({ itemId, version, category }) =>
        insert('rectification_items', {
          request_id: data.requestId,
          item_id: itemId,
          subject_id: data.subjectId,
          category,
          version,
          status: 'open',
          corrected_version: null,
          corrected_at: null,
          event_id: id,
          position,
        }),
      ),
    ],
    DataCorrected: ({ data, occurredAt, id, position }) =>
      ['open', 'recipientsToTell'].map((status) =>
        update(
          'rectification_items',
          { item_id: data.itemId, status },
          {
            status: 'recipientsToTell',
            corrected_version: data.toVersion,
            corrected_at: occurredAt,
            event_id: id,
            position,
          },
        ),
      ),
    CorrectionCompleted: ({ data, id, position }) => [
      update(
        'rectification_items',
        { item_id: data.itemId, status: 'recipientsToTell', corrected_version: data.version },
        { status: 'corrected', event_id: id, position },
      ),
    ],
    RectificationRefused: ({ data, id, position }) =>
      ['open', 'recipientsToTell'].map((status) =>
        update(
          'rectification_items',
          { item_id: data.itemId, status, ...(data.requestId !== undefined && { request_id: data.requestId }) },
          { status: 'refused', event_id: id, position },
        ),
      ),
    RectificationAnswered: ({ data, occurredAt, id, position }) => [
      update('rectifications', { request_id: data.requestId }, { answered_at: occurredAt, event_id: id, position }),
    ],
    RectificationOverdue: ({ data, occurredAt, id, position }) => [
      update('rectifications', { request_id: data.requestId }, { overdue_at: occurredAt, event_id: id, position }),
    ],
    RectificationCompleted: ({ data, occurredAt, id, position }) => [
      update(
        'rectifications',
        { request_id: data.requestId },
        { status: 'completed', outcome: data.outcome, completed_at: occurredAt, event_id: id, position },
      ),
      ...data.items.map(({ itemId, outcome }) =>
        update('rectification_items', { request_id: data.requestId, item_id: itemId }, { status: outcome }),
      ),
      // What an erasure of the person has made due stays due.
      update('reported_values', { request_id: data.requestId, status: 'kept', due: null }, { due: data.valuesUntil }),
    ],
    ReportedValuesDeferred: ({ data }) => [
      update(
        'reported_values',
        { request_id: data.requestId, status: 'kept' },
        { deferred_by: data.cause, deferred_ref: data.ref },
      ),
    ],
    ...dueWhenCausePasses('reported_values', NOT_DEFERRED),
    ErasureStarted: ({ data, occurredAt }) =>
      data.scope === 'person'
        ? [update('reported_values', { subject_id: data.subjectId, status: 'kept' }, { due: occurredAt })]
        : [],
    ReportedValuesErased: ({ data, occurredAt }) => [
      update(
        'reported_values',
        { request_id: data.requestId },
        { status: 'erased', sealed: '', erased_at: occurredAt, ...NOT_DEFERRED },
      ),
    ],
    // Whose own key is destroyed has no value left; the ciphertext may be removed from the log.
    DataErased: ({ data, occurredAt }) =>
      data.person
        ? [
            update(
              'reported_values',
              { subject_id: data.subjectId },
              { status: 'erased', sealed: '', erased_at: occurredAt, ...NOT_DEFERRED },
            ),
          ]
        : [],
  },
};
