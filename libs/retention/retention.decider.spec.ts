import { describe, it } from '@jest/globals';
import { instant } from '#kernel';
import { scenario } from '#kernel/testing';
import type { RetentionExpired } from '#subject';
import { retentionDecider } from './retention.decider.js';
import type { RetentionEvent } from './retention.events.js';
import {
  close,
  closeRequest,
  collected,
  confirmErasure,
  corrected,
  EMAIL,
  endPeriod,
  expire,
  extend,
  factsOfRetention,
  OPENED,
  PHONE,
  ref,
  registered,
  started,
  subjectId,
  TICKET,
} from './testing/index.js';

type Folded = Parameters<typeof retentionDecider.evolve>[1];
const MARCH = '2026-03-02T09:00:00Z';
const LATER = '2026-11-23T09:00:00Z';
const facts = factsOfRetention(MARCH);
/** It happened at one time and is decided at another. */
const at = (happened: string, decided = happened) => ({ occurredAt: instant(happened), now: instant(decided) });

const after = (...history: readonly (readonly [string, Folded])[]) =>
  scenario(
    {
      ...retentionDecider,
      initialState: history.reduce(
        (state, [happened, event]) => retentionDecider.evolve(state, event, instant(happened)),
        retentionDecider.initialState,
      ),
    },
    facts,
  );
const opened = [OPENED, registered] as const;
const scheduled = (due: string, ...items: readonly (readonly [string, number?])[]): RetentionEvent => ({
  type: 'RetentionScheduled',
  data: {
    subjectId,
    items: items.map(([itemId, version = 1]) => ({ itemId, version, due, purposeId: 'support', itemDue: due })),
  },
});
const expired = (...items: readonly (readonly [string, number, string])[]): RetentionExpired => ({
  type: 'RetentionExpired',
  data: { subjectId, items: items.map(([itemId, version, due]) => ({ ...ref(itemId, version), due })) },
});
/** What an expiry records: the end of the periods, and the erasure that follows from it. */
const expiring = (...items: readonly (readonly [string, number, string])[]) =>
  [expired(...items), started(items.map(([itemId, version]) => ref(itemId, version)))] as const;
const closed: RetentionEvent = { type: 'RelationshipClosed', data: { subjectId, reasonCode: 'contractEnded' } };
const requestClosed: RetentionEvent = {
  type: 'ServiceRequestClosed',
  data: { subjectId, serviceRequestRef: 'ticket-1' },
};
const periodEnded: RetentionEvent = { type: 'AccountingPeriodEnded', data: { subjectId } };
const ticket = (serviceRequestRef = 'ticket-1', itemId = TICKET) =>
  collected(itemId, 'serviceRequestClosed', { serviceRequestRef });

describe('a period that runs from the collection', () => {
  const kept = after(opened, [OPENED, collected(EMAIL, 'collected', { period: 'P13M' })]);

  it('ends to the minute on the London calendar', () => {
    kept.when(expire(), at('2027-02-05T08:59:59.999Z')).thenNothing();
    kept.when(expire(), at('2027-02-05T09:00:00Z')).then(...expiring([EMAIL, 1, '2027-02-05T09:00:00.000Z']));
  });
  it('ends at the end of a shorter month', () =>
    after(opened, ['2026-01-31T12:00:00Z', collected(EMAIL, 'collected', { period: 'P13M' })])
      .when(expire(), at('2027-02-28T12:00:00Z'))
      .then(...expiring([EMAIL, 1, '2027-02-28T12:00:00.000Z'])));
  it('has run, for what is entered late', () =>
    after(
      ['2020-01-01T09:00:00Z', registered],
      ['2020-02-29T09:00:00Z', collected(EMAIL, 'collected', { period: 'P6Y' })],
    )
      .when(expire())
      .then(...expiring([EMAIL, 1, '2026-02-28T09:00:00.000Z'])));
});

describe('closing a service request', () => {
  const due = '2028-03-02T09:00:00.000Z';
  const kept = after(
    opened,
    [OPENED, ticket()],
    [OPENED, ticket('ticket-2', PHONE)],
    [OPENED, collected(EMAIL, 'relationshipClosed')],
  );

  it('starts the periods of what was collected for it', () =>
    kept.when(closeRequest()).then(requestClosed, scheduled(due, [TICKET])));
  it('happens once', () => {
    kept.when(closeRequest()).thenRepeatedNothing();
    kept
      .given(requestClosed, scheduled(due, [TICKET]))
      .when(closeRequest(), at(LATER))
      .thenNothing();
  });
  it('starts nothing where nothing waits for it', () =>
    kept.when(closeRequest('ticket-9')).then({
      type: 'ServiceRequestClosed',
      data: { subjectId, serviceRequestRef: 'ticket-9' },
    }));
  it('counts from when it was closed, not from when that is entered', () =>
    kept
      .when(closeRequest(), at('2026-02-01T09:00:00Z', LATER))
      .then(requestClosed, scheduled('2028-02-01T09:00:00.000Z', [TICKET])));
  it('takes what came in after it, when it is closed again', () => {
    const reopened = kept.given(requestClosed, scheduled(due, [TICKET]), ticket('ticket-1', EMAIL));
    reopened.when(closeRequest(), at(LATER)).then(scheduled('2028-11-23T09:00:00.000Z', [EMAIL]));
    reopened.when(closeRequest(), at(LATER)).thenRepeatedNothing();
  });
});

describe('closing the relationship', () => {
  const kept = after(opened, [OPENED, collected(EMAIL, 'relationshipClosed')], [OPENED, ticket()]);
  const due = '2028-03-02T09:00:00.000Z';

  it('starts the periods that wait for it, once', () => {
    kept.when(close).then(closed, scheduled(due, [EMAIL]));
    kept.when(close).thenRepeatedNothing();
    after(opened).when(close).then(closed);
    after(opened).when(close).thenRepeatedNothing();
  });
  it('takes what came in after it, when it is closed again', () => {
    const late = kept.given(closed, scheduled(due, [EMAIL]), collected(PHONE, 'relationshipClosed'));
    late.when(close, at(LATER)).then(scheduled('2028-11-23T09:00:00.000Z', [PHONE]));
    late.when(close, at(LATER)).thenRepeatedNothing();
  });
  it('starts no period of what has gone', () =>
    kept
      .given(expired([EMAIL, 1, OPENED]))
      .when(close)
      .then(closed));
});

describe('the end of an accounting period', () => {
  const invoice = after(opened, [OPENED, collected(EMAIL, 'accountingPeriodEnded', { period: 'P6Y' })]);

  it('starts the periods of its invoices, once', () => {
    invoice
      .when(endPeriod, at('2026-04-05T22:59:59Z'))
      .then(periodEnded, scheduled('2032-04-05T22:59:59.000Z', [EMAIL]));
    invoice.when(endPeriod).thenRepeatedNothing();
    after(opened).when(endPeriod).thenNothing();
  });
  it('does not reach the invoices of the next one, however late it is entered', () => {
    const next = invoice.given();
    next.when(endPeriod, at('2026-01-05T08:59:59Z', LATER)).thenRefused('OCCURRED_BEFORE_OPENING');
    after(
      opened,
      [MARCH, collected(EMAIL, 'accountingPeriodEnded')],
      [OPENED, collected(PHONE, 'accountingPeriodEnded')],
    )
      .when(endPeriod, at('2026-02-28T23:59:59Z', LATER))
      .then(periodEnded, scheduled('2028-02-28T23:59:59.000Z', [PHONE]));
    after(opened, [MARCH, collected(EMAIL, 'accountingPeriodEnded')])
      .when(endPeriod, at('2026-02-28T23:59:59Z', LATER))
      .thenNothing();
  });
});

describe('a correction (C21)', () => {
  const kept = after(opened, [OPENED, collected(EMAIL, 'collected')], [MARCH, corrected(EMAIL)]);

  it('leaves the new value the time of the old one, which has a short one of its own', () => {
    kept.when(expire(), at('2027-03-02T09:00:00Z')).then(...expiring([EMAIL, 1, '2027-03-02T09:00:00.000Z']));
    kept
      .given(expired([EMAIL, 1, '2027-03-02T09:00:00.000Z']))
      .when(expire(), at('2028-01-05T09:00:00Z'))
      .then(...expiring([EMAIL, 2, '2028-01-05T09:00:00.000Z']));
  });
  it('makes the item itself no more due than it was', () => {
    kept.when(expire([EMAIL]), at('2027-03-02T09:00:00Z')).thenRefused('RETENTION_NOT_DUE', { items: [EMAIL] });
    kept.when(expire([EMAIL]), at('2028-01-05T09:00:00Z')).thenRepeatedNothing();
  });
  it('goes with the item when that ends first', () =>
    after(opened, [OPENED, collected(EMAIL, 'collected', { period: 'P6M' })], [MARCH, corrected(EMAIL)])
      .when(expire(), at('2026-07-05T09:00:00Z'))
      .then(...expiring([EMAIL, 1, '2027-03-02T09:00:00.000Z'], [EMAIL, 2, '2026-07-05T08:00:00.000Z'])));
  it('before the trigger leaves the new value waiting for it', () =>
    after(opened, [OPENED, ticket()], [OPENED, corrected(TICKET)])
      .when(closeRequest())
      .then(requestClosed, scheduled('2028-03-02T09:00:00.000Z', [TICKET, 2])));
  it('after the trigger leaves the new value its date', () =>
    after(
      opened,
      [OPENED, ticket()],
      [OPENED, requestClosed],
      [OPENED, scheduled('2026-03-01T00:00:00.000Z', [TICKET])],
      [OPENED, corrected(TICKET)],
    )
      .when(expire())
      .then(...expiring([TICKET, 1, '2027-01-05T09:00:00.000Z'], [TICKET, 2, '2026-03-01T00:00:00.000Z'])));
});

describe('expiry (C16)', () => {
  const [early, late] = ['2026-04-05T08:00:00.000Z', '2027-01-05T09:00:00.000Z'];
  const kept = after(
    opened,
    [OPENED, collected(EMAIL, 'collected', { period: 'P3M' })],
    [OPENED, collected(PHONE, 'collected', { period: 'P12M' })],
    [OPENED, ticket()],
  );

  it('comes to everything that is due, and to nothing else', () => {
    kept.when(expire()).thenNothing();
    kept.when(expire(), at('2026-06-01T09:00:00Z')).then(...expiring([EMAIL, 1, early]));
    kept.when(expire(), at('2027-06-01T09:00:00Z')).then(...expiring([EMAIL, 1, early], [PHONE, 1, late]));
    kept.when(expire(), at('2027-06-01T09:00:00Z')).thenRepeatedNothing();
  });
  it('comes by what time it is, whatever time the command gives', () =>
    kept.when(expire(), at(OPENED, '2026-06-01T09:00:00Z')).then(...expiring([EMAIL, 1, early])));
  it('can be asked for item by item, when all of them are due', () => {
    kept.when(expire([EMAIL]), at('2027-06-01T09:00:00Z')).then(...expiring([EMAIL, 1, early]));
    kept
      .when(expire([EMAIL, PHONE, TICKET]), at('2026-06-01T09:00:00Z'))
      .thenRefused('RETENTION_NOT_DUE', { items: [PHONE, TICKET] });
    kept
      .given(expired([EMAIL, 1, early]))
      .when(expire([EMAIL]), at('2026-06-01T09:00:00Z'))
      .thenNothing();
  });
});

describe('extending retention (I-16c)', () => {
  it('is never granted', () =>
    after(opened, [OPENED, collected(EMAIL, 'collected')])
      .when(extend())
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN', { itemId: EMAIL }));
  it('is not even refused for what nobody knows', () =>
    after(opened).when(extend()).thenRefused('ITEM_UNKNOWN', { itemId: EMAIL }));
});

it.each([close, closeRequest(), endPeriod, expire(), confirmErasure, extend()])(
  'without a relationship, $type is refused',
  (command) => {
    scenario(retentionDecider, facts).when(command).thenRefused('SUBJECT_UNKNOWN', {});
    after(opened)
      .when(command, at('2026-01-05T08:59:59Z', LATER))
      .thenRefused('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
  },
);
