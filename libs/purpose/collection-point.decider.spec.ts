import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { factsAt, scenario } from '#kernel/testing';
import type { CollectionPointDomainCommand, RegisterCollectionPoint } from './collection-point.commands.js';
import { collectionPointDecider, type CollectionPointFacts } from './collection-point.decider.js';
import type {
  CollectionPointEvent,
  CollectionPointRegistered,
  CollectionPointRetired,
} from './collection-point.events.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
const collectionPointId = 'contact-form';

const register = (changes: Partial<RegisterCollectionPoint> = {}): RegisterCollectionPoint => ({
  ...sent,
  type: 'RegisterCollectionPoint',
  collectionPointId,
  kind: 'webForm',
  title: 'Contact us',
  explanation: 'We use what you write to answer you.',
  purposes: ['answer-enquiries'],
  fields: ['contact.email', 'enquiry.message'],
  noticeId: 'customer-privacy',
  ...changes,
});
const retire: CollectionPointDomainCommand = { ...sent, type: 'RetireCollectionPoint', collectionPointId };

const registered = (changes: Partial<CollectionPointRegistered['data']> = {}): CollectionPointRegistered => ({
  type: 'CollectionPointRegistered',
  data: {
    collectionPointId,
    version: 1,
    kind: 'webForm',
    title: 'Contact us',
    explanation: 'We use what you write to answer you.',
    purposes: ['answer-enquiries'],
    fields: ['contact.email', 'enquiry.message'],
    noticeId: 'customer-privacy',
    ...changes,
  },
});
const retired = (version = 1): CollectionPointRetired => ({
  type: 'CollectionPointRetired',
  data: { collectionPointId, version },
});

const purpose = { defined: new Map(), approved: [], suspensions: [] };
const facts: CollectionPointFacts = {
  ...factsAt(),
  purposes: new Map([
    ['answer-enquiries', purpose],
    ['send-newsletter', purpose],
  ]),
};
const { given, when } = scenario(collectionPointDecider, facts);

describe('registering a collection point', () => {
  it('puts it into service', () => when(register()).then(registered()));

  it('does so once', () => given(registered()).when(register()).thenNothing());

  it('counts its versions as it changes', () =>
    given(registered(), registered({ version: 2, title: 'Write to us' }))
      .when(register({ purposes: ['answer-enquiries', 'send-newsletter'] }))
      .then(registered({ version: 3, purposes: ['answer-enquiries', 'send-newsletter'] })));

  it('asks for no usage: that has registered streams (C06)', () =>
    when(register({ fields: ['contact.email', 'usage', 'usage.charts'] })).thenRefused('TELEMETRY_STREAM_UNKNOWN', {
      collectionPointId,
      fields: ['usage', 'usage.charts'],
    }));

  it.each(['webForm', 'api', 'phone', 'paper', 'email', 'inProduct'] as const)(
    'explains a collection point of the kind %s (I-28a)',
    (kind) => {
      const { explanation: _none, ...unexplained } = register({ kind });
      when(unexplained as RegisterCollectionPoint).thenRefused('EXPLANATION_MISSING', { collectionPointId, kind });
      when(register({ kind, explanation: ' \n' })).thenRefused('EXPLANATION_MISSING', { collectionPointId, kind });
    },
  );

  it('names purposes that exist', () =>
    when(register({ purposes: ['answer-enquiries', 'sell-data', 'constructor'] })).thenRefused('PURPOSE_UNKNOWN', {
      collectionPointId,
      purposes: ['sell-data', 'constructor'],
    }));

  it('does not bring a retired one back', () =>
    given(registered(), retired()).when(register()).thenRefused('COLLECTION_POINT_RETIRED', { collectionPointId }));
});

describe('retiring a collection point', () => {
  it('takes the version in service out of it', () =>
    given(registered(), registered({ version: 2, title: 'Write to us' }))
      .when(retire)
      .then(retired(2)));

  it('does so once', () => given(registered(), retired()).when(retire).thenNothing());

  it('needs a collection point', () => when(retire).thenRefused('COLLECTION_POINT_UNKNOWN', { collectionPointId }));
});

it('does nothing when an accepted command is sent again', () => {
  const command = fc.oneof(
    fc
      .record({
        title: fc.constantFrom('Contact us', 'Write to us'),
        purposes: fc.subarray(['answer-enquiries', 'send-newsletter', 'sell-data'], { minLength: 1 }),
        explanation: fc.constantFrom('', 'We answer you.'),
      })
      .map(register),
    fc.constant(retire),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 8 }), (commands) => {
      let history: CollectionPointEvent[] = [];
      for (const each of commands) {
        const { outcome, thenRepeatedNothing } = given(...history).when(each);
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      expect(history.filter(({ type }) => type === 'CollectionPointRetired').length).toBeLessThan(2);
    }),
  );
});
