import { Controller, Get, NotFoundException, Param, ParseUUIDPipe } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import type { Actor, Row } from '#kernel';
import { ReadModels } from '#read-model';
import { isDiscreet, recipientNotificationsProjection, secretRecipients, sharingRegistersProjection } from '#sharing';
import { erasureLedgerProjection } from './erasure.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';

interface ErasureRow extends Row {
  readonly erasure_id: string;
  readonly subject_id: string;
  readonly cause: string;
  readonly scope: 'items' | 'person';
  readonly status: 'started' | 'erased' | 'finalised';
  readonly continues: string | null;
  readonly started_at: string;
  readonly erased_at: string | null;
  readonly person_key_destroyed: number;
  readonly backup_horizon: string | null;
  readonly rest_reason: string | null;
  readonly rest_ref: string | null;
  readonly finalised_at: string | null;
  readonly verified_by: string | null;
}

interface TakenRow extends Row {
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly status: string;
}

interface RemainsRow extends Row {
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly reason: string;
  readonly ref: string;
  readonly law: string;
  readonly until: string | null;
}

/** What stays after any erasure, and why that is lawful. */
const ALWAYS_REMAINS = [
  {
    what: 'the encrypted values, without a key',
    law: 'UK GDPR Art 4(1), recital 26',
    words: 'The encrypted form of the values stays in the log until it is removed; nobody can read it.',
  },
  {
    what: 'random ids, dates and codes of what was decided',
    law: 'UK GDPR Art 5(2), 7(1), 17(3)(e)',
    words: 'We keep that something was decided and when, under random numbers, to show that we kept to the law.',
  },
  {
    what: 'the record of who was given data',
    law: 'UK GDPR Art 19',
    words: 'We keep whom we gave data, without the data, so that we can tell them that it was erased.',
  },
  {
    what: 'a keyed digest of addresses you told us not to write to',
    law: 'UK GDPR Art 21(3), 17(3)(b)',
    words: 'If you objected to marketing, we keep a keyed digest of the address, so that nobody writes to it again.',
  },
] as const;

/** The certificate of an erasure: true at the moment it is asked for, for the record and in plain words. */
@Controller('v1/erasures')
export class ErasureController {
  constructor(private readonly readModels: ReadModels) {}

  @Get(':erasureId/certificate')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  certificate(@Param('erasureId', ParseUUIDPipe) erasureId: string, @SentBy() actor: Actor): object {
    const where = { erasure_id: erasureId };
    const [erasure] = this.readModels.rows<ErasureRow>(erasureLedgerProjection, 'erasures', where);
    if (!erasure) throw new NotFoundException();
    const taken = this.readModels.rows<TakenRow>(retentionScheduleProjection, 'retention_schedule', where, 'position');
    const remains = this.readModels.rows<RemainsRow>(erasureLedgerProjection, 'erasure_remains', where, 'position');
    const now = this.readModels.rows<TakenRow>(retentionScheduleProjection, 'retention_schedule', {
      subject_id: erasure.subject_id,
      status: 'erased',
    });
    const gone = new Set(now.map(versionOf));
    const ends = this.#endsOfDuties(remains);
    const still = remains
      .filter((row) => !gone.has(versionOf(row)))
      .map((row) => ({ ...row, until: row.until ?? ends.get(dutyOf(row)) ?? null }));
    const holders = this.#holdersOf(erasure);
    const secret = isDiscreet(actor)
      ? []
      : (secretRecipients(this.readModels, [erasure.subject_id]).get(erasure.subject_id) ?? []);
    const recipients = holders.filter(({ recipientId }) => !secret.includes(recipientId));
    const destroyed = taken.filter(({ status }) => status === 'erased');
    return {
      erasureId,
      subjectId: erasure.subject_id,
      cause: erasure.cause,
      scope: erasure.scope,
      status: erasure.status,
      continues: erasure.continues,
      startedAt: erasure.started_at,
      destroyedAt: erasure.erased_at,
      method: erasure.erased_at === null ? null : 'keyDestruction',
      personKeyDestroyed: erasure.person_key_destroyed === 1,
      keystoreBackupHorizon: erasure.backup_horizon,
      finalisedAt: erasure.finalised_at,
      verifiedBy: erasure.verified_by,
      destroyed: destroyed.map(({ item_id, version, category }) => ({ itemId: item_id, version, category })),
      beyondUse: taken
        .filter(({ status }) => status === 'beyondUse')
        .map(({ item_id, version, category }) => ({ itemId: item_id, version, category })),
      remaining: still.map(({ item_id, version, category, reason, ref, law, until }) => ({
        itemId: item_id,
        version,
        category,
        reason,
        ref,
        law,
        until,
      })),
      // Usage and what the person reported, which are no items.
      remainingBesideItems:
        erasure.rest_reason === null ? null : { reason: erasure.rest_reason, ref: erasure.rest_ref },
      // Who was given what it took, and how far telling them has come (UK GDPR Art 19).
      recipients,
      /** How many this reader may not know of: they hold data under a duty not to tip off (I-22c). */
      recipientsWithheld: holders.length - recipients.length,
      alwaysRemains: ALWAYS_REMAINS.map(({ what, law }) => ({ what, law })),
      inPlainWords: words(erasure, destroyed, still, recipients),
      position: this.readModels.position,
    };
  }

  /** When the duties of purposes end, where that was not known yet when the erasure was decided. */
  #endsOfDuties(remains: readonly RemainsRow[]): ReadonlyMap<string, string | null> {
    const duties = this.readModels.rowsAmong<DutyRow>(
      retentionScheduleProjection,
      'retention_purposes',
      {},
      'item_id',
      remains.filter(({ reason }) => reason === 'legalObligation').map(({ item_id }) => item_id),
    );
    return new Map(duties.map((row) => [`${row.item_id} legalObligation ${row.purpose_id}`, row.due]));
  }

  #holdersOf({ erasure_id, subject_id }: ErasureRow): readonly Holder[] {
    const given = this.readModels.rows<GivenRow>(erasureLedgerProjection, 'erasure_recipients', { erasure_id });
    const notices = this.readModels.rows<GivenRow & { readonly status: string }>(
      recipientNotificationsProjection,
      'recipient_notifications',
      { subject_id, what: 'erasure' },
    );
    const status = new Map(notices.map((row) => [`${row.recipient_id} ${versionOf(row)}`, row.status]));
    const recipientIds = [...new Set(given.map((row) => row.recipient_id))].sort();
    const entries = this.readModels.rowsAmong<{ readonly recipient_id: string; readonly name: string | null }>(
      sharingRegistersProjection,
      'recipients',
      {},
      'recipient_id',
      recipientIds,
    );
    const names = new Map(entries.map((entry) => [entry.recipient_id, entry.name]));
    return recipientIds.map((recipientId) => {
      // Of several versions of an item the notice is about the newest.
      const states = given
        .filter((row) => row.recipient_id === recipientId)
        .flatMap((row) => status.get(`${recipientId} ${versionOf(row)}`) ?? []);
      const furthestBack = Object.keys(TOLD).find((each) => states.includes(each)) as Holder['status'] | undefined;
      return { recipientId, name: names.get(recipientId) ?? recipientId, status: furthestBack ?? 'due' };
    });
  }
}

interface DutyRow {
  readonly item_id: string;
  readonly purpose_id: string;
  readonly due: string | null;
}

/** Why an item remains, as a key. */
const dutyOf = ({ item_id, reason, ref }: RemainsRow): string => `${item_id} ${reason} ${ref}`;

interface GivenRow extends Row {
  readonly recipient_id: string;
  readonly item_id: string;
  readonly version: number;
}

/** Somebody who was given what an erasure took. */
interface Holder {
  readonly recipientId: string;
  readonly name: string;
  /** Of its items, that which has come least far. */
  readonly status: keyof typeof TOLD;
}

/** How far telling a recipient has come, the least first. */
const TOLD = {
  due: (name: string) => `${name} was given a copy and is still to be told to erase it.`,
  unreachable: (name: string) => `${name} was given a copy and could not be reached so far.`,
  notified: (name: string) => `We told ${name} to erase its copy; it has not confirmed that yet.`,
  impossible: (name: string) => `${name} was given a copy, and it is impossible to tell it of the erasure.`,
  disproportionate: (name: string) =>
    `${name} was given a copy, and telling it of the erasure would take an effort out of all proportion.`,
  confirmed: (name: string) => `${name} has confirmed that it erased its copy.`,
};

const versionOf = ({ item_id, version }: Pick<TakenRow, 'item_id' | 'version'>): string => `${item_id}@${version}`;

const REASONS: Readonly<Record<string, string>> = {
  legalHold: 'it is needed in a legal matter',
  restriction: 'you asked us to keep it and not to use it',
  openAccessRequest: 'a request of yours for a copy of it is not answered yet',
  openComplaint: 'a complaint about it is open',
  openIncident: 'an incident about it is being looked into',
  freedomOfExpression: 'it is needed for the freedom of expression and information',
  legalObligation: 'a law obliges us to keep it',
  publicHealth: 'it is needed for public health',
  archivingResearch: 'it is kept for archiving or research in the public interest',
  legalClaims: 'it is needed for legal claims',
};

/** What can truthfully be told to the person, sentence by sentence. */
function words(
  { status, started_at, erased_at, backup_horizon, finalised_at, rest_reason }: ErasureRow,
  destroyed: readonly TakenRow[],
  remains: readonly RemainsRow[],
  recipients: readonly Holder[],
): readonly string[] {
  const day = (at: string | null): string => (at ?? '').slice(0, 10);
  const said: string[] = [];
  if (status === 'started')
    said.push(`We stopped using this data on ${day(started_at)}; the keys that make it readable are about to go.`);
  else
    said.push(
      `On ${day(erased_at)} we destroyed the keys that make ${countOf(destroyed)} readable. Nobody can read this again in our systems.`,
    );
  if (status === 'erased')
    said.push(`Copies of these keys in backups are gone by ${day(backup_horizon)}; until then we touch none of them.`);
  if (status === 'finalised') said.push(`On ${day(finalised_at)} we made sure that no backup holds these keys.`);
  for (const [reason, rows] of grouped(remains)) {
    const untils = rows.map(({ until }) => until);
    const until = untils.every((each) => each !== null)
      ? `until ${day(untils.reduce((a, b) => (a! > b! ? a : b))!)}`
      : 'until that has ended';
    said.push(
      `We still hold ${countOf(rows)}, because ${REASONS[reason] ?? reason}, ${until}; we use it for nothing else.`,
    );
  }
  if (rest_reason !== null)
    said.push(
      `When we decided this, records of your use or what you reported to us had to stay, because ${REASONS[rest_reason] ?? rest_reason}; they go as soon as that has ended.`,
    );
  said.push(...recipients.map(({ name, status: told }) => TOLD[told](name)));
  if (recipients.length > 0)
    said.push(
      'Copies that others hold are out of our reach: we tell each of them, and follow it until it has confirmed.',
    );
  said.push(...ALWAYS_REMAINS.map((each) => each.words));
  return said;
}

function grouped(rows: readonly RemainsRow[]): ReadonlyMap<string, RemainsRow[]> {
  const groups = new Map<string, RemainsRow[]>();
  for (const row of rows) groups.set(row.reason, [...(groups.get(row.reason) ?? []), row]);
  return groups;
}

/** For example `3 values (contact.email, contact.name)`. */
function countOf(rows: readonly { readonly category: string }[]): string {
  const categories = [...new Set(rows.map(({ category }) => category))].sort();
  const number = rows.length === 1 ? '1 value' : `${rows.length} values`;
  return categories.length === 0 ? number : `${number} (${categories.join(', ')})`;
}
