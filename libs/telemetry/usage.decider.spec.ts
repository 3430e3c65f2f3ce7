import { describe, expect, it } from '@jest/globals';
import { instant, type Personal } from '#kernel';
import { registerOf, scenario } from '#kernel/testing';
import { legalHoldRegister } from '#retention';
import { placed } from '#retention/testing';
import { usageAccessDecider } from './usage-access.decider.js';
import { SEALS_PER_KEY, usageDecider } from './usage.decider.js';
import {
  access,
  accessed,
  asha,
  ASHA,
  confirm,
  entry,
  erased,
  expire,
  expired,
  facts,
  idsOf,
  KEY,
  lifted,
  opened,
  presented,
  restricted,
  TODAY,
  USED,
  use,
  used,
} from './testing/index.js';
import { endOfMonth, monthOf } from './usage.events.js';
import { nobody } from './usage.standing.js';

const { given, when } = scenario(usageDecider, facts());
const OTHER = 'c1b2a3d4-0000-4000-8000-000000000001';
const person = (changes: Partial<typeof asha>) => ({ person: { ...asha, ...changes } });

const holds = (scope: object) => registerOf(legalHoldRegister, placed(scope));

describe('recording usage', () => {
  it('keeps a batch under one seal, with the key of the month', () => {
    when(use()).then(used());
    when(use()).thenRepeatedNothing();
    const second = { id: idsOf(OTHER) };
    const { batchId } = { batchId: idsOf(OTHER)('batch') };
    const later = instant('2026-03-02T08:45:00Z');
    const outcome = given(used()).when(use({ entries: [entry(later), entry(USED)] }), second);
    outcome.thenTypes('UsageRecorded');
    const [event] = outcome.outcome.kind === 'accepted' ? outcome.outcome.events : [];
    expect(event?.data).toMatchObject({
      batchId,
      count: 2,
      from: USED,
      to: later,
      keys: [KEY],
      due: '2026-05-31T07:45:00.000Z',
      held: { batches: 2, entries: 3 },
      batch: { key: { subjectId: ASHA, keyId: KEY } },
    });
  });

  it('reads times in every spelling as one', () => {
    const { outcome } = when(use({ entries: [entry('2026-03-02T09:30:00+01:00')] }));
    const [event] = outcome.kind === 'accepted' ? outcome.events : [];
    expect((event?.data as { batch: Personal }).batch.value).toEqual({
      entries: [{ at: USED, values: { licence: 'L-77' } }],
    });
  });

  it('takes a new key of the month when one has sealed as much as it should', () => {
    const full = used({ held: { batches: SEALS_PER_KEY, entries: SEALS_PER_KEY } });
    const nextKey = idsOf(OTHER)('key');
    const { outcome } = given(full).when(use(), { id: idsOf(OTHER) });
    expect(outcome).toMatchObject({ events: [{ data: { keys: [KEY, nextKey], batch: { key: { keyId: nextKey } } } }] });
  });

  it('takes nothing of a stream that may not capture now', () => {
    when(use({ streamId: 'unheard' })).thenRefused('TELEMETRY_STREAM_UNKNOWN', { streamId: 'unheard' });
    for (const [streamId, status] of [
      ['proposed', 'notApproved'],
      ['withdrawn', 'notApproved'],
      ['halted', 'suspended'],
      ['gone', 'retired'],
    ] as const)
      when(use({ streamId })).thenRefused('NOT_ESSENTIAL', { streamId, status });
    when(use({ streamId: 'overdue' })).thenRefused('ESSENTIALITY_REVIEW_OVERDUE', {
      streamId: 'overdue',
      since: TODAY,
    });
    when(use({ streamId: 'anonymous' })).thenRefused('ANONYMITY_NOT_ASSESSED', { streamId: 'anonymous' });
  });

  it('takes no field that was not approved, and none for another kind of value (I-07b)', () => {
    const refused = (values: Parameters<typeof entry>[1], ...fields: string[]) =>
      when(use({ entries: [entry(), entry(USED, values)] })).thenRefused('FIELD_NOT_ESSENTIAL', {
        streamId: 'charts',
        fields,
      });
    refused({ licence: 'L-77', speed: 12, course: 'NNE' }, 'course', 'speed');
    refused({ licence: 77 }, 'licence');
    refused({ edition: '4', worked: 1 }, 'edition', 'worked');
    refused({ constructor: 'x' }, 'constructor');
    when(use({ entries: [entry(USED, { edition: 4, worked: false })] })).thenTypes('UsageRecorded');
  });

  it('is of a person who is known, was told before, and may be captured', () => {
    when(use(), { person: nobody }).thenRefused('SUBJECT_UNKNOWN');
    when(use(), { erased: true }).thenRefused('DATA_ERASED', { streamId: 'charts' });
    when(use(), person({ ended: { erasureId: OTHER, cause: 'request' } })).thenRefused('DATA_ERASED', {
      streamId: 'charts',
    });
    when(use(), person({ capacity: 'corporateContact' })).thenRefused('LAWFUL_BASIS_NOT_AVAILABLE', {
      purposeId: 'delivery',
      basis: 'contract',
    });
    when(use({ streamId: 'upkeep' }), person({ capacity: 'corporateContact' })).thenTypes('UsageRecorded');
    when(use({ streamId: 'unbased' })).thenRefused('PURPOSE_SUSPENDED', { purposeId: 'stopped' });
    when(use({ streamId: 'unannounced' })).thenRefused('NOTICE_DOES_NOT_COVER_PURPOSE', {
      noticeId: 'silent',
      version: 1,
      purposeId: 'delivery',
    });
    when(use({ streamId: 'unpublished' })).thenRefused('NOTICE_UNKNOWN', { noticeId: 'nowhere' });
    const notPresented = { noticeId: 'privacy', version: 2 };
    for (const shown of [
      { noticeId: 'privacy', version: 1, at: asha.openedAt! },
      { noticeId: 'silent', version: 1, at: asha.openedAt! },
      { noticeId: 'privacy', version: 2, at: instant('2026-03-02T08:31:00Z') },
    ])
      when(use(), person({ presented: [shown] })).thenRefused('NOTICE_NOT_PRESENTED', notPresented);
    when(use(), person({ restricted: true })).thenRefused('PROCESSING_RESTRICTED', { purposeId: 'delivery' });
  });

  it('goes on under a new wording for who was told by an older one that covers it', () => {
    const june = '2026-06-02T09:00:00Z';
    const outcome = when(use({ entries: [entry('2026-06-02T08:00:00Z')] }), facts(june)).outcome;
    expect(outcome).toMatchObject({ events: [{ data: { noticeVersion: 2 } }] });
  });

  it('lies in the past, within the relationship, and within its period', () => {
    when(use({ entries: [entry(), entry('2026-03-02T09:00:00.001Z')] })).thenRefused('OCCURRED_IN_FUTURE', {
      field: 'entries',
    });
    when(use({ entries: [entry('2026-01-05T08:59:59Z')] })).thenRefused('OCCURRED_BEFORE_OPENING', {
      field: 'entries',
    });
    const late = { streamId: 'charts', month: '2026-03' };
    when(use(), facts('2026-05-31T07:29:59.999Z')).thenTypes('UsageRecorded');
    when(use(), facts('2026-05-31T07:30:00Z')).thenRefused('DATA_ERASED', late);
    given(used(), expired)
      .when(use(), { id: idsOf(OTHER) })
      .thenRefused('DATA_ERASED', late);
    given(used(), expired, erased)
      .when(use(), { id: idsOf(OTHER) })
      .thenRefused('DATA_ERASED', late);
  });

  it('ends no month before it is over', () => {
    const { outcome } = when(use({ streamId: 'short' }));
    expect(outcome).toMatchObject({ events: [{ data: { due: '2026-03-31T23:00:00.000Z' } }] });
  });

  it('has its month in London', () => {
    expect(monthOf(instant('2026-03-31T22:59:59Z'))).toBe('2026-03');
    expect(monthOf(instant('2026-03-31T23:00:00Z'))).toBe('2026-04');
    expect(endOfMonth('2026-12')).toBe('2027-01-01T00:00:00.000Z');
  });
});

describe('the end of a month of usage', () => {
  const due = facts('2026-05-31T07:30:00Z');
  it('comes with the period of its last entry', () => {
    given(used()).when(expire).thenRefused('RETENTION_NOT_DUE', { month: '2026-03' });
    given(used()).when(expire, due).then(expired);
    given(used()).when(expire, due).thenRepeatedNothing();
    when(expire, due).thenNothing();
  });
  it('loses its keys once it is beyond use', () => {
    given(used()).when(confirm, due).thenNothing();
    given(used(), expired).when(confirm, due).then(erased);
    given(used(), expired).when(confirm, due).thenRepeatedNothing();
  });
  it('ends with its person, whatever its period', () => {
    const ended = { erasureId: OTHER, cause: 'request' } as const;
    const gone = { ...expired, data: { ...expired.data, ...ended } };
    given(used()).when(expire, person({ ended })).then(gone);
    given(used()).when(expire, person({ ended })).thenRepeatedNothing();
    given(used(), gone)
      .when(confirm, { ...due, ...person({ ended }) })
      .then({ ...erased, data: { ...erased.data, cause: 'request' } });
  });
  it.each([
    ['a legal hold', {}, 'legalHold', 'matter-1'],
    ['a restriction', { keeping: { ...asha.keeping, restrictedOn: '18(1)(c)' } }, 'restriction', 'restriction'],
    [
      'an open access request',
      {
        keeping: {
          deferrals: new Map([
            [OTHER, { subjectId: ASHA, deferralId: OTHER, cause: 'openAccessRequest', caseRef: 'SAR-1' }],
          ]),
        },
      },
      'openAccessRequest',
      OTHER,
    ],
  ] as const)(
    'is kept by %s, before and after it is beyond use, but not when its keys are gone',
    (_n, changes, cause, ref) => {
      const known = {
        ...due,
        ...person(changes as Partial<typeof asha>),
        ...(cause === 'legalHold' && { legalHolds: holds({ categories: ['usage.charts'] }) }),
      };
      const deferred = { type: 'UsageDeferred', data: { subjectId: ASHA, month: '2026-03', cause, ref } } as const;
      given(used()).when(expire, known).then(deferred);
      given(used()).when(expire, known).thenRepeatedNothing();
      given(used(), expired).when(confirm, known).then(deferred);
      given(used(), expired)
        .when(confirm, { ...known, liveKeys: [] })
        .then(erased);
    },
  );
  it('is not kept by a hold on something else', () => {
    for (const scope of [{ purposes: ['upkeep'] }, { categories: ['contact.email'] }, { subjectIds: [OTHER] }])
      given(used())
        .when(expire, { ...due, legalHolds: holds(scope) })
        .then(expired);
    for (const scope of [{ purposes: ['delivery'] }, { subjectIds: [ASHA] }, {}])
      given(used())
        .when(expire, { ...due, legalHolds: holds(scope) })
        .thenTypes('UsageDeferred');
  });
});

describe('using usage', () => {
  const gate = scenario(usageAccessDecider, facts());
  const known = gate.given(opened(), presented());

  it('serves the delivery it was captured for', () => {
    known.when(access()).then(accessed());
    known.when(access()).thenRepeatedNothing();
    known.when(access({ streamIds: ['charts', 'overdue'] })).thenTypes('UsageAccessAuthorised');
  });

  it('serves nothing else, whatever its basis', () => {
    known
      .when(access({ purposeId: 'news' }))
      .thenRefused('USAGE_SECONDARY_USE', { purposeId: 'news', streams: ['charts'] });
    known
      .when(access({ streamIds: ['charts', 'upkeep'] }))
      .thenRefused('USAGE_SECONDARY_USE', { purposeId: 'delivery', streams: ['upkeep'] });
    for (const purposeId of ['website', 'by-choice', 'upkeep'])
      known.when(access({ purposeId })).thenRefused('USAGE_SECONDARY_USE');
    known.when(access({ purposeId: 'nothing' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'nothing' });
    known.when(access({ streamIds: ['unheard'] })).thenRefused('TELEMETRY_STREAM_UNKNOWN', { streams: ['unheard'] });
    for (const streamId of ['proposed', 'withdrawn', 'halted', 'gone'])
      known.when(access({ streamIds: [streamId] })).thenRefused('NOT_ESSENTIAL', { streams: [streamId] });
  });

  it('may always be shown to the person', () => {
    const answer = access({ purposeId: 'rights', streamIds: ['charts', 'gone'] });
    const shown = accessed({
      purposeId: 'rights',
      basis: 'legalObligation',
      ground: 'rightsOfThePerson',
      streamIds: ['charts', 'gone'],
    });
    known.when(answer).then(shown);
    gate.given(opened(), restricted).when(answer).then(shown);
  });

  it('stops with a restriction, and is of a person who is known', () => {
    gate.given(opened(), restricted).when(access()).thenRefused('PROCESSING_RESTRICTED', { purposeId: 'delivery' });
    gate.given(opened(), restricted, lifted).when(access()).then(accessed());
    gate.when(access()).thenRefused('SUBJECT_UNKNOWN');
  });
});
