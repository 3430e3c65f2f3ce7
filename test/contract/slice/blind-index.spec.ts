import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { instant, Personal, subjectStream } from '#kernel';
import { codecsOf } from '#slice';
import { subjectCapability, type DataCollected, type ItemVersionRef, type SubjectEvent } from '#subject';
import { BlindIndex } from '#viewing';
import { Ground, SERVICE } from './ground.js';

const CATEGORY = 'contact.email';

/** The index of identifiers over a real log and a real vault, where nobody destroys the keys of what is erased. */
describe('the index of identifiers', () => {
  let ground: Ground;
  let index: BlindIndex;

  const open = async (name: string): Promise<BlindIndex> => {
    const opened = await BlindIndex.open(`file:${join(ground.folder, name)}`, ground.vault);
    opened.start(ground.log, ['subject-'], (error) => {
      throw error;
    });
    return opened;
  };

  beforeAll(async () => {
    ground = await Ground.open(codecsOf([subjectCapability]));
    index = await open('search.db');
  }, 60_000);

  afterAll(async () => {
    await index.close();
    await ground.close();
  });

  class Somebody {
    readonly subjectId = randomUUID();
    readonly email = `${this.subjectId}@example.test`;
    readonly item: ItemVersionRef = { itemId: randomUUID(), version: 1, category: CATEGORY, keyId: randomUUID() };
    #revision = -1;

    /** @returns once the index has taken it. */
    async tell(...events: readonly SubjectEvent[]): Promise<void> {
      const { revision, position } = await ground.log.append(
        subjectStream(this.subjectId),
        this.#revision,
        events.map((event) => ({ ...event, id: randomUUID() })),
        {
          commandId: randomUUID(),
          actor: SERVICE,
          occurredAt: ground.clock.now(),
          recordedAt: ground.clock.now(),
          fingerprint: 'f',
        },
      );
      this.#revision = revision;
      await index.reached(position);
    }

    isFound = async (by = index): Promise<boolean> => {
      const found = await by.find('email', this.email, [CATEGORY], 10);
      return found.some(({ subjectId }) => subjectId === this.subjectId);
    };

    collected(): DataCollected {
      const { itemId, keyId } = this.item;
      return {
        type: 'DataCollected',
        data: {
          subjectId: this.subjectId,
          purposeId: 'newsletter',
          purposeVersion: 1,
          basis: 'consent',
          noticeId: 'privacy',
          noticeVersion: 1,
          collectionPointId: 'form',
          collectionPointVersion: 1,
          source: 'subject',
          items: [
            {
              itemId,
              version: 1,
              category: CATEGORY,
              necessity: 'required',
              keyId,
              value: new Personal(this.email, { subjectId: this.subjectId, keyId }),
              retention: { trigger: 'collected', period: 'P1Y' },
            },
          ],
        },
      };
    }

    started(more: object = {}): SubjectEvent {
      return {
        type: 'ErasureStarted',
        data: {
          subjectId: this.subjectId,
          erasureId: this.subjectId,
          cause: 'request',
          scope: 'items',
          items: [this.item],
          remaining: [],
          recipients: [],
          ...more,
        },
      };
    }

    expired = (): SubjectEvent => ({
      type: 'RetentionExpired',
      data: { subjectId: this.subjectId, items: [{ ...this.item, due: instant('2026-11-23T09:00:00Z') }] },
    });

    deferred(data: object): SubjectEvent {
      return { type: 'RetentionDeferred', data: { subjectId: this.subjectId, items: [], ...data } };
    }
  }
  const held = async (): Promise<Somebody> => {
    const somebody = new Somebody();
    await somebody.tell(somebody.collected());
    expect(await somebody.isFound()).toBe(true);
    return somebody;
  };
  const CAUSE = { cause: 'legalHold', ref: 'matter-1' } as const;

  it('finds nobody by what an erasure has put beyond use, though its key still exists', async () => {
    const [byItems, wholly, expired] = [await held(), await held(), await held()];
    await byItems.tell(byItems.started());
    await wholly.tell(wholly.started({ scope: 'person', everything: true, items: [] }));
    await expired.tell(expired.expired(), expired.started({ cause: 'retention' }));
    for (const somebody of [byItems, wholly, expired]) {
      expect(await ground.vault.liveKeys([somebody.item.keyId])).toHaveLength(1);
      expect(await somebody.isFound()).toBe(false);
    }
  });

  it('finds them again when something keeps it after all, and never once its key is gone', async () => {
    const [byItems, wholly, expired] = [await held(), await held(), await held()];
    const erasureOf = (somebody: Somebody) => ({ erasureId: somebody.subjectId });
    await byItems.tell(
      byItems.started(),
      byItems.deferred({ items: [{ ...byItems.item, ...CAUSE, ...erasureOf(byItems) }] }),
    );
    await wholly.tell(
      wholly.started({ scope: 'person', everything: true, items: [] }),
      wholly.deferred({ person: { ...CAUSE, ...erasureOf(wholly) } }),
    );
    await expired.tell(
      expired.expired(),
      expired.started({ cause: 'retention' }),
      expired.deferred({ items: [{ ...expired.item, ...CAUSE, ...erasureOf(expired) }] }),
    );
    const people = [byItems, wholly, expired];
    for (const somebody of people) expect(await somebody.isFound()).toBe(true);

    // A file that is built anew from the log answers the same.
    const anew = await open('search-anew.db');
    const gone = await held();
    await gone.tell(gone.started());
    await anew.reached(index.position);
    for (const somebody of people) expect(await somebody.isFound(anew)).toBe(true);
    expect(await gone.isFound(anew)).toBe(false);
    await ground.vault.destroyItemKeys(
      people.map(({ item }) => item.keyId),
      'retention',
    );
    for (const somebody of people) expect(await somebody.isFound(anew)).toBe(false);
    await anew.close();
    for (const somebody of people) expect(await somebody.isFound()).toBe(false);
  });

  it('brings back only what the deferred erasure of a person has put beyond use', async () => {
    const somebody = await held();
    await somebody.tell(
      somebody.started({ erasureId: randomUUID() }),
      somebody.deferred({ person: { ...CAUSE, erasureId: somebody.subjectId } }),
    );
    expect(await somebody.isFound()).toBe(false);
  });
});
