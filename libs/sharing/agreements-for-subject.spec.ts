import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { registerOf } from '#kernel/testing';
import { ART28_TERMS, type AgreementEvent, type AgreementRecorded } from './agreement.events.js';
import { agreementRegister } from './agreement.register.js';
import { agreementsForSubject, type ActivePurpose, type DisclosureRow } from './agreements-for-subject.query.js';
import type { StatutoryInstrumentRecorded } from './instrument.events.js';
import { instrumentRegister } from './instrument.register.js';
import type { RecipientEvent } from './recipient.events.js';
import { recipientRegister } from './recipient.register.js';

const recorded = (more: Partial<AgreementRecorded['data']> = {}): AgreementRecorded => ({
  type: 'AgreementRecorded',
  data: {
    agreementId: 'mail',
    recipientId: 'mail-host',
    kind: 'art28',
    purposes: ['account'],
    categories: ['contact.email'],
    from: '2026-01-01',
    publicSummary: 'Sends letters for us.',
    documentHash: 'a'.repeat(64),
    checklist: ART28_TERMS,
    ...more,
  },
});
const ended = (to: string): AgreementEvent => ({
  type: 'AgreementEnded',
  data: { agreementId: 'mail', recipientId: 'mail-host', to },
});
const order = (instrumentId: string, noTippingOff: boolean): StatutoryInstrumentRecorded => ({
  type: 'StatutoryInstrumentRecorded',
  data: {
    instrumentId,
    enactment: 'Police and Criminal Evidence Act 1984',
    section: 'Sch 1',
    instrumentKind: 'productionOrder',
    reference: 'T1',
    issuer: 'Crown Court',
    issuedOn: '2026-05-01',
    scope: { categories: ['contact.email'] },
    mandatory: true,
    reviewedBy: 'counsel',
    noTippingOff,
    documentHash: 'b'.repeat(64),
  },
});
const held: ActivePurpose = { purposeId: 'account', category: 'contact.email', from: instant('2026-03-02T09:00:00Z') };
const given = (more: Partial<DisclosureRow> = {}): DisclosureRow => ({
  disclosure_id: 'd1',
  recipient_id: 'mail-host',
  recipient_kind: 'PROCESSOR',
  category: 'contact.email',
  agreement_id: 'mail',
  instrument_id: null,
  occurred_at: '2026-06-01T09:00:00.000Z',
  ...more,
});
const compelled = (instrument_id: string, disclosure_id: string): DisclosureRow =>
  given({ disclosure_id, recipient_id: 'police', recipient_kind: 'AUTHORITY', agreement_id: null, instrument_id });

const answer = (
  [from, to]: readonly [string, string],
  agreements: readonly AgreementEvent[],
  disclosures: readonly DisclosureRow[] = [],
  active: readonly ActivePurpose[] = [held],
) =>
  agreementsForSubject(
    {
      agreements: registerOf<AgreementEvent, typeof agreementRegister.initialState>(agreementRegister, ...agreements),
      recipients: registerOf<RecipientEvent, typeof recipientRegister.initialState>(recipientRegister, {
        type: 'RecipientRegistered',
        data: { recipientId: 'mail-host', kind: 'PROCESSOR', name: 'Mail Host', country: 'GB' },
      }),
      instruments: registerOf(instrumentRegister, order('open', false), order('secret', true)),
    },
    { from, to },
    disclosures,
    active,
  );
const YEAR = ['2026-01-01', '2026-12-31'] as const;

describe('the agreements that concern a person (C22)', () => {
  it('are those under which their data may be passed on', () =>
    expect(answer(YEAR, [recorded()])).toMatchObject({
      agreements: [{ agreementId: 'mail', recipientName: 'Mail Host', purposes: ['account'], disclosures: 0 }],
      thirdPartyDisclosures: 0,
      recipients: [],
    }));
  it.each<[string, readonly AgreementEvent[], readonly ActivePurpose[]]>([
    ['made for another purpose', [recorded({ purposes: ['news'] })], [held]],
    ['about other data', [recorded({ categories: ['contact.phone'] })], [held]],
    ['without the terms that open the door', [recorded({ checklist: [] })], [held]],
    ['made when nothing of them is held', [recorded()], []],
  ])('are none that is %s', (_what, agreements, active) =>
    expect(answer(YEAR, agreements, [], active).agreements).toEqual([]),
  );
  it('are those too that were used for their data, whatever is held now', () =>
    expect(answer(YEAR, [recorded({ checklist: [] })], [given()], []).agreements).toMatchObject([
      { agreementId: 'mail', purposes: [], categories: ['contact.email'], disclosures: 1 },
    ]));
  it('are those in force on a day of the period, to the day', () => {
    const until = [recorded(), ended('2026-09-01')];
    expect(answer(['2026-08-31', '2026-12-31'], until).agreements).toMatchObject([{ to: '2026-09-01' }]);
    expect(answer(['2026-09-01', '2026-12-31'], until).agreements).toEqual([]);
    expect(answer(['2025-01-01', '2025-12-31'], [recorded()]).agreements).toEqual([]);
  });
  it('count what was held on a day of the period', () => {
    const over = { ...held, to: instant('2026-04-01T09:00:00Z') };
    expect(answer(['2026-01-01', '2026-03-01'], [recorded()], [], [over]).agreements).toEqual([]);
    expect(answer(['2026-04-01', '2026-04-01'], [recorded()], [], [over]).agreements).toHaveLength(1);
    expect(answer(['2026-04-02', '2026-12-31'], [recorded()], [], [over]).agreements).toEqual([]);
  });
  it('count disclosures, not items, and none to the person', () => {
    const found = answer(
      YEAR,
      [recorded()],
      [given(), given(), given({ disclosure_id: 'd2' }), given({ disclosure_id: 'd3', recipient_kind: 'SELF' })],
    );
    expect(found.agreements).toMatchObject([{ disclosures: 2 }]);
    expect(found.recipients).toMatchObject([{ recipientId: 'mail-host', disclosures: 2 }]);
  });
  it('keep what must not be told of apart from all the rest', () => {
    const found = answer(YEAR, [], [compelled('open', 'd1'), compelled('secret', 'd2'), compelled('secret', 'd3')]);
    expect(found).toMatchObject({
      thirdPartyDisclosures: 1,
      recipients: [{ recipientId: 'police', disclosures: 1 }],
      statutory: [{ instrumentId: 'open', disclosures: 1 }],
      withheld: [{ instrumentId: 'secret', disclosures: 2, exemption: 'DPA 2018 Sch 2' }],
    });
  });
});
