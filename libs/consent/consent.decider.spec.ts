import { describe, it } from '@jest/globals';
import { instant } from '#kernel';
import { scenario } from '#kernel/testing';
import type { GiveConsent } from './consent.commands.js';
import { consentDecider } from './consent.decider.js';
import {
  after,
  consentId,
  ended,
  expire,
  expired,
  facts,
  give,
  given,
  happened,
  informed,
  invalidate,
  invalidated,
  LATER,
  OLDER,
  OPENED,
  presented,
  refused,
  registered,
  renewed,
  request,
  requested,
  review,
  REVISED,
  sayNo,
  STATEMENT,
  TODAY,
  TOLD,
  upheld,
  WIDENED,
  withdraw,
  withdrawn,
} from './testing/index.js';

describe('giving consent (C05)', () => {
  it('keeps who, when, how and what they were told', () => informed.when(give()).then(given()));
  it('happens once', () => informed.when(give()).thenRepeatedNothing());
  it('keeps the end of its agreed life in one spelling', () => {
    const until = { expiresAt: '2027-03-02T10:00:00+01:00' };
    informed.when(give(until)).then(given({ expiresAt: '2027-03-02T09:00:00.000Z' }));
    informed.when(give(until)).thenRepeatedNothing();
  });
  it('keeps nothing of the age that was stated', () => informed.when(give({ statedAge: 13 })).then(given()));
  it('is renewed by a consent that differs', () => {
    const standing = informed.given(given({ consentId: OLDER }));
    standing.when(give()).thenNothing();
    standing.when(give({ expiresAt: '2027-01-01T00:00:00Z' })).then(renewed({ expiresAt: '2027-01-01T00:00:00.000Z' }));
    standing.when(give({ statementHash: 'c'.repeat(64) })).then(renewed({ statementHash: 'c'.repeat(64) }));
    informed
      .given(presented(1, 'leaflet'), given({ consentId: OLDER }))
      .when(give({ noticeId: 'leaflet' }))
      .then(renewed({ noticeId: 'leaflet' }));
    informed
      .given(given({ consentId: OLDER, expiresAt: '2027-01-01T00:00:00.000Z' }))
      .when(give())
      .then(renewed());
    standing.when(give({ expiresAt: '2027-01-01T00:00:00Z' })).thenRepeatedNothing();
  });
  it('is for the purpose as it was when the person gave it', () => {
    informed.when(give(), happened('2026-05-31T23:59:59Z')).then(given());
    informed.when(give(), happened(REVISED)).then(given({ purposeVersion: 2 }));
    informed
      .given(given({ consentId: OLDER }))
      .when(give(), happened(REVISED))
      .then(renewed({ purposeVersion: 2 }));
  });
  it('is for one channel', () =>
    informed
      .given(given())
      .when(give({ channel: 'sms' }))
      .then(given({ channel: 'sms' })));

  it.each<readonly [string, Partial<GiveConsent>, string, object]>([
    ['an unknown purpose', { purposeId: 'nothing' }, 'PURPOSE_UNKNOWN', { purposeId: 'nothing' }],
    ['a draft', { purposeId: 'drafted' }, 'PURPOSE_NOT_APPROVED', { purposeId: 'drafted' }],
    ['a suspended purpose', { purposeId: 'stopped' }, 'PURPOSE_SUSPENDED', { purposeId: 'stopped' }],
    [
      'a box ticked beforehand',
      { affirmativeAct: 'preTickedBox' },
      'CONSENT_NOT_UNAMBIGUOUS',
      { purposeId: 'news', field: 'affirmativeAct' },
    ],
    [
      'an agent without authority',
      { givenBy: 'agent' },
      'CONSENT_NOT_UNAMBIGUOUS',
      { purposeId: 'news', field: 'authorityRef' },
    ],
    [
      'what is done whatever the person says',
      { purposeId: 'invoices' },
      'LAWFUL_BASIS_NOT_AVAILABLE',
      { purposeId: 'invoices', basis: 'contract' },
    ],
    ['silence', { affirmativeAct: 'none' }, 'CONSENT_NOT_UNAMBIGUOUS', { purposeId: 'news', field: 'affirmativeAct' }],
    ['one act for several things', { bundled: true }, 'CONSENT_BUNDLED', { purposeId: 'news', field: 'bundled' }],
    [
      'a condition of the service',
      { conditional: true },
      'CONSENT_CONDITIONAL',
      { purposeId: 'news', field: 'conditional' },
    ],
    ['a child', { statedAge: 12 }, 'CONSENT_AGE', { purposeId: 'news', field: 'givenBy' }],
    [
      'a child, by an agent',
      { statedAge: 12, givenBy: 'agent' },
      'CONSENT_AGE',
      { purposeId: 'news', field: 'givenBy' },
    ],
    [
      'no statement',
      { statementHash: undefined as never },
      'CONSENT_NOT_INFORMED',
      { purposeId: 'news', field: 'statementHash' },
    ],
    ['an unknown notice', { noticeVersion: 3 }, 'NOTICE_UNKNOWN', { noticeId: 'privacy', version: 3 }],
    [
      'a notice about something else',
      { noticeId: 'cookies' },
      'NOTICE_DOES_NOT_COVER_PURPOSE',
      { noticeId: 'cookies', version: 1, purposeId: 'news' },
    ],
    [
      'a notice the person was not shown',
      { noticeId: 'leaflet' },
      'CONSENT_NOT_INFORMED',
      { purposeId: 'news', noticeId: 'leaflet', version: 1 },
    ],
    ['a life that is over', { expiresAt: TODAY }, 'CONSENT_EXPIRED', { purposeId: 'news', field: 'expiresAt' }],
  ])('is refused for %s', (_what, changes, code, details) =>
    informed.when(give(changes)).thenRefused(code as 'CONSENT_AGE', details as Record<string, string>),
  );
  it('is taken for a child from a parent, and for a box not said to be bundled or conditional', () => {
    informed.when(give({ statedAge: 12, givenBy: 'parent' })).then(given({ givenBy: 'parent' }));
    informed.when(give({ bundled: false, conditional: false })).then(given());
  });
  it('is taken from an agent with authority, which stays on record', () =>
    informed
      .when(give({ givenBy: 'agent', authorityRef: 'mandate-7' }))
      .then(given({ givenBy: 'agent', authorityRef: 'mandate-7' })));
  it('is taken for marketing on another basis, which PECR may ask consent for', () =>
    informed.when(give({ purposeId: 'offers' })).then(given({ purposeId: 'offers' })));
  it('is refused when the notice was shown only afterwards', () =>
    after([OPENED, registered], [LATER, presented()])
      .when(give(), happened(TODAY))
      .thenRefused('CONSENT_NOT_INFORMED', { purposeId: 'news', noticeId: 'privacy', version: 1 }));
  it('counts a showing from its first time', () =>
    after([OPENED, registered], [LATER, presented()], [OPENED, presented()], [LATER, presented()])
      .when(give(), happened(TODAY))
      .then(given()));

  it('answers with the first rule that fails', () => {
    const steps: readonly (readonly [Partial<GiveConsent>, string])[] = [
      [{ purposeId: 'invoices' }, 'PURPOSE_UNKNOWN'],
      [{ purposeId: 'news' }, 'LAWFUL_BASIS_NOT_AVAILABLE'],
      [{ affirmativeAct: 'signed' }, 'CONSENT_NOT_UNAMBIGUOUS'],
      [{ bundled: false }, 'CONSENT_BUNDLED'],
      [{ conditional: false }, 'CONSENT_CONDITIONAL'],
      [{ statedAge: 40 }, 'CONSENT_AGE'],
      [{ authorityRef: 'mandate-7' }, 'CONSENT_NOT_UNAMBIGUOUS'],
      [{ statementHash: STATEMENT }, 'CONSENT_NOT_INFORMED'],
      [{ noticeVersion: 1 }, 'NOTICE_UNKNOWN'],
      [{ noticeId: 'leaflet' }, 'NOTICE_DOES_NOT_COVER_PURPOSE'],
      [{ noticeId: 'privacy' }, 'CONSENT_NOT_INFORMED'],
      [{ expiresAt: LATER }, 'CONSENT_EXPIRED'],
    ];
    let command: Partial<GiveConsent> = {
      purposeId: 'nothing',
      affirmativeAct: 'none',
      bundled: true,
      conditional: true,
      statedAge: 9,
      givenBy: 'agent',
      statementHash: undefined as never,
      noticeId: 'cookies',
      noticeVersion: 9,
      expiresAt: OPENED,
    };
    for (const [mended, code] of steps) {
      informed.when(give(command)).thenRefused(code as 'CONSENT_AGE');
      command = { ...command, ...mended };
    }
    informed.when(give(command)).thenTypes('ConsentGiven');
  });
});

describe('withdrawing consent (Art 7(3))', () => {
  it('takes effect at once, and once', () => {
    informed.given(given()).when(withdraw()).then(withdrawn);
    informed.given(given()).when(withdraw()).thenRepeatedNothing();
    informed.given(given(), expired).when(withdraw()).thenNothing();
    informed.given(given(), invalidated()).when(withdraw()).thenNothing();
  });
  it('says how, if the sender does', () =>
    informed
      .given(given())
      .when(withdraw({ method: 'phone' }))
      .then({ type: 'ConsentWithdrawn', data: { ...ended, method: 'phone' } }));
  it('leaves a question open that was asked meanwhile', () => {
    const asked = informed.given(given({ consentId: OLDER }), requested());
    asked.when(withdraw()).then({ type: 'ConsentWithdrawn', data: { ...ended, consentId: OLDER } });
    informed
      .given(given({ consentId: OLDER }), requested(), {
        type: 'ConsentWithdrawn',
        data: { ...ended, consentId: OLDER },
      })
      .when(give())
      .then(given());
  });
  it('says whether it was the last consent to its purpose', () => {
    const byPost = given({ channel: 'post', consentId: OLDER });
    const { endsPurpose: _last, ...over } = ended;
    informed.given(given(), byPost).when(withdraw()).then({ type: 'ConsentWithdrawn', data: over });
    const elsewhere = { type: 'ConsentWithdrawn', data: { ...ended, channel: 'post', consentId: OLDER } } as const;
    informed.given(given(), byPost, elsewhere).when(withdraw()).then(withdrawn);
    // A purpose whose name begins with the name of this one is another.
    informed
      .given(given(), given({ purposeId: `${ended.purposeId}-too` }))
      .when(withdraw())
      .then(withdrawn);
  });
  it('needs no purpose in force', () =>
    informed
      .given(given({ purposeId: 'stopped' }))
      .when(withdraw({ purposeId: 'stopped' }))
      .then({ type: 'ConsentWithdrawn', data: { ...ended, purposeId: 'stopped' } }));
  it('ends the consent over that channel', () => {
    informed
      .given(given())
      .when(withdraw({ channel: 'sms' }))
      .thenRefused('CONSENT_NOT_GIVEN', {
        purposeId: 'news',
        channel: 'sms',
      });
    informed.when(withdraw()).thenRefused('CONSENT_NOT_GIVEN', { purposeId: 'news', channel: 'email' });
  });
  it('is followed by a new consent only if the person gives one', () =>
    informed.given(given(), withdrawn).when(give()).then(given()));
  it('is not undone by an older consent that is entered later', () => {
    const late = after([OPENED, registered], [OPENED, presented()], [OPENED, given()], [TODAY, withdrawn]);
    late.when(give(), happened('2026-03-02T08:59:59.999Z')).thenRefused('CONSENT_WITHDRAWN', {
      purposeId: 'news',
      channel: 'email',
      since: '2026-03-02T09:00:00.000Z',
    });
    late.when(give(), happened('2026-03-02T09:00:00.001Z')).then(given());
  });
});

describe('the end of a consent', () => {
  const until = given({ expiresAt: '2026-06-01T09:00:00.000Z' });

  it('comes when its agreed life is over, once', () => {
    informed.given(until).when(expire, happened('2026-06-01T09:00:00Z', '2026-06-01T09:00:00Z')).then(expired);
    informed.given(until).when(expire, happened(LATER)).thenRepeatedNothing();
  });
  it('does not come before, or without one', () => {
    informed.given(until).when(expire, happened('2026-06-01T08:59:59Z', '2026-06-01T08:59:59.999Z')).thenNothing();
    informed.given(given()).when(expire, happened(LATER)).thenNothing();
    informed.given(until, withdrawn).when(expire, happened(LATER)).thenNothing();
    informed.given(until, invalidated()).when(expire, happened(LATER)).thenNothing();
    informed.when(expire, happened(LATER)).thenNothing();
  });
  it('is put off by a renewal', () => informed.given(until, given()).when(expire, happened(LATER)).thenNothing());
  it('is followed by a consent that was given before it and entered later', () =>
    after(
      [OPENED, registered],
      [OPENED, presented()],
      [OPENED, given({ consentId: OLDER, expiresAt: '2026-06-01T09:00:00.000Z' })],
      [LATER, { type: 'ConsentExpired', data: { ...ended, consentId: OLDER } }],
    )
      .when(give(), happened(TODAY))
      .then(renewed()));
});

describe('asking for consent', () => {
  it('is on record with what the person is told', () => {
    informed.when(request()).then(requested());
    informed.when(request()).thenRepeatedNothing();
    informed.when(request({ method: 'phone' })).then(requested({ method: 'phone' }));
  });
  it('is answered under the id it was asked under', () => {
    const asked = informed.given(requested({ consentId: OLDER }));
    asked.when(give()).then(given({ consentId: OLDER }));
    asked.when(give()).thenRepeatedNothing();
    asked.when(sayNo()).then(refused({ consentId: OLDER, ...TOLD }));
    asked.when(sayNo()).thenRepeatedNothing();
  });
  it('is not answered by what happened before', () => {
    const asked = after([OPENED, registered], [OPENED, presented()], [LATER, requested({ consentId: OLDER })]);
    asked.when(give(), happened(TODAY)).then(given());
    asked.when(sayNo(), happened(TODAY)).then(refused());
    const answered = after(
      [OPENED, registered],
      [OPENED, presented()],
      [LATER, requested({ consentId: OLDER })],
      [TODAY, given()],
    );
    answered
      .when(give(), happened(LATER, '2026-12-01T09:00:00Z'))
      .then(renewed({ consentId: OLDER, renews: consentId, purposeVersion: 3 }));
  });
  it('takes nothing away from a consent that stands, and renews it with the same answer', () => {
    const asked = informed.given(given({ consentId: OLDER }), requested());
    asked.when(give()).then(renewed());
    asked.when(give()).thenRepeatedNothing();
  });
  it('may be done again', () => {
    informed
      .given(requested({ consentId: OLDER }))
      .when(request())
      .then(requested());
    informed
      .given(requested({ consentId: OLDER }), requested())
      .when(give())
      .then(given());
    informed
      .given(given({ consentId: OLDER }), withdrawn)
      .when(request())
      .then(requested());
  });
  it.each<readonly [string, Parameters<typeof request>[0], string, object]>([
    ['an unknown purpose', { purposeId: 'nothing' }, 'PURPOSE_UNKNOWN', { purposeId: 'nothing' }],
    ['a draft', { purposeId: 'drafted' }, 'PURPOSE_NOT_APPROVED', { purposeId: 'drafted' }],
    [
      'what rests on a contract',
      { purposeId: 'invoices' },
      'LAWFUL_BASIS_NOT_AVAILABLE',
      { purposeId: 'invoices', basis: 'contract' },
    ],
    ['an unknown notice', { noticeVersion: 3 }, 'NOTICE_UNKNOWN', { noticeId: 'privacy', version: 3 }],
    [
      'a notice about something else',
      { noticeId: 'cookies' },
      'NOTICE_DOES_NOT_COVER_PURPOSE',
      { noticeId: 'cookies', version: 1, purposeId: 'news' },
    ],
    [
      'a notice that is not in force yet',
      { noticeVersion: 2 },
      'NOTICE_NOT_IN_FORCE',
      { noticeId: 'privacy', version: 2 },
    ],
  ])('is refused for %s', (_what, changes, code, details) =>
    informed.when(request(changes)).thenRefused(code as 'CONSENT_AGE', details as Record<string, string>),
  );
  it('is refused with a notice that has been superseded', () =>
    informed.when(request(), happened(REVISED)).thenRefused('NOTICE_NOT_IN_FORCE', {
      noticeId: 'privacy',
      version: 1,
    }));
});

describe('saying no', () => {
  it('is on record, also when nobody had asked', () => {
    informed.when(sayNo()).then(refused());
    informed.when(sayNo({ method: 'phone' })).then(refused({ method: 'phone' }));
    informed.when(sayNo()).thenRepeatedNothing();
    informed.given(given(), expired).when(sayNo()).thenTypes('ConsentRefused');
  });
  it('to a consent that stands withdraws it', () => {
    informed.given(given()).when(sayNo()).then(withdrawn);
    informed.given(given()).when(sayNo()).thenRepeatedNothing();
    informed
      .given(given())
      .when(sayNo({ method: 'paper' }))
      .then({ type: 'ConsentWithdrawn', data: { ...ended, method: 'paper' } });
  });
  it('to a renewal answers the question and withdraws the consent', () => {
    const asked = informed.given(given({ consentId: OLDER }), requested());
    asked.when(sayNo()).then(refused(TOLD), { type: 'ConsentWithdrawn', data: { ...ended, consentId: OLDER } });
    asked.when(sayNo()).thenRepeatedNothing();
  });
  it('twice is once, unless it is said again later', () => {
    const no = after([OPENED, registered], [OPENED, presented()], [TODAY, refused()]);
    no.when(sayNo(), happened(TODAY)).thenNothing();
    no.when(sayNo(), happened(LATER)).thenTypes('ConsentRefused');
    after([OPENED, registered], [TODAY, given()], [TODAY, withdrawn]).when(sayNo(), happened(TODAY)).thenNothing();
  });
  it('is followed by a consent only if the person gives one later', () => {
    const no = after([OPENED, registered], [OPENED, presented()], [TODAY, refused({ consentId: OLDER })]);
    no.when(give(), happened('2026-03-02T08:59:59.999Z')).thenRefused('CONSENT_WITHDRAWN', {
      purposeId: 'news',
      channel: 'email',
      since: instant(TODAY),
    });
    no.when(give(), happened('2026-03-02T09:00:01Z')).then(given());
  });
  it('stands at its latest time, whichever was entered last', () =>
    after([OPENED, registered], [OPENED, presented()], [LATER, refused()], [TODAY, refused()])
      .when(give(), happened('2026-04-01T09:00:00Z', '2026-12-01T09:00:00Z'))
      .thenRefused('CONSENT_WITHDRAWN', { since: instant(LATER) }));
  it('withdraws nothing afterwards', () => {
    informed.given(refused()).when(withdraw()).thenNothing();
    informed.given(refused()).when(invalidate()).thenNothing();
  });
  it.each([
    ['nothing', 'PURPOSE_UNKNOWN'],
    ['drafted', 'PURPOSE_NOT_APPROVED'],
    ['stopped', 'PURPOSE_SUSPENDED'],
    ['invoices', 'LAWFUL_BASIS_NOT_AVAILABLE'],
  ] as const)('to %s, for which nobody can be asked, is refused', (purposeId, code) =>
    informed.when(sayNo({ purposeId })).thenRefused(code),
  );
  it('needs no purpose in force to answer a question', () =>
    informed
      .given(requested({ purposeId: 'stopped' }))
      .when(sayNo({ purposeId: 'stopped' }))
      .then(refused({ purposeId: 'stopped', ...TOLD })));
});

describe('finding a consent invalid', () => {
  it('ends it, once, and says why', () => {
    informed.given(given()).when(invalidate()).then(invalidated());
    informed.given(given()).when(invalidate()).thenRepeatedNothing();
    informed
      .given(given())
      .when(invalidate({ reason: 'notFreelyGiven' }))
      .then(invalidated({ reason: 'notFreelyGiven' }));
  });
  it('changes nothing where none stands, and is refused where none was given', () => {
    informed.given(given(), withdrawn).when(invalidate()).thenNothing();
    informed.when(invalidate()).thenRefused('CONSENT_NOT_GIVEN', { purposeId: 'news', channel: 'email' });
    informed.given(requested()).when(invalidate()).thenRefused('CONSENT_NOT_GIVEN');
  });
  it('stands against consents given before it and entered later', () => {
    const found = after(
      [OPENED, registered],
      [OPENED, presented()],
      [OPENED, given({ consentId: OLDER })],
      [TODAY, invalidated({ consentId: OLDER })],
    );
    found.when(give(), happened('2026-03-02T08:59:59.999Z')).thenRefused('CONSENT_INVALIDATED', {
      purposeId: 'news',
      channel: 'email',
      since: instant(TODAY),
    });
    found.when(give(), happened('2026-03-02T09:00:01Z')).then(renewed());
  });
});

describe('a new version of the purpose', () => {
  const widened = invalidated({ reason: 'purposeChanged', purposeVersion: 3, widenings: ['fieldAdded'] });
  const reviewed = happened(OPENED, REVISED);

  it('that asks for less leaves the consent standing', () => {
    informed.given(given()).when(review(), reviewed).then(upheld());
    informed.given(given()).when(review(), reviewed).thenRepeatedNothing();
  });
  it('that asks for more ends it', () => {
    informed.given(given(), upheld()).when(review(), happened(OPENED, WIDENED)).then(widened);
    informed
      .given(given({ purposeVersion: 2 }))
      .when(review(), happened(OPENED, WIDENED))
      .then(widened);
    informed.given(given()).when(review(), happened(OPENED, LATER)).thenRepeatedNothing();
  });
  it('does nothing before it takes effect', () => {
    informed.given(given()).when(review(), happened(OPENED, '2026-05-31T23:59:59.999Z')).thenNothing();
    informed.given(given(), upheld()).when(review(), happened(OPENED, '2026-09-30T23:59:59.999Z')).thenNothing();
  });
  it('does nothing to a consent that was given to it', () => {
    informed
      .given(given({ purposeVersion: 3 }))
      .when(review(), happened(OPENED, LATER))
      .thenNothing();
    informed
      .given(given({ purposeVersion: 2 }))
      .when(review(), reviewed)
      .thenNothing();
  });
  it('does nothing where none stands', () => {
    for (const end of [withdrawn, expired, invalidated(), refused()])
      informed.given(given(), end).when(review(), happened(OPENED, LATER)).thenNothing();
    informed.when(review(), happened(OPENED, LATER)).thenNothing();
  });
  it('undoes what was agreed to under a version nobody knows', () =>
    informed
      .given(given({ purposeVersion: 9 }))
      .when(review(), happened(OPENED, LATER))
      .then(invalidated({ reason: 'purposeChanged', purposeVersion: 3, widenings: ['unknown'] })));
  it('that is upheld for another consent says nothing about this one', () =>
    informed
      .given(given(), upheld({ consentId: OLDER }))
      .when(review(), reviewed)
      .then(upheld()));
});

it.each([request(), give(), sayNo(), withdraw(), invalidate(), expire, review()])(
  'without a relationship, $type is refused',
  (command) => {
    scenario(consentDecider, facts(TODAY)).when(command).thenRefused('SUBJECT_UNKNOWN', {});
    informed
      .when(command, happened('2026-01-05T08:59:59Z'))
      .thenRefused('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
  },
);
