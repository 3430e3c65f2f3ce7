import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, plusMilliseconds, type RefusalCode } from '#kernel';
import { registerOf, scenario } from '#kernel/testing';
import {
  compatibilityRegister,
  liaRegister,
  type CompatibilityEvent,
  type CompatibilityVerdict,
  type LiaEvent,
  type LiaOutcome,
} from '#purpose';
import type { ReportUse } from './use.commands.js';
import { useDecider, type UseFacts } from './use.decider.js';
import type { UseReported } from './use.events.js';
import {
  authorised,
  collected,
  corrected,
  EMAIL,
  facts,
  given,
  objected,
  OPENED,
  PHONE,
  presented,
  registered,
  restricted,
  serve,
  subjectId,
  TODAY,
  use,
  withdrawn,
  type Folded,
} from './testing/index.js';

/*
 * The doors of the gate that open without consent: the assessed interest, and what PECR asks beside it.
 */

const assessed = (
  purposeId: string,
  {
    outcome = 'interestsPrevail',
    reviewBy = '2027-01-01T00:00:00Z',
    subjectClasses = ['individual', 'corporateContact'],
  }: {
    outcome?: LiaOutcome;
    reviewBy?: string;
    subjectClasses?: ('individual' | 'soleTrader' | 'corporateContact')[];
  } = {},
): LiaEvent[] => [
  {
    type: 'LiaDrafted',
    data: {
      liaId: `lia-of-${purposeId}`,
      version: 1,
      author: 'ada',
      purposeId,
      purposeVersion: 1,
      subjectClasses,
      purposeTest: 'We sell more.',
      necessityTest: 'They would not know.',
      balance: 'They expect it.',
      safeguards: [],
      outcome,
      reviewPeriod: 'P12M',
    },
  },
  {
    type: 'LiaApproved',
    data: { liaId: `lia-of-${purposeId}`, version: 1, outcome, approver: 'ben', reviewBy: instant(reviewBy) },
  },
];
const lias = (...events: readonly LiaEvent[]) =>
  registerOf<LiaEvent, typeof liaRegister.initialState>(liaRegister, ...events);
const compatible = (from: string, to: string, verdict: CompatibilityVerdict = 'compatible'): CompatibilityEvent[] => [
  {
    type: 'CompatibilityAssessed',
    data: {
      from,
      fromVersion: 1,
      to,
      toVersion: 1,
      assessment: 1,
      author: 'ada',
      verdict,
      ...(verdict === 'compatible' && { ground: 'assessed' }),
      reasoning: 'It is what people expect.',
    },
  },
  { type: 'CompatibilityApproved', data: { from, to, assessment: 1, approver: 'ben' } },
];
const compatibility = (...events: readonly CompatibilityEvent[]) =>
  registerOf<CompatibilityEvent, typeof compatibilityRegister.initialState>(compatibilityRegister, ...events);
const notices: UseFacts['notices'] = new Map([
  [
    'privacy',
    [1, 2].map((version) => ({
      noticeId: 'privacy',
      version,
      language: 'en-GB',
      title: 'Privacy',
      contentHash: '',
      purposes: version === 1 ? ['support'] : ['support', 'upsell', 'research'],
      effectiveFrom: instant(OPENED),
    })),
  ],
]) as never;

/** Everything the door of the interest asks for, but for PECR. */
const interested: Partial<UseFacts> = {
  lias: lias(...assessed('upsell')),
  compatibility: compatibility(...compatible('support', 'upsell')),
  notices,
};
const upsell = (channel: string, itemIds = [EMAIL]) => use({ purposeId: 'upsell', channel, itemIds });
const opened = (...history: readonly Folded[]) => {
  const state = [registered, collected(), presented('privacy', 2), ...history].reduce(
    (folded, event) => useDecider.evolve(folded, event, instant(OPENED)),
    useDecider.initialState,
  );
  return scenario({ ...useDecider, initialState: state }, facts(TODAY, interested));
};
const company: Folded = {
  type: 'SubjectRegistered',
  data: { ...registered.data, capacity: 'corporateContact', subscriberType: 'corporate' },
};
const trader: Folded = {
  type: 'SubjectRegistered',
  data: { ...registered.data, capacity: 'soleTrader', subscriberType: 'corporate' },
};
const softOptIn = (changes: object = {}, itemId = EMAIL): Folded => ({
  type: 'SoftOptInRecorded',
  data: {
    subjectId,
    itemId,
    purposeId: 'upsell',
    obtainedInSale: true,
    ownSimilarProducts: true,
    refusalOfferedAtCollection: true,
    refusalOfferedInEveryMessage: true,
    ...changes,
  },
});
const screened = (listed = false, register: 'TPS' | 'CTPS' = 'TPS'): Folded => ({
  type: 'PreferenceScreened',
  data: { subjectId, itemId: PHONE, register, listed },
});
const answer = (outcome: ReturnType<ReturnType<typeof opened>['when']>['outcome']) =>
  outcome.kind === 'refused' ? outcome.refusal.code : outcome.events.map(({ type }) => type).join();

describe('an assessed interest (I-05f)', () => {
  const letter = upsell('post');

  it('opens the gate, and the use says on which assessment it rests', () =>
    expect(opened().when(letter).outcome).toMatchObject({
      kind: 'accepted',
      events: [{ data: { basis: 'legitimateInterests', basisRef: 'lia-of-upsell@1', purposeId: 'upsell' } }],
    }));

  it.each<[string, LiaEvent[], RefusalCode, object]>([
    ['that nobody assessed', [], 'LIA_MISSING', { purposeId: 'upsell', version: 1, subjectClass: 'individual' }],
    ['that was drafted only', assessed('upsell').slice(0, 1), 'LIA_MISSING', {}],
    ['of another purpose', assessed('news'), 'LIA_MISSING', {}],
    ['for other people', assessed('upsell', { subjectClasses: ['soleTrader'] }), 'LIA_MISSING', {}],
    [
      'whose review is overdue',
      assessed('upsell', { reviewBy: TODAY }),
      'LIA_EXPIRED',
      { purposeId: 'upsell', liaId: 'lia-of-upsell', reviewBy: instant(TODAY) },
    ],
    [
      'that does not prevail',
      assessed('upsell', { outcome: 'subjectPrevails' }),
      'LIA_OUTCOME_AGAINST',
      { purposeId: 'upsell', liaId: 'lia-of-upsell' },
    ],
  ])('%s keeps it shut', (_what, events, code, details) =>
    opened()
      .when(letter, { lias: lias(...events) })
      .thenRefused(code, details as never),
  );

  it('counts for a service that rests on it as well', () => {
    const service = { ...facts(TODAY, interested), purposes: new Map(facts(TODAY).purposes) };
    const support = service.purposes.get('support')!;
    const [approved] = support.approved;
    service.purposes.set('support', { ...support, approved: [{ ...approved!, basis: 'legitimateInterests' }] });
    opened().when(serve(), { purposes: service.purposes }).thenRefused('LIA_MISSING');
    opened()
      .when(serve(), { purposes: service.purposes, lias: lias(...assessed('support')) })
      .thenTypes('UseAuthorised');
  });
});

describe('PECR beside it (I-05g)', () => {
  it.each<[string, string, readonly Folded[], string]>([
    ['post to anybody', 'post', [], 'UseAuthorised'],
    ['an e-mail to an individual', 'email', [], 'PECR_CONSENT_REQUIRED'],
    ['a text to an individual', 'sms', [], 'PECR_CONSENT_REQUIRED'],
    ['a direct message to an individual', 'direct-message', [], 'PECR_CONSENT_REQUIRED'],
    ['a message in the product', 'in-product', [], 'PECR_CONSENT_REQUIRED'],
    ['a channel nobody has heard of', 'carrier-pigeon', [], 'PECR_CONSENT_REQUIRED'],
    ['an e-mail with the soft opt-in', 'email', [softOptIn()], 'UseAuthorised'],
    ['an e-mail to a company', 'email', [company], 'UseAuthorised'],
    ['an e-mail to a sole trader, who is an individual', 'email', [trader], 'LIA_MISSING'],
    ['an automated call to an individual', 'automated-call', [softOptIn()], 'PECR_CONSENT_REQUIRED'],
    ['an automated call to a company', 'automated-call', [company], 'PECR_CONSENT_REQUIRED'],
  ])('%s', (_what, channel, history, expected) =>
    expect(answer(opened(...history).when(upsell(channel)).outcome)).toBe(expected),
  );

  it('takes a sole trader for an individual even where the interest covers one', () =>
    opened(trader)
      .when(upsell('email'), { lias: lias(...assessed('upsell', { subjectClasses: ['soleTrader'] })) })
      .thenRefused('PECR_CONSENT_REQUIRED', { purposeId: 'upsell', channel: 'email' }));

  it.each(['obtainedInSale', 'ownSimilarProducts', 'refusalOfferedAtCollection', 'refusalOfferedInEveryMessage'])(
    'asks for every fact of the soft opt-in: not without %s',
    (fact) =>
      opened(softOptIn({ [fact]: false }))
        .when(upsell('email'))
        .thenRefused('SOFT_OPT_IN_NOT_MET', { purposeId: 'upsell', channel: 'email', missing: [fact] }),
  );

  it('asks for the soft opt-in of every address, for this purpose', () => {
    opened(softOptIn())
      .when(upsell('email', [EMAIL, PHONE]))
      .thenRefused('PECR_CONSENT_REQUIRED');
    opened(softOptIn({ purposeId: 'news' }))
      .when(upsell('email'))
      .thenRefused('PECR_CONSENT_REQUIRED');
  });

  describe('a live call', () => {
    const call = upsell('phone', [PHONE]);
    it('needs a screening of the last 28 days that does not list the number', () => {
      const stale = { purposeId: 'upsell', register: 'TPS', items: [PHONE] };
      opened().when(call).thenRefused('TPS_SCREEN_STALE', stale);
      const screenedThen = opened(screened());
      const then = instant(OPENED);
      const day = 86_400_000;
      screenedThen.when(call, { now: plusMilliseconds(then, 28 * day - 1) }).thenTypes('UseAuthorised');
      screenedThen.when(call, { now: plusMilliseconds(then, 28 * day) }).thenRefused('TPS_SCREEN_STALE', stale);
      opened(screened(true)).when(call, { now: then }).thenRefused('PECR_CONSENT_REQUIRED');
    });
    it('to a company needs one against the list of companies', () => {
      const then = { now: instant(OPENED) };
      opened(company, screened())
        .when(call, then)
        .thenRefused('TPS_SCREEN_STALE', {
          purposeId: 'upsell',
          register: 'CTPS',
          items: [PHONE],
        });
      opened(company, screened(false, 'CTPS')).when(call, then).thenTypes('UseAuthorised');
    });
  });

  it('asks nothing more of who consented to the channel', () =>
    opened(given({ channel: 'automated-call' }))
      .when(use({ channel: 'automated-call' }))
      .thenTypes('UseAuthorised'));
});

describe('a suppressed address (I-05b)', () => {
  const suppressedBy = { [EMAIL]: ['objection-9'] };
  it('gets no marketing, on consent or otherwise', () => {
    opened(given())
      .when(use(), { suppressedBy })
      .thenRefused('SUPPRESSED_ADDRESS', { purposeId: 'news', items: [EMAIL] });
    opened().when(upsell('post'), { suppressedBy }).thenRefused('SUPPRESSED_ADDRESS');
  });
  it('gets it again when the suppression was lifted, and no other stands', () => {
    const lifted = { liftedSuppressions: new Set(['objection-9']) };
    opened(given())
      .when(use(), { suppressedBy, ...lifted })
      .thenTypes('UseAuthorised');
    opened(given())
      .when(use(), { suppressedBy: { [EMAIL]: ['objection-9', 'objection-10'] }, ...lifted })
      .thenRefused('SUPPRESSED_ADDRESS');
  });
  it('is served all the same', () => opened().when(serve(), { suppressedBy }).thenTypes('UseAuthorised'));
  it('is the answer before a restriction, and after an objection', () => {
    opened(restricted).when(use(), { suppressedBy }).thenRefused('SUPPRESSED_ADDRESS');
    opened(restricted, objected).when(use(), { suppressedBy }).thenRefused('MARKETING_OBJECTION');
  });
});

describe('data of another purpose (I-13c)', () => {
  const letter = upsell('post');
  it.each<[string, CompatibilityEvent[]]>([
    ['nobody assessed', []],
    ['was assessed and not approved', compatible('support', 'upsell').slice(0, 1)],
    ['was found incompatible', compatible('support', 'upsell', 'incompatible')],
    ['needs consent', compatible('support', 'upsell', 'needsConsent')],
    ['was assessed for another purpose', compatible('support', 'news')],
  ])('is not used when its compatibility %s', (_what, events) =>
    opened()
      .when(letter, { compatibility: compatibility(...events) })
      .thenRefused('PURPOSE_INCOMPATIBLE', { purposeId: 'upsell', items: [EMAIL] }),
  );
  it('is not used before the person was told of the new purpose', () => {
    const untold = scenario(
      {
        ...useDecider,
        initialState: [registered, collected(), presented('privacy', 1)].reduce<typeof useDecider.initialState>(
          (state, event) => useDecider.evolve(state, event, instant(OPENED)),
          useDecider.initialState,
        ),
      },
      facts(TODAY, interested),
    );
    untold.when(letter).thenRefused('NOTICE_DOES_NOT_COVER_PURPOSE', { purposeId: 'upsell', version: 1 });
    untold.given(presented('privacy', 2)).when(letter).thenTypes('UseAuthorised');
  });
});

describe('what an item is held for, and whether it may be used (I-16b, I-16d)', () => {
  const versions = [{ itemId: EMAIL, version: 1 }];
  const heldFor = (purposeId: string, purposeVersion = 1): Folded => ({
    type: 'HeldForPurpose',
    data: {
      subjectId,
      purposeId,
      purposeVersion,
      basis: 'legitimateInterests',
      assessmentRef: 'assessment-1',
      items: versions.map((each) => ({
        ...each,
        category: 'contact.email',
        retention: { trigger: 'collected', period: 'P2Y' },
        due: null,
        itemDue: null,
      })),
    },
  });
  const ended = (purposeId: string): Folded => ({
    type: 'PurposeEnded',
    data: { subjectId, purposeId, reason: 'fulfilled', items: versions.map((each) => ({ ...each, itemDue: null })) },
  });
  const started = (more: object = {}): Folded => ({
    type: 'ErasureStarted',
    data: {
      subjectId,
      erasureId: 'erasure-1',
      cause: 'request',
      scope: 'items',
      items: [{ itemId: EMAIL, version: 1, category: 'contact.email', keyId: 'k' }],
      remaining: [],
      recipients: [],
      ...more,
    },
  });
  const letter = upsell('post');
  const nobodyAssessed = { compatibility: compatibility() };

  it('is its own for every purpose that holds it', () => {
    opened().when(letter, nobodyAssessed).thenRefused('PURPOSE_INCOMPATIBLE');
    opened(heldFor('upsell')).when(letter, nobodyAssessed).thenTypes('UseAuthorised');
    opened(heldFor('upsell')).when(serve()).thenTypes('UseAuthorised');
  });
  it('is used for a purpose that has ended no more, and for another one on', () => {
    const over = opened(heldFor('upsell'), ended('support'));
    over.when(serve()).thenRefused('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId: 'support', items: [EMAIL] });
    over.when(letter, nobodyAssessed).thenTypes('UseAuthorised');
    over.given(heldFor('support')).when(serve()).thenTypes('UseAuthorised');
  });
  it('is used for nothing when nothing holds it, whatever is compatible', () =>
    opened(ended('support'))
      .when(letter, { compatibility: compatibility(...compatible('support', 'upsell')) })
      .thenRefused('ITEM_NOT_HELD_FOR_PURPOSE'));
  it('is used for nothing while somebody has to decide about it, and again when it is kept', () => {
    const version = { itemId: EMAIL, version: 1 };
    const raised: Folded = {
      type: 'RetentionReviewDue',
      data: {
        subjectId,
        items: [{ ...version, category: 'contact.email', keyId: 'k', due: TODAY, decideBy: TODAY }],
        part: 'part',
      },
    };
    const kept: Folded = {
      type: 'RetentionReviewed',
      data: { subjectId, decisionId: 'd', items: [{ ...version, outcome: 'keep', holds: [], itemDue: null }] },
    };
    opened(raised)
      .when(serve())
      .thenRefused('PROCESSING_RESTRICTED', { purposeId: 'support', items: [EMAIL] });
    opened(raised, kept).when(serve()).thenTypes('UseAuthorised');
  });
  it('is used for nothing while it is kept for a hold or a duty alone', () => {
    const deferred: Folded = {
      type: 'RetentionDeferred',
      data: {
        subjectId,
        items: [{ itemId: EMAIL, version: 1, category: 'contact.email', keyId: 'k', cause: 'legalHold', ref: 'm' }],
      },
    };
    const remaining = started({
      items: [],
      remaining: [{ ...versions[0], category: 'contact.email', reason: 'legalObligation', ref: 'billing', law: 'x' }],
    });
    for (const kept of [deferred, remaining]) {
      opened(kept)
        .when(serve())
        .thenRefused('PROCESSING_RESTRICTED', { purposeId: 'support', items: [EMAIL] });
      opened(kept)
        .when(serve({ itemIds: [PHONE] }))
        .thenTypes('UseAuthorised');
    }
  });
  it('is gone when its erasure has begun', () => {
    opened(started())
      .when(serve())
      .thenRefused('DATA_ERASED', { items: [EMAIL] });
    opened(started({ everything: true, items: [], scope: 'person' }))
      .when(serve({ itemIds: [EMAIL, PHONE] }))
      .thenRefused('DATA_ERASED', { items: [EMAIL, PHONE] });
  });
});

describe('a purpose that goes further than the person was told (I-30c)', () => {
  const support = facts(TODAY).purposes.get('support')!;
  const [first] = support.approved;
  /** Version 2 takes effect today, with these changes. */
  const revised = (changes: object): Partial<UseFacts> => {
    const second = { ...first!, version: 2, effectiveFrom: instant(TODAY), ...changes };
    const defined = new Map(support.defined).set(2, { ...support.defined.get(1)!, ...changes });
    const entry = { ...support, defined, approved: [first!, second] };
    return { purposes: new Map(facts(TODAY).purposes).set('support', entry) };
  };
  const further = revised({ recipientKindsAllowed: ['GROUP'] });
  const telling = (told: number): UseFacts['notices'] =>
    new Map([
      ['privacy', notices.get('privacy')!.map((notice) => ({ ...notice, purposeVersions: { support: told } }))],
    ]);

  it('waits until the person was shown a notice that tells of it', () => {
    const untold = { purposeId: 'support', version: 2 };
    opened()
      .when(serve(), { ...further, notices: telling(1) })
      .thenRefused('NOTICE_DOES_NOT_COVER_PURPOSE', untold);
    opened()
      .when(serve(), { ...further, notices: telling(2) })
      .thenTypes('UseAuthorised');
    // Which version the notice told of is not on record: one that was shown before cannot have told of it.
    opened().when(serve(), further).thenRefused('NOTICE_DOES_NOT_COVER_PURPOSE', untold);
  });
  it.each([
    ['in other words', { plainWords: 'Otherwise.' }],
    ['asking for more besides', { fields: [...first!.fields, { ...first!.fields[0]!, category: 'contact.fax' }] }],
    ['for fewer recipients', { recipientKindsAllowed: [] }],
  ])('goes on %s', (_what, changes) =>
    opened()
      .when(serve(), { ...revised(changes), notices: telling(1) })
      .thenTypes('UseAuthorised'),
  );
});

describe('an objection', () => {
  const withdraw = { ...use(), type: 'WithdrawMarketingObjection', subjectId } as never;
  const { objectionId } = (objected as { data: { objectionId: string } }).data;
  it('is taken back by the person, once', () => {
    const takenBack: Folded = { type: 'MarketingObjectionWithdrawn', data: { subjectId, objectionId } };
    opened(objected).when(withdraw).then(takenBack);
    opened(objected, takenBack).when(withdraw).thenNothing();
    opened(given(), objected, takenBack).when(use()).thenTypes('UseAuthorised');
  });
});

describe('what is recorded for PECR', () => {
  const soft = { ...use(), type: 'RecordSoftOptIn', ...(softOptIn() as { data: object }).data } as never;
  const screen = { ...use(), type: 'RecordPreferenceScreening', ...(screened() as { data: object }).data } as never;
  it('is recorded as it was, and once', () => {
    opened().when(soft).then(softOptIn());
    opened(softOptIn()).when(soft).thenNothing();
    opened(softOptIn({ obtainedInSale: false }))
      .when(soft)
      .then(softOptIn());
    opened().when(screen).then(screened());
    opened().when(screen).thenRepeatedNothing();
  });
  it('is about what is held', () => {
    const strange = { itemId: '99999999-9999-4999-8999-999999999999' };
    for (const command of [soft, screen])
      opened()
        .when({ ...(command as object), ...strange } as never)
        .thenRefused('ITEM_UNKNOWN', { items: [strange.itemId] });
  });
});

describe('the report of a use', () => {
  const sent = (changes: Partial<ReportUse> = {}) =>
    ({ ...use(), type: 'ReportUse', useId: authorised().data.useId, outcome: 'done', ...changes }) as never;
  const reported = (changes: Partial<UseReported['data']> = {}): UseReported => ({
    type: 'UseReported',
    data: {
      subjectId,
      useId: authorised().data.useId,
      purposeId: 'news',
      commercial: true,
      outcome: 'done',
      ...changes,
    },
  });
  const at = (time: string) => ({ now: instant(time), occurredAt: instant(time) });
  const incidentId = facts(TODAY).id('incident');
  const allowed = opened(given(), authorised());

  it('says that it was made', () => allowed.when(sent(), at('2026-03-02T09:05:00Z')).then(reported()));
  it('is made once', () => {
    allowed.when(sent()).thenRepeatedNothing();
    opened(given(), authorised(), reported())
      .when(sent({ outcome: 'failed' }))
      .thenNothing();
  });
  it('names a use of this person', () =>
    opened().when(sent()).thenRefused('USE_UNKNOWN', { useId: authorised().data.useId }));

  const erasure: Folded = {
    type: 'ErasureStarted',
    data: {
      subjectId,
      erasureId: '44444444-4444-4444-8444-444444444444',
      cause: 'request',
      scope: 'person',
      everything: true,
      items: [],
      remaining: [],
      recipients: [],
    },
  };
  const after = (event: Folded, when: string) =>
    scenario(
      {
        ...useDecider,
        initialState: useDecider.evolve(
          [registered, collected(), given(), authorised()].reduce<typeof useDecider.initialState>(
            (state, each) => useDecider.evolve(state, each, instant(TODAY)),
            useDecider.initialState,
          ),
          event,
          instant(when),
        ),
      },
      facts(TODAY),
    );
  it.each<[string, Folded, string, UseReported['data']['finding']]>([
    ['a withdrawal', withdrawn, '2026-03-02T09:06:00Z', 'afterWithdrawal'],
    ['an objection', objected, '2026-03-02T09:06:00Z', 'afterObjection'],
    ['a restriction', restricted, '2026-03-02T09:06:00Z', 'afterRestriction'],
    ['an erasure of the person', erasure, '2026-03-02T09:06:00Z', 'afterErasure'],
    ['a correction of the address, which changes nothing', corrected(), '2026-03-02T09:06:00Z', undefined],
  ])('says that it came after %s, and names the incident that is to be opened', (_what, event, when, finding) => {
    const since = after(event, when);
    const found = finding === undefined ? {} : { finding, incidentId };
    since.when(sent(), at('2026-03-02T09:07:00Z')).then(reported(found));
    // What was done before is lawful still (UK GDPR Art 7(3)).
    since.when(sent(), { ...at('2026-03-02T09:07:00Z'), occurredAt: instant('2026-03-02T09:05:59Z') }).then(reported());
    since.when(sent({ outcome: 'notDone' }), at('2026-03-02T09:07:00Z')).then(reported({ outcome: 'notDone' }));
  });
  it('says that it came after its quarter of an hour', () =>
    allowed.when(sent(), at('2026-03-02T09:15:00Z')).then(reported({ finding: 'afterExpiry', incidentId })));
  it('says that it was for another campaign', () => {
    const campaign = opened(given(), authorised({ campaignRef: 'spring' }));
    campaign.when(sent({ campaignRef: 'spring' })).then(reported({ campaignRef: 'spring' }));
    campaign
      .when(sent({ campaignRef: 'autumn' }))
      .then(reported({ campaignRef: 'autumn', finding: 'otherCampaign', incidentId }));
  });
});

describe('the order of C05', () => {
  /** What may stand in the way, in the order in which it is the answer. */
  const OBSTACLES = [
    ['MARKETING_OBJECTION', [objected], {}],
    ['SUPPRESSED_ADDRESS', [], { suppressedBy: { [EMAIL]: ['objection-9'] } }],
    ['PROCESSING_RESTRICTED', [restricted], {}],
    ['LIA_MISSING', [], { lias: lias() }],
    ['PECR_CONSENT_REQUIRED', [], {}],
    [
      'ITEM_DISPUTED',
      [{ type: 'AccuracyDoubtRaised', data: { subjectId, itemId: EMAIL, version: 1, cause: 'other' } }],
      {},
    ],
  ] as const satisfies readonly (readonly [RefusalCode, readonly Folded[], Partial<UseFacts>])[];

  it('whatever stands in the way, the first of them is the answer; without any the use is allowed', () => {
    fc.assert(
      fc.property(fc.subarray([...OBSTACLES]), (present) => {
        const codes = present.map(([code]) => code);
        const history = present.flatMap(([, events]) => [...events] as Folded[]);
        const found = Object.assign({}, ...present.map(([, , more]) => more)) as Partial<UseFacts>;
        const channel = codes.includes('PECR_CONSENT_REQUIRED') ? 'email' : 'post';
        expect(answer(opened(...history).when(upsell(channel), found).outcome)).toBe(codes[0] ?? 'UseAuthorised');
      }),
    );
  });
});
