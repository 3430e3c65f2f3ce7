import { insert, insertIfAbsent, update, type Projection, type Recorded, type Row, type RowChange } from '#kernel';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  HeldForPurpose,
  PurposeEnded,
  RecipientNotified,
  RetentionExpired,
} from '#subject';
import type { DataShared } from './disclosure.events.js';
import type { RecipientConfirmed, RecipientUnreachable } from './notification.events.js';
import type { CopiesEnded } from './return-or-delete.events.js';

type HoldingEvent =
  | DataCollected
  | DataCorrected
  | HeldForPurpose
  | PurposeEnded
  | RetentionExpired
  | ErasureStarted
  | DataErased
  | DataShared
  | RecipientNotified
  | RecipientConfirmed
  | RecipientUnreachable
  | CopiesEnded;

/** The four columns that say when something became so, when that was written, and by which event. */
const mark = <P extends string>(prefix: P, event: Recorded) => ({
  [`${prefix}_at`]: event.occurredAt,
  [`${prefix}_recorded_at`]: event.recordedAt,
  [`${prefix}_position`]: event.position,
  [`${prefix}_event`]: event.id,
});

const noMark = (prefix: string) => ({
  [`${prefix}_at`]: null,
  [`${prefix}_recorded_at`]: null,
  [`${prefix}_position`]: null,
  [`${prefix}_event`]: null,
});

const markColumns = <T extends '' | '?'>(prefix: string, optional: T) =>
  ({
    [`${prefix}_at`]: `text${optional}`,
    [`${prefix}_recorded_at`]: `text${optional}`,
    [`${prefix}_position`]: `integer${optional}`,
    [`${prefix}_event`]: `text${optional}`,
  }) as Readonly<Record<string, `text${T}` | `integer${T}`>>;

/** What a recipient was told of a correction; that it was told of anything else changes no copy. */
function noticed(
  event: Recorded,
  {
    subjectId,
    recipientId,
    what,
    items,
  }: Pick<RecipientNotified['data'], 'subjectId' | 'recipientId' | 'what' | 'items'>,
  outcome: string,
): readonly RowChange[] {
  if (what !== 'correction') return [];
  return items.flatMap(({ itemId, version }) => {
    const notice = { subject_id: subjectId, item_id: itemId, version, holder_id: recipientId };
    return [
      // A copy recorded after the correction was on no list; its holder is told all the same.
      insertIfAbsent('held_copy_notices', { ...notice, outcome: null, ...noMark('due'), ...noMark('outcome') }),
      update('held_copy_notices', notice, { outcome, ...mark('outcome', event) }),
    ];
  });
}

/** The rows of what an erasure is about: all of the person that have not got so far yet, or these versions. */
function endedRows(data: (ErasureStarted | DataErased)['data'], state: 'expired' | 'erased'): readonly Row[] {
  const { subjectId } = data;
  return data.everything
    ? [{ subject_id: subjectId, [`${state}_at`]: null }]
    : data.items.map(({ itemId, version }) => ({ subject_id: subjectId, item_id: itemId, version }));
}

const OPEN_STATES = { ...noMark('superseded'), ...noMark('expired'), ...noMark('erased') };

/**
 * `WhoHeldWhat`, the auditable view: who held which version of which item of a person, why and until when.
 *
 * A correction does not say what the item was collected for, and a projection reads no rows; so the view stands in
 * four tables that `whoHeldWhat` (who-held-what.query.ts) joins for one person: the versions of an item, the
 * purposes it is held for, the copies that were given away, and what recipients were told. Every change of state
 * keeps its own time, so that a past state can be told from the rows of today.
 */
export const whoHeldWhatProjection: Projection<HoldingEvent> = {
  name: 'who-held-what',
  version: 4,
  tables: {
    held_versions: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        ...markColumns('from', ''),
        ...markColumns('superseded', '?'),
        ...markColumns('expired', '?'),
        ...markColumns('erased', '?'),
      },
      key: ['subject_id', 'item_id', 'version'],
      indexes: [['category', 'from_at']],
    },
    held_purposes: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        basis: 'text',
        basis_ref: 'text?',
        ...markColumns('from', ''),
        ...markColumns('ended', '?'),
      },
      key: ['subject_id', 'item_id', 'purpose_id'],
      indexes: [['purpose_id']],
    },
    held_copies: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        holder_kind: 'text',
        holder_id: 'text',
        disclosure_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        basis: 'text',
        /** The instrument or agreement it was given under. */
        basis_ref: 'text?',
        ...markColumns('from', ''),
        /** When its holder confirmed that it was erased, returned or deleted. */
        ...markColumns('erased', '?'),
      },
      key: ['subject_id', 'item_id', 'disclosure_id'],
      indexes: [['holder_id', 'from_at']],
    },
    held_copy_notices: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        /** The version the recipient is to be told of. */
        version: 'integer',
        holder_id: 'text',
        outcome: 'text?',
        ...markColumns('due', '?'),
        ...markColumns('outcome', '?'),
      },
      key: ['subject_id', 'item_id', 'version', 'holder_id'],
    },
  },
  handles: {
    DataCollected: (event) =>
      event.data.items.flatMap(({ itemId, version, category }) => [
        insert('held_versions', {
          subject_id: event.data.subjectId,
          item_id: itemId,
          version,
          category,
          ...mark('from', event),
          ...OPEN_STATES,
        }),
        insert('held_purposes', {
          subject_id: event.data.subjectId,
          item_id: itemId,
          purpose_id: event.data.purposeId,
          purpose_version: event.data.purposeVersion,
          basis: event.data.basis,
          basis_ref: event.data.basisRef ?? null,
          ...mark('from', event),
          ...noMark('ended'),
        }),
      ]),
    DataCorrected: (event) => {
      const { subjectId, itemId, category, fromVersion, toVersion, recipientsToNotify } = event.data;
      const item = { subject_id: subjectId, item_id: itemId };
      return [
        update('held_versions', { ...item, version: fromVersion }, mark('superseded', event)),
        insert('held_versions', { ...item, version: toVersion, category, ...mark('from', event), ...OPEN_STATES }),
        ...recipientsToNotify.map((recipientId) =>
          insert('held_copy_notices', {
            ...item,
            version: toVersion,
            holder_id: recipientId,
            outcome: null,
            ...mark('due', event),
            ...noMark('outcome'),
          }),
        ),
      ];
    },
    RetentionExpired: (event) =>
      event.data.items.map(({ itemId, version }) =>
        update('held_versions', { subject_id: event.data.subjectId, item_id: itemId, version }, mark('expired', event)),
      ),
    ErasureStarted: (event) =>
      endedRows(event.data, 'expired').map((where) => update('held_versions', where, mark('expired', event))),
    DataErased: (event) =>
      endedRows(event.data, 'erased').map((where) => update('held_versions', where, mark('erased', event))),
    HeldForPurpose: (event) =>
      event.data.items.map(({ itemId }) =>
        insert('held_purposes', {
          subject_id: event.data.subjectId,
          item_id: itemId,
          purpose_id: event.data.purposeId,
          purpose_version: event.data.purposeVersion,
          basis: event.data.basis,
          basis_ref: event.data.assessmentRef,
          ...mark('from', event),
          ...noMark('ended'),
        }),
      ),
    PurposeEnded: (event) =>
      event.data.items.map(({ itemId }) =>
        update(
          'held_purposes',
          { subject_id: event.data.subjectId, item_id: itemId, purpose_id: event.data.purposeId },
          mark('ended', event),
        ),
      ),
    DataShared: (event) => {
      const { data } = event;
      return data.items.map(({ itemId, version, category }) =>
        insert('held_copies', {
          subject_id: data.subjectId,
          item_id: itemId,
          version,
          category,
          holder_kind: data.recipientKind,
          holder_id: data.recipientId,
          disclosure_id: data.disclosureId,
          purpose_id: data.purposeId,
          purpose_version: data.purposeVersion,
          basis: data.basis,
          basis_ref: data.instrumentId ?? data.agreementId ?? null,
          ...mark('from', event),
          ...noMark('erased'),
        }),
      );
    },
    RecipientNotified: (event) => noticed(event, event.data, event.data.outcome),
    RecipientConfirmed: (event) => {
      const { subjectId, recipientId, what, items } = event.data;
      if (what !== 'erasure') return [];
      // A notice of an erasure names the newest version that was given of each item.
      return items.flatMap(({ itemId, version }) =>
        Array.from({ length: version }, (_, older) => {
          const copy = { subject_id: subjectId, item_id: itemId, holder_id: recipientId, version: older + 1 };
          return update('held_copies', { ...copy, erased_at: null }, mark('erased', event));
        }),
      );
    },
    RecipientUnreachable: (event) => noticed(event, event.data, 'unreachable'),
    CopiesEnded: (event) =>
      event.data.disclosureIds.map((disclosureId) =>
        update(
          'held_copies',
          { subject_id: event.data.subjectId, disclosure_id: disclosureId, erased_at: null },
          mark('erased', event),
        ),
      ),
  },
};
