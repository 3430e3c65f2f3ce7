import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, plusMilliseconds, type Actor, type Instant, type RefusalCode, type Row } from '#kernel';
import { factsAt, logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { InvalidCommand, readCommand } from '#slice';
import { accessCapability } from './access.capability.js';
import { BreakGlass, RequestAccess, type GrantDomainCommand } from './grant.commands.js';
import { grantDecider } from './grant.decider.js';
import type {
  AccessExpired,
  AccessGranted,
  AccessRequested,
  AccessReviewed,
  AccessRevoked,
  BreakGlassReviewed,
  BreakGlassUsed,
  GrantEvent,
} from './grant.events.js';
import { accessReviewsProjection } from './grant-review.projection.js';
import { accessMatrixProjection } from './grant.projection.js';
import { grantRegister, openingAt, type ViewAsked } from './grant.register.js';

const NOW = instant('2026-11-23T09:00:00Z');
const SUPPORT: Actor = { id: 'support', type: 'user', roles: ['staff'] };
const DPO: Actor = { id: 'dpo', type: 'user', roles: ['privacyOfficer'] };
const grantId = '44444444-4444-4444-8444-444444444444';
const other = '66666666-6666-4666-8666-666666666666';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';

const facts = (actor: Actor, at: Instant = NOW) => factsAt(at, { actor });
const { given, when } = scenario(grantDecider, facts(SUPPORT));
const by = (actor: Actor, at: Instant = NOW) => ({ actor, now: at, occurredAt: at });

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: SUPPORT, granteeId: 'support' };
const scope = {
  granteeId: 'support',
  role: 'staff',
  purposeId: 'support-ticket',
  categories: ['contact.email', 'ticket.text'],
  from: NOW,
  to: instant('2027-02-23T09:00:00Z'),
} as const;
const request = (changes: Partial<RequestAccess> = {}): GrantDomainCommand => ({
  ...sent,
  type: 'RequestAccess',
  grantId,
  role: 'staff',
  purposeId: 'support-ticket',
  categories: ['contact.email', 'ticket.text'],
  to: '2027-02-23T09:00:00Z',
  ...changes,
});
const grant: GrantDomainCommand = { ...sent, type: 'GrantAccess', grantId };
const revoke: GrantDomainCommand = { ...sent, type: 'RevokeAccess', grantId, reason: 'noLongerNeeded' };
const leave: GrantDomainCommand = { ...sent, type: 'RevokeAllAccess', reason: 'left' };
const review: GrantDomainCommand = { ...sent, type: 'ReviewAccess', grantId };
const expire: GrantDomainCommand = { ...sent, type: 'ExpireAccess', grantId };
const breakGlass = (changes: Partial<BreakGlass> = {}): GrantDomainCommand => ({
  ...sent,
  type: 'BreakGlass',
  subjectId,
  reason: 'riskToLife',
  caseRef: 'CASE-1',
  ...changes,
});
const breakGlassId = facts(SUPPORT).id('break-glass');
const judge: GrantDomainCommand = { ...sent, type: 'ReviewBreakGlass', breakGlassId, outcome: 'justified' };

const requested = (id = grantId, changes: Partial<AccessRequested['data']> = {}): AccessRequested => ({
  type: 'AccessRequested',
  data: { grantId: id, ...scope, requestedBy: 'support', ...changes },
});
const granted = (id = grantId, changes: Partial<AccessGranted['data']> = {}): AccessGranted => ({
  type: 'AccessGranted',
  data: {
    grantId: id,
    ...scope,
    requestedBy: 'support',
    approvedBy: 'dpo',
    reviewBy: instant('2027-02-21T09:00:00Z'),
    ...changes,
  },
});
const revoked = (reason: AccessRevoked['data']['reason'] = 'noLongerNeeded', id = grantId): AccessRevoked => ({
  type: 'AccessRevoked',
  data: { granteeId: 'support', grantId: id, reason },
});
const expired: AccessExpired = { type: 'AccessExpired', data: { granteeId: 'support', grantId } };
const reviewed = (reviewBy: string): AccessReviewed => ({
  type: 'AccessReviewed',
  data: { granteeId: 'support', grantId, reviewedBy: 'dpo', reviewBy: instant(reviewBy) },
});
const used: BreakGlassUsed = {
  type: 'BreakGlassUsed',
  data: {
    granteeId: 'support',
    breakGlassId,
    subjectId,
    reason: 'riskToLife',
    caseRef: 'CASE-1',
    until: instant('2026-11-23T13:00:00Z'),
    reviewBy: instant('2026-11-26T00:00:00Z'),
  },
};
const judged: BreakGlassReviewed = {
  type: 'BreakGlassReviewed',
  data: { granteeId: 'support', breakGlassId, reviewedBy: 'dpo', outcome: 'justified' },
};

describe('asking for access', () => {
  it('opens nothing yet', () => when(request()).then(requested()));
  it('is asked once', () => given(requested()).when(request()).thenNothing());
  it('is for one case when it says so, and for a time that may lie ahead', () =>
    when(request({ caseRef: 'TICKET-1', from: '2026-12-01T00:00:00Z' })).then(
      requested(grantId, { caseRef: 'TICKET-1', from: instant('2026-12-01T00:00:00Z') }),
    ));
  it('is no way to change what was asked for', () =>
    given(requested())
      .when(request({ categories: ['contact.name'] }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { grantId }));
  it.each([
    ['that is over', { to: '2026-11-23T09:00:00Z' }],
    ['of more than a year', { to: '2027-11-23T09:00:00.001Z' }],
    ['that ends before it begins', { from: '2027-03-01T00:00:00Z' }],
  ])('for a time %s is refused (I-15b)', (_what, changes) =>
    when(request(changes)).thenRefused('ACCESS_EXPIRED', { grantId, field: 'to', longest: 'P12M' }),
  );
  it('for a year to the day is not', () => when(request({ to: '2027-11-23T09:00:00Z' })).thenTypes('AccessRequested'));
});

describe('granting access', () => {
  it('opens what was asked for, and sets the day of the first review 90 days ahead', () =>
    given(requested()).when(grant, by(DPO)).then(granted()));
  it('is not for the grantee, whatever their roles (I-15b)', () =>
    given(requested(grantId, { requestedBy: 'dpo' }))
      .when(grant, by({ ...SUPPORT, roles: ['staff', 'privacyOfficer'] }))
      .thenRefused('SELF_APPROVAL', { grantId }));
  it('may be done by who asked for another', () =>
    given(requested(grantId, { requestedBy: 'dpo' }))
      .when(grant, by(DPO))
      .thenTypes('AccessGranted'));
  it('happens once', () => given(requested(), granted()).when(grant, by(DPO)).thenNothing());
  it('needs that it was asked for', () => when(grant, by(DPO)).thenRefused('REGISTER_ENTRY_UNKNOWN', { grantId }));
  it('brings back nothing that was taken away', () =>
    given(requested(), granted(), revoked())
      .when(grant, by(DPO))
      .thenRefused('ACCESS_NOT_GRANTED', { grantId, status: 'revoked' }));
  it('comes too late when the time is over', () =>
    given(requested()).when(grant, by(DPO, scope.to)).thenRefused('ACCESS_EXPIRED', { grantId, to: scope.to }));
});

describe('taking access away', () => {
  it('ends a grant, and refuses one that was asked for', () => {
    given(requested(), granted()).when(revoke, by(DPO)).then(revoked());
    given(requested()).when(revoke, by(DPO)).then(revoked());
  });
  it('happens once', () => given(requested(), granted(), revoked()).when(revoke, by(DPO)).thenNothing());
  it('from somebody who leaves takes everything in one append', () =>
    given(requested(), granted(), requested(other), expired).when(leave, by(DPO)).then(revoked('left', other)));
  it('from somebody who leaves ends an emergency as well, which is judged all the same', () => {
    const ended: GrantEvent = { type: 'BreakGlassEnded', data: { granteeId: 'support', breakGlassId, reason: 'left' } };
    given(requested(), granted(), used).when(leave, by(DPO)).then(revoked('left'), ended);
    given(used, ended).when(leave, by(DPO)).thenNothing();
    given(used, ended).when(judge, by(DPO)).then(judged);
    given(used).when(leave, by(DPO, used.data.until)).thenNothing();
  });
  it('from somebody who has nothing changes nothing', () => when(leave, by(DPO)).thenNothing());
});

describe('the review of a grant', () => {
  const later = instant('2027-02-20T09:00:00Z');
  it('sets the next one 90 days ahead', () =>
    given(requested(), granted()).when(review, by(DPO, later)).then(reviewed('2027-05-21T08:00:00Z')));
  it('is not for the grantee', () =>
    given(requested(), granted()).when(review, by(SUPPORT, later)).thenRefused('SELF_APPROVAL', { grantId }));
  it('is of what is open', () =>
    given(requested()).when(review, by(DPO)).thenRefused('ACCESS_NOT_GRANTED', { grantId, status: 'requested' }));
});

describe('a review that was not done', () => {
  const due = instant('2027-02-21T09:00:00Z');
  const raise = (kind: 'grant' | 'breakGlass' = 'grant', at: Instant = due): GrantDomainCommand => ({
    ...sent,
    type: 'RaiseAccessReview',
    kind,
    reviewedId: kind === 'grant' ? grantId : breakGlassId,
    due: at,
  });
  const overdue = (kind: 'grant' | 'breakGlass' = 'grant', at: Instant = due): GrantEvent => ({
    type: 'AccessReviewOverdue',
    data: { granteeId: 'support', kind, reviewedId: kind === 'grant' ? grantId : breakGlassId, due: at },
  });
  it('of a grant is stated from its day on, once', () => {
    given(requested(), granted()).when(raise(), by(DPO, due)).then(overdue());
    given(requested(), granted(), overdue()).when(raise(), by(DPO, due)).thenNothing();
    given(requested(), granted())
      .when(raise(), by(DPO, plusMilliseconds(due, -1)))
      .thenNothing();
  });
  it('is not stated of what was reviewed, or ended, since', () => {
    given(requested(), granted(), reviewed('2027-05-21T08:00:00Z')).when(raise(), by(DPO, due)).thenNothing();
    given(requested(), granted(), revoked()).when(raise(), by(DPO, due)).thenNothing();
    when(raise(), by(DPO, due)).thenNothing();
  });
  it('of an emergency is stated after two working days, once', () => {
    const { reviewBy } = used.data;
    given(used).when(raise('breakGlass', reviewBy), by(DPO, reviewBy)).then(overdue('breakGlass', reviewBy));
    given(used, overdue('breakGlass', reviewBy)).when(raise('breakGlass', reviewBy), by(DPO, reviewBy)).thenNothing();
    given(used, judged).when(raise('breakGlass', reviewBy), by(DPO, reviewBy)).thenNothing();
  });
  it('is on record until it is done', () => {
    const rowOf = (...events: readonly GrantEvent[]) => {
      const log = logbook();
      events.forEach((event) => log.at(NOW, event));
      return tablesOf(accessReviewsProjection, log.events)['access_reviews']?.[0];
    };
    expect(rowOf(granted())).toMatchObject({ kind: 'grant', status: 'due', due_by: due });
    expect(rowOf(granted(), overdue())).toMatchObject({ status: 'overdue', overdue_at: NOW });
    expect(rowOf(granted(), overdue(), reviewed('2027-05-21T08:00:00Z'))).toMatchObject({
      status: 'due',
      overdue_at: null,
      last_reviewed_by: 'dpo',
    });
    expect(rowOf(granted(), revoked())).toMatchObject({ status: 'ended' });
    expect(rowOf(used, judged)).toMatchObject({ kind: 'breakGlass', status: 'done', outcome: 'justified' });
  });
});

describe('the end of a grant', () => {
  it('is stated when its time has passed, once', () => {
    given(requested(), granted()).when(expire, by(DPO, scope.to)).then(expired);
    given(requested(), granted(), expired).when(expire, by(DPO, scope.to)).thenNothing();
  });
  it('is not stated before', () =>
    given(requested(), granted())
      .when(expire, by(DPO, plusMilliseconds(scope.to, -1)))
      .thenNothing());
});

describe('an emergency', () => {
  it('opens one person’s data for four hours, to be judged within two working days', () =>
    when(breakGlass()).then(used));
  it('is over sooner when it says so', () =>
    when(breakGlass({ hours: 1 })).then({ ...used, data: { ...used.data, until: instant('2026-11-23T10:00:00Z') } }));
  it('on a Friday is judged by Tuesday', () => {
    const friday = instant('2026-11-20T17:30:00Z');
    expect(when(breakGlass(), by(SUPPORT, friday)).outcome).toMatchObject({
      events: [{ data: { reviewBy: '2026-11-25T00:00:00.000Z' } }],
    });
  });
  it('names its case', () => {
    const { caseRef: _none, ...nameless } = breakGlass() as BreakGlass;
    when(nameless as BreakGlass).thenRefused('PURPOSE_NOT_STATED', { fields: ['caseRef'] });
  });
  it('is nobody else’s', () => when(breakGlass(), by(DPO)).thenRefused('ACCESS_NOT_GRANTED', { field: 'granteeId' }));
  it('is judged by another person, once', () => {
    given(used).when(judge, by(DPO)).then(judged);
    given(used, judged).when(judge, by(DPO)).thenNothing();
    given(used).when(judge, by(SUPPORT)).thenRefused('SELF_APPROVAL', { breakGlassId });
    when(judge, by(DPO)).thenRefused('REGISTER_ENTRY_UNKNOWN', { breakGlassId });
  });
});

describe('what is open to somebody', () => {
  const asked: ViewAsked = {
    actorId: 'support',
    roles: ['staff'],
    subjectId,
    purposeId: 'support-ticket',
    categories: ['contact.email'],
    caseRef: 'TICKET-1',
  };
  const opened = (events: readonly GrantEvent[], changes: Partial<ViewAsked> = {}, at = NOW) =>
    openingAt(
      registerOf<GrantEvent, typeof grantRegister.initialState>(grantRegister, ...events),
      { ...asked, ...changes },
      at,
    );
  const live = [requested(), granted()];

  it('is what a grant says, and by which', () =>
    expect(opened(live)).toEqual({ open: ['contact.email'], closed: [], by: [grantId], lapsed: false }));

  it.each<[string, readonly GrantEvent[], Partial<ViewAsked>, Instant]>([
    ['without a grant', [], {}, NOW],
    ['with one that was only asked for', [requested()], {}, NOW],
    ['with one that was taken away', [...live, revoked()], {}, NOW],
    ['for another purpose', live, { purposeId: 'product-news' }, NOW],
    ['in another role', live, { roles: ['legal'] }, NOW],
    ['of another person’s grant', live, { actorId: 'dpo' }, NOW],
    ['before it begins', [granted(grantId, { from: instant('2026-12-01T00:00:00Z') })], {}, NOW],
    ['for another case', [granted(grantId, { caseRef: 'TICKET-2' })], {}, NOW],
  ])('is nothing %s', (_what, events, changes, at) =>
    expect(opened(events, changes, at)).toEqual({ open: [], closed: ['contact.email'], by: [], lapsed: false }),
  );

  it('is nothing from the end of the window on, whether or not that was stated', () => {
    for (const events of [live, [...live, expired]])
      expect(opened(events, {}, scope.to)).toEqual({ open: [], closed: ['contact.email'], by: [], lapsed: true });
    expect(opened(live, {}, plusMilliseconds(scope.to, -1)).open).toEqual(['contact.email']);
  });

  it('is the categories of all grants together, and no other', () =>
    expect(
      opened([...live, granted(other, { categories: ['contact.name'] })], {
        categories: ['contact.name', 'contact.phone', 'contact.email'],
      }),
    ).toEqual({
      open: ['contact.name', 'contact.email'],
      closed: ['contact.phone'],
      by: [grantId, other],
      lapsed: false,
    }));

  it('is all of one person’s data in an emergency, for its case and its hours', () => {
    const register = grantRegister.evolve(grantRegister.initialState, logbook().at(NOW, used));
    const at = (changes: Partial<ViewAsked>, time = NOW) =>
      openingAt(register, { ...asked, caseRef: 'CASE-1', ...changes }, time);
    expect(at({ purposeId: 'anything' })).toEqual({
      open: ['contact.email'],
      closed: [],
      by: [breakGlassId],
      lapsed: false,
    });
    expect(at({ subjectId: other }).open).toEqual([]);
    expect(at({ caseRef: 'CASE-2' }).open).toEqual([]);
    expect(at({}, used.data.until).open).toEqual([]);
  });
});

describe('AccessMatrix', () => {
  const rows = (table: string, ...events: readonly GrantEvent[]): readonly Row[] => {
    const log = logbook();
    events.forEach((event) => log.at(NOW, event));
    return tablesOf(accessMatrixProjection, log.events)[table]!;
  };
  it('says who may look at what, who opened it and when it is to be reviewed', () =>
    expect(rows('access_grants', requested(), granted())).toMatchObject([
      {
        grant_id: grantId,
        grantee_id: 'support',
        categories: 'contact.email ticket.text',
        status: 'granted',
        requested_by: 'support',
        approved_by: 'dpo',
        review_by: '2027-02-21T09:00:00.000Z',
        ended_at: null,
      },
    ]));
  it('says how a grant ended', () => {
    expect(rows('access_grants', requested(), granted(), revoked('left'))).toMatchObject([
      { status: 'revoked', end_reason: 'left', ended_at: NOW, review_by: null },
    ]);
    expect(rows('access_grants', requested(), granted(), expired)).toMatchObject([{ status: 'expired' }]);
  });
  it('says who used an emergency and who judged it', () =>
    expect(rows('break_glass', used, judged)).toMatchObject([
      { grantee_id: 'support', subject_id: subjectId, reviewed_by: 'dpo', outcome: 'justified' },
    ]));
});

describe('bodies of commands', () => {
  const body = { commandId: sent.commandId, granteeId: 'oidc-0123', grantId };
  it('are read', async () =>
    expect(
      await readCommand(RequestAccess, {
        ...body,
        role: 'staff',
        purposeId: 'support-ticket',
        categories: ['contact.email'],
        to: '2027-02-23T09:00:00Z',
      }),
    ).toMatchObject({ granteeId: 'oidc-0123', type: 'RequestAccess' }));
  it.each([
    ['role', { role: 'auditor' }],
    ['categories', { categories: ['asha@example.test'] }],
    ['to', { to: 'soon' }],
    ['granteeId', { granteeId: 'asha@example.test' }],
  ])('are not read: %s', async (field, change) => {
    const whole = { ...body, role: 'staff', purposeId: 'a', categories: ['a'], to: '2027-02-23T09:00:00Z' };
    await expect(readCommand(RequestAccess, { ...whole, ...change })).rejects.toThrow(InvalidCommand);
    await expect(readCommand(RequestAccess, { ...whole, ...change })).rejects.toThrow(field);
  });
  it('open an emergency for one to four hours', async () => {
    const emergency = { commandId: sent.commandId, granteeId: 'support', subjectId, reason: 'riskToLife' };
    for (const hours of [0, 5, 1.5, '4'])
      await expect(readCommand(BreakGlass, { ...emergency, hours })).rejects.toThrow('hours');
    expect((await readCommand(BreakGlass, { ...emergency, hours: 4 })).hours).toBe(4);
  });
});

it('is decided in the stream of the grantee', () => {
  const slice = accessCapability.slices.find(({ streamPrefix }) => streamPrefix === 'grants-');
  expect(slice?.stream(leave)).toBe('grants-support');
});

it('never lets the grantee open, review or judge, and changes nothing when a command comes again', () => {
  const command = fc.oneof(
    fc
      .record({ grantId: fc.constantFrom(grantId, other), days: fc.integer({ min: 1, max: 400 }) })
      .map(({ days, ...more }) => request({ ...more, to: plusMilliseconds(NOW, days * 86_400_000) })),
    ...[grant, revoke, leave, review, expire, breakGlass(), judge].map((each) => fc.constant(each)),
  );
  const actor = fc.constantFrom(SUPPORT, DPO, { ...SUPPORT, roles: ['staff', 'privacyOfficer'] });
  fc.assert(
    fc.property(fc.array(fc.tuple(command, actor, fc.nat(200)), { maxLength: 12 }), (steps) => {
      let history: GrantEvent[] = [];
      let at = NOW;
      for (const [each, who, days] of steps) {
        at = plusMilliseconds(at, days * 86_400_000);
        const { outcome, thenRepeatedNothing } = given(...history).when(each, by(who, at));
        if (outcome.kind === 'refused') {
          expect(outcome.refusal.code satisfies RefusalCode).toBeTruthy();
          continue;
        }
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      for (const event of history) {
        if (event.type === 'AccessGranted') expect(event.data.approvedBy).not.toBe(event.data.granteeId);
        if (event.type === 'AccessReviewed' || event.type === 'BreakGlassReviewed')
          expect(event.data.reviewedBy).not.toBe(event.data.granteeId);
      }
    }),
  );
});
