import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, type DomainEvent } from '#kernel';
import { factsAt, logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { ART28_TERMS, type AgreementEnded, type AgreementEvent, type AgreementRecorded } from './agreement.events.js';
import { agreementRegister } from './agreement.register.js';
import type { DataShared } from './disclosure.events.js';
import type { RecipientEvent } from './recipient.events.js';
import { OpenReturnOrDelete, type ReturnOrDeleteCommand } from './return-or-delete.commands.js';
import { returnOrDeleteDecider, type ReturnOrDeleteFacts } from './return-or-delete.decider.js';
import type { ReturnOrDeleteConfirmed, ReturnOrDeleteOpened } from './return-or-delete.events.js';
import { returnOrDeletePolicy } from './return-or-delete.policy.js';
import { returnOrDeleteProjection } from './return-or-delete.projection.js';

const recipientId = 'pacific';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const recorded: AgreementRecorded = {
  type: 'AgreementRecorded',
  data: {
    agreementId: 'support',
    recipientId,
    kind: 'intraGroup',
    purposes: ['support'],
    categories: ['contact.email'],
    from: '2024-01-01',
    to: '2026-10-01',
    publicSummary: 'Answers calls for us.',
    documentHash: 'a'.repeat(64),
    checklist: ART28_TERMS,
  },
};
const facts: ReturnOrDeleteFacts = {
  ...factsAt('2026-11-23T09:00:00Z'),
  agreements: registerOf(agreementRegister, recorded),
};
const registered: RecipientEvent = { type: 'RecipientRegistered', data: { recipientId, kind: 'GROUP' } };
const started = (from = '2024-01-01'): RecipientEvent => ({
  type: 'GroupMembershipStarted',
  data: { recipientId, companyNumber: 'NZ123', from },
});
const left = (to = '2026-06-01'): RecipientEvent => ({ type: 'GroupMembershipEnded', data: { recipientId, to } });
const sent = { commandId, actor: facts.actor, recipientId };
const open = (more: object = {}) =>
  ({
    ...sent,
    type: 'OpenReturnOrDelete',
    reason: 'groupExit',
    reference: 'NZ123',
    since: '2026-06-01',
    ...more,
  }) as ReturnOrDeleteCommand;

const { given, when } = scenario(returnOrDeleteDecider, facts);
const gone = given(registered, started(), left());
const openedOf = (command: ReturnOrDeleteCommand): ReturnOrDeleteOpened => {
  const { outcome } = gone.when(command);
  if (outcome.kind !== 'accepted' || outcome.events[0]?.type !== 'ReturnOrDeleteOpened') throw new Error('not opened');
  return outcome.events[0];
};
const opened = openedOf(open());
const agreementTask = openedOf(open({ reason: 'agreementEnded', reference: 'support', since: '2026-10-01' }));
const confirm = (outcome: string, taskId = opened.data.taskId) =>
  ({ ...sent, type: 'ConfirmReturnOrDelete', taskId, outcome, reference: 'certificate-4' }) as ReturnOrDeleteCommand;
const confirmed = (outcome: ReturnOrDeleteConfirmed['data']['outcome']): ReturnOrDeleteConfirmed => ({
  type: 'ReturnOrDeleteConfirmed',
  data: { taskId: opened.data.taskId, recipientId, outcome, reference: 'certificate-4' },
});

describe('what a recipient holds when its ground has ended (C19, Art 28(3)(g))', () => {
  it('is to be returned or deleted within a month of the end', () =>
    expect(opened.data).toMatchObject({
      reason: 'groupExit',
      reference: 'NZ123',
      since: '2026-06-01',
      due: '2026-07-01',
    }));
  it('is one task, whoever opens it', () => {
    const other = { id: (name: string) => `another ${name}` };
    expect(gone.when(open(), other).outcome).toEqual({ kind: 'accepted', events: [opened] });
    gone.when(open()).thenRepeatedNothing();
  });
  it('is a task of its own for each ground', () => {
    expect(agreementTask.data).toMatchObject({ reason: 'agreementEnded', due: '2026-11-01' });
    expect(agreementTask.data.taskId).not.toBe(opened.data.taskId);
  });
  it('is none while the ground stands, or where it ended otherwise', () => {
    given(registered, started()).when(open()).thenNothing();
    gone.when(open({ since: '2026-06-02' })).thenNothing();
    gone.when(open({ reference: 'NZ124' })).thenNothing();
    gone.when(open(), { now: instant('2026-05-31T22:59:59Z') }).thenNothing();
    gone.when(open({ reason: 'agreementEnded', reference: 'none', since: '2026-10-01' })).thenNothing();
    when(open()).thenRefused('RECIPIENT_UNKNOWN', { recipientId });
  });

  it.each(['returned', 'deleted', 'keptByLaw'] as const)('is %s, once', (outcome) => {
    const task = given(registered, started(), left(), opened);
    task.when(confirm(outcome)).then(confirmed(outcome));
    task.when(confirm(outcome)).thenRepeatedNothing();
  });
  it('has one outcome', () =>
    given(registered, started(), left(), opened, confirmed('deleted'))
      .when(confirm('returned'))
      .thenRefused('VERSION_CONFLICT', { taskId: opened.data.taskId, outcome: 'deleted' }));
  it('must be a task', () =>
    gone.when(confirm('deleted')).thenRefused('REGISTER_ENTRY_UNKNOWN', { recipientId, taskId: opened.data.taskId }));
  it('is held on only on another ground in force', () => {
    given(registered, started(), left(), opened)
      .when(confirm('continued'))
      .thenRefused('NOT_GROUP_MEMBER', { recipientId, date: '2026-11-23' });
    given(registered, started(), left(), opened, started('2026-09-01'))
      .when(confirm('continued'))
      .then(confirmed('continued'));
    const over = given(registered, started(), left(), agreementTask);
    const goOn = confirm('continued', agreementTask.data.taskId);
    over.when(goOn).thenRefused('AGREEMENT_MISSING', { recipientId });
    const renewed = {
      ...recorded,
      data: { ...recorded.data, agreementId: 'support-2', from: '2026-10-01', to: '2027-10-01' },
    };
    over
      .when(goOn, { agreements: registerOf(agreementRegister, recorded, renewed) })
      .thenTypes('ReturnOrDeleteConfirmed');
  });

  it('changes nothing when a command is repeated', () => {
    const command = fc.constantFrom(
      open(),
      open({ since: '2026-06-02' }),
      open({ reason: 'agreementEnded', reference: 'support', since: '2026-10-01' }),
      confirm('deleted'),
      confirm('returned'),
      confirm('continued', agreementTask.data.taskId),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 6 }), command, (before, last) => {
        let state = [registered, started(), left()].reduce(
          (folded, event) => returnOrDeleteDecider.evolve(folded, event, facts.now),
          returnOrDeleteDecider.initialState,
        );
        const send = (each: ReturnOrDeleteCommand) => {
          const outcome = returnOrDeleteDecider.decide(each, state, facts);
          if (outcome.kind === 'accepted')
            state = outcome.events.reduce(
              (folded, event) => returnOrDeleteDecider.evolve(folded, event, facts.now),
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

describe('the grounds on which data was given', () => {
  const shared = (grounds: Partial<DataShared['data']>) =>
    ({ type: 'DataShared', data: { subjectId, recipientId, items: [], ...grounds } }) as unknown as DataShared;
  const endedEarly: AgreementEnded = {
    type: 'AgreementEnded',
    data: { agreementId: 'support', recipientId, to: '2026-09-01' },
  };
  const tables = (...events: readonly DomainEvent[]) => {
    const log = logbook();
    events.forEach((event) => log.at('2026-11-23T09:00:00Z', event));
    return tablesOf(returnOrDeleteProjection, log.events);
  };
  /** What the steward would find due, at whatever time. */
  const waiting = (...events: readonly DomainEvent[]) =>
    (tables(...events)['sharing_grounds'] ?? [])
      .filter((row) => row['given'] === 1 && row['opened'] === 0 && row['ends_at'] !== null)
      .map((row) => [row['reference'], row['ground_to'], row['ends_at']]);
  const member = { groupCompanyNumber: 'NZ123', groupMemberSince: '2024-01-01' };

  it('leave a task when they end, at midnight in London', () => {
    expect(waiting(started(), shared(member), left())).toEqual([['NZ123', '2026-06-01', '2026-05-31T23:00:00.000Z']]);
    expect(waiting(recorded, shared({ agreementId: 'support' }))).toEqual([
      ['support', '2026-10-01', '2026-09-30T23:00:00.000Z'],
    ]);
    expect(waiting(recorded, shared({ agreementId: 'support' }), endedEarly)).toEqual([
      ['support', '2026-09-01', '2026-08-31T23:00:00.000Z'],
    ]);
  });
  it('leave none where nothing was given on them', () => {
    expect(waiting(started(), left())).toEqual([]);
    expect(waiting(recorded, shared(member))).toEqual([]);
    const { kind: _kind, ...terms } = recorded.data;
    const open: AgreementEvent = { type: 'AgreementAmended', data: { ...terms, version: 2, to: '2030-01-01' } };
    expect(waiting(recorded, shared({ agreementId: 'support' }), open)).toMatchObject([
      ['support', '2030-01-01', expect.anything()],
    ]);
  });
  it('of one company are told apart by their first day, also for what is entered late', () => {
    const twice = [started(), left(), started('2026-09-01'), left('2026-10-01')];
    expect(waiting(...twice, shared(member))).toMatchObject([['NZ123', '2026-06-01', expect.anything()]]);
    expect(waiting(...twice, shared({ ...member, groupMemberSince: '2026-09-01' }))).toMatchObject([
      ['NZ123', '2026-10-01', expect.anything()],
    ]);
  });
  it('are closed by their task, which stays until it is confirmed', async () => {
    const before = [started(), shared(member), left()];
    const [row] = tables(...before)['sharing_grounds'] ?? [];
    const { type, body } = returnOrDeletePolicy.command([row!]);
    expect(await readCommand(OpenReturnOrDelete, { commandId, ...body })).toMatchObject({ type, since: '2026-06-01' });
    expect(waiting(...before, opened)).toEqual([]);
    expect(tables(...before, opened)['return_or_delete']).toMatchObject([{ status: 'open', due: '2026-07-01' }]);
    expect(tables(...before, opened, confirmed('deleted'))['return_or_delete']).toMatchObject([
      { status: 'closed', outcome: 'deleted', proof: 'certificate-4' },
    ]);
  });
});
