import { insert, update, type Projection, type RowChange } from '#kernel';
import type { AgreementAmended, AgreementEvent, AgreementKind } from './agreement.events.js';
import type { InstrumentEvent } from './instrument.events.js';
import type { RecipientEvent } from './recipient.events.js';

/**
 * The registers of sharing as tables: `GroupRegisterAsOf`, `AgreementRegister`, and the instruments. Lists are JSON
 * text; dates are civil dates in London.
 */
export const sharingRegistersProjection: Projection<RecipientEvent | AgreementEvent | InstrumentEvent> = {
  name: 'sharing-registers',
  version: 2,
  tables: {
    recipients: {
      columns: {
        recipient_id: 'text',
        kind: 'text',
        name: 'text?',
        legal_form: 'text?',
        country: 'text?',
        registered_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['recipient_id'],
      history: true,
    },
    group_memberships: {
      columns: {
        recipient_id: 'text',
        company_number: 'text',
        /** First day of membership. */
        member_from: 'text',
        /** First day of none. */
        member_to: 'text?',
        event_from: 'text',
        event_to: 'text?',
        position: 'integer',
      },
      key: ['recipient_id', 'member_from'],
      history: true,
    },
    agreements: {
      columns: {
        agreement_id: 'text',
        version: 'integer',
        recipient_id: 'text',
        /** Absent in an amendment, which changes no kind. */
        kind: 'text?',
        purposes: 'text',
        categories: 'text',
        in_force_from: 'text',
        /** First day on which the next version is in force. */
        amended_from: 'text?',
        /** First day no longer in force, as agreed. */
        in_force_to: 'text?',
        /** The same, once it was brought to an end. */
        ended_on: 'text?',
        transfer_mechanism: 'text?',
        public_summary: 'text',
        document_hash: 'text',
        checklist: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['agreement_id', 'version'],
      indexes: [['recipient_id']],
      history: true,
    },
    instruments: {
      columns: {
        instrument_id: 'text',
        enactment: 'text',
        section: 'text',
        instrument_kind: 'text',
        reference: 'text',
        issuer: 'text',
        issued_on: 'text',
        /** Last day in force. */
        valid_until: 'text?',
        scope: 'text',
        reviewed_by: 'text',
        /** 1 when the person must not be told: withheld from answers to them with an exemption (I-22c). */
        no_tipping_off: 'integer',
        document_hash: 'text',
        withdrawn_at: 'text?',
        answered_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['instrument_id'],
      history: true,
    },
  },
  handles: {
    RecipientRegistered: ({ data, occurredAt, id, position }) => [
      insert('recipients', {
        recipient_id: data.recipientId,
        kind: data.kind,
        name: data.name ?? null,
        legal_form: data.legalForm ?? null,
        country: data.country ?? null,
        registered_at: occurredAt,
        event_id: id,
        position,
      }),
    ],
    GroupMembershipStarted: ({ data, id, position }) => [
      insert('group_memberships', {
        recipient_id: data.recipientId,
        company_number: data.companyNumber,
        member_from: data.from,
        member_to: null,
        event_from: id,
        event_to: null,
        position,
      }),
    ],
    GroupMembershipEnded: ({ data, id }) => [
      // At most one membership is open.
      update(
        'group_memberships',
        { recipient_id: data.recipientId, member_to: null },
        { member_to: data.to, event_to: id },
      ),
    ],
    AgreementRecorded: ({ data, id, position }) => [agreementVersion({ ...data, version: 1 }, data.kind, id, position)],
    AgreementAmended: ({ data, id, position }) => [
      update(
        'agreements',
        { agreement_id: data.agreementId, version: data.version - 1 },
        { amended_from: data.from, event_id: id, position },
      ),
      agreementVersion(data, null, id, position),
    ],
    AgreementEnded: ({ data }) => [update('agreements', { agreement_id: data.agreementId }, { ended_on: data.to })],
    StatutoryInstrumentRecorded: ({ data, id, position }) => [
      insert('instruments', {
        instrument_id: data.instrumentId,
        enactment: data.enactment,
        section: data.section,
        instrument_kind: data.instrumentKind,
        reference: data.reference,
        issuer: data.issuer,
        issued_on: data.issuedOn,
        valid_until: data.validUntil ?? null,
        scope: JSON.stringify(data.scope),
        reviewed_by: data.reviewedBy,
        no_tipping_off: data.noTippingOff ? 1 : 0,
        document_hash: data.documentHash,
        withdrawn_at: null,
        answered_at: null,
        event_id: id,
        position,
      }),
    ],
    InstrumentWithdrawn: ({ data, occurredAt }) => [
      update('instruments', { instrument_id: data.instrumentId }, { withdrawn_at: occurredAt }),
    ],
    InstrumentAnswered: ({ data, occurredAt }) => [
      update('instruments', { instrument_id: data.instrumentId }, { answered_at: occurredAt }),
    ],
  },
};

const agreementVersion = (
  data: AgreementAmended['data'],
  kind: AgreementKind | null,
  event_id: string,
  position: number,
): RowChange =>
  insert('agreements', {
    agreement_id: data.agreementId,
    version: data.version,
    recipient_id: data.recipientId,
    kind,
    purposes: JSON.stringify(data.purposes),
    categories: JSON.stringify(data.categories),
    in_force_from: data.from,
    amended_from: null,
    in_force_to: data.to ?? null,
    ended_on: null,
    transfer_mechanism: data.transferMechanism ?? null,
    public_summary: data.publicSummary,
    document_hash: data.documentHash,
    checklist: JSON.stringify(data.checklist),
    event_id,
    position,
  });
