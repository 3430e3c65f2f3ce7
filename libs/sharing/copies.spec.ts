import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { copiesDecider, COPIES_AT_ONCE } from './copies.decider.js';
import type { DataShared } from './disclosure.events.js';
import type { EndCopies } from './return-or-delete.commands.js';
import type { CopiesEnded, ReturnOrDeleteConfirmed, ReturnOrDeleteOpened } from './return-or-delete.events.js';
import { copiesPolicy } from './return-or-delete.policy.js';
import { returnOrDeleteProjection } from './return-or-delete.projection.js';

const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const recipientId = 'pacific';
const taskId = '77777777-7777-5777-8777-777777777777';
const facts = factsAt('2026-11-23T09:00:00Z');
const MEMBER = { groupCompanyNumber: 'NZ123', groupMemberSince: '2024-01-01' } as const;
const shared = (disclosureId: string, more: object): DataShared =>
  ({
    type: 'DataShared',
    data: { disclosureId, subjectId, recipientId, recipientKind: 'GROUP', items: [], ...more },
  }) as unknown as DataShared;
const end = (more: object = {}): EndCopies =>
  ({
    ...{ type: 'EndCopies', commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: facts.actor },
    ...{ subjectId, recipientId, taskId, outcome: 'deleted', reference: 'certificate-4' },
    ...{ reason: 'groupExit', ground: 'NZ123', since: '2026-06-01' },
    ...more,
  }) as EndCopies;
const ended = (disclosureIds: readonly string[], more: object = {}): CopiesEnded => ({
  type: 'CopiesEnded',
  data: { subjectId, recipientId, taskId, outcome: 'deleted', reference: 'certificate-4', disclosureIds, ...more },
});
const { given } = scenario(copiesDecider, facts);

describe('the copies of one person that a holder has returned or deleted (Art 28(3)(g))', () => {
  it('are those given on the ground that ended, once', () => {
    const all = [
      shared('one', MEMBER),
      shared('two', MEMBER),
      shared('later', { ...MEMBER, groupMemberSince: '2026-09-01' }),
      shared('agreed', { agreementId: 'support' }),
      shared('other', { ...MEMBER, recipientId: 'marine' }),
      shared('self', { ...MEMBER, recipientKind: 'SELF' }),
    ];
    given(...all)
      .when(end())
      .then(ended(['one', 'two']));
    given(...all, ended(['one', 'two']))
      .when(end())
      .thenNothing();
    given(...all)
      .when(end({ reason: 'agreementEnded', ground: 'support' }))
      .then(ended(['agreed']));
  });
  it('are ended in parts when there are many', () => {
    const many = Array.from({ length: COPIES_AT_ONCE + 1 }, (_, index) => `disclosure-${index}`);
    const all = many.map((disclosureId) => shared(disclosureId, MEMBER));
    const first = ended(many.slice(0, COPIES_AT_ONCE), { part: facts.id('part') });
    given(...all)
      .when(end())
      .then(first);
    given(...all, first)
      .when(end(), { id: (name) => `another ${name}` })
      .then(ended(many.slice(COPIES_AT_ONCE)));
  });
});

describe('the rows that the steward reads', () => {
  const opened: ReturnOrDeleteOpened = {
    type: 'ReturnOrDeleteOpened',
    data: { taskId, recipientId, reason: 'groupExit', reference: 'NZ123', since: '2026-06-01', due: '2026-07-01' },
  };
  const confirmed = (outcome: ReturnOrDeleteConfirmed['data']['outcome']): ReturnOrDeleteConfirmed => ({
    type: 'ReturnOrDeleteConfirmed',
    data: { taskId, recipientId, outcome, reference: 'certificate-4' },
  });
  /** The commands of what is due after these events. */
  const due = (...events: readonly DomainEvent[]) => {
    const log = logbook();
    events.forEach((event) => log.at('2026-06-05T09:00:00Z', event));
    const { where, dueColumn = '' } = copiesPolicy;
    return (tablesOf(returnOrDeleteProjection, log.events)['given_on_ground'] ?? [])
      .filter((row) => row[dueColumn] !== null && Object.entries(where).every(([name, cell]) => row[name] === cell))
      .map((row) => copiesPolicy.command([row]));
  };
  it('come when the holder has returned or deleted it, one for each person, and go when that is told', () => {
    const given = [shared('one', MEMBER), shared('two', MEMBER), opened];
    const { actor: _actor, commandId: _id, type, ...body } = { ...end(), type: 'EndCopies' };
    expect(due(...given)).toEqual([]);
    expect(due(...given, confirmed('deleted'))).toEqual([{ type, body }]);
    expect(due(...given, confirmed('returned'))).toEqual([{ type, body: { ...body, outcome: 'returned' } }]);
    expect(due(...given, confirmed('keptByLaw'))).toEqual([]);
    expect(due(...given, confirmed('continued'))).toEqual([]);
    expect(due(...given, confirmed('deleted'), ended(['one'], { part: 'part' }))).toHaveLength(1);
    expect(due(...given, confirmed('deleted'), ended(['one', 'two']))).toEqual([]);
  });
});
