import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation } from '../installation.js';
import { customer, type Person } from '../journeys/life.js';
import { tracesBelow } from '../plaintext.js';

/** Rounds of killing; the long form is for `npm run test:faults`. */
const ROUNDS = process.env['FAULT_ROUNDS'] === 'long' ? 40 : 10;

interface Status {
  readonly status: string;
  readonly deferred_by: string | null;
}

describe(`erasures, killed ${ROUNDS} times at random moments`, () => {
  let custos: Installation;
  const people: Person[] = [];

  beforeAll(async () => {
    custos = await Installation.start();
    for (let round = 0; round < ROUNDS; round += 1) people.push(await customer(custos));
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
  });

  const states = async ({ subjectId }: Person): Promise<readonly Status[]> => {
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`);
    return body.rows;
  };

  it(
    'end, each of them once, whatever step they were killed at, and two at once are one',
    async () => {
      for (const { subjectId } of people) {
        const erasing = Promise.all([
          custos.insist('dpo', 'EraseData', { subjectId, cause: 'request' }),
          custos.insist('dpo', 'EraseData', { subjectId, cause: 'request' }),
        ]);
        // A step takes some milliseconds: somewhere between the first answer and the last event.
        await wait(randomInt(0, 150));
        await custos.kill();
        await custos.launch();
        const answers = await erasing;
        expect(answers.filter(({ accepted }) => accepted).length).toBe(1);
        expect(answers.find(({ accepted }) => !accepted).code).toBe('DATA_ERASED');
      }
      for (const person of people) {
        await custos.eventually(
          () => custos.get('auditor', `/v1/subjects/${person.subjectId}/erasures`),
          ({ body }) => body.rows.length === 1 && body.rows[0].status === 'erased',
        );
        expect((await states(person)).map(({ status }) => status)).toEqual(Array(4).fill('erased'));
        const timeline = await custos.get('auditor', `/v1/subjects/${person.subjectId}/timeline`);
        const types = timeline.body.rows.map(({ type }: { type: string }) => type);
        expect(types.slice(-2)).toEqual(['ErasureStarted', 'DataErased']);
        expect(types.filter((type: string) => type === 'DataErased')).toHaveLength(1);
        const file = await custos.get(
          'support',
          `/v1/subjects/${person.subjectId}?purpose=support-ticket&caseRef=CASE-1`,
        );
        expect(file.body.holdings.every(({ value }: { value?: string }) => value === undefined)).toBe(true);
      }
      expect(tracesBelow(custos.dataDir, ['asha@example.test', 'ACC-2047-ASHA'])).toEqual([]);
    },
    ROUNDS * 30_000,
  );

  it('that a hold meets on their way are whole, or kept whole until it is lifted', async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const person = await customer(custos);
      const { subjectId } = person;
      const holdId = `race-${round}`;
      const hold = { holdId, scope: { subjectIds: [subjectId] }, matterRef: 'M-1', basis: 'legalClaims' };
      const [erasure, placed] = await Promise.all([
        custos.send('dpo', 'EraseData', { subjectId, cause: 'request' }),
        wait(randomInt(0, 15)).then(() => custos.send('counsel', 'PlaceLegalHold', hold)),
      ]);
      expect(placed.body.accepted).toBe(true);
      if (erasure.body.accepted === true) {
        const settled = await custos.eventually(
          () => custos.get('auditor', `/v1/subjects/${subjectId}/retention`),
          ({ body }) =>
            body.rows.every(({ status, deferred_by }: Status) => status === 'erased' || deferred_by === 'legalHold'),
        );
        expect(new Set(settled.body.rows.map(({ status }: Status) => status)).size).toBe(1);
      } else {
        expect(erasure.body.code).toBe('LEGAL_HOLD_IN_FORCE');
        expect((await states(person)).map(({ status }) => status)).toEqual(Array(4).fill('kept'));
      }
      await custos.accepted('counsel', 'LiftLegalHold', { holdId, reason: 'matterClosed' });
      if (erasure.body.accepted === true)
        await custos.eventually(
          () => custos.get('auditor', `/v1/subjects/${subjectId}/retention`),
          ({ body }) => body.rows.every(({ status }: Status) => status === 'erased'),
        );
    }
  }, 120_000);

  it('that meet a disclosure and a correction take both along, or turn them away', async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const person = await customer(custos);
      const { subjectId, items } = person;
      const about = { subjectId, purposeId: 'service-account', itemIds: [items['contact.email']], medium: 'api' };
      const phone = { subjectId, itemId: items['contact.phone'], fromVersion: 1, value: '+44 20 7946 0199' };
      const late = () => wait(randomInt(0, 4));
      const [erasure, shared, corrected] = await Promise.all([
        late().then(() => custos.send('dpo', 'EraseData', { subjectId, cause: 'request' })),
        late().then(() => custos.send('crm', 'ShareData', { ...about, recipientId: 'example-harbour-charts' })),
        late().then(() => custos.send('support', 'CorrectData', { ...phone, reasonCode: 'outOfDate' })),
      ]);
      expect(erasure.body.accepted).toBe(true);
      for (const { body } of [shared, corrected])
        expect(body.accepted || body.code).toEqual(body.accepted || 'DATA_ERASED');
      const { body } = await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/erasures`),
        (reply) => reply.body.rows[0]?.status === 'erased',
      );
      const { body: certificate } = await custos.get('dpo', `/v1/erasures/${body.rows[0].erasure_id}/certificate`);
      expect(certificate.recipients).toHaveLength(shared.body.accepted ? 1 : 0);
      expect((await states(person)).map(({ status }) => status)).toEqual(
        Array(corrected.body.accepted ? 5 : 4).fill('erased'),
      );
    }
  }, 120_000);
});
