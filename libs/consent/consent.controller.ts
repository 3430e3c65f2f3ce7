import { Controller, Get, Header, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { mayNamePurpose, OpenTo, SentBy } from '#access';
import { londonDate } from '#calendar';
import { instant, type Actor, type Instant } from '#kernel';
import { noticeRegister, noticeVersion } from '#notice';
import { collectionPointNow, collectionPointRegister, purposeRegister, type CollectionPoint } from '#purpose';
import { ReadModelBehind, ReadModels } from '#read-model';
import {
  agreementRegister,
  agreementsAsOf,
  membersAsOf,
  recipientRegister,
  type Recipient,
  type RecipientRegisterState,
} from '#sharing';
import { CLOCK, InvalidCommand, PERSONAL_ROLES, RegisterHost, REGISTER_ID, type Clock } from '#slice';
import type { ConsentEvent, ConsentGiver, ConsentMethod } from './consent.events.js';
import { consentLedgerProjection } from './consent.projection.js';
import {
  consentExport,
  consentReceipt,
  consentRecord,
  type ConsentToRecord,
  type HappenedToConsent,
  type Node,
  type Party,
} from './consent.record.js';

interface ConsentRow {
  readonly consent_id: string;
  readonly subject_id: string;
  readonly purpose_id: string;
  readonly purpose_version: number;
  readonly channel: string;
  readonly status: string;
  readonly notice_id: string | null;
  readonly notice_version: number | null;
  readonly statement_hash: string | null;
  readonly affirmative_act: string | null;
  readonly given_by: ConsentGiver | null;
  readonly authority_ref: string | null;
  readonly expires_at: string | null;
  readonly renews: string | null;
  readonly renewed_by: string | null;
  readonly position: number;
}

interface ConsentEventRow {
  readonly consent_id: string;
  readonly type: ConsentEvent['type'];
  readonly method: ConsentMethod | null;
  readonly reason: string | null;
  readonly occurred_at: string;
}

/**
 * Consents in the form of ISO/IEC TS 27560:2023: the records of a person, and a receipt to hand over. What was agreed
 * to is as it was; who answers for it and how to withdraw is as it is now. No value is in either.
 *
 * A no to what nobody had put on record as asked for has no notice, and so no record; it stands in the ledger.
 */
@Controller('v1/subjects/:subjectId/consents')
export class ConsentController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly registers: RegisterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('export')
  @Header('content-type', 'application/ld+json')
  @OpenTo('staff', 'privacyOfficer', 'auditor')
  records(@Param('subjectId', ParseUUIDPipe) subjectId: string): Node {
    return consentExport(this.#consents({ subject_id: subjectId }).map(consentRecord));
  }

  /** For the consent that the person gave last for this purpose and channel, whether it stands or not. */
  @Get('receipt')
  @Header('content-type', 'application/ld+json')
  @OpenTo('service', 'staff', 'privacyOfficer', 'auditor', ...PERSONAL_ROLES)
  receipt(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Query('purpose') purposeId: unknown,
    @Query('channel') channel: unknown,
    @SentBy() actor: Actor,
  ): Node {
    const where = {
      subject_id: subjectId,
      purpose_id: named('purpose', purposeId),
      channel: named('channel', channel),
    };
    // To a service a purpose outside its contract is none.
    if (!mayNamePurpose(this.registers, actor, where.purpose_id)) throw new NotFoundException();
    const given = this.#consents(where).findLast(({ givenBy }) => givenBy !== undefined);
    if (!given) throw new NotFoundException();
    return consentReceipt(given, this.clock.now());
  }

  #consents(where: Readonly<Record<string, string>>): readonly ConsentToRecord[] {
    const rows = this.readModels.rows<ConsentRow>(consentLedgerProjection, 'consents', where, 'position');
    const events = new Map<string, HappenedToConsent[]>();
    for (const row of this.readModels.rows<ConsentEventRow>(
      consentLedgerProjection,
      'consent_events',
      where,
      'position',
    )) {
      const happened = events.get(row.consent_id) ?? [];
      happened.push({
        type: row.type,
        at: row.occurred_at,
        ...(row.method !== null && { method: row.method }),
        ...(row.reason !== null && { reason: row.reason }),
      });
      events.set(row.consent_id, happened);
    }
    return rows.flatMap((row) => this.#consent(row, events.get(row.consent_id) ?? []));
  }

  #consent(row: ConsentRow, events: readonly HappenedToConsent[]): readonly ConsentToRecord[] {
    const [first] = events;
    if (row.notice_id === null || row.notice_version === null || !first) return [];
    const purpose = this.registers.get(purposeRegister).get(row.purpose_id)?.defined.get(row.purpose_version);
    const notice = noticeVersion(this.registers.get(noticeRegister), row.notice_id, row.notice_version);
    const recipients = this.registers.get(recipientRegister);
    const controller = controllerOf(recipients, this.clock.now());
    // The registers of this engine have yet to fold what the consent was decided on.
    if (!purpose || !notice || !controller) throw new ReadModelBehind(row.position, this.readModels.position);
    return [
      {
        consentId: row.consent_id,
        subjectId: row.subject_id,
        channel: row.channel,
        purposeId: row.purpose_id,
        purposeVersion: row.purpose_version,
        purpose,
        notice,
        controller,
        recipients: this.#recipients(row.purpose_id, purpose.recipientKindsAllowed, recipients, instant(first.at)),
        collectionPoints: this.#collectionPoints(row.purpose_id),
        events,
        ...(row.statement_hash !== null && { statementHash: row.statement_hash }),
        ...(row.affirmative_act !== null && { affirmativeAct: row.affirmative_act }),
        ...(row.given_by !== null && { givenBy: row.given_by }),
        ...(row.authority_ref !== null && { authorityRef: row.authority_ref }),
        ...(row.expires_at !== null && { expiresAt: row.expires_at }),
        ...(row.renews !== null && { renews: row.renews }),
        ...(row.renewed_by !== null && { renewedBy: row.renewed_by }),
      },
    ];
  }

  /** Who could be given the data at that time: members of the group, and processors under an agreement about it. */
  #recipients(
    purposeId: string,
    kinds: readonly string[],
    recipients: RecipientRegisterState,
    at: Instant,
  ): readonly Party[] {
    const date = londonDate(at);
    const agreements = agreementsAsOf(this.registers.get(agreementRegister), date);
    const engaged = new Set(
      agreements
        .filter(({ recorded }) => recorded.kind === 'art28' && recorded.purposes.includes(purposeId))
        .map(({ recorded }) => recorded.recipientId),
    );
    return [
      ...(kinds.includes('GROUP') ? membersAsOf(recipients, date) : []),
      ...(kinds.includes('PROCESSOR')
        ? [...recipients.values()].filter(
            ({ registered }) => registered.kind === 'PROCESSOR' && engaged.has(registered.recipientId),
          )
        : []),
    ].flatMap(partyOf);
  }

  #collectionPoints(purposeId: string): readonly CollectionPoint[] {
    const points = this.registers.get(collectionPointRegister);
    return [...points.keys()].flatMap((id) => {
      const found = collectionPointNow(points, id);
      return found.status === 'active' && found.point.purposes.includes(purposeId) ? [found.point] : [];
    });
  }
}

/** The member of the group that was entered first answers for what the group does. */
function controllerOf(recipients: RecipientRegisterState, now: Instant): Party | undefined {
  return membersAsOf(recipients, londonDate(now)).flatMap(partyOf)[0];
}

function partyOf({ registered: { recipientId, kind, name, country } }: Recipient): readonly Party[] {
  return name === undefined || country === undefined ? [] : [{ recipientId, kind, name, country }];
}

function named(field: string, value: unknown): string {
  if (typeof value !== 'string' || !REGISTER_ID.test(value) || value.length > 64)
    throw new InvalidCommand([{ field, rule: 'isRegisterId' }]);
  return value;
}
