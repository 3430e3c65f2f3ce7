import { describe, expect, it } from '@jest/globals';
import { instant, type DomainEvent } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import type { PurposeDefined } from '#purpose';
import { registerFactsProjection } from './register-facts.projection.js';
import { registersFrom, type RegisterFactRow } from './register-facts.query.js';
import { differenceOf, ropaAsOf, type ProcessingActivity, type Ropa } from './ropa.query.js';

const defined = (purposeId: string, version: number, more: Partial<PurposeDefined['data']> = {}): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version,
    author: 'ada',
    title: 'Answer',
    plainWords: 'We answer you.',
    serviceLine: 'SUPPORT',
    commercial: false,
    basis: 'contract',
    dpiaRequired: false,
    dpvIri: 'dpv:CustomerCare',
    dataSubjects: ['customer'],
    fields: [{ category: 'contact.email', necessity: 'required', justification: 'the answer is sent to it' }],
    retention: [
      { category: 'contact.email', trigger: 'collected', period: 'P2Y', action: 'erase', legalRef: 'Art 5(1)(e)' },
    ],
    recipientKindsAllowed: ['GROUP', 'PROCESSOR'],
    ...more,
  },
});
const approved = (purposeId: string, version: number, from: string): DomainEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
const recipient = (recipientId: string, kind: string, country: string): DomainEvent => ({
  type: 'RecipientRegistered',
  data: { recipientId, kind, name: `${recipientId} Ltd (fictional)`, legalForm: 'company', country },
});
const joined = (recipientId: string, from: string): DomainEvent => ({
  type: 'GroupMembershipStarted',
  data: { recipientId, companyNumber: 'EX1', from },
});
const agreement = (agreementId: string, recipientId: string, more: object = {}): DomainEvent => ({
  type: 'AgreementRecorded',
  data: {
    agreementId,
    recipientId,
    kind: 'art28',
    purposes: ['answer'],
    categories: ['contact.email'],
    from: '2020-01-01',
    publicSummary: 'It runs our mail.',
    documentHash: 'a'.repeat(64),
    checklist: [],
    ...more,
  },
});
const controller: DomainEvent = {
  type: 'ControllerDescribed',
  data: {
    controllerId: 'example',
    version: 1,
    name: 'Example Ltd (fictional)',
    postalAddress: '1 Example Street',
    email: 'privacy@example.test',
    dataProtectionOfficer: { role: 'Data protection officer', email: 'officer@example.test' },
    authority: "Information Commissioner's Office",
    security: 'Values are sealed.',
    effectiveFrom: instant('2018-05-25T00:00:00Z'),
  },
};

type Entry = readonly [stream: string, happened: string, event: DomainEvent, written?: string];

/** The record from a log, as the engine makes it: what was written by then, and of that what was in force. */
function ropaOf(log: readonly Entry[], at: string): Ropa {
  const book = logbook();
  const events = log.map(([stream, happened, event, written]) => ({ ...book.at(happened, event, written), stream }));
  const known = events.filter(({ recordedAt }) => recordedAt <= instant(at));
  const rows = tablesOf(registerFactsProjection, known)['register_facts'] as unknown as readonly RegisterFactRow[];
  return ropaAsOf(registersFrom([...rows].reverse()), instant(at));
}
const activitiesOf = (ropa: Ropa): readonly ProcessingActivity[] =>
  ropa.serviceLines.flatMap(({ activities }) => activities);

const JANUARY = '2026-01-10T00:00:00Z';
const log: readonly Entry[] = [
  ['controller-example', JANUARY, controller],
  ['purpose-answer', JANUARY, defined('answer', 1)],
  ['purpose-answer', JANUARY, approved('answer', 1, '2018-05-25T00:00:00Z')],
  ['recipient-example', JANUARY, recipient('example', 'GROUP', 'GB')],
  ['recipient-example', JANUARY, joined('example', '2018-05-25')],
  ['recipient-pacific', JANUARY, recipient('pacific', 'GROUP', 'NZ')],
  ['recipient-pacific', JANUARY, joined('pacific', '2021-01-01')],
  ['recipient-mail', JANUARY, recipient('mail', 'PROCESSOR', 'GB')],
  ['agreement-mail-terms', JANUARY, agreement('mail-terms', 'mail')],
  ['purpose-answer', '2026-02-01T00:00:00Z', defined('answer', 2, { title: 'Help', dataSubjects: undefined as never })],
  ['purpose-answer', '2026-02-01T00:00:00Z', approved('answer', 2, '2026-03-01T00:00:00Z')],
  [
    'agreement-night-shift',
    '2026-02-01T00:00:00Z',
    agreement('night-shift', 'pacific', { kind: 'intraGroup', from: '2026-02-15', transferMechanism: 'idta' }),
  ],
  [
    'purpose-answer',
    '2026-04-01T00:00:00Z',
    { type: 'PurposeSuspended', data: { purposeId: 'answer', reasonCode: 'a' } },
  ],
  ['purpose-draft', '2026-04-01T00:00:00Z', defined('draft', 1)],
  ['purpose-answer', '2026-06-01T00:00:00Z', { type: 'PurposeRetired', data: { purposeId: 'answer' } }],
];

describe('the record of processing activities', () => {
  it('says what Art 30(1) asks for, each activity with the events it comes from', () => {
    const ropa = ropaOf(log, JANUARY);
    expect(ropa.controllers).toMatchObject([{ controllerId: 'example', security: 'Values are sealed.' }]);
    expect(ropa.serviceLines.map(({ serviceLine }) => serviceLine)).toEqual([
      'B2B',
      'B2C',
      'SUPPORT',
      'WEBSITE',
      'GOVERNANCE',
    ]);
    const [activity, ...others] = activitiesOf(ropa);
    expect(others).toEqual([]);
    expect(activity).toMatchObject({
      purposeId: 'answer',
      version: 1,
      standing: 'inForce',
      dataSubjects: ['customer'],
      dataCategories: [{ category: 'contact.email', necessity: 'required', special: false }],
      recipients: [
        { recipientId: 'mail', kind: 'PROCESSOR', agreementId: 'mail-terms' },
        { recipientId: 'pacific', kind: 'GROUP', agreementId: null },
      ],
      transfers: [{ recipientId: 'pacific', country: 'NZ', mechanism: null, agreementId: null }],
      timeLimits: [{ category: 'contact.email', period: 'P2Y' }],
    });
    expect(activity!.events).toHaveLength(6);
  });

  it('names what Art 30 asks for and no register says', () => {
    expect(ropaOf(log, JANUARY).gaps).toEqual([
      { purposeId: 'answer', recipientId: 'pacific', lacks: 'transferMechanism', law: 'UK GDPR Art 30(1)(e), 44' },
    ]);
    expect(ropaOf(log, '2026-03-01T00:00:00Z').gaps).toEqual([
      { purposeId: 'answer', lacks: 'dataSubjects', law: 'UK GDPR Art 30(1)(c)' },
    ]);
    expect(ropaOf(log.slice(1), JANUARY).gaps[0]).toEqual({ lacks: 'controller', law: 'UK GDPR Art 30(1)(a)' });
  });

  it.each([
    ['2026-01-09T23:59:59.999Z', []],
    ['2026-01-10T00:00:00.000Z', ['answer 1 inForce']],
    ['2026-02-28T23:59:59.999Z', ['answer 1 inForce']],
    ['2026-03-01T00:00:00.000Z', ['answer 2 inForce']],
    ['2026-04-01T00:00:00.000Z', ['answer 2 suspended']],
    ['2026-06-01T00:00:00.000Z', []],
  ])('holds at %s what had been recorded and was in force by then: %j', (at, expected) =>
    expect(
      activitiesOf(ropaOf(log, at)).map(({ purposeId, version, standing }) => `${purposeId} ${version} ${standing}`),
    ).toEqual(expected),
  );

  it('does not know beforehand what was recorded late', () => {
    const late: readonly Entry[] = [
      ...log.slice(0, 9),
      [
        'purpose-answer',
        '2026-01-20T00:00:00Z',
        { type: 'PurposeSuspended', data: { purposeId: 'answer', reasonCode: 'a' } },
        '2026-02-20T00:00:00Z',
      ],
    ];
    expect(activitiesOf(ropaOf(late, '2026-01-25T00:00:00Z'))[0]!.standing).toBe('inForce');
    expect(activitiesOf(ropaOf(late, '2026-02-25T00:00:00Z'))[0]!.standing).toBe('suspended');
  });
});

describe('the difference between two records', () => {
  it('names what was added, removed and changed, field by field', () => {
    const difference = differenceOf(ropaOf(log, JANUARY), ropaOf(log, '2026-03-01T00:00:00Z'));
    expect(difference.controllers).toEqual({ added: [], removed: [], changed: [] });
    expect(difference.activities).toMatchObject({ added: [], removed: [] });
    const [changed] = difference.activities.changed;
    expect(changed!.id).toBe('answer');
    expect(changed!.fields.map(({ field }) => field)).toEqual([
      'dataSubjects',
      'effectiveFrom',
      'recipients',
      'title',
      'transfers',
      'version',
    ]);
    expect(changed!.fields[3]).toEqual({ field: 'title', before: 'Answer', after: 'Help' });

    expect(differenceOf(ropaOf([], JANUARY), ropaOf(log, JANUARY))).toMatchObject({
      controllers: { added: ['example'] },
      activities: { added: ['answer'], removed: [], changed: [] },
    });
    expect(differenceOf(ropaOf(log, JANUARY), ropaOf(log, '2026-07-01T00:00:00Z')).activities.removed).toEqual([
      'answer',
    ]);
  });

  it('is empty between a record and itself', () => {
    const nothing = { added: [], removed: [], changed: [] };
    const ropa = ropaOf(log, '2026-03-01T00:00:00Z');
    expect(differenceOf(ropa, ropa)).toEqual({ controllers: nothing, activities: nothing });
  });
});
