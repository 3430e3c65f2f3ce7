import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, uuidV5, type Row } from '#kernel';
import { factsAt, logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { purposeRegister, type PurposeDefined, type PurposeEvent } from '#purpose';
import { readCommand, type Answer } from '#slice';
import { agreementRegister } from './agreement.register.js';
import { bulkDisclosureDecider } from './bulk-disclosure.decider.js';
import { BATCH, type BulkDisclosureAccepted, type BulkDisclosureEvent } from './bulk-disclosure.events.js';
import { bulkDisclosurePolicy } from './bulk-disclosure.policy.js';
import { bulkDisclosuresProjection } from './bulk-disclosure.projection.js';
import {
  MOST_SUBJECTS,
  RecordBulkProgress,
  ShareCategories,
  ShareDataInBulk,
  type BulkDisclosureCommand,
} from './disclosure.commands.js';
import type { DisclosureFacts } from './disclosure.decider.js';
import { instrumentRegister } from './instrument.register.js';
import type { RecipientEvent } from './recipient.events.js';
import { recipientRegister } from './recipient.register.js';

const disclosureId = '88888888-8888-4888-8888-888888888888';
const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const people = Array.from({ length: 2 * BATCH + 1 }, (_none, n) => uuidV5(disclosureId, `person ${n}`));
const purpose: PurposeDefined['data'] = {
  purposeId: 'deliver-service',
  version: 1,
  author: 'ann',
  title: 'Deliver',
  plainWords: 'What we do with it.',
  serviceLine: 'B2B',
  commercial: false,
  basis: 'contract',
  dpiaRequired: false,
  dpvIri: 'dpv:ServiceProvision',
  fields: [],
  retention: [],
  recipientKindsAllowed: ['GROUP'],
};
const facts: DisclosureFacts = {
  ...factsAt(),
  recipients: registerOf<RecipientEvent, typeof recipientRegister.initialState>(
    recipientRegister,
    { type: 'RecipientRegistered', data: { recipientId: 'marine', kind: 'GROUP', name: 'Marine', country: 'GB' } },
    { type: 'GroupMembershipStarted', data: { recipientId: 'marine', companyNumber: 'EX1', from: '2020-01-01' } },
    {
      type: 'RecipientRegistered',
      data: { recipientId: 'adtech', kind: 'THIRD_PARTY', name: 'Adtech', country: 'GB' },
    },
  ),
  agreements: agreementRegister.initialState,
  instruments: instrumentRegister.initialState,
  purposes: registerOf<PurposeEvent, typeof purposeRegister.initialState>(
    purposeRegister,
    { type: 'PurposeDefined', data: purpose },
    {
      type: 'PurposeApproved',
      data: {
        purposeId: 'deliver-service',
        version: 1,
        approver: 'bob',
        effectiveFrom: instant('2020-01-01T00:00:00Z'),
      },
    },
  ),
};
const sent = { commandId, actor: facts.actor };
const order = {
  disclosureId,
  recipientId: 'marine',
  purposeId: 'deliver-service',
  categories: ['contact.email'],
  medium: 'file',
  subjectIds: people,
};
const share = (more: object = {}) => ({ ...sent, type: 'ShareDataInBulk', ...order, ...more }) as BulkDisclosureCommand;
const progress = (batch: number, refused: readonly (readonly [number, string])[] = [], size = BATCH) =>
  ({
    ...sent,
    type: 'RecordBulkProgress',
    disclosureId,
    batch,
    shared: size - refused.length,
    refused: refused.map(([n, code]) => ({ subjectId: people[n], code })),
  }) as BulkDisclosureCommand;
const accepted: BulkDisclosureAccepted = {
  type: 'BulkDisclosureAccepted',
  data: { ...order, recipientKind: 'GROUP', purposeVersion: 1, subjectCount: people.length },
};
const { given, when } = scenario(bulkDisclosureDecider, facts);

describe('a disclosure about many people (I-19g)', () => {
  it('is accepted with all it is about', () => when(share()).then(accepted));
  it('is one disclosure, in whatever order the people are named', () => {
    given(accepted).when(share()).thenNothing();
    given(accepted)
      .when(share({ subjectIds: [...people].reverse() }))
      .thenNothing();
  });
  it.each([
    { subjectIds: people.slice(1) },
    { medium: 'api' },
    { basis: 'consent' },
    { categories: ['contact.phone'] },
  ])('keeps its id for itself', (more) =>
    given(accepted).when(share(more)).thenRefused('REGISTER_ENTRY_EXISTS', { disclosureId }),
  );
  it('is refused where the door is closed for the recipient', () => {
    when(share({ recipientId: 'adtech' })).thenRefused('NOT_COMPELLED');
    when(share({ recipientId: 'nobody' })).thenRefused('RECIPIENT_UNKNOWN', { recipientId: 'nobody' });
    when(share({ purposeId: 'selling' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'selling' });
    when(share({ instrumentId: 'none' })).thenRefused('INSTRUMENT_NOT_IN_FORCE');
  });

  it('tells of each part how it went, and with the last of all', () => {
    const run: BulkDisclosureEvent[] = [accepted];
    const step = (command: BulkDisclosureCommand) => {
      const { outcome } = given(...run).when(command);
      if (outcome.kind === 'accepted') run.push(...outcome.events);
      return outcome.kind === 'accepted' ? outcome.events : outcome;
    };
    // In whatever order the parts come.
    expect(step(progress(2, [[1000, 'ITEM_DISPUTED']], 1))).toMatchObject([
      { data: { sharedSoFar: 0, refusedSoFar: 1 } },
    ]);
    expect(step(progress(0, [[3, 'PROCESSING_RESTRICTED']]))).toMatchObject([
      { type: 'BulkDisclosureProgressed', data: { batch: 0, shared: 499, sharedSoFar: 499, refusedSoFar: 2 } },
    ]);
    expect(step(progress(0))).toEqual([]);
    expect(step(progress(1, [[501, 'ITEM_DISPUTED']]))).toMatchObject([
      { type: 'BulkDisclosureProgressed' },
      {
        type: 'BulkDisclosureCompleted',
        data: {
          shared: 998,
          refused: [
            { code: 'ITEM_DISPUTED', count: 2 },
            { code: 'PROCESSING_RESTRICTED', count: 1 },
          ],
        },
      },
    ]);
    for (const batch of [0, 1, 2]) expect(step(progress(batch))).toEqual([]);
  });
  it('has no more parts than people', () => {
    given(accepted).when(progress(3)).thenRefused('REGISTER_ENTRY_UNKNOWN', { disclosureId, batch: 3 });
    when(progress(0)).thenRefused('REGISTER_ENTRY_UNKNOWN');
  });

  it('changes nothing when a command is repeated', () => {
    const command = fc.oneof(
      fc.constant(share()),
      fc.nat({ max: 3 }).map((batch) => progress(batch)),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 6 }), command, (before, last) => {
        let state = bulkDisclosureDecider.initialState;
        const send = (each: BulkDisclosureCommand) => {
          const outcome = bulkDisclosureDecider.decide(each, state, facts);
          if (outcome.kind === 'accepted')
            state = outcome.events.reduce(
              (folded, event) => bulkDisclosureDecider.evolve(folded, event, facts.now),
              state,
            );
          return outcome;
        };
        before.forEach(send);
        if (send(last).kind === 'accepted') expect(send(last)).toEqual({ kind: 'accepted', events: [] });
      }),
    );
  });
});

describe('its parts', () => {
  const tables = (...events: readonly BulkDisclosureEvent[]) => {
    const log = logbook();
    events.forEach((event) => log.at('2026-11-23T09:00:00Z', event));
    return tablesOf(bulkDisclosuresProjection, log.events);
  };
  const rows = tables(accepted)['bulk_batches'] ?? [];

  it('hold everybody once', () => {
    const parts = rows.map((row) => JSON.parse(String(row['part'])) as { readonly subjectIds: readonly string[] });
    expect(parts.map(({ subjectIds }) => subjectIds.length)).toEqual([BATCH, BATCH, 1]);
    expect(parts.flatMap(({ subjectIds }) => subjectIds)).toEqual(people);
  });
  it('are commands with ids that do not change when the work is taken up again', async () => {
    const part = rows[2] as Row;
    const [first, ...others] = bulkDisclosurePolicy.before?.([part]) ?? [];
    expect(others).toEqual([]);
    expect(bulkDisclosurePolicy.before?.([part])).toEqual([first]);
    expect(await readCommand(ShareCategories, first?.body)).toMatchObject({
      type: first?.type,
      subjectId: people[1000],
      subjectCount: people.length,
    });
    const answers = [{ accepted: false, code: 'ITEM_DISPUTED' }] as unknown as readonly Answer[];
    const { type, body } = bulkDisclosurePolicy.command([part], answers);
    expect(await readCommand(RecordBulkProgress, body)).toMatchObject({
      type,
      batch: 2,
      shared: 0,
      refused: [{ subjectId: people[1000], code: 'ITEM_DISPUTED' }],
    });
  });
  it('are gone when they are done, and who was left out stays', () => {
    const done = tables(
      accepted,
      {
        type: 'BulkDisclosureProgressed',
        data: {
          disclosureId,
          batch: 0,
          shared: 499,
          refused: [{ subjectId: people[3]!, code: 'ITEM_DISPUTED' }],
          sharedSoFar: 499,
          refusedSoFar: 1,
        },
      },
      {
        type: 'BulkDisclosureCompleted',
        data: { disclosureId, shared: 499, refused: [{ code: 'ITEM_DISPUTED', count: 1 }] },
      },
    );
    expect(done['bulk_batches']?.map(({ batch }) => batch)).toEqual([1, 2]);
    expect(done['bulk_refusals']).toMatchObject([{ subject_id: people[3], code: 'ITEM_DISPUTED' }]);
    expect(done['bulk_disclosures']).toMatchObject([
      { status: 'completed', shared: 499, refused: 1, ordered_by: 'crm' },
    ]);
  });
});

describe('the order of a disclosure about many', () => {
  it(`names at most ${MOST_SUBJECTS} people, each once`, async () => {
    const many = Array.from({ length: MOST_SUBJECTS }, (_none, n) => uuidV5(disclosureId, `person ${n}`));
    const body = { commandId, ...order };
    expect(await readCommand(ShareDataInBulk, { ...body, subjectIds: many })).toMatchObject({
      type: 'ShareDataInBulk',
    });
    for (const subjectIds of [[...many, commandId], [people[0], people[0]], [], ['asha']])
      await expect(readCommand(ShareDataInBulk, { ...body, subjectIds })).rejects.toMatchObject({
        fields: [{ field: 'subjectIds' }],
      });
    // With all that goes with it, an order is smaller than the largest append to the log.
    expect(JSON.stringify({ ...accepted.data, subjectIds: many }).length).toBeLessThan(512 * 1024);
  });
});
