import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation } from '../installation.js';
import {
  ART_28_TERMS,
  collect,
  consentOf,
  customer,
  DOCUMENT,
  fresh,
  holders,
  orderOf,
  type Person,
  recipientOf,
  refuses,
  said,
  shareOf,
  TICKET,
} from './life.js';

/** C19: outside the group data goes to nobody, unless a statute leaves no choice. */
describe('the closed door', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-05-31T21:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const recipient = (kind: string, word: string, more: object = {}) => recipientOf(custos, kind, word, more);
  const CONTACT = ['contact.name', 'contact.email', 'contact.phone'];
  const order = (instrumentId: string, more: object = {}) =>
    orderOf(instrumentId, { issuedOn: '2026-05-20', scope: { categories: CONTACT }, ...more });
  const agreement = (agreementId: string, recipientId: string, more: object = {}) => ({
    agreementId,
    recipientId,
    kind: 'art28',
    purposes: ['service-account'],
    categories: CONTACT,
    from: '2020-01-01',
    publicSummary: 'Prints and posts letters for us.',
    documentHash: DOCUMENT,
    checklist: ART_28_TERMS,
    ...more,
  });
  /** The date in London. */
  const today = async (): Promise<string> => {
    const { now } = (await custos.get('crm', '/v1/clock')).body;
    return new Date(now).toLocaleDateString('en-CA', { timeZone: 'Europe/London' });
  };
  /** The open tasks of a recipient, once there are so many. */
  const tasksOf = (recipientId: string, wanted: number) =>
    custos.eventually(
      async () => {
        const reply = await custos.get('dpo', '/v1/return-or-delete?limit=500');
        const tasks = reply.body.tasks.filter((task: { recipientId: string }) => task.recipientId === recipientId);
        return { ...reply, body: { tasks } };
      },
      ({ body }) => body.tasks.length === wanted,
    );
  const notCompelled = (recipientId: string, recipientKind: string) =>
    said('NOT_COMPELLED', 'C19', 'policy; UK GDPR Art 6(1)(c)', { recipientId, recipientKind });
  const disclosures = async (subjectId: string, position: number) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/disclosures`, position)).body.rows;

  it('refuses a third party in spite of signed consent', async () => {
    const asha = await customer(custos);
    const adtech = await recipient('THIRD_PARTY', 'adtech');
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), affirmativeAct: 'signed' });
    const wanted = shareOf(asha, adtech, { consentRef: 'signed-consent-1' });
    const { position } = await refuses(custos, 'crm', 'ShareData', wanted, notCompelled(adtech, 'THIRD_PARTY'));
    await refuses(custos, 'crm', 'ShareData', { ...wanted, basis: 'consent' }, notCompelled(adtech, 'THIRD_PARTY'));
    expect(await disclosures(asha.subjectId, position)).toEqual([]);
  });

  it('shares with a company of the group until the day it is sold', async () => {
    const asha = await customer(custos);
    const pacific = await recipient('GROUP', 'chersoft-pacific');
    await custos.accepted('dpo', 'StartGroupMembership', {
      recipientId: pacific,
      companyNumber: 'EX000009',
      from: '2021-01-01',
    });
    await custos.accepted('dpo', 'EndGroupMembership', { recipientId: pacific, to: '2026-06-01' });
    // The last second of 31 May in London.
    await custos.advanceTo('2026-05-31T22:59:59Z');
    const shared = await custos.accepted('crm', 'ShareData', shareOf(asha, pacific));
    expect(await disclosures(asha.subjectId, shared.position)).toMatchObject([
      { recipient_id: pacific, recipient_kind: 'GROUP', group_company_number: 'EX000009', category: 'contact.email' },
    ]);
    expect((await custos.get('dpo', '/v1/return-or-delete', shared.position)).body.tasks).toEqual([]);
    await custos.advanceTo('2026-05-31T23:00:00Z');
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, pacific),
      said('NOT_GROUP_MEMBER', 'C19', 'policy', { recipientId: pacific, date: '2026-06-01' }),
    );
    // What it holds is to be retrieved or deleted: one task, whoever it is about.
    const [task] = (await tasksOf(pacific, 1)).body.tasks;
    expect(task).toMatchObject({
      reason: 'groupExit',
      reference: 'EX000009',
      since: '2026-06-01',
      due: '2026-07-01',
      overdue: false,
    });
    const about = await custos.get('dpo', `/v1/return-or-delete/${task.taskId}`);
    expect(about.body).toMatchObject({ task, items: [{ subject_id: asha.subjectId, category: 'contact.email' }] });
    // What was given on 31 May may still be recorded; who holds it stays known.
    const late = { ...shareOf(asha, pacific), occurredAt: '2026-05-31T22:30:00Z' };
    const { position } = await custos.accepted('crm', 'ShareData', late);
    const held = await holders(custos, asha.subjectId, '2026-05-31T23:00:00Z', position);
    const copy = { holderKind: 'GROUP', category: 'contact.email', use: 'inUse' };
    expect(held.filter(({ holderId }) => holderId === pacific)).toMatchObject([copy, copy]);
  });

  it('asks a company that left, or whose agreement ended, for what it holds until it has shown what became of it', async () => {
    const asha = await customer(custos);
    const sold = await recipient('GROUP', 'chersoft-sold');
    await custos.accepted('dpo', 'StartGroupMembership', {
      recipientId: sold,
      companyNumber: 'EX000017',
      from: '2021-01-01',
    });
    const printer = await recipient('PROCESSOR', 'printer');
    const empty = await recipient('PROCESSOR', 'printer');
    const agreementId = fresh('printing');
    await custos.accepted('counsel', 'RecordAgreement', agreement(agreementId, printer, { to: '2026-06-03' }));
    await custos.accepted('counsel', 'RecordAgreement', agreement(fresh('printing'), empty, { to: '2026-06-03' }));
    await custos.accepted('crm', 'ShareData', shareOf(asha, sold));
    const { position } = await custos.accepted('crm', 'ShareData', shareOf(asha, printer));
    expect((await custos.get('dpo', '/v1/registers/return-or-delete', position)).body.rows).not.toContainEqual(
      expect.objectContaining({ recipient_id: printer }),
    );
    await custos.accepted('dpo', 'EndGroupMembership', { recipientId: sold, to: '2026-06-02' });
    await custos.advanceTo('2026-06-02T23:00:00Z');
    const [left] = (await tasksOf(sold, 1)).body.tasks;
    const [over] = (await tasksOf(printer, 1)).body.tasks;
    expect(over).toMatchObject({
      reason: 'agreementEnded',
      reference: agreementId,
      since: '2026-06-03',
      due: '2026-07-03',
    });
    // Who was given nothing has nothing to return.
    expect((await tasksOf(empty, 0)).body.tasks).toEqual([]);

    const about = { recipientId: sold, taskId: left.taskId, reference: 'certificate-1' };
    await refuses(
      custos,
      'dpo',
      'ConfirmReturnOrDelete',
      { ...about, outcome: 'continued' },
      said('NOT_GROUP_MEMBER', 'C19', 'policy', { recipientId: sold, date: '2026-06-03' }),
    );
    const unknown = { ...about, taskId: randomUUID(), outcome: 'deleted' };
    await refuses(
      custos,
      'dpo',
      'ConfirmReturnOrDelete',
      unknown,
      said('REGISTER_ENTRY_UNKNOWN', '', 'engine rule', { recipientId: sold, taskId: unknown.taskId }),
    );
    const copies = async () => {
      const held = await holders(custos, asha.subjectId, '2026-06-02T23:00:00Z');
      return held.filter(({ to }) => to === null).map(({ holderId }) => holderId);
    };
    expect(await copies()).toEqual(expect.arrayContaining([sold, printer]));
    await custos.accepted('dpo', 'ConfirmReturnOrDelete', { ...about, outcome: 'deleted' });
    // It holds nothing of anybody any more, and each person's history says since when.
    await custos.eventually(
      async () => ({ status: 200, body: await copies() }),
      ({ body }) => !body.includes(sold),
    );
    expect(await copies()).toContain(printer);
    expect((await tasksOf(sold, 0)).body.tasks).toEqual([]);
    const rows = await custos.get('auditor', `/v1/registers/return-or-delete?recipient_id=${sold}`);
    expect(rows.body.rows).toMatchObject([{ status: 'closed', outcome: 'deleted', proof: 'certificate-1' }]);
    expect((await tasksOf(printer, 1)).body.tasks).toMatchObject([{ overdue: false }]);
    await custos.advanceTo('2026-07-03T23:00:00Z');
    expect((await tasksOf(printer, 1)).body.tasks).toMatchObject([{ overdue: true }]);
  });

  it('gives the police what an order names, and no letter gives them anything', async () => {
    const person = await customer(custos);
    const ticket = await collect(custos, person.subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    const police = await recipient('AUTHORITY', 'constabulary');
    await refuses(custos, 'crm', 'ShareData', shareOf(person, police), notCompelled(police, 'AUTHORITY'));

    const instrumentId = fresh('order');
    await custos.accepted('counsel', 'RecordStatutoryInstrument', order(instrumentId));
    const wide = shareOf(person, police, {
      instrumentId,
      itemIds: [person.items['contact.email'], ticket['ticket.text']],
    });
    await refuses(
      custos,
      'counsel',
      'ShareData',
      wide,
      said('DISCLOSURE_EXCEEDS_SCOPE', 'C19', 'policy; UK GDPR Art 5(1)(c)', {
        instrumentId,
        categories: ['ticket.text'],
      }),
    );
    const { position } = await custos.accepted('counsel', 'ShareData', shareOf(person, police, { instrumentId }));
    expect(await disclosures(person.subjectId, position)).toMatchObject([
      { recipient_id: police, instrument_id: instrumentId, basis: 'legalObligation', category: 'contact.email' },
    ]);
  });

  it.each([
    ['another person', (other: Person) => ({ subjectIds: [other.subjectId] }), 'subjectId'],
    ['another authority', () => ({ recipientIds: ['revenue-office'] }), 'recipientId'],
  ])('stretches no order to %s', async (_what, scope, beyond) => {
    const [asha, other] = [await customer(custos), await customer(custos)];
    const police = await recipient('AUTHORITY', 'constabulary');
    const instrumentId = fresh('order');
    const named = order(instrumentId, { scope: { categories: CONTACT, ...scope(other) } });
    await custos.accepted('counsel', 'RecordStatutoryInstrument', named);
    await refuses(
      custos,
      'counsel',
      'ShareData',
      shareOf(asha, police, { instrumentId }),
      said('DISCLOSURE_EXCEEDS_SCOPE', 'C19', 'policy; UK GDPR Art 5(1)(c)', {
        instrumentId,
        [beyond]: beyond === 'subjectId' ? asha.subjectId : police,
      }),
    );
  });

  it('takes for compulsion only an instrument that is whole and was reviewed by another lawyer', async () => {
    const instrumentId = fresh('order');
    const incomplete = (...missing: string[]) =>
      said('COMPULSION_INCOMPLETE', 'C19', 'policy; UK GDPR Art 6(1)(c)', { instrumentId, missing });
    const all = ['enactment', 'section', 'instrumentKind', 'reference', 'issuer'];
    const rest = ['issuedOn', 'scope', 'mandatory', 'reviewedBy', 'documentHash'];
    await refuses(custos, 'counsel', 'RecordStatutoryInstrument', { instrumentId }, incomplete(...all, ...rest));
    for (const [name, value] of [
      ['enactment', ' '],
      ['mandatory', false],
      ['reviewedBy', 'counsel'],
      ['documentHash', undefined],
    ] as const)
      await refuses(
        custos,
        'counsel',
        'RecordStatutoryInstrument',
        order(instrumentId, { [name]: value }),
        incomplete(name),
      );
    await custos.accepted('counsel', 'RecordStatutoryInstrument', order(instrumentId));
  });

  it('obeys no instrument that is not in force', async () => {
    const asha = await customer(custos);
    const police = await recipient('AUTHORITY', 'constabulary');
    const recorded = async (more: object = {}): Promise<string> => {
      const instrumentId = fresh('order');
      await custos.accepted('counsel', 'RecordStatutoryInstrument', order(instrumentId, more));
      return instrumentId;
    };
    const notInForce = (instrumentId: string, reason: string) =>
      refuses(
        custos,
        'counsel',
        'ShareData',
        shareOf(asha, police, { instrumentId }),
        said('INSTRUMENT_NOT_IN_FORCE', 'C19', 'policy; UK GDPR Art 6(1)(c)', { instrumentId, reason }),
      );
    await notInForce(fresh('order'), 'unknown');
    await notInForce(await recorded({ issuedOn: '2026-12-24' }), 'notIssued');
    await notInForce(await recorded({ validUntil: '2026-05-30' }), 'lapsed');
    const withdrawn = await recorded();
    await custos.accepted('counsel', 'WithdrawInstrument', { instrumentId: withdrawn });
    await notInForce(withdrawn, 'withdrawn');
    const answered = await recorded();
    await custos.accepted('counsel', 'ShareData', shareOf(asha, police, { instrumentId: answered }));
    await custos.accepted('counsel', 'MarkInstrumentAnswered', { instrumentId: answered });
    await notInForce(answered, 'answered');
  });

  it('gives a firm that works for us what its agreement covers', async () => {
    const asha = await customer(custos);
    const { position } = await custos.accepted('crm', 'ShareData', shareOf(asha, 'example-mail-host'));
    expect(await disclosures(asha.subjectId, position)).toMatchObject([{ agreement_id: 'example-mail-hosting' }]);
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, 'example-mail-host', { itemIds: [asha.items['contact.phone']] }),
      said('AGREEMENT_DOES_NOT_COVER', 'C19 C22', 'UK GDPR Art 28', {
        recipientId: 'example-mail-host',
        agreementId: 'example-mail-hosting',
        purposeId: 'service-account',
        categories: ['contact.phone'],
      }),
    );

    const printer = await recipient('PROCESSOR', 'printer');
    const missing = said('AGREEMENT_MISSING', 'C19 C22', 'UK GDPR Art 28', { recipientId: printer });
    await refuses(custos, 'crm', 'ShareData', shareOf(asha, printer), missing);
    const agreementId = fresh('printing');
    const expired = agreement(agreementId, printer, { to: '2026-05-01' });
    await refuses(
      custos,
      'counsel',
      'RecordAgreement',
      { ...expired, publicSummary: '  ' },
      said('AGREEMENT_SUMMARY_MISSING', 'C22', 'UK GDPR Art 15(1)(c)', { agreementId, field: 'publicSummary' }),
    );
    await custos.accepted('counsel', 'RecordAgreement', expired);
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, printer),
      said('AGREEMENT_EXPIRED', 'C19 C22', 'UK GDPR Art 28', { recipientId: printer, date: await today() }),
    );
  });

  it('makes nobody a processor without the terms that the law asks of a contract', async () => {
    const asha = await customer(custos);
    const printer = await recipient('PROCESSOR', 'printer');
    const agreementId = fresh('printing');
    const draft = agreement(agreementId, printer, { checklist: ['instructions', 'confidentiality', 'security'] });
    await custos.accepted('counsel', 'RecordAgreement', draft);
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, printer),
      said('AGREEMENT_DOES_NOT_COVER', 'C19 C22', 'UK GDPR Art 28', {
        recipientId: printer,
        agreementId,
        purposeId: 'service-account',
        categories: [],
        missingTerms: ['subProcessors', 'rightsRequests', 'assistance', 'deleteOrReturn', 'audit'],
      }),
    );
    const { recipientId: _whose, kind: _kind, ...terms } = agreement(agreementId, printer, { from: '2026-06-01' });
    await refuses(
      custos,
      'counsel',
      'AmendAgreement',
      { ...terms, version: 3 },
      said('VERSION_CONFLICT', '', 'engine rule', { agreementId, version: 1 }),
    );
    const amended = await custos.accepted('counsel', 'AmendAgreement', { ...terms, version: 2 });
    const rows = (await custos.get('auditor', `/v1/registers/agreements?agreement_id=${agreementId}`, amended.position))
      .body.rows;
    expect(rows).toMatchObject([
      { version: 1, kind: 'art28', amended_from: '2026-06-01' },
      { version: 2, in_force_from: '2026-06-01', amended_from: null },
    ]);
    if ((await today()) < '2026-06-01') await custos.advanceTo('2026-06-01T09:00:00Z');
    await custos.accepted('crm', 'ShareData', shareOf(asha, printer));
  });

  it('knows who belonged to the group on any day', async () => {
    const members = async (query: string) =>
      (await custos.get('auditor', `/v1/group${query}`)).body.members.map(
        ({ recipientId }: { recipientId: string }) => recipientId,
      );
    const harbour = await recipient('GROUP', 'harbour');
    await custos.accepted('dpo', 'StartGroupMembership', {
      recipientId: harbour,
      companyNumber: 'EX000021',
      from: '2022-03-01',
    });
    await custos.accepted('dpo', 'EndGroupMembership', { recipientId: harbour, to: '2023-03-01' });
    expect(await members('?asOf=2022-02-28')).not.toContain(harbour);
    expect(await members('?asOf=2022-03-01')).toContain(harbour);
    expect(await members('?asOf=2023-03-01')).not.toContain(harbour);
    expect(await members('')).toEqual(
      expect.arrayContaining(['chersoft', 'example-harbour-charts', 'example-pacific']),
    );
    expect(await custos.get('auditor', '/v1/group?asOf=2023-02-30')).toMatchObject({
      status: 400,
      body: { fields: [{ field: 'asOf', rule: 'isCivilDate' }] },
    });
  });

  it('knows holders of every kind', async () => {
    const asha = await customer(custos);
    const police = await recipient('AUTHORITY', 'constabulary');
    const insurer = await recipient('THIRD_PARTY', 'insurer');
    const instrumentId = fresh('order');
    const scope = { categories: CONTACT, recipientIds: [police, insurer] };
    await custos.accepted('counsel', 'RecordStatutoryInstrument', order(instrumentId, { scope }));
    for (const recipientId of ['example-harbour-charts', 'example-mail-host', 'person'])
      await custos.accepted('support', 'ShareData', shareOf(asha, recipientId));
    let last = 0;
    for (const recipientId of [police, insurer])
      last = (await custos.accepted('counsel', 'ShareData', shareOf(asha, recipientId, { instrumentId }))).position;
    const { now } = (await custos.get('crm', '/v1/clock')).body;
    const held = await holders(custos, asha.subjectId, now, last);
    expect(
      held
        .filter(({ category }) => category === 'contact.email')
        .map(({ holderKind, holderId, basis, basisRef }) => [holderKind, holderId, basis, basisRef]),
    ).toEqual([
      ['CONTROLLER', 'controller', 'contract', null],
      ['GROUP', 'example-harbour-charts', 'contract', null],
      ['PROCESSOR', 'example-mail-host', 'contract', 'example-mail-hosting'],
      ['SELF', 'person', 'contract', null],
      ['AUTHORITY', police, 'legalObligation', instrumentId],
      ['THIRD_PARTY', insurer, 'legalObligation', instrumentId],
    ]);
  });

  it('lets nothing leave the country without a safeguard', async () => {
    const asha = await customer(custos);
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, 'example-pacific'),
      said('TRANSFER_MECHANISM_MISSING', 'C19', 'UK GDPR Art 44-49', { recipientId: 'example-pacific', country: 'NZ' }),
    );
    const { position } = await custos.accepted(
      'crm',
      'ShareData',
      shareOf(asha, 'example-pacific', { transferMechanism: 'adequacy' }),
    );
    expect(await disclosures(asha.subjectId, position)).toMatchObject([{ transfer_mechanism: 'adequacy' }]);
  });

  it('knows every recipient by name', async () => {
    const asha = await customer(custos);
    const recipientId = fresh('somebody');
    const unknown = said('RECIPIENT_UNKNOWN', 'C19', 'UK GDPR Art 5(1)(f)', { recipientId });
    await refuses(custos, 'crm', 'ShareData', shareOf(asha, recipientId), unknown);
    await refuses(custos, 'dpo', 'EndGroupMembership', { recipientId, to: '2026-01-01' }, unknown);
  });

  it('gives nothing away while processing is restricted, but to a statute and to the person', async () => {
    const asha = await customer(custos);
    const police = await recipient('AUTHORITY', 'constabulary');
    const instrumentId = fresh('order');
    await custos.accepted('counsel', 'RecordStatutoryInstrument', order(instrumentId));
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId: asha.subjectId, ground: '18(1)(b)' });
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, 'example-harbour-charts'),
      said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', {
        recipientId: 'example-harbour-charts',
        purposeId: 'service-account',
      }),
    );
    await custos.accepted('counsel', 'ShareData', shareOf(asha, police, { instrumentId }));
    await custos.accepted('support', 'ShareData', shareOf(asha, 'person'));
    await refuses(
      custos,
      'dpo',
      'LiftRestriction',
      { subjectId: asha.subjectId },
      said('RESTRICTION_LIFT_NOT_NOTIFIED', 'C05 C19', 'UK GDPR Art 18(3)', { field: 'informedAt' }),
    );
  });

  it('is one disclosure however often it is told', async () => {
    const asha = await customer(custos);
    const disclosureId = randomUUID();
    const first = shareOf(asha, 'example-harbour-charts', { disclosureId });
    await custos.accepted('crm', 'ShareData', first);
    const again = await custos.accepted('crm', 'ShareData', first);
    expect(again.events).toEqual([]);
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...first, itemIds: [asha.items['contact.phone']] },
      said('REGISTER_ENTRY_EXISTS', '', 'engine rule', { disclosureId }),
    );
  });
});
