import { describe, expect, it } from '@jest/globals';
import { instant, type RefusalCode } from '#kernel';
import { scenario } from '#kernel/testing';
import type { AuthoriseUse } from './use.commands.js';
import { AUTHORISATION_LIFE, useDecider } from './use.decider.js';
import {
  EMAIL,
  Folded,
  LATER,
  OPENED,
  PHONE,
  REVISED,
  TODAY,
  UNHEARD,
  at,
  authorised,
  collected,
  confirmed,
  corrected,
  doubted,
  ended,
  erased,
  expired,
  facts,
  given,
  lifted,
  object,
  objected,
  presented,
  registered,
  renewalDue,
  restricted,
  serve,
  use,
  withdrawn,
} from './testing/index.js';

/** A scenario that takes place after these events, each with the time it happened. */
const after = (...history: readonly (readonly [string, Folded])[]) =>
  scenario(
    {
      ...useDecider,
      initialState: history.reduce(
        (state, [happened, event]) => useDecider.evolve(state, event, instant(happened)),
        useDecider.initialState,
      ),
    },
    facts(TODAY),
  );
const { given: holding, when } = after([OPENED, registered], [OPENED, collected()]);
const consenting = holding(given());
const refusal = (outcome: ReturnType<typeof when>['outcome']) =>
  outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind;

describe('a commercial use (C05, C17)', () => {
  it('rests on consent to this purpose over this channel', () => consenting.when(use()).then(authorised()));
  it('is authorised for a quarter of an hour from now', () => {
    expect(AUTHORISATION_LIFE).toBe(900_000);
    expect(consenting.when(use(), at(OPENED, TODAY)).outcome).toMatchObject({
      events: [{ data: { expiresAt: '2026-03-02T09:15:00.000Z' } }],
    });
  });
  it('is authorised once', () => {
    consenting.when(use()).thenRepeatedNothing();
    holding(given(), authorised(), withdrawn).when(use()).thenNothing();
  });
  it('names each item as it is now', () =>
    expect(holding(given(), corrected()).when(use({ itemIds: [PHONE, EMAIL] })).outcome).toMatchObject({
      events: [
        {
          data: {
            items: [
              { itemId: PHONE, version: 1, category: 'contact.phone' },
              { itemId: EMAIL, version: 2, category: 'contact.email' },
            ],
          },
        },
      ],
    }));

  const news = { purposeId: 'news', channel: 'email' };
  it.each<readonly [string, readonly Folded[], Partial<AuthoriseUse>, RefusalCode, object]>([
    ['an unknown purpose', [], { purposeId: 'constructor' }, 'PURPOSE_UNKNOWN', { purposeId: 'constructor' }],
    ['a draft', [], { purposeId: 'drafted' }, 'PURPOSE_NOT_APPROVED', { purposeId: 'drafted' }],
    ['a suspended purpose', [], { purposeId: 'stopped' }, 'PURPOSE_SUSPENDED', { purposeId: 'stopped' }],
    ['a purpose given up', [], { purposeId: 'given-up' }, 'PURPOSE_SUSPENDED', { purposeId: 'given-up' }],
    ['unknown items', [given()], { itemIds: [EMAIL, UNHEARD] }, 'ITEM_UNKNOWN', { items: [UNHEARD] }],
    ['an expired item', [given(), expired()], { itemIds: [PHONE, EMAIL] }, 'DATA_ERASED', { items: [EMAIL] }],
    ['an erased item', [given(), expired(), erased()], {}, 'DATA_ERASED', { items: [EMAIL] }],
    ['an objection', [given(), objected], {}, 'MARKETING_OBJECTION', { purposeId: 'news' }],
    ['a restriction', [given(), restricted], {}, 'PROCESSING_RESTRICTED', { purposeId: 'news' }],
    ['an unassessed interest', [], { purposeId: 'upsell' }, 'LIA_MISSING', { purposeId: 'upsell' }],
    ['another basis', [], { purposeId: 'resale' }, 'NO_MARKETING_BASIS', { purposeId: 'resale', basis: 'contract' }],
    [
      'no channel',
      [given()],
      { channel: undefined as never },
      'CONSENT_CHANNEL_MISMATCH',
      { purposeId: 'news', field: 'channel' },
    ],
    ['no consent', [], {}, 'CONSENT_NOT_GIVEN', news],
    ['consent to something else', [given({ purposeId: 'news-of-others' })], {}, 'CONSENT_NOT_GIVEN', news],
    [
      'another channel',
      [given()],
      { channel: 'sms' },
      'CONSENT_CHANNEL_MISMATCH',
      { purposeId: 'news', channel: 'sms' },
    ],
    [
      'another channel, withdrawn',
      [given(), withdrawn],
      { channel: 'sms' },
      'CONSENT_NOT_GIVEN',
      { purposeId: 'news', channel: 'sms' },
    ],
    ['a withdrawal', [given(), withdrawn], {}, 'CONSENT_WITHDRAWN', { ...news, since: '2026-03-02T09:00:00.000Z' }],
    ['an ended consent', [given(), ended], {}, 'CONSENT_EXPIRED', { ...news, since: '2026-03-02T09:00:00.000Z' }],
    [
      'a consent whose life is over, unless the steward has seen it',
      [given({ expiresAt: '2026-03-02T09:00:00.000Z' })],
      {},
      'CONSENT_EXPIRED',
      { ...news, since: '2026-03-02T09:00:00.000Z' },
    ],
    [
      'data the purpose does not list',
      [given(), collected({ items: [{ ...collected().data.items[0]!, category: 'chart.usage' }] })],
      {},
      'ITEM_NOT_HELD_FOR_PURPOSE',
      { purposeId: 'news', items: [EMAIL] },
    ],
    [
      'data the person has not been told of',
      [given(), collected({ source: 'thirdParty' })],
      {},
      'ART14_NOTICE_DUE',
      { items: [EMAIL] },
    ],
    ['a doubt', [given(), doubted], { itemIds: [PHONE, EMAIL] }, 'ITEM_DISPUTED', { items: [EMAIL] }],
    [
      'an overdue check',
      [given(), confirmed('2026-03-02T09:00:00.000Z')],
      { itemIds: [PHONE, EMAIL] },
      'ACCURACY_CHECK_OVERDUE',
      { items: [EMAIL] },
    ],
    [
      'a check that a renewal brought forward',
      [given(), confirmed('2027-03-02T09:00:00.000Z'), renewalDue('2026-03-02T09:00:00.000Z')],
      { itemIds: [PHONE, EMAIL] },
      'ACCURACY_CHECK_OVERDUE',
      { items: [EMAIL] },
    ],
  ])('is refused for %s', (_what, history, changes, code, details) =>
    holding(...history)
      .when(use(changes))
      .thenRefused(code, details as Record<string, string>),
  );

  it('is refused once the purpose has changed, until the person consents anew', () => {
    consenting.when(use(), at(REVISED)).thenRefused('CONSENT_INVALIDATED', {
      purposeId: 'news',
      channel: 'email',
      version: 2,
    });
    holding(given({ purposeVersion: 2 }))
      .when(use(), at(REVISED))
      .thenTypes('UseAuthorised');
    holding(given({ purposeVersion: 2 }))
      .when(use({ itemIds: [PHONE] }), at(REVISED))
      .thenRefused('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId: 'news', items: [PHONE] });
  });
  it('is asked for now: a request dated back finds the purpose as it is', () =>
    consenting.when(use(), at('2026-05-31T09:00:00Z', LATER)).thenRefused('CONSENT_INVALIDATED'));
  it('ends with a withdrawal and begins with the next consent', () => {
    holding(given(), withdrawn, given({ consentId: 'consent-2' }))
      .when(use())
      .then(authorised({ basisRef: 'consent-2' }));
    holding(given(), withdrawn, given({ consentId: 'consent-2' }), withdrawn)
      .when(use())
      .thenRefused('CONSENT_WITHDRAWN');
  });
  it('is possible again when a restriction is lifted, a doubt settled, a check done', () => {
    holding(given(), restricted, lifted).when(use()).then(authorised());
    holding(given(), doubted, confirmed()).when(use()).then(authorised());
    expect(refusal(holding(given(), doubted, corrected()).when(use()).outcome)).toBe('accepted');
    holding(given(), confirmed('2026-02-01T09:00:00.000Z'), confirmed()).when(use()).then(authorised());
    expect(refusal(holding(given(), confirmed('2026-02-01T09:00:00.000Z'), corrected()).when(use()).outcome)).toBe(
      'accepted',
    );
  });
  it('goes on with the current version when an older one goes', () => {
    expect(refusal(holding(given(), corrected(), expired(1), erased(1)).when(use()).outcome)).toBe('accepted');
    holding(given(), corrected(), expired(2))
      .when(use())
      .thenRefused('DATA_ERASED', { items: [EMAIL] });
  });
});

describe('a use for a service', () => {
  const served = { purposeId: 'support', commercial: false, basis: 'contract' };
  const { channel: _channel, basisRef: _basis, ...plain } = authorised(served).data;

  it('needs no consent and no channel', () => {
    holding().when(serve()).then({ type: 'UseAuthorised', data: plain });
    holding()
      .when(serve({ channel: 'post' }))
      .then({ type: 'UseAuthorised', data: { ...plain, channel: 'post' } });
  });
  it('is not touched by an objection to marketing or a withdrawal', () =>
    holding(objected, given(), withdrawn).when(serve()).then({ type: 'UseAuthorised', data: plain }));
  it('goes on with a warning when the data is in doubt or was not checked in time (I-14b)', () =>
    holding(doubted, confirmed('2026-02-01T09:00:00.000Z'), doubted)
      .when(serve())
      .then({
        type: 'UseAuthorised',
        data: {
          ...plain,
          warnings: [
            { code: 'ITEM_DISPUTED', itemIds: [EMAIL] },
            { code: 'ACCURACY_CHECK_OVERDUE', itemIds: [EMAIL] },
          ],
        },
      }));
  it('serves what the data was collected for', () =>
    after([OPENED, registered], [OPENED, collected({ purposeId: 'other' })])
      .when(serve({ itemIds: [EMAIL, PHONE] }))
      .thenRefused('PURPOSE_INCOMPATIBLE', { purposeId: 'support', items: [EMAIL, PHONE] }));
  it.each<readonly [string, readonly Folded[], RefusalCode]>([
    ['restricted', [restricted], 'PROCESSING_RESTRICTED'],
    ['gone', [expired()], 'DATA_ERASED'],
    ['untold', [collected({ source: 'thirdParty' })], 'ART14_NOTICE_DUE'],
  ])('is refused for what is %s', (_what, history, code) =>
    holding(...history)
      .when(serve())
      .thenRefused(code),
  );

  it('that rests on consent needs the consent (Art 6(1)(a))', () => {
    const research = after([OPENED, registered], [OPENED, collected({ purposeId: 'research' })]);
    const ask = use({ purposeId: 'research' });
    const about = { purposeId: 'research', channel: 'email' };
    const consent = given({ purposeId: 'research' });
    research.when(ask).thenRefused('CONSENT_NOT_GIVEN', about);
    research.when(serve({ purposeId: 'research' })).thenRefused('CONSENT_CHANNEL_MISMATCH', {
      purposeId: 'research',
      field: 'channel',
    });
    research
      .given(consent)
      .when(ask)
      .then(authorised({ purposeId: 'research', commercial: false }));
    research
      .given(consent, { ...withdrawn, data: { ...withdrawn.data, purposeId: 'research' } })
      .when(ask)
      .thenRefused('CONSENT_WITHDRAWN');
    // Consent to the new purpose makes it compatible, whatever the data was collected for (Art 8A(3)(a)).
    after([OPENED, registered], [OPENED, collected()], [OPENED, consent])
      .when(ask)
      .then(authorised({ purposeId: 'research', commercial: false }));
  });
});

describe('data from elsewhere (Art 14)', () => {
  const elsewhere = after([OPENED, registered], [OPENED, presented()], [TODAY, collected({ source: 'thirdParty' })]);
  const due = (...history: Folded[]) => refusal(elsewhere.given(...history).when(serve()).outcome);

  it('waits until the person was told, under the notice it was collected with', () => {
    expect(due()).toBe('ART14_NOTICE_DUE');
    expect(due(presented('cookies'))).toBe('ART14_NOTICE_DUE');
    expect(due(presented())).toBe('accepted');
    expect(due(presented('privacy', 2))).toBe('accepted');
    expect(due(corrected())).toBe('ART14_NOTICE_DUE');
    expect(due(confirmed())).toBe('ART14_NOTICE_DUE');
  });
  it('is not told of by a notice shown before it was collected', () =>
    after([OPENED, registered], [TODAY, collected({ source: 'thirdParty' })], ['2026-03-01T09:00:00Z', presented()])
      .when(serve())
      .thenRefused('ART14_NOTICE_DUE', { items: [EMAIL] }));
  it('is no matter for what was derived', () =>
    expect(refusal(holding(collected({ source: 'derived' })).when(serve()).outcome)).toBe('accepted'));
});

describe('the order of the gate', () => {
  // Each line takes one obstacle away; what stands before it stays the answer until then.
  const worst = [given(), withdrawn, doubted, confirmed('2026-02-01T09:00:00.000Z'), doubted];
  const strange = collected({
    source: 'thirdParty',
    items: [{ ...collected().data.items[0]!, category: 'chart.usage' }],
  });
  const untold = collected({ source: 'thirdParty' });
  it.each<readonly [RefusalCode, readonly Folded[], Partial<AuthoriseUse>]>([
    [
      'PURPOSE_UNKNOWN',
      [strange, ...worst, expired(), restricted, objected],
      { purposeId: 'nothing', itemIds: [EMAIL, UNHEARD] },
    ],
    ['ITEM_UNKNOWN', [strange, ...worst, expired(), restricted, objected], { itemIds: [EMAIL, UNHEARD] }],
    ['DATA_ERASED', [strange, ...worst, expired(), restricted, objected], {}],
    ['MARKETING_OBJECTION', [strange, ...worst, restricted, objected], {}],
    ['MARKETING_OBJECTION', [strange, ...worst, restricted, objected], { purposeId: 'upsell' }],
    ['PROCESSING_RESTRICTED', [strange, ...worst, restricted], {}],
    ['PROCESSING_RESTRICTED', [strange, ...worst, restricted], { purposeId: 'resale' }],
    ['LIA_MISSING', [strange, ...worst], { purposeId: 'upsell' }],
    ['NO_MARKETING_BASIS', [strange, ...worst], { purposeId: 'resale' }],
    ['CONSENT_WITHDRAWN', [strange, ...worst], {}],
    ['CONSENT_EXPIRED', [strange, ...worst, given({ purposeVersion: 9, expiresAt: OPENED })], {}],
    ['CONSENT_INVALIDATED', [strange, ...worst, given({ purposeVersion: 9 })], {}],
    ['ITEM_NOT_HELD_FOR_PURPOSE', [strange, ...worst, given()], {}],
    ['ART14_NOTICE_DUE', [untold, ...worst, given()], {}],
    ['ITEM_DISPUTED', [collected(), ...worst, given()], {}],
    ['ACCURACY_CHECK_OVERDUE', [collected(), given(), confirmed('2026-02-01T09:00:00.000Z')], {}],
  ])('%s', (code, history, changes) =>
    holding(...history)
      .when(use(changes))
      .thenRefused(code),
  );
});

describe('objecting to marketing (Art 21(2)-(3))', () => {
  it('needs nothing but the person, and happens once', () => {
    holding().when(object).then(objected);
    holding().when(object).thenRepeatedNothing();
  });
  it('is absolute: no later consent overrides it', () =>
    holding(given(), objected, given({ consentId: 'consent-2' }))
      .when(use())
      .thenRefused('MARKETING_OBJECTION'));
});

it.each([use(), object])('without a relationship, $type is refused', (command) => {
  scenario(useDecider, facts(TODAY)).when(command).thenRefused('SUBJECT_UNKNOWN', {});
  when(command, at('2026-01-05T08:59:59Z', LATER)).thenRefused('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
});
