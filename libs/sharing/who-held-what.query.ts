import type { Instant, Row } from '#kernel';
import type { ReadModels } from '#read-model';
import type { RecipientKind } from './recipient.events.js';
import { whoHeldWhatProjection } from './who-held-what.projection.js';

/** The tables of `who-held-what`, each asked for the rows of one person by `subject_id`. */
export const WHO_HELD_WHAT_TABLES = ['held_versions', 'held_purposes', 'held_copies', 'held_copy_notices'] as const;

/** One person's rows, from the read model or from a replay; in any order. */
export type WhoHeldWhatRows = Readonly<Record<(typeof WHO_HELD_WHAT_TABLES)[number], readonly Row[]>>;

/** One person's rows as the read model has them. */
export function heldRowsOf(readModels: ReadModels, subjectId: string): WhoHeldWhatRows {
  const tables = WHO_HELD_WHAT_TABLES.map(
    (table) => [table, readModels.rows<Row>(whoHeldWhatProjection, table, { subject_id: subjectId })] as const,
  );
  return Object.fromEntries(tables) as unknown as WhoHeldWhatRows;
}

export interface AsOf {
  /** The moment asked about. */
  readonly at: Instant;
  /** Leaves out what was written later than this: what would have been answered then. Everything when absent. */
  readonly knownAt?: Instant;
  /** Also what was held before `at` and is not any more. */
  readonly ended?: boolean;
}

/** When something became so in the world, when that was written, and by which event. */
export interface Mark {
  readonly at: string;
  readonly recordedAt: string;
  readonly position: number;
  readonly eventId: string;
}

/** One holder of one item version for one purpose, as things stood at the moment asked about. */
export interface HolderAsOf {
  readonly subjectId: string;
  readonly itemId: string;
  readonly version: number;
  readonly category: string;
  readonly holderKind: 'CONTROLLER' | RecipientKind;
  /** `controller`, or the recipient's id. */
  readonly holderId: string;
  readonly purposeId: string;
  readonly purposeVersion: number;
  readonly basis: string;
  /** Id of what the basis rests on: an instrument, an agreement, a consent. */
  readonly basisRef: string | null;
  /** The disclosure that gave it away; null for the controller. */
  readonly disclosureId: string | null;
  /** Since when it is held. */
  readonly from: Mark;
  /**
   * When the controller ceased to hold it, or the holder of a copy confirmed that it was erased or given back; null for as long as
   * it is held, as far as is known here.
   */
  readonly to: Mark | null;
  /**
   * `inUse`; `superseded` by a correction, but still held; `expired`, beyond use until its key is destroyed;
   * `erased`. A copy given away is `inUse` or `superseded` until its holder has confirmed that it was erased: what else
   * was done with it is not known here.
   */
  readonly use: 'inUse' | 'superseded' | 'expired' | 'erased';
  /** What made it so. */
  readonly useSince: Mark;
  /** For a copy of a corrected value: whether its holder was told (UK GDPR Art 19); null when that is not owed. */
  readonly notified: 'due' | 'notified' | 'impossible' | 'disproportionate' | 'unreachable' | null;
  readonly notifiedSince: Mark | null;
}

/**
 * Who held what about one person, for which purpose and on which basis, at a moment.
 *
 * Something is held from the moment it happened, inclusive, until it ended, exclusive. The same rows give the same
 * answer in the same order (item, version, controller first, place in the log), so two answers can be compared by
 * digest.
 */
export function whoHeldWhat(rows: WhoHeldWhatRows, asOf: AsOf): readonly HolderAsOf[] {
  const seen = (row: Row, prefix: string) => visibleMark(row, prefix, asOf);
  const versions = rows.held_versions.flatMap((row) => {
    const from = seen(row, 'from');
    return from ? [{ row, from }] : [];
  });
  const copies = rows.held_copies.flatMap((row) => {
    const from = seen(row, 'from');
    return from ? [{ row, from }] : [];
  });

  const controller = versions.flatMap(({ row, from }) => {
    const erased = seen(row, 'erased');
    if (erased && !asOf.ended) return [];
    const purposes = rows.held_purposes.filter((purpose) => sameItem(purpose, row));
    return purposes.flatMap((purpose): HolderAsOf[] => {
      const purposeFrom = seen(purpose, 'from');
      if (!purposeFrom) return [];
      const since = later(from, purposeFrom);
      const purposeEnded = seen(purpose, 'ended');
      if (purposeEnded && !asOf.ended) return [];
      const to = erased && purposeEnded ? earlier(erased, purposeEnded) : (erased ?? purposeEnded);
      return [
        {
          ...whatOf(row),
          holderKind: 'CONTROLLER',
          holderId: 'controller',
          ...whyOf(purpose),
          disclosureId: null,
          from: since,
          to: to ?? null,
          ...useOf({ erased, expired: seen(row, 'expired'), superseded: seen(row, 'superseded') }, since),
          notified: null,
          notifiedSince: null,
        },
      ];
    });
  });

  const recipients = copies.flatMap(({ row, from }): HolderAsOf[] => {
    const erased = seen(row, 'erased');
    if (erased && !asOf.ended) return [];
    const version = versions.find((each) => sameItem(each.row, row) && each.row.version === row.version);
    const superseded = version && seen(version.row, 'superseded');
    return [
      {
        ...whatOf(row),
        holderKind: row.holder_kind as RecipientKind,
        holderId: String(row.holder_id),
        ...whyOf(row),
        disclosureId: String(row.disclosure_id),
        from,
        to: erased ?? null,
        ...useOf({ erased, superseded }, from),
        ...toldOf(row, from, superseded, copies, rows.held_copy_notices, seen),
      },
    ];
  });

  return [...controller, ...recipients].sort(inOrder);
}

function visibleMark(row: Row, prefix: string, { at, knownAt }: AsOf): Mark | undefined {
  const mark = {
    at: row[`${prefix}_at`],
    recordedAt: row[`${prefix}_recorded_at`],
    position: row[`${prefix}_position`],
    eventId: row[`${prefix}_event`],
  };
  if (mark.at === null || mark.at === undefined) return undefined;
  const known = mark as Mark;
  return known.at <= at && (knownAt === undefined || known.recordedAt <= knownAt) ? known : undefined;
}

const sameItem = (a: Row, b: Row): boolean => a.subject_id === b.subject_id && a.item_id === b.item_id;

const later = (a: Mark, b: Mark): Mark => (a.at < b.at || (a.at === b.at && a.position < b.position) ? b : a);

const earlier = (a: Mark, b: Mark): Mark => (later(a, b) === a ? b : a);

const whatOf = (row: Row) => ({
  subjectId: String(row.subject_id),
  itemId: String(row.item_id),
  version: Number(row.version),
  category: String(row.category),
});

const whyOf = (row: Row) => ({
  purposeId: String(row.purpose_id),
  purposeVersion: Number(row.purpose_version),
  basis: String(row.basis),
  basisRef: row.basis_ref === null || row.basis_ref === undefined ? null : String(row.basis_ref),
});

/** The furthest state that was reached. */
function useOf(
  states: { readonly [state in Exclude<HolderAsOf['use'], 'inUse'>]?: Mark | undefined },
  from: Mark,
): Pick<HolderAsOf, 'use' | 'useSince'> {
  for (const use of ['erased', 'expired', 'superseded'] as const) {
    const useSince = states[use];
    if (useSince) return { use, useSince };
  }
  return { use: 'inUse', useSince: from };
}

/** What the holder of a copy knows of later versions: it was told of one, or given one, or has to be told. */
function toldOf(
  copy: Row,
  from: Mark,
  superseded: Mark | undefined,
  copies: readonly { readonly row: Row; readonly from: Mark }[],
  notices: readonly Row[],
  seen: (row: Row, prefix: string) => Mark | undefined,
): Pick<HolderAsOf, 'notified' | 'notifiedSince'> {
  if (copy.holder_kind === 'SELF') return { notified: null, notifiedSince: null };
  const held = Number(copy.version);
  const isLater = (row: Row) => sameItem(row, copy) && row.holder_id === copy.holder_id && Number(row.version) > held;
  const due: { version: number; mark: Mark }[] = [];
  const told: { version: number; mark: Mark; outcome: HolderAsOf['notified'] }[] = [];
  for (const notice of notices.filter(isLater)) {
    const version = Number(notice.version);
    const dueMark = seen(notice, 'due');
    const outcomeMark = seen(notice, 'outcome');
    if (dueMark) due.push({ version, mark: dueMark });
    if (outcomeMark) told.push({ version, mark: outcomeMark, outcome: notice.outcome as HolderAsOf['notified'] });
  }
  // Recorded after the correction, the copy was on no list of those to be told.
  if (superseded && from.position > superseded.position) due.push({ version: held + 1, mark: from });
  for (const given of copies)
    if (isLater(given.row)) told.push({ version: Number(given.row.version), mark: given.from, outcome: 'notified' });

  const owed = due.reduce((most, each) => (each.version > (most?.version ?? 0) ? each : most), due[0]);
  const [answer] = told
    .filter(({ version }) => version >= (owed?.version ?? 0))
    .sort((a, b) => b.mark.position - a.mark.position);
  if (answer) return { notified: answer.outcome, notifiedSince: answer.mark };
  return owed ? { notified: 'due', notifiedSince: owed.mark } : { notified: null, notifiedSince: null };
}

function inOrder(a: HolderAsOf, b: HolderAsOf): number {
  return (
    compare(a.itemId, b.itemId) ||
    a.version - b.version ||
    Number(a.holderKind !== 'CONTROLLER') - Number(b.holderKind !== 'CONTROLLER') ||
    a.from.position - b.from.position ||
    compare(a.purposeId, b.purposeId) ||
    compare(a.holderId, b.holderId)
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
