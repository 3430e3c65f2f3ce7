import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { instant, Personal, subjectStream, type KeyRef } from '#kernel';
import { codecsOf } from '#slice';
import { telemetryCapability, usageStream, type UsageRecorded } from '#telemetry';
import { sweepKeys } from '../../../apps/steward/key-sweep.js';
import { Ground } from './ground.js';

/** The sweep over a real vault and a real log. */
describe('the sweep of keys', () => {
  let ground: Ground;
  const lostConfirmations: KeyRef[] = [];

  beforeAll(async () => {
    ground = await Ground.open(codecsOf([telemetryCapability]));
    // What a process does that dies before it has written down that its events are stored.
    ground.vault.confirm = () => undefined;
  }, 60_000);

  afterAll(async () => {
    await ground.close();
  });

  const usage = (key: KeyRef, month: string): UsageRecorded & { readonly id: string } => ({
    type: 'UsageRecorded',
    id: randomUUID(),
    data: {
      subjectId: key.subjectId,
      month,
      streamId: 'charts',
      streamVersion: 1,
      purposeId: 'delivery',
      purposeVersion: 1,
      basis: 'contract',
      noticeId: 'privacy',
      noticeVersion: 1,
      batchId: randomUUID(),
      batchRef: 'b-1',
      count: 1,
      from: instant('2026-11-23T08:00:00Z'),
      to: instant('2026-11-23T08:00:00Z'),
      keys: [key.keyId],
      batch: new Personal({ entries: [{ at: instant('2026-11-23T08:00:00Z'), values: { licence: 'L-77' } }] }, key),
      due: instant('2027-02-21T08:00:00Z'),
      held: { batches: 1, entries: 1 },
    },
  });
  const append = (stream: string, event: UsageRecorded & { readonly id: string }) =>
    ground.log.append(stream, -1, [event], {
      commandId: randomUUID(),
      actor: { id: 'crm', type: 'service_account', roles: ['service'] },
      occurredAt: ground.clock.now(),
      recordedAt: ground.clock.now(),
      fingerprint: 'f',
    });

  it('keeps keys of usage, which no event in the stream of the person names, and removes what was never stored', async () => {
    const asha = randomUUID();
    const key = (): KeyRef => ({ subjectId: asha, keyId: randomUUID() });
    const [october, november, own, early, lost] = [key(), key(), key(), key(), key()];
    await append(usageStream(asha, '2026-10'), usage(october, '2026-10'));
    await append(usageStream(asha, '2026-11'), usage(november, '2026-11'));
    await append(subjectStream(asha), usage(own, '2026-11'));
    // Ensured before streams were noted.
    await ground.vault.ensureKeys([early]);
    const revision = await ground.log.append(subjectStream(asha), 0, [usage(early, '2026-11')], {
      commandId: randomUUID(),
      actor: { id: 'crm', type: 'service_account', roles: ['service'] },
      occurredAt: ground.clock.now(),
      recordedAt: ground.clock.now(),
      fingerprint: 'f',
    });
    expect(revision.revision).toBe(1);
    await ground.vault.ensureKeys([lost], usageStream(asha, '2026-09'));
    lostConfirmations.push(october, november, own, early);

    ground.clock.advanceTo(instant('2026-11-25T09:00:00Z'));
    expect(await sweepKeys(ground.log, ground.clock)).toBe(1);
    const kept = lostConfirmations.map(({ keyId }) => keyId);
    expect(await ground.vault.liveKeys([...kept, lost.keyId])).toEqual(kept);
    for await (const event of ground.log.readStream(usageStream(asha, '2026-11'))) {
      const { batch } = event.data as UsageRecorded['data'];
      if (batch.kind !== 'sealed') throw new Error('not sealed');
      expect(await ground.vault.open([batch])).toMatchObject([
        { kind: 'opened', value: { entries: [{ values: { licence: 'L-77' } }] } },
      ]);
    }
  });
});
