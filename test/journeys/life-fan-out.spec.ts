import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation, type ActorName } from '../installation.js';
import { customer, fresh, holders, orderOf, type Person, recipientOf, shareOf } from './life.js';

const HARBOUR = 'example-harbour-charts';
const PACIFIC = 'example-pacific';
const MAIL_HOST = 'example-mail-host';

/** UK GDPR Art 19: whoever was given data is told of its correction, restriction and erasure, and followed to the end. */
describe('those who were given data', () => {
  let custos: Installation;
  let police: string;
  let insurer: string;
  let instrumentId: string;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
    police = await recipientOf(custos, 'AUTHORITY', 'constabulary');
    insurer = await recipientOf(custos, 'THIRD_PARTY', 'insurer');
    instrumentId = fresh('order');
    const scope = { categories: ['contact.email'], recipientIds: [police, insurer] };
    await custos.accepted('counsel', 'RecordStatutoryInstrument', orderOf(instrumentId, { scope }));
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const give = (person: Person, recipientId: string, actor: ActorName = 'crm', more: object = {}) =>
    custos.accepted(actor, 'ShareData', shareOf(person, recipientId, more));
  const correct = (person: Person, fromVersion: number) =>
    custos.accepted('support', 'CorrectData', {
      subjectId: person.subjectId,
      itemId: person.items['contact.email'],
      fromVersion,
      value: `asha.${fromVersion + 1}@example.test`,
      reasonCode: 'outOfDate',
    });
  /** Holders of every kind but the person have the first version, one of them by a disclosure about many people. */
  const known = async (): Promise<Person> => {
    const asha = await customer(custos);
    const disclosureId = randomUUID();
    await custos.accepted('crm', 'ShareDataInBulk', {
      disclosureId,
      recipientId: MAIL_HOST,
      purposeId: 'service-account',
      categories: ['contact.email'],
      subjectIds: [asha.subjectId, (await customer(custos)).subjectId],
      medium: 'file',
    });
    await give(asha, HARBOUR);
    for (const recipientId of [police, insurer]) await give(asha, recipientId, 'counsel', { instrumentId });
    await give(asha, 'person', 'support');
    await custos.eventually(
      () => custos.get('dpo', `/v1/disclosures/${disclosureId}`),
      ({ status, body }) => status === 200 && body.status === 'completed' && body.shared === 2,
    );
    return asha;
  };
  /** How telling of one thing stands, by recipient. */
  const status = async ({ subjectId }: Person, what: string, position?: number): Promise<Record<string, string>> => {
    const path = `/v1/subjects/${subjectId}/recipient-notifications?what=${what}`;
    const { rows } = (await custos.get('dpo', path, position)).body;
    return Object.fromEntries(
      rows.map((row: Record<string, string>) => [`${row['recipient_id']} ${row['version']}`, row['status']]),
    );
  };
  const due = (version: number, ...recipients: string[]) =>
    Object.fromEntries(recipients.map((recipientId) => [`${recipientId} ${version}`, 'due']));

  it('are told of a correction when they have the old value, however they got it, and not when they have the new one', async () => {
    const asha = await known();
    const { position } = await correct(asha, 1);
    expect(await status(asha, 'correction', position)).toEqual(due(2, HARBOUR, MAIL_HOST, police, insurer));
    await give(asha, PACIFIC, 'crm', { transferMechanism: 'adequacy' });
    const about = { subjectId: asha.subjectId, itemId: asha.items['contact.email'], version: 2 };
    const tell = (recipientId: string, outcome: string) =>
      custos.accepted('dpo', 'NotifyRecipient', { ...about, recipientId, outcome });
    await tell(HARBOUR, 'notified');
    await tell(police, 'disproportionate');
    await tell(insurer, 'impossible');
    const gone = { subjectId: asha.subjectId, recipientId: MAIL_HOST, reason: 'addressUnknown' };
    await custos.accepted('crm', 'MarkRecipientUnreachable', gone);
    const confirmed = await custos.accepted('crm', 'ConfirmRecipient', {
      ...gone,
      reason: undefined,
      recipientId: HARBOUR,
    });
    const settled = {
      [`${HARBOUR} 2`]: 'confirmed',
      [`${MAIL_HOST} 2`]: 'unreachable',
      [`${police} 2`]: 'disproportionate',
      [`${insurer} 2`]: 'impossible',
    };
    expect(await status(asha, 'correction', confirmed.position)).toEqual(settled);
    // Who could not be reached may be reached later.
    await tell(MAIL_HOST, 'notified');
    expect(await status(asha, 'correction')).toMatchObject({ [`${MAIL_HOST} 2`]: 'notified' });

    // The next correction reaches also the one that had the new value only, which is old now.
    const next = await correct(asha, 2);
    const again = await status(asha, 'correction', next.position);
    expect(again).toMatchObject(due(3, HARBOUR, PACIFIC, MAIL_HOST, police, insurer));
    expect(Object.keys(again)).toHaveLength(9);
  });

  it('are told of a restriction, each of them once, and no more when it is lifted', async () => {
    const asha = await known();
    const { position } = await custos.accepted('dpo', 'RestrictProcessing', {
      subjectId: asha.subjectId,
      ground: '18(1)(b)',
    });
    expect(await status(asha, 'restriction', position)).toEqual(due(0, HARBOUR, MAIL_HOST, police, insurer));
    const about = (recipientId: string) => ({ subjectId: asha.subjectId, recipientId, what: 'restriction' });
    for (const recipientId of [HARBOUR, MAIL_HOST])
      await custos.accepted('crm', 'NotifyRecipient', { ...about(recipientId), outcome: 'notified' });
    await custos.accepted('crm', 'ConfirmRecipient', about(HARBOUR));
    await custos.accepted('crm', 'NotifyRecipient', { ...about(police), outcome: 'impossible' });
    // A statute is obeyed in spite of it; whoever is given data then has to know.
    const compelled = await give(asha, police, 'counsel', { instrumentId });
    expect(await status(asha, 'restriction', compelled.position)).toMatchObject(due(0, police));
    await custos.accepted('crm', 'NotifyRecipient', { ...about(police), outcome: 'disproportionate' });
    await custos.accepted('dpo', 'LiftRestriction', {
      subjectId: asha.subjectId,
      informedAt: (await custos.get('crm', '/v1/clock')).body.now,
    });
    expect(await status(asha, 'restriction')).toEqual({
      [`${HARBOUR} 0`]: 'confirmed',
      [`${MAIL_HOST} 0`]: 'notified',
      [`${police} 0`]: 'disproportionate',
      [`${insurer} 0`]: 'lifted',
    });
  });

  it('are told of an erasure and asked again until they have confirmed it, and the erasure says so to its end', async () => {
    const asha = await known();
    const { subjectId } = asha;
    await correct(asha, 1);
    await give(asha, PACIFIC, 'crm', { transferMechanism: 'adequacy' });
    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'request' });
    const erasure = () => custos.get('auditor', `/v1/subjects/${subjectId}/erasures`);
    const [{ erasure_id: erasureId }] = (
      await custos.eventually(erasure, ({ body }) => body.rows[0]?.status === 'erased')
    ).body.rows;
    expect(await status(asha, 'erasure')).toEqual({
      ...due(1, HARBOUR, MAIL_HOST, police, insurer),
      ...due(2, PACIFIC),
    });
    const about = (recipientId: string) => ({ subjectId, recipientId, what: 'erasure' });
    const tell = (recipientId: string, outcome: string) =>
      custos.accepted('dpo', 'NotifyRecipient', { ...about(recipientId), outcome });
    await tell(HARBOUR, 'notified');
    await tell(MAIL_HOST, 'notified');
    await custos.accepted('crm', 'ConfirmRecipient', about(MAIL_HOST));
    await tell(police, 'disproportionate');
    await custos.accepted('crm', 'MarkRecipientUnreachable', { ...about(insurer), reason: 'dissolved' });

    // Who was not told, and who has not confirmed, is raised after a week; nobody else is.
    const raised = async (reminders: number): Promise<readonly string[]> => {
      const path = `/v1/registers/recipient-notifications?subject_id=${subjectId}&what=erasure&reminders=${reminders}`;
      const reply = await custos.eventually(
        () => custos.get('dpo', path),
        ({ body }) => body.rows.some((row: { recipient_id: string }) => row.recipient_id === PACIFIC),
      );
      return reply.body.rows.map((row: { recipient_id: string }) => row.recipient_id).sort();
    };
    await custos.advanceTo('2026-12-01T09:00:00Z');
    expect(await raised(1)).toEqual([HARBOUR, PACIFIC]);
    await custos.accepted('crm', 'ConfirmRecipient', about(HARBOUR));
    await custos.advanceTo('2026-12-09T09:00:00Z');
    expect(await raised(2)).toEqual([PACIFIC]);
    await custos.advanceTo('2026-12-17T09:00:00Z');
    expect(await raised(3)).toEqual([PACIFIC]);

    await custos.advanceTo('2026-12-25T09:00:00Z');
    const certificate = () => custos.get('dpo', `/v1/erasures/${erasureId}/certificate`);
    const final = await custos.eventually(certificate, ({ body }) => body.status === 'finalised');
    expect(final.body.recipients.map((each: Record<string, string>) => [each['recipientId'], each['status']])).toEqual(
      [
        [HARBOUR, 'confirmed'],
        [MAIL_HOST, 'confirmed'],
        [PACIFIC, 'due'],
        [police, 'disproportionate'],
        [insurer, 'unreachable'],
      ].sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
    const said: string = final.body.inPlainWords.join(' ');
    expect(said).toContain('Example Pacific Ltd (fictional) was given a copy and is still to be told to erase it.');
    // Who has confirmed holds nothing any more, as far as is known here; the others still do.
    const holding = async (): Promise<readonly unknown[]> =>
      (await holders(custos, subjectId, (await custos.get('crm', '/v1/clock')).body.now))
        .filter(
          ({ category, holderKind, use }) => category === 'contact.email' && holderKind !== 'SELF' && use !== 'erased',
        )
        .map(({ holderId }) => holderId);
    expect(await holding()).toEqual([police, insurer, PACIFIC]);
    // The last ones are told and confirm: only then is nothing open.
    await tell(PACIFIC, 'notified');
    await custos.accepted('crm', 'ConfirmRecipient', about(PACIFIC));
    await tell(insurer, 'notified');
    const { position } = await custos.accepted('dpo', 'ConfirmRecipient', about(insurer));
    const open = await custos.get(
      'dpo',
      `/v1/registers/recipient-notifications?subject_id=${subjectId}&what=erasure`,
      position,
    );
    expect(
      open.body.rows.filter(
        ({ status: each }: { status: string }) => !['confirmed', 'disproportionate'].includes(each),
      ),
    ).toEqual([]);
  });

  it('are told too when a period has ended, of what was erased and of nothing else', async () => {
    const asha = await customer(custos);
    await give(asha, HARBOUR);
    await give(asha, MAIL_HOST);
    await correct(asha, 1);
    const about = { subjectId: asha.subjectId, itemId: asha.items['contact.email'], version: 2, outcome: 'notified' };
    for (const recipientId of [HARBOUR, MAIL_HOST])
      await custos.accepted('crm', 'NotifyRecipient', { ...about, recipientId });
    await give(asha, HARBOUR);
    // The wrong value is kept for a year of disputes.
    await custos.advanceTo('2028-01-05T09:00:00Z');
    await custos.eventually(
      () => custos.get('dpo', `/v1/subjects/${asha.subjectId}/retention`),
      ({ body }) => body.rows.some(({ status: each }: { status: string }) => each === 'erased'),
    );
    expect(await status(asha, 'erasure')).toEqual(due(1, HARBOUR, MAIL_HOST));
  });
});
