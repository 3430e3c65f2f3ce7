import { randomUUID } from 'node:crypto';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventLog } from '#event-log';
import type { Actor } from '#kernel';
import {
  CLOCK,
  codecsOf,
  COMMAND_LEDGER,
  CommandCatalogue,
  CommandDoor,
  followedPrefixes,
  InvalidCommand,
  refusalCapability,
  RegisterHost,
  SliceModule,
  SliceRunner,
  type Refused,
} from '#slice';
import { collect, Ground, SERVICE } from './ground.js';
import { Add, blankLedger, CloseTally, SetLimit, tallyCapability } from './tally.js';

const capabilities = [refusalCapability, tallyCapability];
const STAFF: Actor = { id: 'ada', type: 'user', roles: ['staff'] };

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
let app: INestApplicationContext;
let door: CommandDoor;

beforeAll(async () => {
  ground = await Ground.open(codecsOf(capabilities));
  app = await NestFactory.createApplicationContext(
    { module: GroundModule, imports: [GroundModule.of(ground), SliceModule.forRoot(capabilities)] },
    { logger: false },
  );
  await app.get(RegisterHost).start(ground.log, () => undefined);
  door = app.get(CommandDoor);
});
afterAll(async () => {
  await app.get(RegisterHost).stop();
  await app.close();
  await ground.close();
});

const newId = (): string => `t-${randomUUID()}`;
const body = (tallyId = newId(), by = 1) => ({ commandId: randomUUID(), tallyId, by });
const refusals = async (commandId: string) =>
  (await collect(ground.log.readAll(Number.MAX_SAFE_INTEGER, (stream) => stream.startsWith('refusal-')))).filter(
    (event) => event.commandId === commandId,
  );

describe('the command bus', () => {
  it('has a generated handler for every command', async () => {
    const bus = app.get(CommandBus);
    const id = newId();
    const sent = (kind: typeof Add | typeof CloseTally | typeof SetLimit, fields: object) =>
      bus.execute(Object.assign(new kind(), { commandId: randomUUID(), actor: STAFF, ...fields }));
    expect(await sent(SetLimit, { limitId: id, limit: 3 })).toMatchObject({ accepted: true, stream: `limit-${id}` });
    expect(await sent(Add, { tallyId: id, by: 2 })).toMatchObject({ accepted: true, events: [{ type: 'Added' }] });
    expect(await sent(Add, { tallyId: id, by: 2 })).toMatchObject({ accepted: false, code: 'DATA_EXCESSIVE' });
    expect(await sent(CloseTally, { tallyId: id })).toMatchObject({ accepted: true, events: [{ type: 'Closed' }] });
  });
});

describe('the door', () => {
  it('reads, authorises, and sends through the bus', async () => {
    const given = body();
    const answer = await door.submit('Add', { ...given, type: 'CloseTally' }, SERVICE);
    expect(answer).toMatchObject({ accepted: true, commandId: given.commandId, events: [{ type: 'Added' }] });
    expect(await door.submit('Add', given, SERVICE)).toEqual(answer);
  });

  it('refuses who has no role for it, on record, and nothing happens', async () => {
    const id = newId();
    await door.submit('Add', body(id), SERVICE);
    const close = { commandId: randomUUID(), tallyId: id };
    const answer = (await door.submit('CloseTally', close, SERVICE)) as Refused;
    expect(answer).toMatchObject({ code: 'FORBIDDEN', clauses: ['C08', 'C15'], details: { command: 'CloseTally' } });
    expect(await refusals(close.commandId)).toMatchObject([
      { id: answer.refusalId, actorId: 'crm', data: { commandType: 'CloseTally', streamRef: `tally-${id}` } },
    ]);
    expect(await door.submit('CloseTally', close, SERVICE)).toEqual(answer);
    expect(await refusals(close.commandId)).toHaveLength(1);
    expect(await collect(ground.log.readStream(`tally-${id}`))).toHaveLength(1);
  });

  it.each<[string, string, object, string]>([
    ['a command nobody knows', 'Destroy', {}, 'type (isKnownCommand)'],
    ['a name every object has', 'constructor', {}, 'type (isKnownCommand)'],
    ['a field nobody knows', 'Add', { roles: ['staff'] }, 'roles (whitelistValidation)'],
    ['an actor in the body', 'Add', { actor: STAFF }, 'actor (whitelistValidation)'],
    ['a stream that does not exist', 'Add', { tallyId: 'a/b' }, 'tallyId (matches)'],
  ])('does not take %s, and records nothing', async (_name, type, fields, message) => {
    const given = { ...body(), ...fields };
    await expect(door.submit(type, given, STAFF)).rejects.toThrow(InvalidCommand);
    await expect(door.submit(type, given, STAFF)).rejects.toThrow(message);
    expect(await refusals(given.commandId)).toEqual([]);
  });
});

describe('an application', () => {
  it('knows every command of its capabilities, and refuses a name that is bound twice', () => {
    const catalogue = app.get(CommandCatalogue);
    expect(catalogue.all().map(({ type, capability }) => `${capability} ${type}`)).toEqual([
      'tally Add',
      'tally CloseTally',
      'tally Remark',
      'tally SetLimit',
    ]);
    expect(() => new CommandCatalogue([tallyCapability, { ...tallyCapability, name: 'again' }])).toThrow(
      'the command Add is bound twice',
    );
  });

  it('follows the streams its slices write, and its refusals', () => {
    expect(followedPrefixes(capabilities)).toEqual(['tally-', 'limit-', 'refusal-']);
    expect(app.get(SliceRunner)).toBeInstanceOf(SliceRunner);
  });
});
