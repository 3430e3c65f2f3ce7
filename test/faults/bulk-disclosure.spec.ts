import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation } from '../installation.js';

/** How many people a disclosure is about; as many as one may be in the long form of `npm run test:faults`. */
const PEOPLE = process.env['FAULT_ROUNDS'] === 'long' ? 10_000 : 1_200;
const KILLS = 4;
const SENDERS = 32;

/** I-19g, killed for real: a disclosure about many people is finished, and nobody's data is given twice or forgotten. */
describe(`a disclosure about ${PEOPLE} people`, () => {
  let custos: Installation;
  let people: readonly string[];
  /** Every seventh has nothing that could be given. */
  const empty = (index: number): boolean => index % 7 === 3;

  beforeAll(async () => {
    // The long form sends more in a minute than one credential may.
    custos = await Installation.start(undefined, { RATE_LIMIT: '1000000' });
    people = Array.from({ length: PEOPLE }, () => randomUUID());
    const notice = { noticeId: 'customer-privacy', noticeVersion: 1 };
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < people.length) {
        const index = next++;
        const subjectId = people[index];
        await custos.accepted('crm', 'RegisterSubject', { subjectId, capacity: 'individual' });
        if (empty(index)) continue;
        const shown = { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' };
        await custos.accepted('crm', 'PresentNotice', { subjectId, ...shown });
        await custos.accepted('crm', 'CollectData', {
          subjectId,
          purposeId: 'service-account',
          collectionPointId: 'account-form',
          ...notice,
          serviceRequestRef: 'order-1',
          items: [
            { category: 'contact.name', value: `Person ${index}` },
            { category: 'contact.email', value: `p${index}@example.test` },
          ],
        });
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
  }, PEOPLE * 200);

  afterAll(async () => {
    await custos.remove();
  });

  const order = () => ({
    disclosureId: randomUUID(),
    recipientId: 'example-mail-host',
    purposeId: 'service-account',
    categories: ['contact.email'],
    subjectIds: people,
    medium: 'file',
  });
  const left = () => people.filter((_subjectId, index) => empty(index)).length;
  const finished = async (disclosureId: string) => {
    const { body } = await custos.eventually(
      () => custos.get('dpo', `/v1/disclosures/${disclosureId}`).catch(() => ({ status: 0, body: undefined })),
      ({ status, body }) => status === 200 && body.status === 'completed',
      PEOPLE * 100,
    );
    return body;
  };
  /** Whose data was given in a disclosure, from the ledger, page by page. */
  async function givenIn(disclosureId: string): Promise<readonly string[]> {
    const given: string[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const path: string = `/v1/registers/disclosures?disclosure_id=${disclosureId}&limit=500&after=${after}`;
      const { body } = await custos.get('auditor', path);
      given.push(...body.rows.map((row: { subject_id: string }) => row.subject_id));
      after = body.next;
    }
    return given;
  }
  async function refusedIn(disclosureId: string): Promise<readonly string[]> {
    const refused: string[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const path: string = `/v1/disclosures/${disclosureId}?limit=500&after=${after}`;
      const { body } = await custos.get('auditor', path);
      refused.push(...body.refusals.map((each: { subjectId: string }) => each.subjectId));
      after = body.next;
    }
    return refused;
  }

  it(
    'is worked off, with an outcome for each',
    async () => {
      const wanted = order();
      const start = performance.now();
      await custos.accepted('crm', 'ShareDataInBulk', wanted);
      const accepted = performance.now() - start;
      const body = await finished(wanted.disclosureId);
      const whole = performance.now() - start;
      expect(body).toMatchObject({ subjectCount: PEOPLE, shared: PEOPLE - left(), refused: left() });
      expect(body.refusedByCode).toEqual([{ code: 'ITEM_NOT_HELD_FOR_PURPOSE', count: left() }]);
      process.stderr.write(
        `a disclosure about ${PEOPLE} people: accepted in ${Math.round(accepted)} ms, done in ${Math.round(whole)} ms\n`,
      );
    },
    PEOPLE * 200,
  );

  it(
    `is finished once, for each person once, though the process is killed ${KILLS} times in the midst of it`,
    async () => {
      const wanted = order();
      await custos.accepted('crm', 'ShareDataInBulk', wanted);
      let inTheMidst = 0;
      for (let kill = 0; kill < KILLS; kill += 1) {
        await wait(randomInt(50, 400));
        await custos.kill();
        await custos.launch();
        const { status, body } = await custos.get('dpo', `/v1/disclosures/${wanted.disclosureId}`);
        if (status === 200 && body.status === 'running') inTheMidst += 1;
      }
      expect(inTheMidst).toBeGreaterThan(0);
      const body = await finished(wanted.disclosureId);
      expect(body).toMatchObject({ subjectCount: PEOPLE, shared: PEOPLE - left(), refused: left() });
      const [given, refused] = [await givenIn(wanted.disclosureId), await refusedIn(wanted.disclosureId)];
      expect([...given, ...refused].sort()).toEqual([...people].sort());
      expect([...refused].sort()).toEqual(people.filter((_subjectId, index) => empty(index)).sort());
      // Each refusal stands on record once, too.
      const code = 'ITEM_NOT_HELD_FOR_PURPOSE';
      const [one] = refused;
      const log = await custos.get('auditor', `/v1/refusals?code=${code}&stream_ref=subject-${one}`);
      expect(log.body.rows).toHaveLength(2);
      process.stderr.write(`killed ${KILLS} times, ${inTheMidst} of them in the midst; one outcome for each\n`);
    },
    PEOPLE * 200 + 60_000,
  );
});
