import { insert, insertIfAbsent, update, type Projection, type Recorded, type RowChange } from '#kernel';
import type { ViewingEvent } from './view.events.js';

/** A look that was refused, as the engine records every refusal. */
interface LookRefused {
  readonly type: 'CommandRefused';
  readonly data: {
    readonly commandType: string;
    readonly code: string;
    readonly streamRef: string;
    readonly caseRef?: string;
  };
}

type LoggedEvent = Exclude<ViewingEvent, { readonly type: 'ViewBudgetDrawn' }> | LookRefused;

/**
 * `AccessLog`: who looked at whose data, when, in which role and why; who was turned away; and who was found by a
 * search. No value, and nothing that was searched for. `searches` has every search, `bulk_views` every bulk view.
 */
export const accessLogProjection: Projection<LoggedEvent> = {
  name: 'access-log',
  version: 2,
  tables: {
    access_log: {
      columns: {
        view_id: 'text',
        subject_id: 'text',
        /** view, emergency, bulk, search, or denied. */
        kind: 'text',
        actor_id: 'text',
        role: 'text?',
        /** Words with blanks between them. */
        categories: 'text',
        purpose_id: 'text?',
        case_ref: 'text?',
        /** The grants that opened it, or the emergency: ids with blanks between them. */
        opened_by: 'text?',
        bulk_view_id: 'text?',
        /** Why it was denied. */
        code: 'text?',
        viewed_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['view_id', 'subject_id'],
      indexes: [['subject_id', 'position'], ['actor_id', 'position'], ['position']],
      history: true,
    },
    searches: {
      columns: {
        search_id: 'text',
        actor_id: 'text',
        role: 'text',
        field: 'text',
        purpose_id: 'text',
        case_ref: 'text',
        opened_by: 'text',
        found: 'integer',
        searched_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['search_id'],
      indexes: [['actor_id', 'position']],
      history: true,
    },
    bulk_views: {
      columns: {
        bulk_view_id: 'text',
        /** requested, approved or closed. */
        status: 'text',
        purpose_id: 'text',
        case_ref: 'text',
        categories: 'text',
        people: 'integer',
        hours: 'integer',
        requested_by: 'text',
        requested_at: 'text',
        approved_by: 'text?',
        approved_at: 'text?',
        until: 'text?',
        closed_by: 'text?',
        closed_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['bulk_view_id'],
      indexes: [['status', 'position']],
      history: true,
    },
  },
  handles: {
    PersonalDataViewed: ({ data, actorId, occurredAt, id, position }) => [
      insert('access_log', {
        view_id: data.viewId,
        subject_id: data.subjectId,
        kind: data.emergency ? 'emergency' : data.bulkViewId === undefined ? 'view' : 'bulk',
        actor_id: actorId,
        role: data.role ?? null,
        categories: data.categories.join(' '),
        purpose_id: data.purposeId,
        case_ref: data.caseRef,
        opened_by: data.by?.join(' ') ?? null,
        bulk_view_id: data.bulkViewId ?? null,
        code: null,
        viewed_at: occurredAt,
        event_id: id,
        position,
      }),
    ],
    CommandRefused: (event) => deniedIn(event),
    PersonalDataSearched: ({ data, actorId, occurredAt, id, position }) => {
      const why = {
        actor_id: actorId,
        role: data.role,
        purpose_id: data.purposeId,
        case_ref: data.caseRef,
        opened_by: data.by.join(' '),
        event_id: id,
        position,
      };
      return [
        insert('searches', {
          ...why,
          search_id: data.searchId,
          field: data.field,
          found: data.found.length,
          searched_at: occurredAt,
        }),
        ...data.found.map(({ subjectId, categories }) =>
          insert('access_log', {
            ...why,
            view_id: data.searchId,
            subject_id: subjectId,
            kind: 'search',
            categories: categories.join(' '),
            bulk_view_id: null,
            code: null,
            viewed_at: occurredAt,
          }),
        ),
      ];
    },
    BulkViewRequested: ({ data, occurredAt, id, position }) => [
      insert('bulk_views', {
        bulk_view_id: data.bulkViewId,
        status: 'requested',
        purpose_id: data.purposeId,
        case_ref: data.caseRef,
        categories: data.categories.join(' '),
        people: data.subjectIds.length,
        hours: data.hours,
        requested_by: data.requestedBy,
        requested_at: occurredAt,
        approved_by: null,
        approved_at: null,
        until: null,
        closed_by: null,
        closed_at: null,
        event_id: id,
        position,
      }),
    ],
    BulkViewApproved: ({ data, occurredAt }) => [
      update(
        'bulk_views',
        { bulk_view_id: data.bulkViewId },
        { status: 'approved', approved_by: data.approvedBy, approved_at: occurredAt, until: data.until },
      ),
    ],
    BulkViewClosed: ({ data, occurredAt }) => [
      update(
        'bulk_views',
        { bulk_view_id: data.bulkViewId },
        { status: 'closed', closed_by: data.closedBy, closed_at: occurredAt },
      ),
    ],
  },
};

/** The stream that a refused look was about names the person. */
const ABOUT_A_PERSON = /^access-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d{4}-\d{2}$/;

function deniedIn({ data, actorId, occurredAt, id, position }: Recorded<LookRefused>): readonly RowChange[] {
  const subjectId = ABOUT_A_PERSON.exec(data.streamRef)?.[1];
  if (subjectId === undefined) return [];
  return [
    // One refusal may stand on both sides of midnight, under one id.
    insertIfAbsent('access_log', {
      view_id: id,
      subject_id: subjectId,
      kind: 'denied',
      actor_id: actorId,
      role: null,
      categories: '',
      purpose_id: null,
      case_ref: data.caseRef ?? null,
      opened_by: null,
      bulk_view_id: null,
      code: data.code,
      viewed_at: occurredAt,
      event_id: id,
      position,
    }),
  ];
}
