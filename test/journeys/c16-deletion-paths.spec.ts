import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from '#key-vault';
import { Installation } from '../installation.js';
import {
  approvedPurpose,
  collect,
  customer,
  fresh,
  NOTICE,
  noticeDraft,
  pointDraft,
  TICKET,
  usageOf,
  type Person,
} from './life.js';

const ROOT = join(import.meta.dirname, '..', '..');
const CLI = join(ROOT, 'dist', 'apps', 'cli', 'main.js');

/**
 * Where the product destroys keys, how often it says so there, and what for. A new place belongs here, and into the
 * journey below.
 */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  // Items: expiry, superseded versions, the end of a purpose, anonymisation, a decided and an undecided review, the
  // erasure of items and of a person for each cause of Art 17(1); the person's own key; what the person reported.
  'libs/retention/retention.capability.ts': ['destroyItemKeys', 'destroyItemKeys', 'destroySubject'],
  // A month of usage.
  'libs/telemetry/telemetry.capability.ts': ['destroyItemKeys'],
  // What the log says is erased already, before the door opens.
  'apps/steward/reconcile.ts': ['destroyItemKeys', 'destroyItemKeys', 'destroySubject'],
  // Keys that seal nothing in the log.
  'apps/steward/key-sweep.ts': ['sweep'],
  // What the journal says is destroyed already, when a backup is restored.
  'apps/cli/backup.ts': ['destroyItemKeys', 'destroySubject'],
  // The encrypted values of what is finally erased.
  'apps/cli/remove-ciphertext.ts': ['redact'],
};

const sources = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts') && !name.includes('/testing/'));

it('keys are destroyed where the table says, and nowhere else', () => {
  const found = [...sources('libs'), ...sources('apps')]
    // The vault itself, and the tool of the event store that the removal of encrypted values is made of.
    .filter((file) => !/^libs\/(key-vault|embedded-event-store)\/|^apps\/cli\/event-store\.ts$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const calls = [...text.matchAll(/\bvault\.(destroyItemKeys|destroySubject|sweep)\(|await (redact)\(/g)];
      return calls.length === 0 ? [] : [[file, calls.map((call) => call[1] ?? call[2]).sort()] as const];
    });
  expect(Object.fromEntries(found)).toEqual(PATHS);
});

/** C16: every way in which a key can be destroyed, against every cause that keeps what it opens (I-16d). */
describe('whatever destroys keys', () => {
  let custos: Installation;
  const purposes = { review: '', anonymise: '' };

  beforeAll(async () => {
    custos = await Installation.start('2026-01-05T09:00:00Z');
    for (const action of ['review', 'anonymise'] as const) {
      const purposeId = fresh(action);
      const rule = { category: 'contact.email', trigger: 'collected', period: 'P1M', legalRef: 'UK GDPR Art 5(1)(e)' };
      const period = action === 'review' ? 'P1M' : 'P3M';
      await approvedPurpose(custos, purposeId, { retention: [{ ...rule, period, action }] });
      await custos.accepted('dpo', 'PublishNotice', noticeDraft(purposeId, 1, [purposeId]));
      await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(purposeId, purposeId, purposeId));
      purposes[action] = purposeId;
    }
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** Asks the vault itself, while nothing runs. */
  const vault = async <T>(ask: (vault: KeyVault) => Promise<T>): Promise<T> => {
    const opened = await openKeyVault({
      url: `file:${join(custos.dataDir, 'vault.db')}`,
      masterKey: masterKeyFrom(`file:${join(custos.dataDir, 'master.key')}`),
      clock: () => instant('2029-02-06T09:00:00Z'),
    });
    try {
      return await ask(opened);
    } finally {
      await opened.close();
    }
  };
  /** Whether any key of each of these people exists. */
  const keysOf = (people: readonly { readonly subjectId: string }[]): Promise<readonly boolean[]> =>
    vault((opened) => Promise.all(people.map(({ subjectId }) => opened.hasKeyBeside(subjectId, []))));
  const rowsOf = async (subjectId: string, name: string): Promise<readonly Record<string, unknown>[]> =>
    (await custos.get('support', `/v1/subjects/${subjectId}/${name}`)).body.rows;
  const types = async (subjectId: string): Promise<readonly unknown[]> =>
    (await rowsOf(subjectId, 'timeline')).map(({ type }) => type);

  interface Kept extends Person {
    readonly review: string;
    readonly anonymise: string;
    readonly beside: boolean;
  }

  /** Somebody of whom everything is held that can end: an account, a ticket, what is reviewed or counted, usage and reports. */
  const everything = async (beside = true): Promise<Kept> => {
    const person = await customer(custos);
    const { subjectId } = person;
    const special: Record<string, string> = {};
    for (const [action, purposeId] of Object.entries(purposes)) {
      const told = { noticeId: purposeId, version: 1, how: 'shown', channel: 'web' };
      await custos.accepted('crm', 'PresentNotice', { subjectId, ...told });
      const how = { purposeId, collectionPointId: purposeId, noticeId: purposeId, noticeVersion: 1 };
      const kept = await collect(
        custos,
        subjectId,
        { ...how, serviceRequestRef: 'loan-1' },
        { 'contact.email': 'b@example.test' },
      );
      special[action] = kept['contact.email'] ?? '';
    }
    const ticket = await collect(custos, subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    await custos.accepted('support', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-1' });
    const phone = { itemId: person.items['contact.phone'], category: 'contact.phone', value: '+44 20 7946 0202' };
    let requestId: unknown;
    if (beside) {
      await custos.accepted('crm', 'RecordUsage', usageOf(subjectId, '2026-01-05T09:00:00Z'));
      const told = { subjectId, channel: 'letter', changes: [phone] };
      const { position } = await custos.accepted('support', 'ReportChange', told);
      const { body } = await custos.get('support', `/v1/subjects/${subjectId}/rectifications`, position);
      requestId = body.rows[0].request_id;
    }
    await custos.accepted('support', 'CorrectData', {
      subjectId,
      itemId: phone.itemId,
      fromVersion: 1,
      value: phone.value,
      reasonCode: 'outOfDate',
      ...(requestId !== undefined && { requestId }),
    });
    const items = { ...person.items, 'ticket.text': ticket['ticket.text'] ?? '' };
    return { subjectId, items, review: special['review'] ?? '', anonymise: special['anonymise'] ?? '', beside };
  };
  const itemsOf = ({ items, review, anonymise }: Kept): readonly string[] => [
    ...Object.values(items),
    review,
    anonymise,
  ];

  const CATEGORIES = ['contact.name', 'contact.email', 'contact.phone', 'account.number', 'ticket.text', 'usage'];
  interface Cause {
    readonly name: string;
    readonly code: string;
    /** @returns what ends it. */
    readonly begin: (person: Kept) => Promise<() => Promise<unknown>>;
    /** It cannot name what is no item. */
    readonly itemsOnly?: true;
  }
  const hold = (name: string, scope: () => object): Cause => ({
    name,
    code: 'LEGAL_HOLD_IN_FORCE',
    begin: async ({ subjectId }) => {
      const holdId = fresh('matter');
      const placing = { holdId, matterRef: 'M-1', basis: 'legalClaims' };
      await custos.accepted('counsel', 'PlaceLegalHold', {
        ...placing,
        scope: { subjectIds: [subjectId], ...scope() },
      });
      await custos.accepted('dpo', 'ApproveLegalHold', { holdId });
      return () => custos.accepted('counsel', 'LiftLegalHold', { holdId, reason: 'matterClosed' });
    },
  });
  const open = (cause: string, code: string, scope: (person: Kept) => object = () => ({})): Cause => ({
    name: cause,
    code,
    begin: async (person) => {
      const { subjectId } = person;
      const deferralId = randomUUID();
      const opening = { subjectId, deferralId, cause, caseRef: 'CASE-1', ...scope(person) };
      await custos.accepted('dpo', 'OpenDeferral', opening);
      return () => custos.accepted('dpo', 'CloseDeferral', { subjectId, deferralId });
    },
  });
  const CAUSES: readonly Cause[] = [
    hold('a hold on the person', () => ({})),
    hold('a hold on categories', () => ({ categories: CATEGORIES })),
    hold('a hold on purposes', () => ({
      purposes: ['service-account', 'support-ticket', 'service-usage', purposes.review, purposes.anonymise],
    })),
    open('openAccessRequest', 'DEFERRED_OPEN_ACCESS_REQUEST'),
    open('openComplaint', 'ERASURE_EXCEPTION_APPLIES'),
    open('openIncident', 'ERASURE_EXCEPTION_APPLIES', () => ({ categories: CATEGORIES })),
    {
      ...open('openAccessRequest', 'DEFERRED_OPEN_ACCESS_REQUEST', (person) => ({ itemIds: itemsOf(person) })),
      itemsOnly: true,
    },
    {
      name: 'a restriction',
      code: 'PROCESSING_RESTRICTED',
      begin: async ({ subjectId }) => {
        await custos.accepted('dpo', 'RestrictProcessing', { subjectId, ground: '18(1)(c)' });
        const informedAt = '2029-02-06T09:00:00Z';
        return () => custos.accepted('dpo', 'LiftRestriction', { subjectId, informedAt });
      },
    },
  ];

  it('destroys nothing while a cause keeps it, and everything that is owed when the cause is over', async () => {
    const people: (Kept & { readonly cause: Cause })[] = [];
    for (const cause of CAUSES) people.push({ ...(await everything(!cause.itemsOnly)), cause });
    // A review that stands, and one that is decided against a cause.
    await custos.advanceTo('2026-02-06T09:00:00Z');
    for (const { subjectId } of people)
      await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/retention-reviews`),
        ({ body }) => body.rows.length === 1,
      );
    const ends: (() => Promise<unknown>)[] = [];
    for (const person of people) ends.push(await person.cause.begin(person));
    // What was reported is due as soon as its case is settled.
    for (const { subjectId, items } of people)
      await custos.accepted('support', 'CompleteCorrection', { subjectId, itemId: items['contact.phone'], version: 2 });
    for (const { subjectId, review } of people.slice(0, 4))
      await custos.accepted('dpo', 'DecideRetentionReview', { subjectId, itemIds: [review], outcome: 'erase' });

    // Whatever has an end by time has come to it.
    for (const { subjectId } of people)
      await custos.accepted('crm', 'CloseRelationship', {
        subjectId,
        reasonCode: 'contractEnded',
        occurredAt: '2026-01-06T09:00:00Z',
      });
    await custos.advanceTo('2032-02-06T09:00:00Z');
    await custos.renewAccess();
    const due = await custos.eventually(
      () => custos.get('auditor', '/v1/retention/due'),
      ({ body }) => body.due === 0 && body.beyondUse === 0 && body.deferred === people.length * 8,
    );
    expect(due.body).toMatchObject({ movedByReliance: 0, reviews: 0 });
    for (const { subjectId, beside } of people) {
      if (!beside) continue;
      await custos.eventually(
        () => custos.get('support', `/v1/subjects/${subjectId}/usage-months`),
        ({ body }) => body.rows.every((row: Record<string, unknown>) => row['deferred_ref'] !== null),
      );
      await custos.eventually(
        async () => ({ status: 200, body: await types(subjectId) }),
        ({ body }) => body.includes('ReportedValuesDeferred'),
      );
    }
    // Whatever is asked for is refused, or ends a purpose alone.
    for (const { subjectId, items, review, cause } of people) {
      const codes: unknown[] = [];
      for (const reason of ['request', 'consentWithdrawn', 'objection', 'unlawful'])
        for (const itemIds of [[items['contact.email']], undefined]) {
          const body = { subjectId, cause: reason, ...(itemIds && { itemIds }) };
          codes.push((await custos.send('dpo', 'EraseData', body)).body.code);
        }
      expect([cause.name, ...codes]).toEqual([cause.name, ...Array<string>(8).fill(cause.code)]);
      const ending = { subjectId, purposeId: purposes.review, itemIds: [review], reason: 'fulfilled' };
      await custos.accepted('crm', 'EndPurposeForItem', ending);
      expect((await custos.send('dpo', 'ExpireRetention', { subjectId })).body.events).toEqual([]);
    }
    // Twice more through the start, which reconciles log and vault and sweeps unused keys; and the removal of what is
    // encrypted finds nothing that it may take.
    for (let start = 0; start < 2; start += 1) {
      await custos.stop();
      const removed = spawnSync(process.execPath, [CLI, 'remove-ciphertext'], {
        env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: 'simulated:2032-02-06T09:00:00Z' },
        encoding: 'utf8',
      });
      expect([removed.status, removed.stdout]).toEqual([0, expect.stringMatching(/\b0\b/)]);
      expect(await vault((opened) => opened.tombstonesAfter(0, 10))).toEqual([]);
      expect(await keysOf(people)).toEqual(people.map(() => true));
      await custos.launch('2032-02-06T09:00:00Z');
    }

    for (const end of ends) await end();
    for (const { subjectId, beside } of people) {
      await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/retention`),
        ({ body }) => body.rows.every((row: Record<string, unknown>) => row['status'] === 'erased'),
      );
      if (beside)
        await custos.eventually(
          async () => ({ status: 200, body: await types(subjectId) }),
          ({ body }) => body.includes('ReportedValuesErased'),
        );
      await custos.eventually(
        () => custos.get('support', `/v1/subjects/${subjectId}/usage-months`),
        ({ body }) => body.rows.every((row: Record<string, unknown>) => row['status'] === 'erased'),
      );
    }
    await custos.stop();
    expect(await keysOf(people)).toEqual(people.map(() => false));
    await custos.launch('2032-02-06T09:00:00Z');
  }, 120_000);

  it('keeps what a statute asks for from an erasure on request, and ends it with the duty', async () => {
    await custos.renewAccess();
    const { subjectId } = await customer(custos);
    const billing = { purposeId: 'billing', collectionPointId: 'accounts-office', ...NOTICE };
    const { 'billing.invoice': invoice } = await collect(
      custos,
      subjectId,
      { ...billing, serviceRequestRef: 'order-1' },
      { 'billing.invoice': 'One chart, 12.00' },
    );
    for (const itemIds of [[invoice], undefined]) {
      const answer = await custos.send('dpo', 'EraseData', {
        subjectId,
        cause: 'request',
        ...(itemIds && { itemIds }),
      });
      if (itemIds) expect(answer.body.code).toBe('ERASURE_EXCEPTION_APPLIES');
    }
    await custos.accepted('crm', 'EndAccountingPeriod', { subjectId });
    const statuses = async () =>
      (await custos.get('auditor', `/v1/subjects/${subjectId}/retention`)).body.rows.map(
        (row: Record<string, unknown>) => row['status'],
      ) as readonly string[];
    await custos.eventually(
      async () => ({ status: 200, body: await statuses() }),
      ({ body }) => body.filter((status: string) => status === 'erased').length === 4,
    );
    await custos.advanceTo('2038-02-06T08:59:59Z');
    expect((await statuses()).filter((status) => status === 'kept')).toHaveLength(1);
    await custos.advanceTo('2038-02-07T09:00:00Z');
    await custos.eventually(
      async () => ({ status: 200, body: await statuses() }),
      ({ body }) => body.every((status: string) => status === 'erased'),
    );
    await custos.stop();
    expect(await keysOf([{ subjectId }])).toEqual([false]);
    await custos.launch('2038-02-07T09:00:00Z');
  });
});
