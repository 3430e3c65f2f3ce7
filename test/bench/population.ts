import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventLog, type Identified } from '#event-log';
import { instant, Personal, subjectStream, type Instant } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from '#key-vault';
import { codecsOf } from '#slice';
import { capabilities } from '../../apps/capabilities.js';

/** People put into the log at once, sealed and appended as the engine does it, past its door. */
const AT_ONCE = 256;
/** An append is a megabyte at most. */
const EVENTS_AT_ONCE = 1_000;

/** One person: this many items, collected in one go, and as many other events as make up the number. */
export interface Plan {
  readonly items: number;
  readonly events: number;
  readonly collectedAt: Instant;
  /** Of the items, counted from when they were collected. */
  readonly period: string;
}

/**
 * Fills a running installation through the door of its log: a person costs one append and no command. What is
 * stored is what the engine would have stored, so that everything that reads it works on it as on anything else.
 */
export class Population {
  private constructor(
    private readonly vault: KeyVault,
    private readonly log: EventLog,
  ) {}

  static async of(dataDir: string): Promise<Population> {
    const { eventStoreUrl } = JSON.parse(readFileSync(join(dataDir, 'standalone.json'), 'utf8')) as {
      readonly eventStoreUrl: string;
    };
    const vault = await openKeyVault({
      url: `file:${join(dataDir, 'vault.db')}`,
      masterKey: masterKeyFrom(`file:${join(dataDir, 'master.key')}`),
      clock: () => instant(new Date().toISOString()),
    });
    return new Population(vault, new EventLog(eventStoreUrl, codecsOf(capabilities), vault));
  }

  /** @returns the ids of the people, and the position of the last event. */
  async add(
    count: number,
    planOf: (index: number) => Plan,
  ): Promise<{ readonly people: readonly string[]; readonly position: number }> {
    const people = Array.from({ length: count }, () => randomUUID());
    let position = 0;
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        position = Math.max(position, await this.#add(people[index]!, planOf(index)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { people, position };
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.vault.close();
  }

  async #add(subjectId: string, { items, events, collectedAt, period }: Plan): Promise<number> {
    const told: Identified[] = [
      {
        id: randomUUID(),
        type: 'SubjectRegistered',
        data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
      },
      {
        id: randomUUID(),
        type: 'DataCollected',
        data: {
          subjectId,
          purposeId: 'support-ticket',
          purposeVersion: 1,
          basis: 'contract',
          noticeId: 'customer-privacy',
          noticeVersion: 1,
          collectionPointId: 'support-form',
          collectionPointVersion: 1,
          serviceRequestRef: 'ticket-1',
          source: 'subject',
          items: Array.from({ length: items }, () => {
            const keyId = randomUUID();
            return {
              itemId: randomUUID(),
              version: 1,
              category: 'ticket.text',
              necessity: 'required',
              keyId,
              value: new Personal('Chart 12 does not open.', { subjectId, keyId }),
              retention: { trigger: 'collected', period },
            };
          }),
        },
      },
    ];
    while (told.length < events)
      told.push({
        id: randomUUID(),
        type: 'NoticePresented',
        data: { subjectId, noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' },
      });
    let position = 0;
    for (let from = 0; from < told.length; from += EVENTS_AT_ONCE)
      ({ position } = await this.log.append(
        subjectStream(subjectId),
        from - 1,
        told.slice(from, from + EVENTS_AT_ONCE),
        {
          commandId: randomUUID(),
          actor: { id: 'crm', type: 'service_account', roles: ['service'] },
          occurredAt: collectedAt,
          recordedAt: collectedAt,
          fingerprint: '',
        },
      ));
    return position;
  }
}
