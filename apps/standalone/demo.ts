/**
 * Plays a scripted life of three people through the HTTP API and prints what was accepted, what was refused and why,
 * and who held what at which time. Against a running engine when CUSTOS_URL and CUSTOS_TOKEN (an operator's token)
 * are set; else against one of its own over a temporary folder. Ends with exit code 1 when an answer is not the one
 * the policy promises.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readConfiguration } from '../configuration.js';
import { PEOPLE } from './demo-people.js';
import { startStandalone } from './standalone.js';

interface Reply {
  readonly accepted?: boolean;
  readonly code?: string;
  readonly clauses?: readonly string[];
  readonly legalRef?: string;
  readonly remedy?: string;
  readonly position?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly events?: readonly { readonly id: string; readonly type: string }[];
}

interface Held {
  readonly rows: readonly {
    readonly category: string;
    readonly version: number;
    readonly holderKind: string;
    readonly holderId: string;
    readonly purposeId: string;
    readonly basis: string;
    readonly use: string;
  }[];
}

interface SubjectFile {
  readonly holdings: readonly {
    readonly item_id: string;
    readonly category: string;
    readonly version: number;
    readonly status: string;
    readonly value?: string;
    readonly withheld?: string;
  }[];
}

const ACTORS = {
  crm: { actorType: 'service_account', roles: ['service'] },
  mailer: { actorType: 'service_account', roles: ['service'] },
  support: { actorType: 'user', roles: ['staff'] },
  dpo: { actorType: 'user', roles: ['privacyOfficer'] },
  'second-dpo': { actorType: 'user', roles: ['privacyOfficer'] },
  counsel: { actorType: 'user', roles: ['legal'] },
  auditor: { actorType: 'user', roles: ['auditor'] },
} as const;
type ActorName = keyof typeof ACTORS;

const line = (text = ''): void => void process.stdout.write(`${text}\n`);
const failures: string[] = [];
const counts = { accepted: 0, refused: 0 };

class Api {
  readonly #tokens = new Map<string, string>();
  #position = 0;

  constructor(private readonly url: string) {}

  async signIn(operator: string): Promise<void> {
    this.#tokens.set('operator', operator);
    const issued = await this.call<{ tokens: { actorId: string; token: string }[] }>('operator', 'POST', '/v1/tokens', {
      tokens: Object.entries(ACTORS).map(([actorId, actor]) => ({ actorId, ...actor })),
    });
    issued.tokens.forEach(({ actorId, token }) => this.#tokens.set(actorId, token));
  }

  /** Sends a command, prints the answer, and notes when it is not the expected one. */
  async send(actor: ActorName, type: string, body: object, said: string, expected = 'accepted'): Promise<Reply> {
    const reply = await this.call<Reply>(actor, 'POST', `/v1/commands/${type}`, { commandId: randomUUID(), ...body });
    const outcome = reply.accepted ? 'accepted' : (reply.code ?? `unexpected answer ${JSON.stringify(reply)}`);
    if (reply.accepted) counts.accepted += 1;
    else counts.refused += 1;
    this.#position = Math.max(this.#position, reply.position ?? 0);
    line(`  ${reply.accepted ? 'accepted' : 'REFUSED '}  ${said}`);
    if (!reply.accepted) {
      line(
        `            ${reply.code} · ${reply.clauses?.join(' ') || 'engine'} · ${reply.legalRef} · ${JSON.stringify(reply.details)}`,
      );
      line(`            to make it pass: ${reply.remedy}`);
    }
    if (outcome !== expected) failures.push(`${type}: expected ${expected}, got ${outcome}`);
    return reply;
  }

  async newestContract(serviceId: string): Promise<number> {
    const register = await this.ask<{ rows: readonly { version: number }[] }>(
      'auditor',
      `/v1/registers/service-contracts?service_id=${serviceId}`,
    );
    return register.rows.at(-1)?.version ?? 1;
  }

  ask<T>(actor: ActorName, path: string): Promise<T> {
    return this.call<T>(actor, 'GET', `${path}${path.includes('?') ? '&' : '?'}min-position=${this.#position}`);
  }

  private async call<T>(actor: string, method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#tokens.get(actor)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as T;
  }
}

/** What the services of the play may ask for: what they are there for. */
const CONTRACTS = {
  crm: {
    purposes: ['service-account', 'corporate-contact', 'product-news'],
    categories: ['contact.name', 'contact.email', 'contact.phone', 'contact.organisation', 'account.number'],
    collectionPoints: ['account-form'],
  },
  mailer: { purposes: ['product-news'], categories: ['contact.email'], collectionPoints: [] },
} as const;

const STATEMENT = '5c'.repeat(32);
const DOCUMENT = '9d'.repeat(32);

async function play(api: Api): Promise<void> {
  const [asha, bram, chioma] = [randomUUID(), randomUUID(), randomUUID()];
  const run = randomUUID().slice(0, 8);
  const values = (person: Readonly<Record<string, string>>, ...categories: string[]): object[] =>
    categories.map((category) => ({ category, value: person[category] }));
  const itemOf = async (subjectId: string, category: string): Promise<string> => {
    const file = await api.ask<SubjectFile>('support', `/v1/subjects/${subjectId}`);
    return file.holdings.findLast((held) => held.category === category)?.item_id ?? '';
  };
  const notice = { noticeId: 'customer-privacy', noticeVersion: 1 };
  const show = { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' };

  line('Two people say what each service may ask for');
  for (const [serviceId, scope] of Object.entries(CONTRACTS)) {
    const drafted = await api.send(
      'dpo',
      'DraftServiceContract',
      { serviceId, ...scope },
      `dpo drafts the contract of ${serviceId}`,
    );
    // A run before this one may have left the same contract.
    if (drafted.events?.length !== 0)
      await api.send(
        'second-dpo',
        'ApproveServiceContract',
        { serviceId, version: await api.newestContract(serviceId) },
        'another officer approves it',
      );
  }

  line();
  line('Asha opens an account and asks for help');
  await api.send('crm', 'RegisterSubject', { subjectId: asha, capacity: 'individual' }, 'crm opens the relationship');
  const account = { subjectId: asha, purposeId: 'service-account', collectionPointId: 'account-form', ...notice };
  const details = values(PEOPLE.asha, 'contact.name', 'contact.email', 'contact.phone', 'account.number');
  await api.send(
    'crm',
    'CollectData',
    { ...account, serviceRequestRef: 'order-1', items: details },
    'crm collects details before the notice was shown',
    'NOTICE_NOT_PRESENTED',
  );
  await api.send('crm', 'PresentNotice', { subjectId: asha, ...show }, 'crm shows the privacy notice, version 1');
  await api.send(
    'crm',
    'CollectData',
    { ...account, items: details },
    'crm collects details without naming the order',
    'NO_SERVICE_REQUEST',
  );
  const more = [...details, { category: 'religion', value: 'not asked for' }];
  await api.send(
    'crm',
    'CollectData',
    { ...account, serviceRequestRef: 'order-1', items: more },
    'crm asks for religion as well',
    'OUTSIDE_SERVICE_CONTRACT',
  );
  await api.send(
    'support',
    'CollectData',
    { ...account, serviceRequestRef: 'order-1', items: more },
    'support, bound by no contract, asks for it too',
    'DATA_EXCESSIVE',
  );
  await api.send(
    'crm',
    'CollectData',
    { ...account, serviceRequestRef: 'order-1', items: details },
    'crm collects what the account needs',
  );
  await api.send(
    'support',
    'CollectData',
    {
      subjectId: asha,
      purposeId: 'support-ticket',
      collectionPointId: 'support-form',
      ...notice,
      serviceRequestRef: 'ticket-1',
      items: values(PEOPLE.asha, 'contact.email', 'ticket.text'),
    },
    'support takes in a ticket',
  );
  await api.send(
    'support',
    'CollectData',
    { ...account, collectionPointId: 'old-web-form', serviceRequestRef: 'order-1', items: details },
    'a form nobody registered sends data',
    'COLLECTION_POINT_UNKNOWN',
  );

  line();
  line('News about products: only with consent, and never after no');
  const email = await itemOf(asha, 'contact.email');
  const news = { subjectId: asha, purposeId: 'product-news', channel: 'email' };
  await api.send(
    'mailer',
    'AuthoriseUse',
    { ...news, itemIds: [email] },
    'mailer asks to send the newsletter',
    'CONSENT_NOT_GIVEN',
  );
  const consent = { ...news, ...notice, statementHash: STATEMENT, method: 'webForm', givenBy: 'subject' };
  await api.send(
    'crm',
    'GiveConsent',
    { ...consent, affirmativeAct: 'preTickedBox' },
    'a box that was ticked beforehand',
    'CONSENT_NOT_UNAMBIGUOUS',
  );
  await api.send('crm', 'GiveConsent', { ...consent, affirmativeAct: 'tickedBox' }, 'Asha ticks the box herself');
  await api.send('mailer', 'AuthoriseUse', { ...news, itemIds: [email] }, 'mailer asks again');
  await api.send(
    'mailer',
    'AuthoriseUse',
    { ...news, channel: 'sms', itemIds: [email] },
    'mailer tries a text message',
    'CONSENT_CHANNEL_MISMATCH',
  );
  await api.send('crm', 'WithdrawConsent', news, 'Asha withdraws');
  await api.send('mailer', 'AuthoriseUse', { ...news, itemIds: [email] }, 'mailer asks once more', 'CONSENT_WITHDRAWN');
  await api.send('crm', 'ObjectToMarketing', { subjectId: asha }, 'Asha objects to all marketing');
  await api.send(
    'mailer',
    'AuthoriseUse',
    { ...news, itemIds: [email] },
    'mailer asks after the objection',
    'MARKETING_OBJECTION',
  );

  line();
  line('Nothing leaves the group unless a statute compels it');
  const phone = await itemOf(asha, 'contact.phone');
  const ticket = await itemOf(asha, 'ticket.text');
  await api.send(
    'dpo',
    'RegisterRecipient',
    {
      recipientId: `adtech-${run}`,
      kind: 'THIRD_PARTY',
      name: 'Example Adtech Ltd',
      legalForm: 'company',
      country: 'GB',
    },
    'dpo registers an advertising company',
  );
  await api.send(
    'dpo',
    'RegisterRecipient',
    {
      recipientId: `police-${run}`,
      kind: 'AUTHORITY',
      name: 'Example Constabulary',
      legalForm: 'publicBody',
      country: 'GB',
    },
    'dpo registers a police force',
  );
  const share = { subjectId: asha, purposeId: 'service-account', medium: 'api' };
  await api.send(
    'crm',
    'ShareData',
    { ...share, recipientId: `adtech-${run}`, itemIds: [phone], consentRef: 'signed-consent' },
    'crm shares with the advertising company, with consent',
    'NOT_COMPELLED',
  );
  await api.send(
    'crm',
    'ShareData',
    { ...share, recipientId: `police-${run}`, itemIds: [phone] },
    'the police ask by letter',
    'NOT_COMPELLED',
  );
  await api.send(
    'counsel',
    'RecordStatutoryInstrument',
    {
      instrumentId: `order-${run}`,
      enactment: 'Police and Criminal Evidence Act 1984',
      section: 'Sch 1 para 4',
      instrumentKind: 'productionOrder',
      reference: 'PO-2026-77',
      issuer: 'Example Crown Court',
      issuedOn: '2026-11-02',
      scope: { categories: ['contact.name', 'contact.email', 'contact.phone'], subjectIds: [asha] },
      mandatory: true,
      reviewedBy: 'second-counsel',
      noTippingOff: false,
      documentHash: DOCUMENT,
    },
    'counsel records a production order for contact details',
  );
  const ordered = { ...share, recipientId: `police-${run}`, instrumentId: `order-${run}` };
  await api.send(
    'counsel',
    'ShareData',
    { ...ordered, itemIds: [phone, ticket] },
    'the order is stretched to a ticket',
    'DISCLOSURE_EXCEEDS_SCOPE',
  );
  await api.send('counsel', 'ShareData', { ...ordered, itemIds: [phone] }, 'trimmed to what the order names');

  line();
  line('Asha corrects her phone number');
  await api.send(
    'crm',
    'ShareData',
    { ...share, recipientId: 'example-harbour-charts', itemIds: [phone] },
    'crm shares the number with a group company',
  );
  const before = new Date().toISOString();
  await wait(5);
  await api.send(
    'support',
    'CorrectData',
    { subjectId: asha, itemId: phone, fromVersion: 1, value: PEOPLE.asha.corrected, reasonCode: 'outOfDate' },
    'support corrects the number',
  );
  await api.send(
    'support',
    'CompleteCorrection',
    { subjectId: asha, itemId: phone, version: 2 },
    'support closes the case too soon',
    'RECIPIENTS_NOT_NOTIFIED',
  );
  const told = { subjectId: asha, itemId: phone, version: 2, outcome: 'notified' };
  await api.send(
    'crm',
    'NotifyRecipient',
    { ...told, recipientId: 'example-harbour-charts' },
    'crm tells the group company',
  );
  await api.send('dpo', 'NotifyRecipient', { ...told, recipientId: `police-${run}` }, 'dpo tells the police');
  await api.send(
    'support',
    'CompleteCorrection',
    { subjectId: asha, itemId: phone, version: 2 },
    'support closes the case',
  );
  await api.send(
    'crm',
    'ExtendRetention',
    { subjectId: asha, itemId: phone, until: '2040-01-01T00:00:00Z' },
    'crm wants to keep it longer',
    'RETENTION_EXTENSION_FORBIDDEN',
  );

  line();
  line('Chioma is a contact at a company');
  await api.send(
    'crm',
    'RegisterSubject',
    { subjectId: chioma, capacity: 'corporateContact', subscriberType: 'corporate' },
    'crm opens the relationship',
  );
  await api.send('crm', 'PresentNotice', { subjectId: chioma, ...show }, 'crm shows the privacy notice');
  await api.send(
    'crm',
    'CollectData',
    { ...account, subjectId: chioma, serviceRequestRef: 'order-2', items: values(PEOPLE.chioma, 'contact.name') },
    'crm treats the company contract as hers',
    'LAWFUL_BASIS_NOT_AVAILABLE',
  );
  await api.send(
    'crm',
    'CollectData',
    {
      ...account,
      subjectId: chioma,
      purposeId: 'corporate-contact',
      items: values(PEOPLE.chioma, 'contact.name', 'contact.email', 'contact.organisation'),
    },
    'crm notes her as a business contact',
  );
  await api.send(
    'dpo',
    'RestrictProcessing',
    { subjectId: chioma, ground: '18(1)(a)' },
    'she contests the details: dpo restricts',
  );
  await api.send(
    'crm',
    'AuthoriseUse',
    { subjectId: chioma, purposeId: 'corporate-contact', itemIds: [await itemOf(chioma, 'contact.email')] },
    'crm wants to write to her',
    'PROCESSING_RESTRICTED',
  );

  line();
  line('Bram asked for help in 2021; his ticket was closed in 2022 and its time is over');
  const then = (at: string): object => ({ occurredAt: at });
  await api.send(
    'crm',
    'RegisterSubject',
    { subjectId: bram, capacity: 'individual', ...then('2021-03-01T09:00:00Z') },
    'crm enters the old relationship',
  );
  await api.send(
    'crm',
    'PresentNotice',
    { subjectId: bram, ...show, ...then('2021-03-01T09:01:00Z') },
    'crm enters that the notice was shown',
  );
  await api.send(
    'support',
    'CollectData',
    {
      subjectId: bram,
      purposeId: 'support-ticket',
      collectionPointId: 'support-form',
      ...notice,
      serviceRequestRef: 'ticket-9',
      items: values(PEOPLE.bram, 'contact.name', 'contact.email', 'ticket.text'),
      ...then('2021-03-01T09:02:00Z'),
    },
    'support enters the old ticket',
  );
  const bramsFile = `/v1/subjects/${bram}?purpose=support-ticket&caseRef=DEMO-2`;
  const seen = ['contact.name', 'contact.email', 'ticket.text'];
  await api.send(
    'support',
    'ViewPersonalData',
    {
      subjectId: bram,
      occurredAt: new Date().toISOString(),
      categories: seen,
      purposeId: 'support-ticket',
      caseRef: 'DEMO-0',
    },
    'support wants to look at it without a grant',
    'ACCESS_NOT_GRANTED',
  );
  const grant = { granteeId: 'support', grantId: randomUUID() };
  await api.send(
    'support',
    'RequestAccess',
    {
      ...grant,
      role: 'staff',
      purposeId: 'support-ticket',
      categories: seen,
      caseRef: 'DEMO-2',
      to: new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString(),
    },
    'support asks for access to tickets, for a day and one case',
  );
  await api.send('dpo', 'GrantAccess', grant, 'the privacy officer grants it');
  const readable = await api.ask<SubjectFile>('support', bramsFile);
  line(`            his file shows ${readable.holdings.filter((held) => held.value !== undefined).length} values`);
  const bramsEmail = readable.holdings.find((held) => held.category === 'contact.email')?.item_id ?? '';
  await api.send(
    'support',
    'CloseServiceRequest',
    { subjectId: bram, serviceRequestRef: 'ticket-9', ...then('2022-03-01T17:00:00Z') },
    'support enters that the ticket was closed: two years run from then',
  );
  const erased = await until(
    () => api.ask<SubjectFile>('support', `/v1/subjects/${bram}`),
    (file) => file.holdings.every((held) => held.status === 'erased'),
  );
  line(
    `            the steward destroyed the keys: ${erased.holdings.map((held) => `${held.category} ${held.withheld}`).join(', ')}`,
  );
  if (erased.holdings.some((held) => held.value !== undefined)) failures.push('a value outlived its erasure');
  await api.send(
    'support',
    'CorrectData',
    { subjectId: bram, itemId: bramsEmail, fromVersion: 1, value: 'bram@late.example.test', reasonCode: 'outOfDate' },
    'support wants to correct what is gone',
    'DATA_ERASED',
  );
  await api.send(
    'auditor',
    'ViewPersonalData',
    {
      subjectId: asha,
      occurredAt: new Date().toISOString(),
      categories: ['contact.phone'],
      purposeId: 'support-ticket',
      caseRef: 'AUDIT-1',
    },
    'the auditor asks for plaintext',
    'AUDITOR_NO_PLAINTEXT',
  );

  line();
  line('Who held what, and why');
  await answer(api, 'Asha, before the correction', asha, before);
  await answer(api, 'Asha, now', asha, new Date().toISOString());
  await answer(api, 'Bram, on 2 March 2021', bram, '2021-03-02T00:00:00.000Z');
  await answer(api, 'Bram, now', bram, new Date().toISOString());
}

async function answer(api: Api, title: string, subject: string, asOf: string): Promise<void> {
  const held = await api.ask<Held>('auditor', `/v1/who-held-what?subject=${subject}&asOf=${asOf}`);
  line(`  ${title}`);
  for (const row of held.rows)
    line(
      `    ${row.category.padEnd(16)} v${row.version}  ${row.holderKind.padEnd(11)} ${row.holderId.padEnd(24)} ${row.purposeId.padEnd(16)} ${row.basis.padEnd(16)} ${row.use}`,
    );
  if (held.rows.length === 0) failures.push(`no answer for ${title}`);
}

async function until<T>(ask: () => Promise<T>, wanted: (found: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const found = await ask();
    if (wanted(found)) return found;
    await wait(100);
  }
  throw new Error('the steward did not finish in half a minute');
}

async function main(): Promise<void> {
  const { CUSTOS_URL, CUSTOS_TOKEN, ...environment } = process.env;
  if (CUSTOS_URL !== undefined && CUSTOS_TOKEN !== undefined) {
    const api = new Api(CUSTOS_URL);
    await api.signIn(CUSTOS_TOKEN);
    await play(api);
    return;
  }
  const folder = environment['DEMO_DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'custos-demo-'));
  const custos = await startStandalone(readConfiguration({ ...environment, DATA_DIR: folder, PORT: '0' }), (error) => {
    throw error;
  });
  try {
    const api = new Api(custos.url);
    await api.signIn(custos.firstToken ?? '');
    await play(api);
  } finally {
    await custos.stop();
    if (environment['DEMO_DATA_DIR'] === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

await main();
line();
line(`${counts.accepted} accepted, ${counts.refused} refused`);
for (const failure of failures) line(`NOT AS PROMISED: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
