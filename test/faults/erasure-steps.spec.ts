import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { openDatabase, type Database } from '#database';
import { Installation } from '../installation.js';
import { collect, customer, TICKET, type Person } from '../journeys/life.js';

/**
 * An erasure leaves a trace outside of its process at every step: in the log, in the vault, in the read models, in the
 * journal. The process is watched from there, and killed as soon as the trace of a step is there.
 */
describe('an erasure that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-steps-'));
  const journal = join(folder, 'erasures.jsonl');
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start(undefined, { ERASURE_JOURNAL: journal });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const segment = (): string => {
    const events = join(custos.dataDir, 'events');
    return join(
      events,
      readdirSync(events)
        .filter((name) => /^\d/.test(name) || name.endsWith('.log'))
        .sort()
        .at(-1)!,
    );
  };
  const sizeOf = (file: string): number => {
    const fd = openSync(file, 'r');
    try {
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  };
  /** Whether the log has an event of this type behind a place. */
  const logged = (type: string, file: string, from: number): boolean => {
    const fd = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(fd).size - from);
      readSync(fd, bytes, 0, bytes.length, from);
      return bytes.includes(type);
    } finally {
      closeSync(fd);
    }
  };
  const withDatabase = async <T>(name: string, ask: (sqlite: Database<unknown>['sqlite']) => T): Promise<T> => {
    const database = openDatabase(`file:${join(custos.dataDir, name)}`, { name, readOnly: true });
    try {
      return ask(database.sqlite);
    } finally {
      await database.close();
    }
  };
  const rows =
    (text: string, ...cells: readonly unknown[]) =>
    (sqlite: Database<unknown>['sqlite']) =>
      sqlite.prepare(text).all(...(cells as never[])).length > 0;

  const shown = async ({ subjectId }: Person): Promise<readonly { readonly status: string }[]> =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/erasures`)).body.rows;

  interface Watched {
    readonly person: Person;
    readonly file: string;
    readonly from: number;
    readonly answered: () => boolean;
  }
  const idOf = ({ subjectId }: Person): Buffer => Buffer.from(subjectId.replaceAll('-', ''), 'hex');

  const STEPS: readonly (readonly [string, (at: Watched) => boolean | Promise<boolean>])[] = [
    ['when it has just been asked for', () => true],
    ['when its beginning is in the log', ({ file, from }) => logged('erasure-started.v1', file, from)],
    ['when it has just been answered', ({ answered }) => answered()],
    ['when the read models show that it has begun', async ({ person }) => (await shown(person)).length === 1],
    [
      'when the first key is gone from the vault',
      ({ person }) => withDatabase('vault.db', rows(`SELECT 1 FROM tombstones WHERE id = ?`, idOf(person))),
    ],
    [
      'when the keys of the person lie overwritten',
      ({ person }) =>
        withDatabase(
          'vault.db',
          rows(`SELECT 1 FROM subject_keys WHERE subject_id = ? AND wrapped = zeroblob(60)`, idOf(person)),
        ),
    ],
    ['when its statement is in the log', ({ file, from }) => logged('data-erased.v1', file, from)],
    ['when the read models show that it is done', async ({ person }) => (await shown(person))[0]?.status === 'erased'],
    [
      'when it stands in the journal',
      ({ person }) => existsSync(journal) && readFileSync(journal, 'utf8').includes(person.subjectId),
    ],
  ];

  it.each(STEPS)(
    '%s goes on from there, and ends once',
    async (_name, reached) => {
      const person = await customer(custos);
      const { subjectId } = person;
      const file = segment();
      let answered = false;
      const at: Watched = { person, file, from: sizeOf(file), answered: () => answered };
      const erasing = custos.insist('dpo', 'EraseData', { subjectId, cause: 'request' }).then((body) => {
        answered = true;
        return body;
      });
      for (await turn(); !(await reached(at));) await wait(1);
      await custos.kill();
      await custos.launch();
      expect(await erasing).toMatchObject({ accepted: true });

      await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/erasures`),
        ({ body }) => body.rows.length === 1 && body.rows[0].status === 'erased',
      );
      const timeline = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline`);
      const types: string[] = timeline.body.rows.map(({ type }: { type: string }) => type);
      expect(types.filter((type) => type === 'ErasureStarted' || type === 'DataErased')).toEqual([
        'ErasureStarted',
        'DataErased',
      ]);
      const { body } = await custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
      expect(body.holdings.map(({ withheld }: { withheld?: string }) => withheld)).toEqual(Array(4).fill('forgotten'));
      await custos.eventually(
        () => Promise.resolve({ status: 200, body: readFileSync(journal, { encoding: 'utf8', flag: 'a+' }) }),
        (reply) => reply.body.includes(subjectId),
      );
    },
    90_000,
  );

  it('does not begin, and nothing is stored, while the vault cannot be written; all of it goes on afterwards', async () => {
    const person = await customer(custos);
    const erased = await customer(custos);
    const database = openDatabase(`file:${join(custos.dataDir, 'vault.db')}`, { name: 'key vault' });
    const file = segment();
    const items = { ...TICKET, items: [{ category: 'ticket.text', value: 'Chart 12 does not open.' }] };
    const collecting = { commandId: randomUUID(), subjectId: person.subjectId, ...items };
    database.sqlite.exec('BEGIN IMMEDIATE');
    try {
      const from = sizeOf(file);
      const refused = await custos.send('crm', 'CollectData', collecting);
      expect(refused.status).toBeGreaterThanOrEqual(500);
      expect(JSON.stringify(refused.body)).not.toContain('Chart 12');
      expect(logged('data-collected.v1', file, from)).toBe(false);
      await custos.accepted('dpo', 'EraseData', { subjectId: erased.subjectId, cause: 'request' });
      await wait(2_000);
      expect(logged('data-erased.v1', file, from)).toBe(false);
    } finally {
      database.sqlite.exec('ROLLBACK');
      await database.close();
    }
    // The same command, sent again, is decided as if nothing had been.
    expect((await custos.send('crm', 'CollectData', collecting)).body.accepted).toBe(true);
    await collect(custos, person.subjectId, TICKET, { 'ticket.text': 'Chart 13 does not open.' });
    await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${erased.subjectId}/erasures`),
      ({ body }) => body.rows[0]?.status === 'erased',
      60_000,
    );
  }, 120_000);
});
