import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#database';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import { instant } from '#kernel';
import { Installation } from '../installation.js';
import { tracesBelow, tracesIn } from '../plaintext.js';
import {
  ACCOUNT,
  acquaintance,
  BILLING,
  collect,
  consentOf,
  fresh,
  itemsOf,
  newsTo,
  orderOf,
  recipientOf,
  TICKET,
  usageOf,
} from './life.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const CLOCK = '2026-11-25T09:00:00Z';
const ACCOUNT_VALUES = {
  'contact.name': 'Asha Quillfeather',
  'contact.email': 'Asha.Quillfeather@example.test',
  'contact.phone': '+44 20 7946 0101',
  'account.number': 'ACC-2047-QUILL',
};
const TEXT = 'Chart 12 does not open on my tablet since Tuesday.';
const INVOICE = 'One chart for the Quillfeather yacht, 12.00';
const CORRECTED = 'A.Quillfeather@example.test';
const REPORTED = '+44 20 7946 0202';
const LICENCE = 'LIC-7741-QUILL';
const SUPPRESSED = 'nobody.known@example.test';
/** Given to doors that refuse them, or search for them in vain. */
const STRAYS = { religion: 'Pastafarian of Exampleton', term: 'somebody.else@example.test' };
const PASSWORD = 'correct horse battery staple 7741';
/** Of the person; the rest is of nobody who could be erased. */
const VALUES = [
  ...Object.values(ACCOUNT_VALUES),
  TEXT,
  INVOICE,
  CORRECTED,
  REPORTED,
  LICENCE,
  'Quillfeather',
  '7946 0202',
];
const MARKED = [...VALUES, SUPPRESSED, ...Object.values(STRAYS), PASSWORD];

/** C02, C16: no value in the clear in any file or backup; and of the erased nothing opens, whoever has backup and key. */
describe('what lies on disk and in backups', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-trace-'));
  const journal = join(folder, 'erasures.jsonl');
  const [before, after] = [join(folder, 'before'), join(folder, 'after')];
  let custos: Installation;
  let subjectId: string;
  let items: Readonly<Record<string, string>>;

  const cli = (...words: string[]) =>
    spawnSync(process.execPath, [CLI, ...words], {
      env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: `simulated:${CLOCK}` },
      encoding: 'utf8',
    });
  /** Whoever opens a database leaves files beside it, and a backup is to stay as it is. */
  const copyOfVault = (backup: string): string => {
    const copy = join(folder, `${fresh('vault')}.db`);
    copyFileSync(join(backup, 'vault.db'), copy);
    return copy;
  };
  const file = () => custos.get('support', `/v1/subjects/${subjectId}?purpose=service-account&caseRef=CASE-1`);
  const shown = async (): Promise<readonly unknown[]> =>
    (await file()).body.holdings.map(
      ({ value, withheld }: { value?: unknown; withheld?: string }) => value ?? withheld,
    );
  const found = async (field: string, term: string): Promise<readonly unknown[]> => {
    const { body } = await custos.post('support', '/v1/searches', {
      field,
      term,
      purposeId: 'service-account',
      caseRef: 'CASE-1',
    });
    return body.found;
  };
  const usage = () =>
    custos.get('dpo', `/v1/subjects/${subjectId}/usage?month=2026-11&purpose=rights-and-complaints&caseRef=CASE-1`);

  beforeAll(async () => {
    custos = await Installation.start(CLOCK, { ERASURE_JOURNAL: journal, LOG_LEVEL: 'debug' });
    subjectId = await acquaintance(custos);
    const account = await collect(custos, subjectId, ACCOUNT, ACCOUNT_VALUES);
    items = await collect(custos, subjectId, TICKET, { 'ticket.text': TEXT });
    items = {
      ...(await collect(custos, subjectId, { ...BILLING }, { 'billing.invoice': INVOICE })),
      ...items,
      ...account,
    };
    const of = (more: object): object => ({ subjectId, ...more });
    await custos.refused('crm', 'CollectData', of({ ...ACCOUNT, items: itemsOf({ religion: STRAYS.religion }) }));
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo({ subjectId, items }));
    const email = { itemId: items['contact.email'], fromVersion: 1, value: CORRECTED, reasonCode: 'outOfDate' };
    const phone = { category: 'contact.phone', itemId: items['contact.phone'], value: REPORTED };
    const given = of({ purposeId: 'service-account', itemIds: [items['contact.email']], medium: 'api' });
    await custos.accepted('crm', 'ShareData', { ...given, recipientId: 'example-harbour-charts' });
    await custos.accepted('support', 'CorrectData', of(email));
    await custos.accepted('support', 'ReportChange', of({ channel: 'letter', changes: [phone] }));
    await custos.accepted('crm', 'DoubtAccuracy', of({ itemId: items['contact.phone'], cause: 'other' }));
    await custos.accepted('crm', 'ConfirmAccuracy', of({ itemId: items['contact.phone'], method: 'contactMade' }));
    const entries = [{ at: CLOCK, values: { licence: LICENCE, action: 'opened', chart: '12' } }];
    await custos.accepted('crm', 'RecordUsage', usageOf(subjectId, CLOCK, { entries }));
    await custos.accepted('dpo', 'SuppressAddress', {
      suppressionId: randomUUID(),
      kind: 'email',
      address: SUPPRESSED,
      source: 'person',
    });
    await custos.accepted('crm', 'ObjectToMarketing', { subjectId });
    const police = await recipientOf(custos, 'AUTHORITY', 'constabulary');
    const [instrumentId, disclosureId] = [fresh('order'), randomUUID()];
    await custos.accepted('counsel', 'RecordStatutoryInstrument', orderOf(instrumentId));
    await custos.accepted('counsel', 'ShareData', { ...given, recipientId: police, instrumentId });
    await custos.accepted('crm', 'ShareDataInBulk', {
      disclosureId,
      recipientId: 'example-mail-host',
      purposeId: 'service-account',
      categories: ['contact.email', 'contact.name'],
      subjectIds: [subjectId],
      medium: 'file',
    });
    await custos.eventually(
      () => custos.get('dpo', `/v1/disclosures/${disclosureId}`),
      ({ body }) => body.status === 'completed',
    );
    const invited = await custos.post('operator', '/v1/accounts', { actorId: 'ada', roles: ['staff'] });
    const enrolled = await custos.post('operator', '/v1/session/enrol', {
      token: invited.body.token,
      password: PASSWORD,
    });
    expect(enrolled.status).toBe(204);
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is no marked value in any form, though they all can be read and found by those who may', async () => {
    expect(await shown()).toEqual(expect.arrayContaining([...Object.values(ACCOUNT_VALUES), CORRECTED]));
    expect(await found('email', CORRECTED)).toHaveLength(1);
    expect(await found('customerNumber', ACCOUNT_VALUES['account.number'])).toHaveLength(1);
    expect(await found('email', STRAYS.term)).toHaveLength(0);
    expect(JSON.stringify((await usage()).body)).toContain(LICENCE);
    const made = cli('backup', before);
    expect(made.stderr).toBe('');
    expect(tracesBelow(custos.dataDir, MARKED)).toEqual([]);
    expect(tracesBelow(before, MARKED)).toEqual([]);
    expect(tracesIn('output', Buffer.from(custos.output + made.stdout), MARKED)).toEqual([]);
    // The scan looks where the rest of the person is.
    expect(tracesBelow(custos.dataDir, [subjectId]).length).toBeGreaterThan(1);
    expect(tracesBelow(before, [subjectId]).length).toBeGreaterThan(1);
  });

  it('is none after the erasure either, in no file and no backup that is made then', async () => {
    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'unlawful' });
    await custos.eventually(
      async () => ({ status: 200, body: [...(await shown())] }),
      ({ body }) => body.every((each: unknown) => each === 'forgotten'),
    );
    const months = () => custos.get('auditor', `/v1/subjects/${subjectId}/usage-months`);
    await custos.eventually(months, ({ body }) => body.rows[0].status === 'erased');
    expect(await found('email', CORRECTED)).toHaveLength(0);
    expect(cli('backup', after).stderr).toBe('');
    await custos.stop();
    for (const place of [custos.dataDir, after, journal])
      expect(place === journal ? tracesIn(place, readFileSync(place), MARKED) : tracesBelow(place, MARKED)).toEqual([]);
    expect(tracesIn('output', Buffer.from(custos.output), MARKED)).toEqual([]);
  });

  it('holds no wrapped key of the erased person, in no byte of any file', async () => {
    const source = openDatabase(`file:${copyOfVault(before)}`, { name: 'key vault', readOnly: true });
    const id = Buffer.from(subjectId.replaceAll('-', ''), 'hex');
    const wrapped = source.sqlite
      .prepare(
        `SELECT wrapped FROM subject_keys WHERE subject_id = ?
         UNION ALL SELECT item.wrapped FROM item_keys item JOIN subject_keys subject ON item.subject = subject.number
         WHERE subject.subject_id = ?`,
      )
      .pluck()
      .all(id, id) as Buffer[];
    await source.close();
    expect(wrapped.length).toBeGreaterThan(8);
    const holding = (place: string): readonly string[] =>
      readdirSync(place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => {
          const bytes = readFileSync(path);
          return wrapped.some((key) => bytes.includes(key));
        });
    expect(holding(before)).toEqual([join(before, 'vault.db')]);
    expect(holding(after)).toEqual([]);
    expect(holding(custos.dataDir)).toEqual([]);
  });

  it('opens nothing of the erased person for whoever has that backup and the master key', async () => {
    const keyIds = [...new Set(JSON.stringify(sealsBelow(join(after, 'events'))).match(/[0-9a-f-]{36}/g) ?? [])];
    const key = join(folder, 'master.key');
    copyFileSync(join(custos.dataDir, 'master.key'), key);
    const live = async (backup: string): Promise<number> => {
      const vault = await openKeyVault({
        url: `file:${copyOfVault(backup)}`,
        masterKey: masterKeyFrom(`file:${key}`),
        clock: () => instant(CLOCK),
      });
      try {
        return (await vault.liveKeys(keyIds)).length;
      } finally {
        await vault.close();
      }
    };
    expect(keyIds.length).toBeGreaterThan(8);
    // The older backup still has them: that is what the horizon of the keys' backups is for.
    expect(await live(before)).toBe(keyIds.length);
    expect(await live(after)).toBe(0);

    rmSync(custos.dataDir, { recursive: true });
    mkdirSync(custos.dataDir, { mode: 0o700 });
    copyFileSync(key, join(custos.dataDir, 'master.key'));
    expect(cli('restore', after, '--without-erasures').stderr).toBe('');
    await custos.launch(CLOCK);
    const answer = await shown();
    expect(answer.length).toBeGreaterThan(6);
    expect(answer.every((each) => each === 'forgotten')).toBe(true);
    expect(JSON.stringify((await usage()).body)).not.toContain(LICENCE);
    expect(await found('email', CORRECTED)).toEqual([]);
  });
});

/** The ids of the keys of every sealed value in a folder's files. */
function sealsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1').match(/"kid":"[^"]+"/g) ?? []);
}
