import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { openDatabase, type Database } from '#database';
import { EventLog, type Identified } from '#event-log';
import { instant, Personal, subjectStream } from '#kernel';
import { noticeCapability } from '#notice';
import { purposeCapability } from '#purpose';
import { Projector, ReadModels } from '#read-model';
import {
  CLOCK,
  codecsOf,
  COMMAND_LEDGER,
  CommandDoor,
  followedPrefixes,
  refusalCapability,
  RegisterHost,
  SliceModule,
} from '#slice';
import { subjectCapability } from '#subject';
import { Steward } from '../../../apps/steward/steward.js';
import { collect, Ground, SERVICE } from './ground.js';
import { blankLedger } from './tally.js';

const capabilities = [refusalCapability, purposeCapability, noticeCapability, subjectCapability];
const projections = capabilities.flatMap((each) => each.projections);

@Module({})
class GroundModule {
  static of({ log, clock }: Ground): DynamicModule {
    const providers = [
      { provide: EventLog, useValue: log },
      { provide: CLOCK, useValue: clock },
      { provide: COMMAND_LEDGER, useValue: blankLedger },
    ];
    return { module: GroundModule, global: true, providers, exports: providers };
  }
}

let ground: Ground;
let engines: INestApplicationContext[];
let stewards: Steward[];
let databases: Database<unknown>[];
let projector: Projector;

/** Two engines over one log, each with a steward of its own that looks at the same read models. */
beforeAll(async () => {
  ground = await Ground.open(codecsOf(capabilities));
  const url = `file:${join(ground.folder, 'read-models.db')}`;
  databases = [openDatabase(url), openDatabase(url, { readOnly: true })];
  projector = new Projector(databases[0]!, projections);
  await projector.start(ground.log, followedPrefixes(capabilities), () => undefined);
  const readModels = new ReadModels(databases[1]!, projections);
  const engine = async (): Promise<INestApplicationContext> => {
    const app = await NestFactory.createApplicationContext(
      { module: GroundModule, imports: [GroundModule.of(ground), SliceModule.forRoot(capabilities)] },
      { logger: false },
    );
    await app.get(RegisterHost).start(ground.log, () => undefined);
    return app;
  };
  engines = [await engine(), await engine()];
  const { log, clock } = ground;
  const logger = pino({ level: 'silent' });
  stewards = engines.map(
    (app) => new Steward(subjectCapability.policies, { door: app.get(CommandDoor), readModels, log, clock, logger }),
  );
});
afterAll(async () => {
  for (const steward of stewards) await steward.stop();
  for (const app of engines) {
    await app.get(RegisterHost).stop();
    await app.close();
  }
  await projector.stop();
  for (const database of databases) await database.close();
  await ground.close();
});

const START = instant('2026-11-23T09:00:00Z');

/** A person whose address came from elsewhere, who was never told, and who wrote that it is wrong. */
async function neglected(): Promise<string> {
  const [subjectId, itemId, keyId, requestId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const events: Identified[] = [
    {
      type: 'SubjectRegistered',
      data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
      id: randomUUID(),
    },
    {
      type: 'DataCollected',
      data: {
        subjectId,
        purposeId: 'support',
        purposeVersion: 1,
        basis: 'contract',
        noticeId: 'customer-privacy',
        noticeVersion: 1,
        collectionPointId: 'contact-form',
        collectionPointVersion: 1,
        source: 'thirdParty',
        art14Due: '2026-12-24T00:00:00.000Z',
        items: [
          {
            itemId,
            version: 1,
            category: 'contact.email',
            necessity: 'required',
            keyId,
            value: new Personal('asha@example.test', { subjectId, keyId }),
            retention: { trigger: 'relationshipClosed', period: 'P6Y' },
            nextCheckDue: '2027-11-23T09:00:00.000Z',
          },
        ],
      },
      id: randomUUID(),
    },
    {
      type: 'RectificationRequested',
      data: {
        subjectId,
        requestId,
        channel: 'letter',
        receivedAt: START,
        items: [{ itemId, version: 1, category: 'contact.email' }],
        notHeld: [],
        due: '2026-12-24T00:00:00.000Z',
        dueDate: '2026-12-23',
        division: 'england-and-wales',
        calendarVersion: 'uk-bank-holidays-2026-08-07',
        horizonExceeded: false,
      },
      id: randomUUID(),
    },
  ];
  await ground.log.append(subjectStream(subjectId), -1, events, {
    commandId: randomUUID(),
    actor: SERVICE,
    occurredAt: START,
    recordedAt: START,
    fingerprint: 'digest',
  });
  return subjectId;
}

describe('two stewards over one log', () => {
  it('raise each thing that is late once between them', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, neglected));
    const raised = async (subjectId: string) =>
      (await collect(ground.log.readStream(subjectStream(subjectId), 3))).map(({ type }) => type).sort();
    const both = () => Promise.all(stewards.map((steward) => steward.round()));

    await both();
    for (const subjectId of people) expect(await raised(subjectId)).toEqual([]);
    ground.clock.advanceTo(instant('2027-11-24T09:00:00Z'));
    await both();
    await both();
    const late = ['AccuracyCheckDue', 'Art14NoticeOverdue', 'RectificationOverdue'];
    for (const subjectId of people) expect(await raised(subjectId)).toEqual(late);
    ground.clock.advanceTo(instant('2028-01-01T09:00:00Z'));
    await both();
    await both();
    for (const subjectId of people)
      expect(await raised(subjectId)).toEqual([late[0], 'AccuracyCheckOverdue', ...late.slice(1)]);
  });
});
