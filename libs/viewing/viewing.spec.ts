import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, plusMilliseconds, type Actor, type Instant } from '#kernel';
import { factsAt, logbook, NOW, registerOf, scenario, tablesOf } from '#kernel/testing';
import type { PurposeRegisterState } from '#purpose';
import { InvalidCommand, readCommand } from '#slice';
import { accessLogProjection } from './access-log.projection.js';
import { ApproveBulkView, CloseBulkView, RequestBulkView, type BulkViewDomainCommand } from './bulk-view.commands.js';
import { bulkViewDecider } from './bulk-view.decider.js';
import { bulkViewRegister, type BulkViewEvent } from './bulk-view.register.js';
import { ViewPersonalData } from './view.commands.js';
import { accessStream, viewDecider, type Opened, type ViewFacts } from './view.decider.js';
import type { BulkViewApproved, BulkViewRequested, PersonalDataSearched, PersonalDataViewed } from './view.events.js';
import { DrawViewBudget, RecordSearch, type ViewerDomainCommand } from './viewer.commands.js';
import { VIEW_BUDGET, viewerDecider, viewerStream, type ViewerEvent, type ViewerFacts } from './viewer.decider.js';

const SUPPORT: Actor = { id: 'support', type: 'user', roles: ['staff'] };
const DPO: Actor = { id: 'dpo', type: 'user', roles: ['privacyOfficer'] };
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const other = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f71';
const bulkViewId = '88888888-8888-4888-8888-888888888888';
const grantId = '66666666-6666-4666-8666-666666666666';

const purpose = (purposeId: string, more: object = {}, ...categories: string[]): PurposeRegisterState =>
  new Map([
    [
      purposeId,
      {
        defined: new Map(),
        approved: [
          {
            purposeId,
            version: 1,
            effectiveFrom: instant('2020-01-01T00:00:00Z'),
            serviceLine: 'SUPPORT',
            basis: 'contract',
            commercial: false,
            fields: categories.map((category) => ({ category, necessity: 'required', justification: 'x' })),
            ...more,
          },
        ],
        suspensions: [],
      },
    ],
  ]) as unknown as PurposeRegisterState;
const purposes = new Map([
  ...purpose('support-ticket', {}, 'contact.email', 'contact.name'),
  ...purpose('rights', { serviceLine: 'GOVERNANCE', basis: 'legalObligation' }, 'request.text'),
]);

const granted: Opened = {
  open: ['contact.email'],
  closed: [],
  by: [grantId],
  lapsed: false,
  role: 'staff',
  emergency: false,
};
const shut: Opened = { open: [], closed: ['contact.email'], by: [], lapsed: false, emergency: false };

describe('a view of personal data', () => {
  const body = {
    commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
    occurredAt: NOW,
    subjectId,
    categories: ['contact.email'],
    purposeId: 'support-ticket',
    caseRef: 'TICKET-1',
  };
  const facts = (more: Partial<ViewFacts> = {}, actor = SUPPORT, at: string = NOW): ViewFacts => ({
    ...factsAt(at, { actor }),
    purposes,
    bulkViews: new Map(),
    standing: { known: true, restricted: false },
    opened: () => granted,
    ...more,
  });
  const view = (fields: object = {}): ViewPersonalData => Object.assign(new ViewPersonalData(), { ...body, ...fields });
  const { given, when } = scenario(viewDecider, facts());
  const viewed: PersonalDataViewed = {
    type: 'PersonalDataViewed',
    data: {
      subjectId,
      viewId: facts().id('view'),
      categories: ['contact.email'],
      purposeId: 'support-ticket',
      caseRef: 'TICKET-1',
      role: 'staff',
      by: [grantId],
    },
  };

  it('is on record: who in which role, whom, which categories, why, by which grant', () => when(view()).then(viewed));
  it('is on record once', () => given(viewed).when(view()).thenNothing());
  it.each([
    ['a purpose', { purposeId: undefined }, ['purpose']],
    ['a case', { caseRef: undefined }, ['caseRef']],
    ['either', { purposeId: undefined, caseRef: undefined }, ['purpose', 'caseRef']],
  ])('without %s is refused', (_name, fields, missing) =>
    when(view(fields)).thenRefused('PURPOSE_NOT_STATED', { fields: missing }),
  );
  it.each([[['auditor']], [['auditor', 'staff']]])('by %j is refused: auditors see no values', (roles) => {
    const actor: Actor = { id: 'olga', type: 'user', roles };
    when(view(), { actor }).thenRefused('AUDITOR_NO_PLAINTEXT');
    when(view({ caseRef: undefined }), { actor }).thenRefused('AUDITOR_NO_PLAINTEXT');
  });
  it('of nobody is refused', () =>
    when(view(), { standing: { known: false, restricted: false } }).thenRefused('SUBJECT_UNKNOWN'));
  it('for a purpose that is not in force is refused', () =>
    when(view({ purposeId: 'none' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'none' }));
  it('shows no more than the purpose lists, whatever was granted', () => {
    const more = { categories: ['contact.email', 'account.number'] };
    const opened = () => ({ ...granted, open: more.categories });
    when(view(more), { opened }).thenRefused('DATA_EXCESSIVE', {
      purposeId: 'support-ticket',
      fields: ['account.number'],
    });
    when(view({ ...more, purposeId: 'rights' }), { opened }).thenTypes('PersonalDataViewed');
  });
  it('takes a grant, and a live one', () => {
    const details = { purposeId: 'support-ticket', categories: ['contact.email'] };
    when(view(), { opened: () => shut }).thenRefused('ACCESS_NOT_GRANTED', details);
    when(view(), { opened: () => ({ ...shut, lapsed: true }) }).thenRefused('ACCESS_EXPIRED', details);
  });
  it('is all or nothing', () =>
    when(view({ categories: ['contact.email', 'contact.name'] }), {
      opened: () => ({ ...granted, closed: ['contact.name'] }),
    }).thenRefused('ACCESS_NOT_GRANTED', { purposeId: 'support-ticket', categories: ['contact.name'] }));
  it('asks what is open now, not when it says it happened', () => {
    const asked: Instant[] = [];
    const opened: ViewFacts['opened'] = (_asked, at) => (asked.push(at), granted);
    when(view(), { opened, now: plusMilliseconds(NOW, 1000) });
    expect(new Set(asked)).toEqual(new Set([plusMilliseconds(NOW, 1000)]));
  });
  it('of restricted data is for those who answer for it (I-15e)', () => {
    const standing = { known: true, restricted: true };
    when(view(), { standing }).thenRefused('PROCESSING_RESTRICTED');
    when(view(), { standing, actor: DPO }).thenTypes('PersonalDataViewed');
  });
  it('in an emergency needs no listing, and says that it was one', () => {
    const opened = (): Opened => ({ ...granted, open: ['account.number'], emergency: true });
    const { outcome } = when(view({ categories: ['account.number'] }), { opened });
    expect(outcome).toMatchObject({ events: [{ data: { emergency: true } }] });
  });
  it('remembers the newest hundred views of a month, and no more', () => {
    const event = (n: number): PersonalDataViewed => ({ ...viewed, data: { ...viewed.data, viewId: `view-${n}` } });
    const state = Array.from({ length: 150 }, (_, n) => event(n)).reduce(
      (folded, each) => viewDecider.evolve(folded, each, NOW),
      viewDecider.initialState,
    );
    expect([state.views.length, state.views.at(-1)]).toEqual([100, 'view-149']);
  });
  it('stands in the stream of its person and month', () =>
    expect(accessStream(subjectId, '2026-12-01T00:00:00Z')).toBe(`access-${subjectId}-2026-12`));

  describe('of many', () => {
    const bulk = {
      scope: {
        purposeId: 'support-ticket',
        caseRef: 'TICKET-1',
        categories: ['contact.email'],
        subjectIds: [subjectId],
        hours: 1,
      },
      requestedBy: 'support',
      status: 'approved' as const,
      until: plusMilliseconds(NOW, 1),
    };
    const look = (changes: object, asked: object = {}, scope: object = {}) =>
      when(view({ bulkViewId, ...asked }), {
        bulkViews: new Map([[bulkViewId, { ...bulk, scope: { ...bulk.scope, ...scope }, ...changes }]]),
      });
    it('is open while it is approved, and says of which it is part', () =>
      expect(look({}).outcome).toMatchObject({ events: [{ data: { bulkViewId } }] }));
    it.each<[string, object, object, object, Parameters<ReturnType<typeof look>['thenRefused']>[0]]>([
      ['that nobody approved', { status: 'requested', until: undefined }, {}, {}, 'FOUR_EYES_REQUIRED'],
      ['that was ended', { status: 'closed' }, {}, {}, 'ACCESS_NOT_GRANTED'],
      ['whose time is over', { until: NOW }, {}, {}, 'ACCESS_EXPIRED'],
      ['of somebody else', { requestedBy: 'dpo' }, {}, {}, 'ACCESS_NOT_GRANTED'],
      ['for another case', {}, { caseRef: 'TICKET-2' }, {}, 'ACCESS_NOT_GRANTED'],
      ['that is not about this person', {}, {}, { subjectIds: [other] }, 'ACCESS_NOT_GRANTED'],
      ['that is not about this category', {}, {}, { categories: ['contact.name'] }, 'ACCESS_NOT_GRANTED'],
      ['nobody knows', {}, { bulkViewId: other }, {}, 'REGISTER_ENTRY_UNKNOWN'],
    ])('is refused by one %s', (_what, changes, asked, scope, code) => look(changes, asked, scope).thenRefused(code));
  });

  it('is read from a body', async () => expect(await readCommand(ViewPersonalData, body)).toMatchObject(body));
  it.each<[string, unknown]>([
    ['subjectId', subjectId.toUpperCase()],
    ['occurredAt', '2026-W48-1T09:00:00Z'],
    ['occurredAt', undefined],
    ['categories', ['asha@example.org']],
    ['categories', ['Asha Ó Briain']],
    ['categories', 'name'],
    ['purposeId', 'Support'],
    ['caseRef', 'asha@example.org'],
  ])('is not read when %s is %j: nothing personal comes on record that way', async (field, value) => {
    const read = readCommand(ViewPersonalData, { ...body, [field]: value });
    await expect(read).rejects.toThrow(InvalidCommand);
    await expect(read).rejects.toThrow(field);
  });
});

describe('what somebody does in a day', () => {
  it.each([DrawViewBudget, RecordSearch])('says when it was: %p', (command) =>
    expect(
      readCommand<DrawViewBudget | RecordSearch>(command, { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87' }),
    ).rejects.toThrow('occurredAt (isInstant)'),
  );

  const facts = (more: Partial<ViewerFacts> = {}): ViewerFacts => ({
    ...factsAt(NOW, { actor: SUPPORT }),
    purposes,
    openedToSearch: () => granted,
    ...more,
  });
  const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', occurredAt: NOW, actor: SUPPORT } as const;
  const draw = (id = subjectId): ViewerDomainCommand =>
    Object.assign(new DrawViewBudget(), { ...sent, subjectId: id }) as ViewerDomainCommand;
  const search = (more: object = {}): ViewerDomainCommand =>
    Object.assign(new RecordSearch(), {
      ...sent,
      field: 'email',
      purposeId: 'support-ticket',
      caseRef: 'CALL-1',
      found: [{ subjectId, categories: ['contact.email'] }],
      ...more,
    }) as ViewerDomainCommand;
  const { given, when } = scenario(viewerDecider, facts());
  const searched = (n?: number): PersonalDataSearched => ({
    type: 'PersonalDataSearched',
    data: {
      searchId: n === undefined ? facts().id('search') : `search-${n}`,
      field: 'email',
      purposeId: 'support-ticket',
      caseRef: 'CALL-1',
      role: 'staff',
      by: [grantId],
      found: [{ subjectId, categories: ['contact.email'] }],
    },
  });
  const drawn = (id: string): ViewerEvent => ({ type: 'ViewBudgetDrawn', data: { subjectId: id } });
  const spent = (): ViewerEvent[] => Array.from({ length: VIEW_BUDGET - 1 }, (_, n) => drawn(`person-${n}`));

  it('is counted: each person once, each search', () => {
    when(draw()).then(drawn(subjectId));
    given(drawn(subjectId)).when(draw()).thenNothing();
    when(search()).then(searched());
    given(searched()).when(search()).thenNothing();
  });
  it('ends with the budget, which people and searches share', () => {
    const exceeded = { limit: 200, day: '2026-11-23' };
    given(...spent())
      .when(draw())
      .then(drawn(subjectId));
    given(...spent(), searched(1))
      .when(draw())
      .thenRefused('VIEW_BUDGET_EXCEEDED', exceeded);
    given(...spent(), drawn(subjectId))
      .when(search())
      .thenRefused('VIEW_BUDGET_EXCEEDED', exceeded);
    given(...spent(), drawn(subjectId))
      .when(draw())
      .thenNothing();
  });
  it('stands in a stream of the person and the day in London', () => {
    expect(viewerStream('support', '2026-07-01T22:59:59Z')).toBe('viewer-support-2026-07-01');
    expect(viewerStream('support', '2026-07-01T23:00:00Z')).toBe('viewer-support-2026-07-02');
  });
  it('is a search only with a purpose, a case and a grant, and never an auditor’s', () => {
    when(search({ purposeId: undefined, caseRef: undefined })).thenRefused('PURPOSE_NOT_STATED', {
      fields: ['purpose', 'caseRef'],
    });
    when(search(), { actor: { ...SUPPORT, roles: ['auditor'] } }).thenRefused('AUDITOR_NO_PLAINTEXT');
    when(search({ purposeId: 'none' })).thenRefused('PURPOSE_UNKNOWN');
    when(search({ field: 'phone' })).thenRefused('DATA_EXCESSIVE', { purposeId: 'support-ticket', fields: ['phone'] });
    when(search(), { openedToSearch: () => shut }).thenRefused('ACCESS_NOT_GRANTED');
    when(search(), { openedToSearch: () => ({ ...shut, lapsed: true }) }).thenRefused('ACCESS_EXPIRED');
  });
  it('is no search among what was taken away since it was looked up', () =>
    when(search({ found: [{ subjectId, categories: ['billing.email'] }] })).thenRefused('ACCESS_NOT_GRANTED', {
      purposeId: 'support-ticket',
      categories: ['billing.email'],
    }));
  it('never exceeds the budget, whatever is asked in which order', () => {
    const people = fc.integer({ min: 0, max: 300 }).map((n) => draw(`person-${n}`));
    const commands = fc.array(fc.oneof(people, fc.constant(search())), { minLength: 300, maxLength: 400 });
    fc.assert(
      fc.property(commands, (each) => {
        let state = viewerDecider.initialState;
        each.forEach((command, n) => {
          const id = (name: string): string => `${name}-${n}`;
          const outcome = viewerDecider.decide(command, state, facts({ id }));
          for (const event of outcome.kind === 'accepted' ? outcome.events : [])
            state = viewerDecider.evolve(state, event, NOW);
          expect(state.opened.size + state.searches.size).toBeLessThanOrEqual(VIEW_BUDGET);
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe('a bulk view', () => {
  const scope = {
    purposeId: 'support-ticket',
    caseRef: 'OUTAGE-1',
    categories: ['contact.email'],
    subjectIds: [subjectId, other],
    hours: 2,
  };
  const request = (more: object = {}): BulkViewDomainCommand =>
    Object.assign(new RequestBulkView(), { bulkViewId, ...scope, ...more }) as BulkViewDomainCommand;
  const approve = Object.assign(new ApproveBulkView(), { bulkViewId }) as BulkViewDomainCommand;
  const end = Object.assign(new CloseBulkView(), { bulkViewId }) as BulkViewDomainCommand;
  const { given, when } = scenario(bulkViewDecider, factsAt(NOW, { actor: SUPPORT }));
  const requested: BulkViewRequested = {
    type: 'BulkViewRequested',
    data: { bulkViewId, ...scope, requestedBy: 'support' },
  };
  const approved: BulkViewApproved = {
    type: 'BulkViewApproved',
    data: { bulkViewId, requestedBy: 'support', approvedBy: 'dpo', until: plusMilliseconds(NOW, 2 * 60 * 60 * 1000) },
  };
  const ended: BulkViewEvent = { type: 'BulkViewClosed', data: { bulkViewId, closedBy: 'support' } };

  it('is asked for once, with its case', () => {
    when(request()).then(requested);
    given(requested).when(request()).thenNothing();
    given(requested)
      .when(request({ hours: 3 }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { bulkViewId });
    when(request({ caseRef: undefined })).thenRefused('PURPOSE_NOT_STATED', { fields: ['caseRef'] });
  });
  it('is opened by another person, from then on for its hours', () => {
    given(requested).when(approve, { actor: DPO }).then(approved);
    given(requested, approved).when(approve, { actor: DPO }).thenNothing();
    given(requested).when(approve).thenRefused('SELF_APPROVAL', { bulkViewId });
    when(approve, { actor: DPO }).thenRefused('REGISTER_ENTRY_UNKNOWN', { bulkViewId });
    given(requested, ended).when(approve, { actor: DPO }).thenRefused('ACCESS_NOT_GRANTED');
  });
  it('is ended by who asked or by a privacy officer', () => {
    given(requested, approved).when(end).then(ended);
    given(requested, ended).when(end).thenNothing();
    given(requested).when(end, { actor: DPO }).thenTypes('BulkViewClosed');
    given(requested)
      .when(end, { actor: { ...SUPPORT, id: 'newcomer' } })
      .thenRefused('ACCESS_NOT_GRANTED');
  });
  it('forgets whom it was about, but for one, when its time is over', () => {
    const { at } = logbook();
    const later = '2026-11-23T12:00:00Z';
    const events = [
      at(NOW, requested),
      at(NOW, approved),
      at(later, { ...requested, data: { ...requested.data, bulkViewId: other } }),
    ];
    const state = events.reduce(
      (folded, event) => bulkViewRegister.evolve(folded, event),
      bulkViewRegister.initialState,
    );
    expect(state.get(bulkViewId)).toMatchObject({ status: 'approved', scope: { subjectIds: [subjectId] } });
    expect(state.get(other)?.scope.subjectIds).toHaveLength(2);
    expect(registerOf(bulkViewRegister, requested).get(bulkViewId)?.scope.subjectIds).toHaveLength(2);
  });
  it('is never open by one person’s word, and changes nothing when a command comes again', () => {
    const step = fc.tuple(fc.constantFrom(request(), approve, end), fc.constantFrom(SUPPORT, DPO));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
        const history: BulkViewEvent[] = [];
        for (const [command, actor] of steps) {
          const { outcome } = given(...history).when(command, { actor });
          if (outcome.kind === 'accepted') history.push(...outcome.events);
        }
        for (const event of history)
          if (event.type === 'BulkViewApproved') expect(event.data.approvedBy).not.toBe(event.data.requestedBy);
      }),
    );
  });
  it.each([
    ['hours', { hours: 9 }],
    ['hours', { hours: 0 }],
    ['subjectIds', { subjectIds: [] }],
    ['subjectIds', { subjectIds: ['asha@example.test'] }],
    ['subjectIds', { subjectIds: Array.from({ length: 1_001 }, () => subjectId) }],
    ['categories', { categories: ['Asha Fictional'] }],
  ])('is not read when %s is wrong', async (field, change) => {
    const whole = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', bulkViewId, ...scope, ...change };
    await expect(readCommand(RequestBulkView, whole)).rejects.toThrow(field);
  });
});

describe('AccessLog', () => {
  const { at, events } = logbook();
  const look: PersonalDataViewed = {
    type: 'PersonalDataViewed',
    data: { subjectId, viewId: 'v1', categories: ['contact.email', 'contact.name'], purposeId: 'p', caseRef: 'C-1' },
  };
  at(NOW, look);
  at(NOW, {
    ...look,
    data: { ...look.data, viewId: 'v2', role: 'staff', by: [grantId], emergency: true },
  } as PersonalDataViewed);
  at(NOW, { ...look, data: { ...look.data, viewId: 'v3', bulkViewId } } as PersonalDataViewed);
  const refusedLook = (streamRef: string) => ({
    type: 'CommandRefused' as const,
    data: { commandType: 'ViewPersonalData', code: 'ACCESS_NOT_GRANTED', streamRef, caseRef: 'C-1' },
  });
  at(NOW, refusedLook(accessStream(subjectId, NOW)));
  at(NOW, refusedLook(`subject-${subjectId}`));
  const tables = tablesOf(accessLogProjection, events);

  it('has a row per look, and one per look that was refused', () =>
    expect(tables['access_log']?.map(({ kind, code, role }) => [kind, code, role])).toEqual([
      ['view', null, null],
      ['emergency', null, 'staff'],
      ['bulk', null, null],
      ['denied', 'ACCESS_NOT_GRANTED', null],
    ]));
});
