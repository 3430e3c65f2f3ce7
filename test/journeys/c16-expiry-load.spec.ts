import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { Population } from '../bench/population.js';
import { Installation } from '../installation.js';

/** The short form of `npm run bench keep -- --only expiry`, which has 100,000. */
const ITEMS = 5_000;
const ITEMS_OF_ONE = 4;
const START = '2026-11-23T09:00:00Z';

let custos: Installation;

beforeAll(async () => {
  custos = await Installation.start(START);
}, 90_000);

afterAll(async () => {
  await custos.remove();
});

it(`erases ${ITEMS} items that fall due within one hour within a day of their time, each of them once (C16)`, async () => {
  const population = await Population.of(custos.dataDir);
  const people = ITEMS / ITEMS_OF_ONE;
  const { position } = await population.add(people, (index) => ({
    items: ITEMS_OF_ONE,
    events: 2,
    collectedAt: instant(new Date(Date.parse(START) + Math.floor((index * 3_600_000) / people)).toISOString()),
    period: 'P30D',
  }));
  await population.close();
  const standing = () => custos.get('dpo', '/v1/retention/due');
  await custos.eventually(standing, ({ body }) => body.position >= position, 120_000);
  expect((await custos.get('dpo', '/v1/retention/due?at=2026-12-23T10:00:00Z')).body).toMatchObject({ due: ITEMS });

  await custos.advanceTo('2026-12-23T10:00:00Z');
  await custos.eventually(standing, ({ body }) => body.due === 0 && body.beyondUse === 0, 300_000);
  // A day later nothing is late, and what was erased was erased once.
  await custos.advanceTo('2026-12-24T10:00:00Z');
  expect((await custos.get('dpo', '/v1/retention/overdue')).body).toMatchObject({ notStarted: [], notErased: [] });
  const { body } = await custos.get('auditor', '/v1/registers/erasures?status=erased&limit=500');
  expect(body.rows).toHaveLength(500);
  expect(new Set(body.rows.map((row: { subject_id: string }) => row.subject_id)).size).toBe(500);
}, 480_000);
