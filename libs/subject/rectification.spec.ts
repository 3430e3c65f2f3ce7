import { describe, expect, it } from '@jest/globals';
import { instant, Personal } from '#kernel';
import { scenario } from '#kernel/testing';
import type { RectificationCompleted, ReportedChange } from './rectification.events.js';
import { subjectDecider } from './subject.decider.js';
import type { DataShareView, SubjectEvent } from './subject.events.js';
import {
  ASHA,
  collected,
  corrected,
  doubted,
  EMAIL,
  expired,
  facts,
  PHONE,
  presented,
  registered,
  REQUEST,
  requested,
  send,
  shared,
} from './testing/index.js';

const TODAY = '2026-03-02T09:00:00Z';
const subjectId = ASHA;
const itemId = EMAIL;
const { given } = scenario(
  {
    ...subjectDecider,
    initialState: subjectDecider.evolve(subjectDecider.initialState, registered, instant('2026-01-05T09:00:00Z')),
  },
  facts(TODAY),
);
const holding = (...more: (SubjectEvent | DataShareView)[]) => given(presented(), collected(), ...more);
const happened = (at: string, decided = at) => ({ occurredAt: instant(at), now: instant(decided) });

const id = facts(TODAY).id('request');
const keyId = (number: number) => facts(TODAY).id(`reported key ${number}`);
const report = (...changes: { category: string; itemId?: string; value?: string }[]) =>
  send({ type: 'ReportChange', channel: 'email', changes });
const told = (...changes: ReportedChange[]): SubjectEvent => ({
  type: 'SubjectReportedChange',
  data: { subjectId, requestId: id, channel: 'email', changes },
});
const opened = (changes: Parameters<typeof requested>[0] = {}) =>
  requested({ requestId: id, channel: 'email', ...changes });
const doubt = (item: string, category: string, version = 1): SubjectEvent => ({
  type: 'AccuracyDoubtRaised',
  data: { subjectId, itemId: item, version, category, cause: 'subjectNotice', requestId: id },
});
const phone = { itemId: PHONE, version: 1, category: 'contact.phone' };
const email = { itemId: EMAIL, version: 1, category: 'contact.email' };

const refusal = (more: object = {}) =>
  send({
    type: 'RefuseCorrection',
    itemId,
    reasonCode: 'accurateAsHeld',
    complaintRoutes: ['controller', 'commissioner', 'court'],
    ...more,
  });
const refused = (more: object = {}): SubjectEvent => ({
  type: 'RectificationRefused',
  data: {
    subjectId,
    itemId,
    reasonCode: 'accurateAsHeld',
    complaintRoutes: ['controller', 'commissioner', 'court'],
    ...more,
  },
});
const complete = (version = 2, item = EMAIL) => send({ type: 'CompleteCorrection', itemId: item, version });
const corrections = (version = 2, item = EMAIL): SubjectEvent => ({
  type: 'CorrectionCompleted',
  data: { subjectId, itemId: item, version },
});
const completed = (
  outcome: RectificationCompleted['data']['outcome'],
  items: RectificationCompleted['data']['items'],
  valuesUntil = '2026-03-02T09:00:00.000Z',
): SubjectEvent => ({
  type: 'RectificationCompleted',
  data: { subjectId, requestId: REQUEST, outcome, items, valuesUntil },
});
const IN_A_YEAR = '2027-03-02T09:00:00.000Z';
const answer = send({ type: 'AnswerRectification', requestId: REQUEST });
const answered = (...categories: string[]): SubjectEvent => ({
  type: 'RectificationAnswered',
  data: { subjectId, requestId: REQUEST, categories },
});
const notHeld = requested({ items: [], notHeld: ['contact.address'] });

describe('a reported change (C18)', () => {
  it('opens a case, and what it is about is in dispute at once', () => {
    const value = new Personal('+44 20 7946 0199', { subjectId, keyId: keyId(0) });
    holding()
      .when(report({ category: 'contact.phone', value: '+44 20 7946 0199' }))
      .then(
        told({ category: 'contact.phone', keyId: keyId(0), value }),
        opened({ items: [phone] }),
        doubt(PHONE, 'contact.phone'),
      );
    holding()
      .when(report({ category: 'contact.phone', value: '+44 20 7946 0199' }))
      .thenRepeatedNothing();
  });
  it('needs no value, and may be about something that is not held', () => {
    holding()
      .when(report({ category: 'contact.email' }, { category: 'contact.address' }))
      .then(
        told({ category: 'contact.email' }, { category: 'contact.address' }),
        opened({ items: [email], notHeld: ['contact.address'] }),
        doubt(EMAIL, 'contact.email'),
      );
    given(registered)
      .when(report({ category: 'boat.name' }))
      .then(told({ category: 'boat.name' }), opened({ items: [], notHeld: ['boat.name'] }));
    holding(expired(PHONE))
      .when(report({ category: 'contact.phone' }))
      .then(told({ category: 'contact.phone' }), opened({ items: [], notHeld: ['contact.phone'] }));
  });
  it('is about everything held of a category, unless one item was meant', () => {
    const second = collected({ items: [{ ...collected().data.items[0]!, itemId: ASHA }] });
    holding(second)
      .when(report({ category: 'contact.email' }))
      .thenTypes('SubjectReportedChange', 'RectificationRequested', 'AccuracyDoubtRaised', 'AccuracyDoubtRaised');
    holding(second)
      .when(report({ category: 'contact.email', itemId: ASHA }))
      .then(
        told({ category: 'contact.email', itemId: ASHA }),
        opened({ items: [{ ...email, itemId: ASHA }] }),
        doubt(ASHA, 'contact.email'),
      );
    for (const strange of [
      { category: 'contact.phone', itemId },
      { category: 'contact.email', itemId: REQUEST },
    ])
      holding()
        .when(report(strange))
        .thenRefused('ITEM_UNKNOWN', { items: [strange.itemId] });
  });
  it('raises no second doubt', () =>
    holding(doubted())
      .when(report({ category: 'contact.email' }))
      .thenTypes('SubjectReportedChange', 'RectificationRequested'));
  it.each([
    ['an ordinary month', '2026-11-23T09:00:00Z', '2026-12-23', '2026-12-24T00:00:00.000Z'],
    ['over Christmas', '2026-11-25T09:00:00Z', '2026-12-29', '2026-12-30T00:00:00.000Z'],
    ['held to the end of a short month, a Saturday', '2026-01-31T09:00:00Z', '2026-03-02', '2026-03-03T00:00:00.000Z'],
    ['by the date in London', '2026-06-30T23:30:00Z', '2026-08-03', '2026-08-03T23:00:00.000Z'],
  ])('has one month, rolled to a working day: %s', (_case, at, dueDate, due) =>
    expect(
      holding().when(report({ category: 'contact.email' }), happened(at, '2026-12-30T09:00:00Z')).outcome,
    ).toMatchObject({ events: [{}, { data: { receivedAt: instant(at), dueDate, due } }, {}] }),
  );
});

describe('a case of rectification (C18, C21)', () => {
  const pending = holding(requested());

  it('is complete once the item is corrected and its recipients are told', () => {
    holding(shared('marine'), requested(), corrected())
      .when(complete())
      .thenRefused('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients: ['marine'] });
    const right = holding(requested(), corrected());
    right.when(complete()).then(corrections(), completed('corrected', [{ itemId, outcome: 'corrected' }]));
    right.when(complete()).thenRepeatedNothing();
  });
  it('is not complete by a correction from before it', () =>
    holding(corrected(), requested({ items: [{ ...email, version: 2 }] }))
      .when(complete())
      .then(corrections()));
  it('is complete once the correction is refused, and what was reported is kept for the dispute', () => {
    const until = completed('refused', [{ itemId, outcome: 'refused' }], IN_A_YEAR);
    pending.when(refusal()).then(refused(), until);
    pending.when(refusal({ requestId: REQUEST })).then(refused({ requestId: REQUEST }), until);
    pending.when(refusal()).thenRepeatedNothing();
  });
  it('is refused anew although the same reason was given before it', () =>
    holding(refused(), requested()).when(refusal()).thenTypes('RectificationRefused', 'RectificationCompleted'));
  it('is refused alone when it is named', () => {
    const other = requested({ requestId: ASHA });
    holding(requested(), other)
      .when(refusal({ requestId: REQUEST }))
      .then(refused({ requestId: REQUEST }), completed('refused', [{ itemId, outcome: 'refused' }], IN_A_YEAR));
    holding(requested(), other)
      .when(refusal())
      .thenTypes('RectificationRefused', 'RectificationCompleted', 'RectificationCompleted');
  });
  it('is complete when every part of it is', () => {
    const both = requested({ items: [email, phone] });
    holding(both, corrected()).when(complete()).then(corrections());
    const half = holding(both, corrected(), corrections());
    half.when(refusal({ itemId: PHONE })).then(
      refused({ itemId: PHONE }),
      completed(
        'partly',
        [
          { itemId: EMAIL, outcome: 'corrected' },
          { itemId: PHONE, outcome: 'refused' },
        ],
        IN_A_YEAR,
      ),
    );
  });
  it('about nothing that is held is complete when the person was told so', () => {
    given(notHeld).when(answer).then(answered('contact.address'), completed('notHeld', []));
    given(notHeld).when(answer).thenRepeatedNothing();
  });
  it('is answered for what has gone since, and stays open for what is held', () => {
    const both = requested({ items: [email, phone] });
    holding(both, expired(PHONE)).when(answer).then(answered('contact.phone'));
    holding(both, expired(PHONE)).when(answer).thenRepeatedNothing();
    holding(both, expired(PHONE), answered('contact.phone'))
      .when(refusal())
      .then(
        refused(),
        completed(
          'partly',
          [
            { itemId: EMAIL, outcome: 'refused' },
            { itemId: PHONE, outcome: 'notHeld' },
          ],
          IN_A_YEAR,
        ),
      );
    holding(requested({ notHeld: ['contact.address'] }), answered('contact.address'), expired())
      .when(answer)
      .then(completed('notHeld', [{ itemId, outcome: 'notHeld' }]));
    pending.when(answer).thenRefused('RESPONSE_INCOMPLETE', { requestId: REQUEST, items: [itemId] });
  });
  it('is named by those who know it', () => {
    const nobody = { requestId: ASHA };
    const correct = (more: object) =>
      send({ type: 'CorrectData', itemId, fromVersion: 1, value: 'x', reasonCode: 'outOfDate', ...more });
    for (const command of [correct(nobody), refusal(nobody), send({ type: 'AnswerRectification', ...nobody })])
      pending.when(command).thenRefused('REGISTER_ENTRY_UNKNOWN', nobody);
    const astray = { itemId: PHONE, requestId: REQUEST };
    for (const command of [correct(astray), refusal(astray)]) pending.when(command).thenRefused('ITEM_UNKNOWN', astray);
    expect(pending.when(correct({ requestId: REQUEST })).outcome).toMatchObject({
      events: [{ data: { requestId: REQUEST } }],
    });
  });

  const due = '2026-04-02T23:00:00.000Z';
  const raise = (at = due) => send({ type: 'RaiseRectificationOverdue', requestId: REQUEST, due: at });
  const overdue: SubjectEvent = { type: 'RectificationOverdue', data: { subjectId, requestId: REQUEST, due } };
  const done = completed('corrected', [{ itemId, outcome: 'corrected' }]);
  it('is raised once when it is not complete in time', () => {
    pending.when(raise(), happened('2026-04-02T22:59:59.999Z')).thenNothing();
    pending.when(raise(), happened(due)).then(overdue);
    pending.when(raise(), happened(due)).thenRepeatedNothing();
    pending.when(raise('2026-04-01T23:00:00.000Z'), happened(due)).thenNothing();
    holding(requested(), done).when(raise(), happened(due)).thenNothing();
    holding().when(raise(), happened(due)).thenRefused('REGISTER_ENTRY_UNKNOWN', { requestId: REQUEST });
  });
});
