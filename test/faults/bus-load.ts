import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { PARTITIONS } from '#command-bus';
import {
  COMMAND_GROUP,
  commandsOf,
  CustosClient,
  type Answer,
  type BusDescription,
  type Connection,
} from '#command-bus/sdk';
import type { ActorName, Installation } from '../installation.js';
import { consentOf } from '../journeys/life.js';

/** How many people's commands are under way at once. */
export const PEOPLE = 6;

/** A command and the answer its sender was given. */
export interface Sent {
  readonly actor: ActorName;
  readonly type: string;
  readonly body: { readonly commandId: string; readonly subjectId: string };
  readonly answer: Answer;
}

export async function until(what: string, holds: () => Promise<boolean> | boolean, patience = 40_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${what}`);
    await wait(50);
  }
}

/** Some commands more are answered. */
export async function hasGoneOn(sent: readonly Sent[]): Promise<void> {
  const before = sent.length;
  await until('commands are answered', () => sent.length > before + PEOPLE * 4);
}

/** The streams of commands. */
export const partitions = Array.from({ length: PARTITIONS }, (_, number) => commandsOf(number));

/** Nothing is unacknowledged, and nothing acknowledged was kept. */
export async function settles(redis: Connection): Promise<void> {
  await until('every message is finished and trimmed', async () => {
    for (const key of partitions) {
      if ((await redis.exists(key)) === 0) continue;
      const [pending] = (await redis.xpending(key, COMMAND_GROUP)) as [number];
      if (pending > 0 || (await redis.xlen(key)) > 0) return false;
    }
    return true;
  });
}

/** A sender that goes on for minutes, and tries again after `patience` milliseconds. */
export const clientOf = async (custos: Installation, redisUrl: string, patience: number): Promise<CustosClient> =>
  new CustosClient({
    url: custos.url,
    token: custos.token('crm'),
    redisUrl,
    timeout: 240_000,
    patience,
    description: (await custos.get('crm', '/v1/bus')).body as BusDescription,
  });

/** Consents of one person given and withdrawn, one after the other or all at once, until told to stop. */
export async function live(crm: CustosClient, sent: Sent[], goesOn: () => boolean, atOnce: number): Promise<void> {
  const subjectId = randomUUID();
  const send = async (type: string, fields: object): Promise<void> => {
    const body = { ...fields, subjectId, commandId: randomUUID() };
    const answer = await crm.send(type as 'RegisterSubject', body as never);
    sent.push({ actor: 'crm', type, body, answer });
  };
  await send('RegisterSubject', { capacity: 'individual' });
  await send('PresentNotice', { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' });
  while (goesOn()) {
    const pairs = Array.from({ length: atOnce }, () => [
      ['GiveConsent', consentOf(subjectId)] as const,
      ['WithdrawConsent', { purposeId: 'product-news', channel: 'email' }] as const,
    ]).flat();
    await Promise.all(pairs.map(([type, fields]) => send(type, fields)));
  }
}

/**
 * Each command has one outcome: what its sender was told is in the log once, in order, and is told again. Nothing
 * unacknowledged stays.
 */
export async function check(custos: Installation, redis: Connection, sent: readonly Sent[]): Promise<void> {
  await settles(redis);
  const last = Math.max(...sent.map(({ answer }) => answer.position));
  for (const subjectId of new Set(sent.map(({ body }) => body.subjectId))) {
    const told = sent
      .filter(({ body, answer }) => body.subjectId === subjectId && answer.accepted)
      .flatMap(({ answer }) =>
        answer.accepted ? answer.events.map(({ id, revision }) => [revision, id] as const) : [],
      )
      .sort(([a], [b]) => a - b)
      .map(([, id]) => id);
    const rows: { event_id: string }[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline?limit=500&after=${after}`, last);
      rows.push(...(page.body.rows as { event_id: string }[]));
      after = page.body.next as number | undefined;
    }
    expect(rows.map(({ event_id }) => event_id)).toEqual(told);
  }
  for (const { actor, type, body, answer } of sent.filter((_each, index) => index % 7 === 0))
    expect((await custos.send(actor, type, body)).body).toEqual(answer);
}
