import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Actor } from '#kernel';
import { applyPolicy, readPolicy, SHIPPED_POLICY } from '#policy';
import {
  codecsOf,
  readCommand,
  RegisterHost,
  SliceRunner,
  TooContended,
  type Answer,
  type Command,
  type CommandLedger,
} from '#slice';
import { capabilities } from '../../apps/capabilities.js';
import { collect, Ground, SERVICE } from '../contract/slice/ground.js';

/** Rounds of the race; the long form is for `npm run test:faults`. */
const ROUNDS = process.env['FAULT_ROUNDS'] === 'long' ? 200 : 5;
const USES = 64;
const NOTICE = { noticeId: 'customer-privacy', noticeVersion: 1 };

const slices = capabilities.flatMap((each) => each.slices);
/** Knows no command: each engine has to find the repeats in the streams. */
const NO_LEDGER: CommandLedger = { find: () => Promise.resolve(undefined) };

/** One of several engines over one log: its own registers, its own memory of streams. */
class Engine {
  readonly registers = new RegisterHost(capabilities.flatMap((each) => each.registers));
  readonly #runner: SliceRunner;

  constructor(private readonly ground: Ground) {
    this.#runner = new SliceRunner(ground.log, this.registers, NO_LEDGER, ground.clock, slices);
  }

  start(): Promise<void> {
    return this.registers.start(this.ground.log, (error) => {
      throw error;
    });
  }

  /** Sends one command until it is answered, as a sender has to. */
  async submit(type: string, body: object, actor: Actor = SERVICE): Promise<Answer> {
    for (const slice of slices)
      for (const { command: shape } of slice.commands) {
        if (new shape().type !== type) continue;
        const command: Command = await readCommand(shape, { commandId: randomUUID(), ...body });
        Object.assign(command, { actor });
        for (;;)
          try {
            return await this.#runner.run(slice, command);
          } catch (error) {
            if (!(error instanceof TooContended)) throw error;
          }
      }
    throw new Error(`no slice takes ${type}`);
  }
}

async function accepted(answer: Promise<Answer>): Promise<void> {
  expect(await answer).toMatchObject({ accepted: true });
}

/** What the person, or the controller for the person, does meanwhile. */
const STOPS = [
  {
    stop: 'WithdrawConsent',
    more: { purposeId: 'product-news', channel: 'email' },
    event: 'ConsentWithdrawn',
    code: 'CONSENT_WITHDRAWN',
  },
  {
    stop: 'RestrictProcessing',
    more: { ground: '18(1)(a)' },
    event: 'ProcessingRestricted',
    code: 'PROCESSING_RESTRICTED',
  },
] as const;

describe(`${USES} uses at two engines, ${ROUNDS} times`, () => {
  let ground: Ground;
  let engines: readonly [Engine, Engine];

  beforeAll(async () => {
    ground = await Ground.open(codecsOf(capabilities));
    engines = [new Engine(ground), new Engine(ground)];
    await Promise.all(engines.map((engine) => engine.start()));
    const [first, second] = engines;
    const applied = await applyPolicy(readPolicy(readFileSync(SHIPPED_POLICY, 'utf8')), {
      registers: first.registers,
      submit: (type, body, actor) => first.submit(type, body as object, actor),
    });
    expect(applied.outcome).toBe('applied');
    await second.registers.reached(applied.answers.at(-1)!.position);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(engines.map(({ registers }) => registers.stop()));
    await ground.close();
  });

  /** A person who agreed to news by e-mail. @returns the person and the address. */
  async function agreed(): Promise<{ readonly subjectId: string; readonly itemId: string }> {
    const [engine] = engines;
    const subjectId = randomUUID();
    const consent = {
      subjectId,
      purposeId: 'product-news',
      channel: 'email',
      ...NOTICE,
      statementHash: '5c'.repeat(32),
      method: 'webForm',
      affirmativeAct: 'tickedBox',
      givenBy: 'subject',
    };
    await accepted(engine.submit('RegisterSubject', { subjectId, capacity: 'individual' }));
    const shown = { noticeId: NOTICE.noticeId, version: 1, how: 'shown', channel: 'web' };
    await accepted(engine.submit('PresentNotice', { subjectId, ...shown }));
    await accepted(engine.submit('GiveConsent', consent));
    const form = { purposeId: 'product-news', collectionPointId: 'newsletter-form', ...NOTICE };
    const items = [{ category: 'contact.email', value: `${subjectId}@example.test` }];
    await accepted(engine.submit('CollectData', { subjectId, ...form, items }));
    for await (const { type, data } of ground.log.readStream(`subject-${subjectId}`))
      if (type === 'DataCollected')
        return { subjectId, itemId: (data as { items: readonly [{ itemId: string }] }).items[0].itemId };
    throw new Error('nothing was collected');
  }

  it.each(STOPS)(
    'authorises none after $event, whichever engine is asked',
    async ({ stop, more, event, code }) => {
      let [before, after] = [0, 0];
      for (let round = 0; round < ROUNDS; round++) {
        const { subjectId, itemId } = await agreed();
        const about = { subjectId, purposeId: 'product-news', channel: 'email' };
        const turn = randomInt(USES);
        const stopped: Promise<Answer>[] = [];
        const uses = Array.from({ length: USES }, (_use, index) => {
          const engine = engines[index % 2]!;
          if (index === turn) stopped.push(engine.submit(stop, { subjectId, ...more }));
          return engine.submit('AuthoriseUse', { ...about, itemIds: [itemId] });
        });
        const answers = await Promise.all(uses);
        expect(await Promise.all(stopped)).toEqual([expect.objectContaining({ accepted: true })]);

        const stream = await collect(ground.log.readStream(`subject-${subjectId}`));
        const end = stream.find(({ type }) => type === event)!;
        const authorised = stream.filter(({ type }) => type === 'UseAuthorised');
        expect(authorised.filter(({ position }) => position > end.position)).toEqual([]);
        // What was answered is what is on record, and every other ask was told why not.
        const allowed = answers.filter((answer) => answer.accepted);
        expect(allowed.map(({ position }) => position).sort((a, b) => a - b)).toEqual(
          authorised.map(({ position }) => position),
        );
        const codes = answers.flatMap((answer) => (answer.accepted ? [] : [answer.code]));
        expect(codes).toEqual(codes.map(() => code));
        before += allowed.length;
        after += codes.length;
      }
      // It says something only because uses fell on both sides.
      expect(Math.min(before, after)).toBeGreaterThan(ROUNDS);
      expect(before + after).toBe(ROUNDS * USES);
    },
    ROUNDS * 10_000,
  );
});
