import { describe, expect, it } from '@jest/globals';
import { instant, type Recorded } from '#kernel';
import type { CollectionPointEvent } from './collection-point.events.js';
import { collectionPointAsOf, collectionPointNow, collectionPointRegister } from './collection-point.register.js';
import type { PurposeApproved, PurposeDefined, PurposeEvent } from './purpose.events.js';
import { purposeAsOf, purposeRefusal, purposeRegister } from './purpose.register.js';

type Dated<E> = readonly [at: string, event: E];

const recorded = <E extends PurposeEvent | CollectionPointEvent>(
  [at, event]: Dated<E>,
  index: number,
): Recorded<E> => ({
  ...event,
  id: `00000000-0000-4000-8000-00000000000${index}`,
  stream: 'purpose-answer',
  revision: index,
  position: index,
  occurredAt: instant(at),
  recordedAt: instant('2026-11-23T09:00:00Z'),
  commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
  actorId: 'ada',
  fingerprint: '',
  storedType: '',
});

describe('the purpose register', () => {
  const purposeId = 'answer';
  const defined = (version: number, title: string): PurposeDefined => ({
    type: 'PurposeDefined',
    data: {
      purposeId,
      version,
      author: 'ada',
      title,
      plainWords: 'We answer you.',
      serviceLine: 'SUPPORT',
      commercial: false,
      basis: 'contract',
      dpiaRequired: false,
      dpvIri: 'dpv:CustomerCare',
      fields: [],
      retention: [],
      recipientKindsAllowed: [],
    },
  });
  const approved = (version: number, from: string): PurposeApproved => ({
    type: 'PurposeApproved',
    data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
  });
  const fold = (...events: Dated<PurposeEvent>[]) =>
    events.map(recorded).reduce(purposeRegister.evolve, purposeRegister.initialState);
  const asOf = (state: ReturnType<typeof fold>, at: string): string => {
    const found = purposeAsOf(state, purposeId, instant(at));
    return found.status === 'inForce' ? `${found.purpose.title} v${found.purpose.version}` : found.status;
  };

  const state = fold(
    ['2026-01-10T00:00:00Z', defined(1, 'Answer')],
    ['2026-01-11T00:00:00Z', approved(1, '2018-05-25T00:00:00Z')],
    ['2026-02-01T00:00:00Z', defined(2, 'Help')],
    ['2026-02-02T00:00:00Z', approved(2, '2026-03-01T00:00:00Z')],
    ['2026-04-01T00:00:00Z', { type: 'PurposeSuspended', data: { purposeId, reasonCode: 'underReview' } }],
    ['2026-05-01T00:00:00Z', { type: 'PurposeResumed', data: { purposeId } }],
    ['2026-06-01T00:00:00Z', defined(3, 'Aid')],
    ['2026-07-01T00:00:00Z', { type: 'PurposeRetired', data: { purposeId } }],
  );

  it.each([
    ['2018-05-24T23:59:59.999Z', 'notApproved'],
    ['2018-05-25T00:00:00Z', 'Answer v1'],
    ['2026-02-28T23:59:59.999Z', 'Answer v1'],
    ['2026-03-01T00:00:00Z', 'Help v2'],
    ['2026-03-31T23:59:59.999Z', 'Help v2'],
    ['2026-04-01T00:00:00Z', 'suspended'],
    ['2026-04-30T23:59:59.999Z', 'suspended'],
    ['2026-05-01T00:00:00Z', 'Help v2'],
    ['2026-06-30T23:59:59.999Z', 'Help v2'],
    ['2026-07-01T00:00:00Z', 'retired'],
  ])('says what was in force at %s: %s', (at, expected) => expect(asOf(state, at)).toBe(expected));

  it('knows no purpose that was not defined', () => {
    expect(purposeAsOf(state, 'sell-data', instant('2026-03-01T00:00:00Z'))).toEqual({ status: 'unknown' });
    expect(purposeAsOf(state, 'constructor', instant('2026-03-01T00:00:00Z'))).toEqual({ status: 'unknown' });
  });

  it('gives the whole definition, with the time it took effect', () => {
    const { version, author: _author, ...definition } = defined(2, 'Help').data;
    expect(purposeAsOf(state, purposeId, instant('2026-03-01T00:00:00Z'))).toEqual({
      status: 'inForce',
      purpose: { ...definition, version, effectiveFrom: '2026-03-01T00:00:00.000Z' },
    });
  });

  it('keeps a purpose suspended until it is resumed', () =>
    expect(
      asOf(
        fold(
          ['2026-01-10T00:00:00Z', defined(1, 'Answer')],
          ['2026-01-11T00:00:00Z', approved(1, '2026-01-11T00:00:00Z')],
          ['2026-04-01T00:00:00Z', { type: 'PurposeSuspended', data: { purposeId, reasonCode: 'underReview' } }],
        ),
        '2036-01-01T00:00:00Z',
      ),
    ).toBe('suspended'));

  it('leaves the old state as it was', () => {
    const before = fold(['2026-01-10T00:00:00Z', defined(1, 'Answer')]);
    purposeRegister.evolve(before, recorded(['2026-01-11T00:00:00Z', approved(1, '2026-01-11T00:00:00Z')], 1));
    expect(asOf(before, '2026-02-01T00:00:00Z')).toBe('notApproved');
    expect(purposeRegister.initialState.size).toBe(0);
  });

  it('passes over the approval of a version it does not know', () =>
    expect(asOf(fold(['2026-01-11T00:00:00Z', approved(1, '2026-01-11T00:00:00Z')]), '2026-02-01T00:00:00Z')).toBe(
      'notApproved',
    ));

  it.each([
    ['unknown', 'PURPOSE_UNKNOWN'],
    ['notApproved', 'PURPOSE_NOT_APPROVED'],
    ['suspended', 'PURPOSE_SUSPENDED'],
    ['retired', 'PURPOSE_SUSPENDED'],
  ] as const)('refuses what needs a purpose that is %s with %s', (status, code) =>
    expect(purposeRefusal(status)).toBe(code),
  );
});

describe('the register of collection points', () => {
  const collectionPointId = 'contact-form';
  const registered = (version: number): CollectionPointEvent => ({
    type: 'CollectionPointRegistered',
    data: {
      collectionPointId,
      version,
      kind: 'webForm',
      title: 'Contact us',
      explanation: 'We answer you.',
      purposes: ['answer'],
      fields: ['contact.email'],
      noticeId: 'customer-privacy',
    },
  });
  const fold = (...events: Dated<CollectionPointEvent>[]) =>
    events.map(recorded).reduce(collectionPointRegister.evolve, collectionPointRegister.initialState);
  const inService = fold(['2026-01-01T00:00:00Z', registered(1)], ['2026-02-01T00:00:00Z', registered(2)]);
  const outOfService = collectionPointRegister.evolve(
    inService,
    recorded(['2026-03-01T00:00:00Z', { type: 'CollectionPointRetired', data: { collectionPointId, version: 2 } }], 2),
  );

  it('lets decisions see the newest version', () =>
    expect(collectionPointNow(inService, collectionPointId)).toMatchObject({
      status: 'active',
      point: { collectionPointId, version: 2, purposes: ['answer'], fields: ['contact.email'] },
    }));

  it('lets no message of a retired point through, however late it comes', () =>
    expect(collectionPointNow(outOfService, collectionPointId)).toEqual({ status: 'retired' }));

  it('knows no point that was not registered', () => {
    expect(collectionPointNow(inService, 'constructor')).toEqual({ status: 'unknown' });
    expect(collectionPointAsOf(inService, 'order-form', instant('2026-03-01T00:00:00Z'))).toEqual({
      status: 'unknown',
    });
  });

  it.each([
    ['2025-12-31T23:59:59.999Z', 'unknown', undefined],
    ['2026-01-01T00:00:00Z', 'active', 1],
    ['2026-02-01T00:00:00Z', 'active', 2],
    ['2026-03-01T00:00:00Z', 'retired', undefined],
  ] as const)('tells afterwards what was in service at %s: %s %s', (at, status, version) => {
    const found = collectionPointAsOf(outOfService, collectionPointId, instant(at));
    expect(found.status).toBe(status);
    expect(found.status === 'active' ? found.point.version : undefined).toBe(version);
  });
});
