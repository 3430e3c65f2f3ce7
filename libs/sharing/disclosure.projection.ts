import { insert, type Projection } from '#kernel';
import type { DataShared } from './disclosure.events.js';

/** `DisclosureLedger`: every item version that was given away, to whom, why and under what (C19, UK GDPR Art 30). */
export const disclosuresProjection: Projection<DataShared> = {
  name: 'disclosures',
  version: 1,
  tables: {
    disclosures: {
      columns: {
        disclosure_id: 'text',
        subject_id: 'text',
        item_id: 'text',
        item_version: 'integer',
        category: 'text',
        recipient_id: 'text',
        recipient_kind: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        basis: 'text',
        agreement_id: 'text?',
        instrument_id: 'text?',
        group_company_number: 'text?',
        transfer_mechanism: 'text?',
        medium: 'text',
        occurred_at: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['disclosure_id', 'subject_id', 'item_id'],
      indexes: [['subject_id', 'position'], ['recipient_id', 'position'], ['instrument_id'], ['position']],
      history: true,
    },
  },
  handles: {
    DataShared: ({ data, occurredAt, recordedAt, id, position }) =>
      data.items.map((item) =>
        insert('disclosures', {
          disclosure_id: data.disclosureId,
          subject_id: data.subjectId,
          item_id: item.itemId,
          item_version: item.version,
          category: item.category,
          recipient_id: data.recipientId,
          recipient_kind: data.recipientKind,
          purpose_id: data.purposeId,
          purpose_version: data.purposeVersion,
          basis: data.basis,
          agreement_id: data.agreementId ?? null,
          instrument_id: data.instrumentId ?? null,
          group_company_number: data.groupCompanyNumber ?? null,
          transfer_mechanism: data.transferMechanism ?? null,
          medium: data.medium,
          occurred_at: occurredAt,
          recorded_at: recordedAt,
          event_id: id,
          position,
        }),
      ),
  },
};
