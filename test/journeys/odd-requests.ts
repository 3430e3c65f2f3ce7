import type { OpenApiDocument } from '../../apps/engine/openapi.js';
import type { ActorName, Installation } from '../installation.js';
import { Connection, type Heard } from '../openapi/connection.js';
import type { Request, Source } from '../openapi/requests.js';
import { customer, type Person } from './life.js';

/** Where names of people and registers stand in what the shipped policy and the journey have made. */
export const KNOWN = {
  purposeId: ['support-ticket', 'service-account', 'billing', 'product-news', 'service-usage'],
  collectionPointId: ['support-form', 'account-form'],
  noticeId: ['customer-privacy'],
  category: ['contact.email', 'contact.name', 'contact.phone', 'account.number', 'ticket.text'],
  categories: ['contact.email', 'contact.name', 'contact.email,contact.name'],
  fields: ['contact.email', 'contact.name'],
  recipientId: ['example-pacific', 'example-harbour-charts'],
  streamId: ['chart-cloud'],
  channel: ['email', 'post'],
  version: ['1'],
  month: ['2026-11'],
} as const;

/** A request and its answer. */
export interface Outcome {
  readonly request: Request;
  readonly heard: Heard;
}

const AT_ONCE = 24;
const PATIENCE = 20_000;

/** Everybody who may ask, by role; `subject` and `agent` are about the first of two customers. */
export async function everyRole(
  custos: Installation,
): Promise<{ readonly roles: Readonly<Record<string, ActorName>>; readonly people: readonly Person[] }> {
  const people: Person[] = [await customer(custos), await customer(custos)];
  const own = { actorType: 'app_user', subjectId: people[0]?.subjectId ?? '' };
  return {
    people,
    roles: {
      ...{ service: 'crm', staff: 'support', privacyOfficer: 'dpo', legal: 'counsel', securityOfficer: 'security' },
      ...{ auditor: 'auditor', operator: 'operator' },
      subject: await custos.admit('asha', { ...own, roles: ['subject'] }),
      agent: await custos.admit('agent-of-asha', { ...own, roles: ['agent'] }),
    },
  };
}

/** What requests are made from: the document that the engine serves, and what means something to it. */
export async function sourceOf(
  custos: Installation,
  seed: number,
  { roles, people }: Awaited<ReturnType<typeof everyRole>>,
): Promise<Source> {
  const item = people.flatMap(({ items }) => Object.values(items));
  const subject = people.map(({ subjectId }) => subjectId);
  return {
    document: (await custos.get('operator', '/docs/openapi.json')).body as OpenApiDocument,
    seed,
    tokens: Object.fromEntries(Object.entries(roles).map(([role, actor]) => [role, custos.token(actor)])),
    known: { ...KNOWN, ...{ itemId: item, itemIds: item, item, subjectId: subject, subject } },
  };
}

/** Names a request so that it is found again, with nothing of what was sent. */
export const named = ({ number, operation, odd }: Request): string =>
  `${number}: ${operation} (${odd.join(', ') || 'as wanted'})`;

/** Sends requests over several connections. @returns the answers, and what had none or more than one. */
export async function sendAll(
  url: string,
  requests: readonly Request[],
): Promise<{ readonly outcomes: readonly Outcome[]; readonly unanswered: readonly string[] }> {
  const outcomes: Outcome[] = [];
  const unanswered: string[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    const connection = new Connection(url);
    for (let request = requests[next++]; request; request = requests[next++])
      try {
        outcomes.push({ request, heard: await connection.exchange(request.bytes, request.last, PATIENCE) });
      } catch (error) {
        unanswered.push(`${named(request)}: ${(error as Error).message}`);
      }
    connection.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  return { outcomes, unanswered };
}

/** Whether a command names no person: what it says is about a register. */
export const isAboutNobody = ({ body }: Request): boolean => !/"subjectId"/.test(JSON.stringify(body));

/** Whether something that was sent is kept to be read: it was taken into a register. */
export const isOfRegister = ({ request, heard }: Outcome): boolean => heard.status < 300 && isAboutNobody(request);
