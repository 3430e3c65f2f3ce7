import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation, type ActorName, type Reply } from '../installation.js';
import { tracesBelow } from '../plaintext.js';
import {
  acquaintance,
  BILLING,
  collect,
  consentOf,
  customer,
  fresh,
  holders,
  orderOf,
  recipientOf,
  refuses,
  said,
  shareOf,
  SHOWN,
  stranger,
  TICKET,
} from './life.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const TEXT = 'Chart 12 does not open.';
const INVOICE = 'One chart, 12.00';

/** Domain scenarios 4, 6, 7 and 8: what became of data that was given away, corrected, kept and erased, end to end. */
describe('the life of personal data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-life-'));
  const journal = join(folder, 'erasures.jsonl');
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z', { ERASURE_JOURNAL: journal });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const now = async (): Promise<string> => (await custos.get('operator', '/v1/clock')).body.now;
  const recipient = (kind: string, word: string) => recipientOf(custos, kind, word);
  const schedule = (subjectId: string) => custos.get('auditor', `/v1/subjects/${subjectId}/retention`);
  const until = (subjectId: string, wanted: (rows: Record<string, unknown>[]) => boolean): Promise<Reply> =>
    custos.eventually(
      () => schedule(subjectId),
      ({ body }) => wanted(body.rows),
    );
  const allErased = (rows: Record<string, unknown>[]): boolean => rows.every(({ status }) => status === 'erased');
  const why = async (subjectId: string, itemId: string | undefined) =>
    (await custos.get('dpo', `/v1/retention/why?subject=${subjectId}&item=${itemId}`)).body;
  const erasureOf = async (subjectId: string, index = 0): Promise<string> =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/erasures`)).body.rows[index].erasure_id;
  const certificate = (erasureId: string, actor: ActorName = 'dpo') =>
    custos.get(actor, `/v1/erasures/${erasureId}/certificate`);
  const cli = (clock: string, ...words: string[]) =>
    spawnSync(process.execPath, [CLI, ...words], {
      env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: `simulated:${clock}` },
      encoding: 'utf8',
    });

  /** Everything that somebody can ask about a person, as text. */
  const answersAbout = async (actor: ActorName, role: string, subjectId: string): Promise<string> => {
    const { body } = await custos.get('auditor', '/v1/permissions');
    const paths = (body.permissions as { name: string; roles: string[] }[])
      .filter(({ name, roles }) => name.startsWith('GET /v1/subjects/:subjectId') && roles.includes(role))
      // They ask for more than whom it is about, and tell of consents and of usage alone.
      .filter(({ name }) => !/\/(usage|receipt)$/.test(name))
      .map(({ name }) => name.slice('GET '.length).replace(':subjectId', subjectId));
    expect(paths.length).toBeGreaterThan(3);
    const replies = await Promise.all(paths.map(async (path) => [path, await custos.get(actor, path)] as const));
    for (const [path, { status }] of replies) expect([path, status]).toEqual([path, 200]);
    return JSON.stringify(replies.map(([, reply]) => reply.body));
  };

  it('4: opens no door to an advertiser in spite of consent, gives a production order what it names, and tips off nobody', async () => {
    const asha = await customer(custos);
    const { subjectId, items } = asha;
    const adtech = await recipient('THIRD_PARTY', 'adtech');
    const police = await recipient('AUTHORITY', 'constabulary');
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(subjectId), affirmativeAct: 'signed' });
    await refuses(
      custos,
      'crm',
      'ShareData',
      shareOf(asha, adtech, { basis: 'consent', consentRef: 'signed-consent-1' }),
      said('NOT_COMPELLED', 'C19', 'policy; UK GDPR Art 6(1)(c)', {
        recipientId: adtech,
        recipientKind: 'THIRD_PARTY',
      }),
    );

    const recorded = async (noTippingOff: boolean): Promise<string> => {
      const instrumentId = fresh('order');
      await custos.accepted('counsel', 'RecordStatutoryInstrument', orderOf(instrumentId, { noTippingOff }));
      return instrumentId;
    };
    const secret = await recorded(true);
    const wide = shareOf(asha, police, {
      instrumentId: secret,
      itemIds: [items['contact.email'], items['contact.phone']],
    });
    // Nobody but those who may know of the order finds this refusal on record.
    expect(await custos.refused('counsel', 'ShareData', wide)).toMatchObject({
      code: 'DISCLOSURE_EXCEEDS_SCOPE',
      details: { instrumentId: secret, categories: ['contact.phone'] },
    });
    const trimmed = shareOf(asha, police, { instrumentId: secret });
    const { position } = await custos.accepted('counsel', 'ShareData', trimmed);
    expect((await custos.get('auditor', `/v1/subjects/${subjectId}/disclosures`, position)).body.rows).toMatchObject([
      { recipient_id: police, instrument_id: secret, category: 'contact.email', basis: 'legalObligation' },
    ]);

    const agreements = async (actor: ActorName, about = subjectId) =>
      (await custos.get(actor, `/v1/subjects/${about}/agreements`, position)).body;
    const staff = await agreements('support');
    expect(staff).toMatchObject({
      none: false,
      thirdPartyDisclosures: 0,
      statutory: [],
      recipients: [],
      withheld: [{ exemption: 'DPA 2018 Sch 2' }],
    });
    expect((await agreements('dpo')).withheld).toMatchObject([
      { instrumentId: secret, recipientId: police, disclosures: 1, exemption: 'DPA 2018 Sch 2' },
    ]);

    // The order stays secret through all that is told of the copy later: a correction, a restriction and an erasure.
    const correction = { subjectId, itemId: items['contact.email'], fromVersion: 1, value: 'asha@example-new.test' };
    await custos.accepted('support', 'CorrectData', { ...correction, reasonCode: 'outOfDate' });
    await refuses(
      custos,
      'support',
      'CompleteCorrection',
      { subjectId, itemId: items['contact.email'], version: 2 },
      said('RECIPIENTS_NOT_NOTIFIED', 'C21', 'UK GDPR Art 19', {
        itemId: items['contact.email'],
        recipients: [],
        compelled: 1,
      }),
    );
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId, ground: '18(1)(b)' });
    const due = await custos.get('dpo', `/v1/subjects/${subjectId}/recipient-notifications`);
    expect(due.body.rows.map(({ what, recipient_id }: Record<string, unknown>) => [what, recipient_id])).toEqual([
      ['correction', police],
      ['restriction', police],
    ]);
    const about = { subjectId, recipientId: police, outcome: 'notified' };
    await custos.accepted('dpo', 'NotifyRecipient', { ...about, itemId: items['contact.email'], version: 2 });
    await custos.accepted('support', 'CompleteCorrection', { subjectId, itemId: items['contact.email'], version: 2 });
    await custos.accepted('dpo', 'LiftRestriction', { subjectId, informedAt: await now() });
    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'request' });
    await until(subjectId, allErased);
    const erasureId = await erasureOf(subjectId);
    expect((await certificate(erasureId)).body.recipients).toMatchObject([{ recipientId: police, status: 'due' }]);
    const told = (await certificate(erasureId, 'support')).body;
    expect(told).toMatchObject({ recipients: [], recipientsWithheld: 1 });

    const unsaid = new RegExp(`${secret}|${police}|Example constabulary`);
    const held = await custos.get('support', `/v1/who-held-what?subject=${subjectId}`);
    expect(held.body.withheld).toBe(1);
    const herself = await custos.admit(`asha-${subjectId}`, { actorType: 'app_user', roles: ['subject'], subjectId });
    const all = {
      staff: await answersAbout('support', 'staff', subjectId),
      subject: await answersAbout(herself, 'subject', subjectId),
      holders: JSON.stringify(held.body),
      certificate: JSON.stringify(told),
      refusals: JSON.stringify((await custos.get('support', '/v1/refusals?limit=500')).body),
    };
    for (const [where, answer] of Object.entries(all))
      expect([where, unsaid.exec(answer)?.[0]]).toEqual([where, undefined]);

    // Staff see that something is withheld; to the person even that would say too much.
    expect(all.staff).toMatch(/"withheld":[1-9]/);
    expect(all.subject).not.toMatch(/"withheld":[1-9]|"withheld"[^:]/);

    // What is not secret is listed, and nothing is withheld from a person of whom nothing was given away.
    const ben = await customer(custos);
    const open = await recorded(false);
    const given = await custos.accepted('counsel', 'ShareData', shareOf(ben, police, { instrumentId: open }));
    expect(
      (await custos.get('support', `/v1/subjects/${ben.subjectId}/agreements`, given.position)).body,
    ).toMatchObject({
      thirdPartyDisclosures: 1,
      statutory: [{ instrumentId: open, recipientId: police, section: 'Sch 1 para 4', disclosures: 1 }],
      withheld: [],
    });
    expect(await agreements('support', await stranger(custos))).toMatchObject({ none: true, withheld: [] });
  });

  it('6: brings a correction to the companies that have the old value, and answers differently before and after', async () => {
    const asha = await customer(custos);
    const itemId = asha.items['contact.phone'] ?? '';
    const about = { subjectId: asha.subjectId, itemId, version: 2 };
    await custos.accepted('crm', 'ShareData', shareOf(asha, 'example-harbour-charts', {}, 'contact.phone'));
    await custos.accepted(
      'crm',
      'ShareData',
      shareOf(asha, 'example-pacific', { transferMechanism: 'adequacy' }, 'contact.phone'),
    );
    await custos.accepted('support', 'ShareData', shareOf(asha, 'person', {}, 'contact.phone'));
    const before = await now();

    await custos.advanceTo('2026-11-24T09:00:00Z');
    await custos.accepted('support', 'CorrectData', {
      subjectId: asha.subjectId,
      itemId,
      fromVersion: 1,
      value: '+44 20 7946 0199',
      reasonCode: 'outOfDate',
    });
    const waiting = (...recipients: string[]) =>
      said('RECIPIENTS_NOT_NOTIFIED', 'C21', 'UK GDPR Art 19', { itemId, recipients });
    await refuses(custos, 'support', 'CompleteCorrection', about, waiting('example-harbour-charts', 'example-pacific'));
    const harbour = { ...about, recipientId: 'example-harbour-charts' };
    await custos.accepted('crm', 'NotifyRecipient', { ...harbour, outcome: 'notified' });
    await refuses(custos, 'support', 'CompleteCorrection', about, waiting('example-pacific'));
    const pacific = { ...about, recipientId: 'example-pacific' };
    await custos.accepted('crm', 'NotifyRecipient', { ...pacific, outcome: 'impossible' });
    const { position } = await custos.accepted('support', 'CompleteCorrection', about);

    const phone = async (asOf: string) =>
      (await holders(custos, asha.subjectId, asOf, position))
        .filter((row) => row['itemId'] === itemId)
        .map(({ holderId, version, use, notified }) => [holderId, version, use, notified]);
    const then = [
      ['controller', 1, 'inUse', null],
      ['example-harbour-charts', 1, 'inUse', null],
      ['example-pacific', 1, 'inUse', null],
      ['person', 1, 'inUse', null],
    ];
    expect(await phone(before)).toEqual(then);
    expect(await phone('2026-11-23T23:59:59.999Z')).toEqual(then);
    expect(await phone('2026-11-24T09:00:00Z')).toEqual([
      ['controller', 1, 'superseded', null],
      ['example-harbour-charts', 1, 'superseded', 'notified'],
      ['example-pacific', 1, 'superseded', 'impossible'],
      ['person', 1, 'superseded', null],
      ['controller', 2, 'inUse', null],
    ]);
  });

  it('7: defers what is due while an access request is open, erases it when that is answered, and no backup brings it back', async () => {
    const subjectId = await acquaintance(custos);
    const { 'ticket.text': itemId = '' } = await collect(custos, subjectId, TICKET, { 'ticket.text': TEXT });
    const deferralId = randomUUID();
    await custos.accepted('support', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-1' });
    const request = { subjectId, deferralId, cause: 'openAccessRequest', caseRef: 'SAR-1' };
    await custos.accepted('dpo', 'OpenDeferral', request);
    await custos.advanceTo('2028-11-25T09:00:00Z');
    await until(subjectId, (rows) => rows[0]?.['deferred_by'] === 'openAccessRequest');
    expect((await why(subjectId, itemId)).versions).toMatchObject([
      {
        status: 'kept',
        deferral: { cause: 'openAccessRequest', ref: deferralId, law: 'UK GDPR Art 15; DPA 2018 s.173' },
      },
    ]);
    const due = await custos.get('dpo', '/v1/retention/due');
    expect(due.body.exceptions).toMatchObject([{ cause: 'openAccessRequest', versions: 1 }]);
    await custos.eventually(
      () => custos.get('dpo', '/v1/retention/overdue'),
      ({ body }) => [body.notStarted, body.notErased, body.notFinal].every((rows) => rows.length === 0),
    );
    // It can be handed to the person, and serves nothing else.
    await custos.renewAccess();
    const file = async () =>
      (await custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=SAR-1`)).body.holdings.map(
        (held: { value?: string; withheld?: string }) => held.value ?? held.withheld,
      );
    expect(await file()).toEqual([TEXT]);
    await refuses(
      custos,
      'support',
      'AuthoriseUse',
      { subjectId, purposeId: 'support-ticket', itemIds: [itemId] },
      said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', { purposeId: 'support-ticket', items: [itemId] }),
    );
    await refuses(
      custos,
      'dpo',
      'EraseData',
      { subjectId, cause: 'request', itemIds: [itemId] },
      said('DEFERRED_OPEN_ACCESS_REQUEST', 'C16 C20', 'UK GDPR Art 15; DPA 2018 s.173', {
        items: [itemId],
        deferrals: [deferralId],
      }),
    );
    const backup = join(folder, 'backup');
    const clock = await now();
    expect(cli(clock, 'backup', backup).stderr).toBe('');

    // The answer is with the person: what was due goes at once, on the same day.
    await custos.accepted('dpo', 'CloseDeferral', { subjectId, deferralId });
    await until(subjectId, allErased);
    expect((await why(subjectId, itemId)).inPlainWords).toEqual(['Version 1 is erased: its key was destroyed.']);
    expect((await certificate(await erasureOf(subjectId))).body).toMatchObject({
      cause: 'retention',
      destroyedAt: expect.stringMatching(/^2028-11-25T/),
    });
    await custos.eventually(
      async () => ({ status: 200, body: await file() }),
      ({ body }) => body[0] === 'forgotten',
    );
    // Proofs that its old events are in the log wait for the library of evidence, which is not built yet.
    const gone = async () => {
      expect(await file()).toEqual(['forgotten']);
      await refuses(
        custos,
        'dpo',
        'EraseData',
        { subjectId, cause: 'request', itemIds: [itemId] },
        said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17', { items: [itemId] }),
      );
      expect(tracesBelow(custos.dataDir, [TEXT])).toEqual([]);
    };
    await gone();

    // An older vault alone.
    await custos.kill();
    copyFileSync(join(backup, 'vault.db'), join(custos.dataDir, 'vault.db'));
    for (const rest of ['vault.db-wal', 'vault.db-shm']) rmSync(join(custos.dataDir, rest), { force: true });
    await custos.launch(clock);
    await gone();

    // The whole installation.
    await custos.kill();
    const aside = join(folder, 'aside');
    renameSync(custos.dataDir, aside);
    mkdirSync(custos.dataDir, { mode: 0o700 });
    copyFileSync(join(aside, 'master.key'), join(custos.dataDir, 'master.key'));
    const restored = cli(clock, 'restore', backup, '--erasures', journal);
    expect(restored.stderr).toBe('');
    expect(JSON.parse(restored.stdout).destroyed).toBeGreaterThan(0);
    await custos.launch(clock);
    await until(subjectId, allErased);
    await gone();
    expect(tracesBelow(backup, [TEXT])).toEqual([]);
    const digest = (await custos.get('auditor', '/v1/digest')).body;
    const replayed = cli(clock, 'replay', '--digest', '--through', String(digest.position));
    expect(JSON.parse(replayed.stdout).digest).toBe(digest.digest);
  });

  it('8: erases a person but for what a statute keeps, says so truthfully, and ends it when duty and backups have ended', async () => {
    const person = await customer(custos);
    const { subjectId } = person;
    const { 'billing.invoice': invoice = '' } = await collect(custos, subjectId, BILLING, {
      'billing.invoice': INVOICE,
    });
    await custos.accepted('crm', 'ShareData', shareOf(person, 'example-mail-host'));
    await custos.accepted('crm', 'ShareData', shareOf(person, 'example-harbour-charts', {}, 'contact.phone'));
    await custos.accepted('crm', 'ObjectToMarketing', { subjectId });
    await refuses(
      custos,
      'dpo',
      'EraseData',
      { subjectId, cause: 'request', itemIds: [invoice] },
      said('ERASURE_EXCEPTION_APPLIES', 'C16', 'UK GDPR Art 17(3)', {
        items: [invoice],
        exceptions: ['legalObligation'],
        refs: ['billing'],
      }),
    );
    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'request', caseRef: 'CASE-8' });
    await until(subjectId, (rows) => rows.filter(({ status }) => status === 'erased').length === 4);
    const erasureId = await erasureOf(subjectId);
    const reply = async () => (await certificate(erasureId)).body;
    const stated = await reply();
    expect(stated).toMatchObject({
      status: 'erased',
      method: 'keyDestruction',
      personKeyDestroyed: false,
      remaining: [{ category: 'billing.invoice', reason: 'legalObligation', law: 'UK GDPR Art 17(3)(b)', until: null }],
      recipients: [
        { recipientId: 'example-harbour-charts', status: 'due' },
        { recipientId: 'example-mail-host', status: 'due' },
      ],
      recipientsWithheld: 0,
    });
    expect(stated.destroyed).toHaveLength(4);
    const horizon = stated.keystoreBackupHorizon.slice(0, 10);
    // Every line of what remains, but for proofs and statistics, which are not built yet.
    expect(stated.inPlainWords).toEqual([
      expect.stringMatching(
        /^On 2028-11-25 we destroyed the keys that make 4 values \(account\.number, contact\.email, contact\.name, contact\.phone\) readable\./,
      ),
      `Copies of these keys in backups are gone by ${horizon}; until then we touch none of them.`,
      'We still hold 1 value (billing.invoice), because a law obliges us to keep it, until that has ended; we use it for nothing else.',
      'Example Harbour Charts Ltd (fictional) was given a copy and is still to be told to erase it.',
      'Example Mail Host Ltd (fictional, mail.example.test) was given a copy and is still to be told to erase it.',
      'Copies that others hold are out of our reach: we tell each of them, and follow it until it has confirmed.',
      expect.stringMatching(/^The encrypted form of the values stays in the log/),
      expect.stringMatching(/^We keep that something was decided and when, under random numbers/),
      expect.stringMatching(/^We keep whom we gave data, without the data/),
      expect.stringMatching(/^If you objected to marketing, we keep a keyed digest of the address/),
    ]);
    await refuses(
      custos,
      'dpo',
      'FinaliseErasure',
      { subjectId, erasureId },
      said('ERASURE_INCOMPLETE', 'C16', 'UK GDPR Art 17', { erasureId, until: stated.keystoreBackupHorizon }),
    );
    const closed = said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17');
    await refuses(custos, 'crm', 'RegisterSubject', { subjectId, capacity: 'individual' }, closed);
    await refuses(custos, 'crm', 'PresentNotice', { subjectId, ...SHOWN }, closed);
    await refuses(custos, 'crm', 'ObjectToMarketing', { subjectId }, closed);
    // Neither the invoice nor a copy of it serves anything but the duty.
    const use = await custos.refused('support', 'AuthoriseUse', {
      subjectId,
      purposeId: 'product-news',
      channel: 'email',
      itemIds: [invoice],
    });
    expect(use.code).toMatch(/^(ITEM_NOT_HELD_FOR_PURPOSE|DATA_ERASED|MARKETING_OBJECTION)$/);

    // Who holds a copy is told, and followed until it has confirmed; the reply says how far that is.
    for (const recipientId of ['example-mail-host', 'example-harbour-charts']) {
      const about = { subjectId, recipientId, what: 'erasure' };
      await custos.accepted('crm', 'NotifyRecipient', { ...about, outcome: 'notified' });
    }
    const confirmed = { subjectId, recipientId: 'example-mail-host', what: 'erasure', reference: 'receipt-8' };
    await custos.accepted('crm', 'ConfirmRecipient', confirmed);
    expect((await reply()).recipients).toMatchObject([
      { recipientId: 'example-harbour-charts', status: 'notified' },
      { recipientId: 'example-mail-host', status: 'confirmed' },
    ]);
    expect((await reply()).inPlainWords).toEqual(
      expect.arrayContaining([
        'We told Example Harbour Charts Ltd (fictional) to erase its copy; it has not confirmed that yet.',
        'Example Mail Host Ltd (fictional, mail.example.test) has confirmed that it erased its copy.',
      ]),
    );

    // The duty ends six years after its accounting period: then the rest goes, and with it the person's own key.
    const ended = await custos.accepted('crm', 'EndAccountingPeriod', { subjectId });
    const dated = (await custos.get('dpo', `/v1/erasures/${erasureId}/certificate`, ended.position)).body;
    expect(dated.remaining).toMatchObject([{ until: expect.stringMatching(/^2034-11-25T/) }]);
    expect(dated.inPlainWords).toContain(
      'We still hold 1 value (billing.invoice), because a law obliges us to keep it, until 2034-11-25; we use it for nothing else.',
    );
    await custos.advanceTo('2034-11-27T09:00:00Z');
    await until(subjectId, allErased);
    const rest = (await certificate(await erasureOf(subjectId, 1))).body;
    expect(rest).toMatchObject({ cause: 'retention', personKeyDestroyed: true, status: 'erased' });
    await custos.advanceTo('2034-12-28T09:00:00Z');
    for (const id of [erasureId, rest.erasureId])
      await custos.eventually(
        () => certificate(id),
        ({ body }) => body.status === 'finalised',
      );
    const final = await reply();
    expect(final).toMatchObject({ remaining: [], verifiedBy: 'steward' });
    // A copy that nobody has confirmed to be gone is not said to be gone.
    expect(final.inPlainWords).toEqual([
      expect.stringMatching(/^On 2028-11-25 we destroyed the keys/),
      expect.stringMatching(/^On 20\d\d-\d\d-\d\d we made sure that no backup holds these keys\.$/),
      'We told Example Harbour Charts Ltd (fictional) to erase its copy; it has not confirmed that yet.',
      'Example Mail Host Ltd (fictional, mail.example.test) has confirmed that it erased its copy.',
      expect.stringMatching(/^Copies that others hold are out of our reach/),
      expect.stringMatching(/^The encrypted form/),
      expect.stringMatching(/^We keep that/),
      expect.stringMatching(/^We keep whom/),
      expect.stringMatching(/^If you objected/),
    ]);
    expect(tracesBelow(custos.dataDir, [INVOICE, 'ACC-2047-ASHA'])).toEqual([]);
  });
});
