import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { registerOf, scenario } from '#kernel/testing';
import { purposeRegister, type PurposeEvent } from '#purpose';
import { KEYSTORE_BACKUP_HORIZON } from './erasure.decider.js';
import { legalHoldRegister } from './legal-hold.register.js';
import { retentionDecider } from './retention.decider.js';
import type { RetentionEvent } from './retention.events.js';
import type { RetentionFacts } from './retention.state.js';
import {
  closeDeferral,
  collected,
  confirmErasure,
  confirmReported,
  DEFERRAL,
  deferred,
  EMAIL,
  endPeriod,
  endPurpose,
  erase,
  ERASURE,
  erasedAt,
  expire,
  factsOfRetention,
  finalise,
  holdFor,
  openDeferral,
  OPENED,
  PHONE,
  placed,
  ref,
  registered,
  restate,
  started,
  subjectId,
  TICKET,
} from './testing/index.js';

type Folded = Parameters<typeof retentionDecider.evolve>[1];
const MARCH = '2026-03-02T09:00:00Z';
const HORIZON = '2026-04-01T08:00:00.000Z';
const facts: RetentionFacts = { ...factsOfRetention(MARCH), liveKeys: [] };
const at = (decided: string) => ({ occurredAt: instant(decided), now: instant(decided) });
const after = (...history: readonly Folded[]) =>
  scenario(
    {
      ...retentionDecider,
      initialState: [registered, ...history].reduce(
        (state, event) => retentionDecider.evolve(state, event, instant(OPENED)),
        retentionDecider.initialState,
      ),
    },
    facts,
  );
const held = (scope: object = {}) => ({ legalHolds: registerOf(legalHoldRegister, placed(scope)) });
const email = collected(EMAIL, 'collected', { period: 'P1M' });
const invoice = collected(TICKET, 'accountingPeriodEnded', { purposeId: 'billing', basis: 'legalObligation' });
const deferral: RetentionEvent = {
  type: 'DeferralOpened',
  data: { subjectId, deferralId: DEFERRAL, cause: 'openAccessRequest', caseRef: 'SAR-1' },
};
const restricted = (ground: '18(1)(a)' | '18(1)(b)' | '18(1)(c)'): Folded => ({
  type: 'ProcessingRestricted',
  data: { subjectId, ground },
});
const shared: Folded = {
  type: 'DataShared',
  data: { recipientId: 'chart-cloud', recipientKind: 'PROCESSOR', purposeId: 'support', items: [ref(EMAIL)] },
};

/** What keeps data from being erased, by the way it is known. */
const CAUSES = [
  ['a legal hold', [], held(), 'legalHold', 'matter-1', 'LEGAL_HOLD_IN_FORCE'],
  [
    'a hold on the category',
    [],
    held({ categories: ['contact.email'] }),
    'legalHold',
    'matter-1',
    'LEGAL_HOLD_IN_FORCE',
  ],
  ['a hold on the purpose', [], held({ purposes: ['support'] }), 'legalHold', 'matter-1', 'LEGAL_HOLD_IN_FORCE'],
  ['a hold on the person', [], held({ subjectIds: [subjectId] }), 'legalHold', 'matter-1', 'LEGAL_HOLD_IN_FORCE'],
  ['an open access request', [deferral], {}, 'openAccessRequest', DEFERRAL, 'DEFERRED_OPEN_ACCESS_REQUEST'],
  ['a restriction under (b)', [restricted('18(1)(b)')], {}, 'restriction', 'restriction', 'PROCESSING_RESTRICTED'],
  ['a restriction under (c)', [restricted('18(1)(c)')], {}, 'restriction', 'restriction', 'PROCESSING_RESTRICTED'],
] as const;

describe.each(CAUSES)('%s', (_name, history, known, cause, refOf, code) => {
  it('defers an expiry, once', () => {
    after(email, ...history)
      .when(expire(), known)
      .then(deferred([ref(EMAIL)], cause, refOf));
    after(email, ...history)
      .when(expire(), known)
      .thenRepeatedNothing();
    after(email, ...history)
      .when(expire([EMAIL]), known)
      .then(deferred([ref(EMAIL)], cause, refOf));
  });
  it('forbids an erasure on request, of items and of the person', () => {
    after(email, ...history)
      .when(erase({ itemIds: [EMAIL] }), known)
      .thenRefused(code);
    after(email, ...history)
      .when(erase(), known)
      .thenRefused(code);
  });
  it('keeps the keys of what is beyond use already, as long as they exist', () => {
    const live = { ...known, liveKeys: [`key 1 of ${EMAIL}`] };
    const begun = after(email, started([ref(EMAIL)]), ...history);
    begun.when(confirmErasure, live).then(deferred([ref(EMAIL)], cause, refOf, { erasureId: ERASURE }));
    begun.when(confirmErasure, live).thenRepeatedNothing();
    begun.when(confirmErasure, { ...known, liveKeys: [] }).then(erasedAt(HORIZON, [ref(EMAIL)]));
  });
  it('keeps the key of a person whose erasure has begun', () => {
    const begun = after(email, started([], { scope: 'person', everything: true, cause: 'request' }), ...history);
    begun
      .when(confirmErasure, { ...known, personErased: false, liveKeys: [`key 1 of ${EMAIL}`] })
      .then(deferred([ref(EMAIL)], cause, refOf, { erasureId: ERASURE }));
  });
  it('brings nothing back that the vault has destroyed', () =>
    after(email, ...history)
      .when(restate, known)
      .thenTypes('ErasureStarted', 'DataErased'));
});

describe('what does not defer an erasure', () => {
  it.each([
    ['a restriction under (a)', [restricted('18(1)(a)')], {}],
    ['a hold on another person', [], held({ subjectIds: [PHONE] })],
    ['a hold on another category', [], held({ categories: ['contact.phone'] })],
    ['a hold on another purpose', [], held({ purposes: ['billing'] })],
    ['a request about other data', [{ ...deferral, data: { ...deferral.data, categories: ['contact.phone'] } }], {}],
    ['a closed request', [deferral, { type: 'DeferralClosed', data: { subjectId, deferralId: DEFERRAL } }], {}],
  ] as readonly (readonly [string, readonly Folded[], object])[])('is %s', (_name, history, known) =>
    after(email, ...history)
      .when(expire(), known)
      .thenTypes('RetentionExpired', 'ErasureStarted'),
  );
});

describe('an erasure on request', () => {
  it('ends all use, and says who was given what', () =>
    after(email, shared)
      .when(erase({ itemIds: [EMAIL], caseRef: 'CASE-1' }))
      .then(
        started([ref(EMAIL)], {
          cause: 'request',
          recipients: [{ recipientId: 'chart-cloud', items: [{ itemId: EMAIL, version: 1 }] }],
          caseRef: 'CASE-1',
        }),
      ));
  it('of a person takes everything there is, and closes the id', () =>
    after(email, invoice)
      .when(erase({ cause: 'unlawful' }))
      .then(started([], { cause: 'unlawful', scope: 'person', everything: true })));
  it('leaves what a statute keeps, and says until when', () => {
    const kept = after(email, invoice);
    kept.when(erase()).then(
      started([ref(EMAIL)], {
        cause: 'request',
        scope: 'person',
        remaining: [
          {
            itemId: TICKET,
            version: 1,
            category: 'contact.email',
            reason: 'legalObligation',
            ref: 'billing',
            law: 'UK GDPR Art 17(3)(b)',
          },
        ],
      }),
    );
    kept.when(erase({ itemIds: [TICKET] })).thenRefused('ERASURE_EXCEPTION_APPLIES', {
      items: [TICKET],
      exceptions: ['legalObligation'],
      refs: ['billing'],
    });
  });
  it('leaves what the privacy officer declares, until then', () => {
    const until = '2026-09-01T00:00:00.000Z';
    const kept = after(email, collected(PHONE, 'collected'));
    const partly = erase({ exceptions: [{ itemId: PHONE, exception: 'legalClaims', until }] });
    kept.when(partly).thenTypes('ErasureStarted');
    const left = kept.given(
      started([ref(EMAIL)], {
        cause: 'request',
        scope: 'person',
        remaining: [
          {
            itemId: PHONE,
            version: 1,
            category: 'contact.email',
            reason: 'legalClaims',
            ref: 'declared',
            law: 'UK GDPR Art 17(3)(e)',
            until,
          },
        ],
      }),
    );
    left.when(expire(), at('2026-08-31T23:59:59Z')).thenNothing();
    left.when(expire(), { ...at('2026-09-01T00:00:00Z'), id: (name) => `later ${name}` }).thenTypes('ErasureStarted');
  });
  it('is refused for what is gone or unknown', () => {
    after(email)
      .when(erase({ itemIds: [PHONE] }))
      .thenRefused('ITEM_UNKNOWN', { items: [PHONE] });
    after(email, started([ref(EMAIL)], { erasureId: PHONE }))
      .when(erase({ itemIds: [EMAIL] }))
      .thenRefused('DATA_ERASED', { items: [EMAIL] });
    after(started([], { erasureId: PHONE, scope: 'person', everything: true }))
      .when(erase())
      .thenRefused('DATA_ERASED');
  });
  it('happens once', () => {
    after(email).when(erase()).thenRepeatedNothing();
    after(email, invoice).when(erase()).thenRepeatedNothing();
  });
});

describe('the statement of an erasure', () => {
  const begun = after(email, collected(PHONE, 'collected'), started([ref(EMAIL)]));

  it('names the keys that go, and the end of the backups', () => {
    expect(KEYSTORE_BACKUP_HORIZON).toBe('P30D');
    begun.when(confirmErasure).then(erasedAt(HORIZON, [ref(EMAIL)]));
    begun.when(confirmErasure).thenRepeatedNothing();
    after(email).when(confirmErasure).thenNothing();
  });
  it('of a person takes the person key', () => {
    const person = after(email, started([], { scope: 'person', everything: true, cause: 'request' }));
    person
      .when(confirmErasure, { personErased: false })
      .then(erasedAt(HORIZON, [], { everything: true, person: true, cause: 'request' }));
    person.when(confirmErasure, { personErased: false }).thenRepeatedNothing();
  });
  it('of the last thing that was left of a person takes the person key', () => {
    const partly = after(
      email,
      invoice,
      started([ref(EMAIL)], { scope: 'person', cause: 'request' }),
      erasedAt(HORIZON, [ref(EMAIL)], { cause: 'request' }),
      started([ref(TICKET)], { erasureId: PHONE }),
    );
    partly
      .when(confirmErasure, { personErased: false })
      .then(erasedAt(HORIZON, [ref(TICKET)], { erasureId: PHONE, person: true }));
  });
  it('comes in parts of a thousand, says how many are left, and a repeat takes no other part', () => {
    const id = (index: number) => `${EMAIL.slice(0, -4)}${String(index).padStart(4, '0')}`;
    const many = Array.from({ length: 1_200 }, (_, index) => id(index));
    const begun = after(
      ...many.map((itemId) => collected(itemId, 'collected', { period: 'P1M' })),
      started(many.map((itemId) => ref(itemId))),
    );
    const { outcome } = begun.when(confirmErasure);
    const [event] = outcome.kind === 'accepted' ? outcome.events : [];
    expect(event).toMatchObject({ type: 'DataErased', data: { left: 200, part: facts.id('part') } });
    const { outcome: rest } = begun.given(event!).when(confirmErasure, { id: (name) => `next ${name}` });
    const [last] = rest.kind === 'accepted' ? rest.events : [];
    expect(last?.type === 'DataErased' && last.data.items).toHaveLength(200);
    expect(last?.data).not.toHaveProperty('left');
  });
  it('and so do an expiry and its deferral', () => {
    const id = (index: number) => `${EMAIL.slice(0, -4)}${String(index).padStart(4, '0')}`;
    const many = Array.from({ length: 1_200 }, (_, index) => collected(id(index), 'collected', { period: 'P1M' }));
    after(...many)
      .when(expire())
      .thenTypes('RetentionExpired', 'ErasureStarted');
    after(...many)
      .when(expire(), held())
      .thenTypes('RetentionDeferred');
  });
});

describe('what a person reported in a case of rectification', () => {
  const requestId = '55555555-5555-4555-8555-555555555555';
  const reported: Folded = {
    type: 'SubjectReportedChange',
    data: {
      subjectId,
      requestId,
      channel: 'letter',
      changes: [{ category: 'contact.email', keyId: 'reported' }, { category: 'contact.phone' }],
    },
  };
  const over = (valuesUntil: string): Folded => ({
    type: 'RectificationCompleted',
    data: { subjectId, requestId, outcome: 'refused', items: [], valuesUntil },
  });
  const done = over('2026-03-02T09:00:00.000Z');
  const gone: Folded = {
    type: 'ReportedValuesErased',
    data: { subjectId, requestId, keyIds: ['reported'], method: 'keyDestruction' },
  };
  const person = started([], { scope: 'person', everything: true, cause: 'request' });
  const live = { liveKeys: ['reported'] };

  it('goes when its case is over, and with the person', () => {
    after(reported).when(confirmReported).thenRefused('RETENTION_NOT_DUE', { requestId });
    after(reported, over('2026-03-02T09:00:00.001Z')).when(confirmReported).thenRefused('RETENTION_NOT_DUE');
    after(reported, done).when(confirmReported, live).then(gone);
    after(reported, done).when(confirmReported, live).thenRepeatedNothing();
    after(reported, person).when(confirmReported, live).then(gone);
    after(reported, person, erasedAt(HORIZON, [], { everything: true, person: true }))
      .when(confirmReported)
      .thenRefused('REGISTER_ENTRY_UNKNOWN', { requestId });
    after(email).when(confirmReported).thenRefused('REGISTER_ENTRY_UNKNOWN', { requestId });
    after({ ...reported, data: { ...reported.data, changes: [] } } as Folded, done)
      .when(confirmReported)
      .thenNothing();
  });
  it.each(CAUSES.filter(([name]) => !name.includes('purpose')))(
    'is kept by %s',
    (...[, history, known, cause, refOf]) => {
      const deferredValues: Folded = {
        type: 'ReportedValuesDeferred',
        data: { subjectId, requestId, cause, ref: refOf },
      };
      const kept = after(reported, done, ...history);
      kept.when(confirmReported, { ...known, ...live }).then(deferredValues);
      kept.when(confirmReported, { ...known, ...live }).thenRepeatedNothing();
      kept.when(confirmReported, { ...known, liveKeys: [] }).then(gone);
    },
  );
  it('is kept by a hold on a purpose that such data is held for', () => {
    const held1 = after(email, reported, done);
    held1.when(confirmReported, { ...held({ purposes: ['support'] }), ...live }).thenTypes('ReportedValuesDeferred');
    held1.when(confirmReported, { ...held({ purposes: ['billing'] }), ...live }).then(gone);
  });
  it('keeps the key of the person while it is kept, and everything else goes', () => {
    const phoneHold = held({ categories: ['contact.phone'] });
    const phone = { ...reported, data: { ...reported.data, changes: [{ category: 'contact.phone', keyId: 'p' }] } };
    const rest = { reason: 'legalHold', ref: 'matter-1', law: 'UK GDPR Art 17(3)(b), (e)' } as const;
    after(email, phone as Folded)
      .when(erase(), phoneHold)
      .then(started([ref(EMAIL)], { scope: 'person', cause: 'request', rest }));
    const begun = after(email, phone as Folded, started([ref(EMAIL)], { scope: 'person', cause: 'request', rest }));
    begun
      .when(confirmErasure, { ...phoneHold, personErased: false })
      .then(erasedAt(HORIZON, [ref(EMAIL)], { cause: 'request' }));
    after(phone as Folded)
      .when(erase(), phoneHold)
      .thenRefused('LEGAL_HOLD_IN_FORCE', { items: [], holds: ['matter-1'] });
  });
});

describe('usage, which stands elsewhere', () => {
  const held1 = { ...held({ subjectIds: [subjectId] }), usageHeld: true };
  const usageHold = { ...held({ categories: ['usage.charts'] }), usageHeld: true };
  const waits: Folded = {
    type: 'RetentionDeferred',
    data: { subjectId, items: [], person: { erasureId: ERASURE, cause: 'legalHold', ref: 'matter-1' } },
  };
  it('keeps the key of the person while anything keeps it', () => {
    after().when(erase(), held1).thenRefused('LEGAL_HOLD_IN_FORCE');
    after()
      .when(erase(), { ...held1, usageHeld: false })
      .thenTypes('ErasureStarted');
    const partly = after(email).when(erase(), usageHold);
    partly.thenTypes('ErasureStarted');
    expect(partly.outcome).toMatchObject({ events: [{ data: { scope: 'person', rest: { ref: 'matter-1' } } }] });
  });
  it('lets an erasure that has begun wait as a whole', () => {
    const begun = after(email, started([], { scope: 'person', everything: true, cause: 'request' }));
    begun.when(confirmErasure, { ...usageHold, personErased: false }).then(waits);
    begun.when(confirmErasure, { ...usageHold, personErased: false }).thenRepeatedNothing();
    begun.given(waits).when(confirmErasure, { personErased: false, usageHeld: true }).thenTypes('DataErased');
    begun.when(confirmErasure, { ...usageHold, personErased: true }).thenTypes('DataErased');
  });
});

it('what one restriction has deferred, the next one defers anew', () => {
  const lifted: Folded = { type: 'RestrictionLifted', data: { subjectId, informedAt: instant(OPENED) } };
  const once = deferred([ref(EMAIL)], 'restriction', 'restriction');
  after(email, restricted('18(1)(c)'), once, lifted, restricted('18(1)(c)')).when(expire()).then(once);
});

describe('an erasure becomes final', () => {
  const erased = after(email, started([ref(EMAIL)]), erasedAt(HORIZON, [ref(EMAIL)]));
  it('when the backups are gone and no key is found', () => {
    erased
      .when(finalise, at(HORIZON))
      .then({ type: 'ErasureFinalised', data: { subjectId, erasureId: ERASURE, verifiedBy: 'crm' } });
    erased.when(finalise, at(HORIZON)).thenRepeatedNothing();
  });
  it('not before, and not with a key alive', () => {
    erased.when(finalise).thenRefused('ERASURE_INCOMPLETE', { erasureId: ERASURE, until: HORIZON });
    erased
      .when(finalise, { ...at(HORIZON), liveKeys: ['a key'] })
      .thenRefused('ERASURE_INCOMPLETE', { erasureId: ERASURE, keys: 1 });
    after(email, started([ref(EMAIL)]))
      .when(finalise, at(HORIZON))
      .thenRefused('ERASURE_INCOMPLETE');
    after(email).when(finalise).thenRefused('REGISTER_ENTRY_UNKNOWN', { erasureId: ERASURE });
  });
});

describe('an item that serves two purposes (I-16b)', () => {
  const email = collected(EMAIL, 'collected', { period: 'P2M' });
  const approved: readonly PurposeEvent[] = [
    {
      type: 'PurposeDefined',
      data: {
        purposeId: 'service',
        version: 1,
        author: 'ada',
        title: 'service',
        plainWords: 'What we do.',
        serviceLine: 'B2C',
        commercial: false,
        basis: 'legitimateInterests',
        dpiaRequired: false,
        dpvIri: 'dpv:CustomerCare',
        fields: [{ category: 'contact.email', necessity: 'required', justification: 'the answer goes there' }],
        retention: [
          {
            category: 'contact.email',
            trigger: 'collected',
            period: 'P3M',
            action: 'erase',
            legalRef: 'UK GDPR Art 5',
          },
        ],
        recipientKindsAllowed: [],
      },
    },
    {
      type: 'PurposeApproved',
      data: { purposeId: 'service', version: 1, by: 'grace', effectiveFrom: instant('2020-01-01T00:00:00Z') },
    },
  ] as unknown as readonly PurposeEvent[];
  const known = { purposes: registerOf(purposeRegister, ...approved) };
  const added: Folded = {
    type: 'HeldForPurpose',
    data: {
      subjectId,
      purposeId: 'service',
      purposeVersion: 1,
      basis: 'legitimateInterests',
      assessmentRef: 'ASSESSMENT-1',
      items: [
        {
          itemId: EMAIL,
          version: 1,
          category: 'contact.email',
          retention: { trigger: 'collected', period: 'P3M' },
          due: '2026-06-02T08:00:00.000Z',
          itemDue: '2026-06-02T08:00:00.000Z',
        },
      ],
    },
  };

  it('is kept for the longer of them', () => {
    after(email)
      .when(holdFor('service', [EMAIL]), known)
      .then(added);
    after(email)
      .when(holdFor('service', [EMAIL]), known)
      .thenRepeatedNothing();
    after(email, added).when(expire(), at('2026-06-02T07:59:59Z')).thenNothing();
    after(email, added).when(expire(), at('2026-06-02T08:00:00Z')).thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('goes on for the one when the other ends, and goes when the last has ended', () => {
    const ended = (purposeId: string, itemDue: string | null): Folded => ({
      type: 'PurposeEnded',
      data: { subjectId, purposeId, reason: 'fulfilled', items: [{ itemId: EMAIL, version: 1, itemDue }] },
    });
    const both = after(email, added);
    both.when(endPurpose('service', [EMAIL])).then(ended('service', '2026-03-05T09:00:00.000Z'));
    both.when(endPurpose('support', [EMAIL])).then(ended('support', '2026-06-02T08:00:00.000Z'));
    const none = both.given(ended('service', '2026-03-05T09:00:00.000Z'));
    none.when(endPurpose('support', [EMAIL])).then(ended('support', '2026-03-02T09:00:00.000Z'));
    after(email, added, ended('service', null), ended('support', OPENED))
      .when(expire())
      .thenTypes('RetentionExpired', 'ErasureStarted');
    both.when(endPurpose('billing', [EMAIL])).thenRefused('ITEM_NOT_HELD_FOR_PURPOSE');
    both.when(endPurpose('service', [EMAIL])).thenRepeatedNothing();
  });
  it('does not begin again what has ended', () =>
    after(email, added, {
      type: 'PurposeEnded',
      data: { subjectId, purposeId: 'service', reason: 'other', items: [{ itemId: EMAIL, version: 1, itemDue: null }] },
    })
      .when(holdFor('service', [EMAIL]), known)
      .thenRefused('ITEM_NOT_HELD_FOR_PURPOSE'));
});

describe('a deferral', () => {
  it('opens and closes once', () => {
    after(email).when(openDeferral()).then(deferral);
    after(email).when(openDeferral()).thenRepeatedNothing();
    after(email, deferral)
      .when(openDeferral({ caseRef: 'SAR-2' }))
      .thenRefused('REGISTER_ENTRY_EXISTS');
    after(email, deferral).when(closeDeferral).thenRepeatedNothing();
    after(email).when(closeDeferral).thenRefused('REGISTER_ENTRY_UNKNOWN', { deferralId: DEFERRAL });
    after(email)
      .when(openDeferral({ itemIds: [PHONE] }))
      .thenRefused('ITEM_UNKNOWN', { items: [PHONE] });
  });
  it('lets the triggers of a period run meanwhile', () =>
    after(invoice, deferral).when(endPeriod).thenTypes('AccountingPeriodEnded', 'RetentionScheduled'));
});
