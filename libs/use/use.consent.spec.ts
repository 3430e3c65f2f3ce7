import { describe, expect, it } from '@jest/globals';
import type { ConsentEvent } from '#consent';
import { instant } from '#kernel';
import { registerOf } from '#kernel/testing';
import { purposeRegister, type PurposeEvent } from '#purpose';
import { collected, facts, given, LATER, OPENED, registered, REVISED, subjectId, use } from './testing/index.js';
import { useDecider } from './use.decider.js';

/*
 * What the gate makes of the states of a consent, and of the versions of its purpose: version 2 drops the phone,
 * version 3 is for everybody in the group, version 4 is as the first one was.
 */

const FIELDS = [{ category: 'contact.email', necessity: 'optional', justification: 'News goes there.' }] as const;
const WIDENED = '2026-09-01T00:00:00Z';
const versions = [
  { from: OPENED, more: { fields: [...FIELDS, { ...FIELDS[0], category: 'contact.phone' }] } },
  { from: REVISED, more: {} },
  { from: WIDENED, more: { recipientKindsAllowed: ['GROUP'] } },
  { from: LATER, more: {} },
];
const purposes = registerOf<PurposeEvent, typeof purposeRegister.initialState>(
  purposeRegister,
  ...versions.flatMap(({ from, more }, index): PurposeEvent[] => [
    {
      type: 'PurposeDefined',
      data: {
        purposeId: 'news',
        version: index + 1,
        author: 'ada',
        title: 'News',
        plainWords: 'We write to you.',
        serviceLine: 'B2C',
        commercial: true,
        basis: 'consent',
        dpiaRequired: false,
        dpvIri: 'dpv:DirectMarketing',
        fields: FIELDS,
        retention: [],
        recipientKindsAllowed: [],
        ...more,
      },
    },
    {
      type: 'PurposeApproved',
      data: { purposeId: 'news', version: index + 1, approver: 'ben', effectiveFrom: instant(from) },
    },
  ]),
);

const key = { subjectId, consentId: 'consent-1', purposeId: 'news', channel: 'email' };
const answer = (at: string, ...consents: readonly ConsentEvent[]) => {
  const state = [registered, collected({ purposeId: 'news' }), ...consents].reduce(
    (folded, event) => useDecider.evolve(folded, event, instant(OPENED)),
    useDecider.initialState,
  );
  const outcome = useDecider.decide(use(), state, facts(at, { purposes }));
  return outcome.kind === 'refused' ? outcome.refusal : outcome.events.map(({ data }) => data);
};
const before = '2026-03-02T09:00:00Z';
const renewed = (purposeVersion: number): ConsentEvent => ({
  type: 'ConsentRenewed',
  data: { ...given({ consentId: 'consent-2', purposeVersion }).data, renews: 'consent-1' },
});

describe('the gate', () => {
  it('goes on with a consent when the purpose asks for less', () =>
    expect(answer(REVISED, given())).toMatchObject([{ basis: 'consent', basisRef: 'consent-1', purposeVersion: 2 }]));

  it('refuses from the moment it asks for more, before anything is recorded about the consent', () => {
    expect(answer('2026-08-31T23:59:59.999Z', given())).toMatchObject([{ basisRef: 'consent-1' }]);
    const outgrown = { code: 'CONSENT_INVALIDATED', details: { purposeId: 'news', channel: 'email', version: 3 } };
    expect(answer(WIDENED, given())).toEqual(outgrown);
    expect(answer(WIDENED, given({ purposeVersion: 2 }))).toEqual(outgrown);
    expect(answer(LATER, given())).toEqual(outgrown);
  });

  it('answers in the same words once it is recorded', () =>
    expect(
      answer(WIDENED, given(), {
        type: 'ConsentInvalidated',
        data: { ...key, reason: 'purposeChanged', purposeVersion: 3, widenings: ['recipients'] },
      }),
    ).toEqual({ code: 'CONSENT_INVALIDATED', details: { purposeId: 'news', channel: 'email', version: 3 } }));

  it('refuses what was found invalid, and says why', () =>
    expect(answer(before, given(), { type: 'ConsentInvalidated', data: { ...key, reason: 'noticeWrong' } })).toEqual({
      code: 'CONSENT_INVALIDATED',
      details: { purposeId: 'news', channel: 'email', reason: 'noticeWrong', since: instant(OPENED) },
    }));

  it('takes a no for a no, and a question for no answer', () => {
    const question: ConsentEvent = {
      type: 'ConsentRequested',
      data: {
        ...key,
        noticeId: 'privacy',
        noticeVersion: 1,
        statementHash: 'a'.repeat(64),
        purposeVersion: 1,
        method: 'webForm',
      },
    };
    expect(answer(before, question)).toMatchObject({ code: 'CONSENT_NOT_GIVEN' });
    expect(answer(before, question, { type: 'ConsentRefused', data: { ...key, purposeVersion: 1 } })).toEqual({
      code: 'CONSENT_NOT_GIVEN',
      details: { purposeId: 'news', channel: 'email', since: instant(OPENED) },
    });
    expect(answer(before, given(), question)).toMatchObject([{ basisRef: 'consent-1' }]);
  });

  it('rests on the renewal', () => {
    expect(answer(before, given(), renewed(1))).toMatchObject([{ basisRef: 'consent-2' }]);
    expect(answer(LATER, given(), renewed(4))).toMatchObject([{ basisRef: 'consent-2' }]);
    expect(answer(LATER, given(), { type: 'ConsentUpheld', data: { ...key, purposeVersion: 2 } })).toMatchObject({
      code: 'CONSENT_INVALIDATED',
    });
  });
});
