import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attestationRegister, type CertificateRecorded } from '#assurance';
import { instant } from '#kernel';
import { factsAt, NOW, registerOf, scenario } from '#kernel/testing';
import type { PublishNotice } from './notice.commands.js';
import { noticeDecider, type NoticeFacts } from './notice.decider.js';
import type { NoticeClaimFlagged, NoticeEvent, NoticePublished } from './notice.events.js';
import { enquiries, purposesWith, STATEMENTS, versions, WHOLE } from './testing/index.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
const noticeId = 'customer-privacy';

const publish = (changes: Partial<PublishNotice> = {}): PublishNotice => ({
  ...sent,
  type: 'PublishNotice',
  noticeId,
  version: 1,
  language: 'en-GB',
  title: 'How we use your data',
  content: WHOLE,
  purposes: ['answer-enquiries'],
  statements: STATEMENTS,
  ...changes,
});

const published = (changes: Partial<NoticePublished['data']> = {}): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version: 1,
    language: 'en-GB',
    title: 'How we use your data',
    content: WHOLE,
    contentHash: `hash of ${WHOLE}`,
    purposes: ['answer-enquiries'],
    statements: STATEMENTS,
    effectiveFrom: NOW,
    claims: [],
    gaps: [],
    purposeVersions: { 'answer-enquiries': 1 },
    ...changes,
  },
});
const MORE = `${WHOLE}\nWe mean it.`;
const second = published({ version: 2, content: MORE, contentHash: `hash of ${MORE}` });

const facts: NoticeFacts = {
  ...factsAt(),
  contentHash: (content) => `hash of ${content}`,
  purposes: purposesWith(...versions('answer-enquiries', [enquiries]), ...versions('send-newsletter', [enquiries])),
  attestations: new Map(),
};
const { given, when } = scenario(noticeDecider, facts);

describe('publishing a notice', () => {
  it('starts with version 1', () => {
    when(publish()).then(published());
    when(publish({ version: 2 })).thenRefused('VERSION_CONFLICT', { noticeId, version: 2, next: 1 });
  });

  it('goes on by one', () => {
    given(published())
      .when(publish({ version: 2, content: MORE }))
      .then(second);
    given(published())
      .when(publish({ version: 3 }))
      .thenRefused('VERSION_CONFLICT', { noticeId, version: 3, next: 2 });
  });

  it('happens once', () => {
    given(published()).when(publish()).thenNothing();
    given(published(), second).when(publish()).thenNothing();
    given(published(), second)
      .when(publish(), { occurredAt: instant('2026-11-24T09:00:00Z') })
      .thenNothing();
  });

  it.each([
    ['text', { content: 'We sell you.' }],
    ['title', { title: 'Privacy' }],
    ['language', { language: 'cy' }],
    ['purposes', { purposes: ['answer-enquiries', 'send-newsletter'] }],
    ['declarations', { statements: STATEMENTS.slice(1) }],
    ['claims', { claims: [{ passage: 'We mean it.', kind: 'certificate' as const, scheme: 'iso-9001' }] }],
    ['time', { effectiveFrom: '2027-01-01T00:00:00Z' }],
  ])('never changes the %s of a version (I-30a)', (_part, change) =>
    given(published(), second).when(publish(change)).thenRefused('NOTICE_IMMUTABLE', { noticeId, version: 1 }),
  );

  it('of version 1 may reach back: people were shown it before the engine came', () => {
    const effectiveFrom = instant('2018-05-25T00:00:00Z');
    const first = publish({ effectiveFrom: '2018-05-25T01:00:00+01:00' });
    when(first).then(published({ effectiveFrom }));
    given(published({ effectiveFrom })).when(first).thenNothing();
    given(published({ effectiveFrom })).when(publish()).thenNothing();
  });

  it('of a later version never reaches back', () => {
    const late = publish({ version: 2, content: MORE, effectiveFrom: '2018-05-25T00:00:00Z' });
    given(published()).when(late).then(second);
    given(published(), second).when(late).thenNothing();
  });

  it('may lie before the time it takes effect', () => {
    const effectiveFrom = instant('2027-01-01T00:00:00Z');
    when(publish({ effectiveFrom })).then(published({ effectiveFrom }));
    given(published({ effectiveFrom }))
      .when(publish({ version: 2, content: MORE }))
      .then({ ...second, data: { ...second.data, effectiveFrom } });
  });
});

describe('a new version', () => {
  it('says all that Art 13 asks for (I-30b)', () => {
    const statements = STATEMENTS.filter(({ part }) => part !== 'transfers' && part !== 'lawfulBases');
    const details = { noticeId, version: 1, gaps: ['lawfulBases/answer-enquiries: missing', 'transfers: missing'] };
    when(publish({ statements })).thenRefused('NOTICE_INCOMPLETE', details);
    given(published())
      .when(publish({ version: 2, content: MORE, statements }))
      .thenRefused('NOTICE_INCOMPLETE', { ...details, version: 2 });
    when(publish({ statements: [] })).thenRefused('NOTICE_INCOMPLETE');
  });

  it('is judged by the time it takes effect, not by when it was sent', () => {
    const statements = STATEMENTS.slice(1);
    const late = { ...facts, now: instant('2026-11-23T10:00:00Z') };
    when(publish({ statements }), late).thenRefused('NOTICE_INCOMPLETE');
    when(publish({ statements, effectiveFrom: NOW }), late).thenRefused('NOTICE_INCOMPLETE');
  });

  it('says that it tells of a wider use, and of which (I-30c)', () => {
    const also = STATEMENTS.map((each) =>
      each.purposes ? { ...each, purposes: ['answer-enquiries', 'send-newsletter'] } : each,
    );
    const purposes = ['answer-enquiries', 'send-newsletter'];
    given(published())
      .when(publish({ version: 2, purposes, statements: also }))
      .then(
        published({
          version: 2,
          purposes,
          statements: also,
          purposeVersions: { 'answer-enquiries': 1, 'send-newsletter': 1 },
          widens: true,
          purposesAdded: ['send-newsletter'],
          purposesWidened: [],
        }),
      );
  });
});

describe('a version that people were shown before the engine came', () => {
  const effectiveFrom = instant('2018-05-25T00:00:00Z');
  const bare = (changes: Partial<PublishNotice> = {}) =>
    publish({
      content: 'We are registered under the Data Protection Act 1998 and hold Cyber Essentials.',
      statements: [],
      effectiveFrom,
      ...changes,
    });
  const claims = [
    {
      claimId: 'ico-dp-fee:dpa-1998',
      kind: 'registration' as const,
      scheme: 'ico-dp-fee',
      edition: 'dpa-1998',
      text: 'Data Protection Act 1998',
    },
    { claimId: 'cyber-essentials', kind: 'certificate' as const, scheme: 'cyber-essentials', text: 'Cyber Essentials' },
  ];
  const flag = (index: number, status: NoticeClaimFlagged['data']['status']): NoticeClaimFlagged => ({
    type: 'NoticeClaimFlagged',
    data: { noticeId, version: 1, claimId: claims[index]!.claimId, text: claims[index]!.text, status },
  });

  it('is recorded as it was, with its gaps, and flagged where it claims what nobody may claim now', () => {
    const { outcome } = when(bare());
    const [first, ...flags] = outcome.kind === 'accepted' ? outcome.events : [];
    expect(first).toMatchObject({ data: { effectiveFrom, claims, statements: [] } });
    expect(first?.type === 'NoticePublished' && first.data.gaps).toEqual(
      expect.arrayContaining(['controllerIdentity: missing', 'transfers: missing']),
    );
    expect(flags).toEqual([flag(0, 'superseded'), flag(1, 'unbacked')]);
  });

  it('is the only one that may be so', () => {
    given(published())
      .when(bare({ version: 2 }))
      .thenRefused('CLAIM_SUPERSEDED', { noticeId, version: 2, claims: ['ico-dp-fee:dpa-1998'] });
    when(bare({ effectiveFrom: '2026-12-01T00:00:00Z' })).thenRefused('CLAIM_SUPERSEDED');
  });
});

describe('a claim', () => {
  const certificate = (validTo: string): CertificateRecorded => ({
    type: 'CertificateRecorded',
    data: {
      attestationId: 'ce-2026',
      scheme: 'cyber-essentials',
      edition: 'v3.3',
      body: 'Example Certification Ltd',
      number: 'CE-1',
      scope: 'Everything.',
      validFrom: '2026-06-01',
      validTo,
      documentHash: 'a'.repeat(64),
    },
  });
  const attested = (validTo: string) => ({ attestations: registerOf(attestationRegister, certificate(validTo)) });
  const claiming = (changes: Partial<PublishNotice> = {}) =>
    publish({ content: `${WHOLE}\nWe hold Cyber Essentials.`, ...changes });
  const unbacked = { noticeId, version: 1, claims: ['cyber-essentials'] };

  it('is made by a new version only while something in force attests it (I-03a)', () => {
    when(claiming()).thenRefused('CLAIM_UNBACKED', unbacked);
    when(claiming(), attested('2027-05-31')).thenTypes('NoticePublished');
    when(claiming(), attested('2026-11-22')).thenRefused('CLAIM_UNBACKED', unbacked);
  });

  it('has to hold on the day the version takes effect', () => {
    const later = claiming({ effectiveFrom: '2026-12-01T00:00:00Z' });
    when(later, attested('2026-11-30')).thenRefused('CLAIM_UNBACKED', unbacked);
    when(later, attested('2026-12-01')).thenTypes('NoticePublished');
  });

  it('is judged by today when the publication is recorded late', () => {
    const late = { ...attested('2026-11-22'), occurredAt: instant('2026-11-20T09:00:00Z') };
    when(claiming(), late).thenRefused('CLAIM_UNBACKED', unbacked);
  });

  it('comes before what is missing: a falsehood is worse than a gap', () =>
    when(claiming({ statements: [] })).thenRefused('CLAIM_UNBACKED'));

  it('may be declared where the rules do not find it', () => {
    const declared = publish({
      content: `${WHOLE}\nOur quality is certified.`,
      claims: [{ passage: 'Our quality is certified.', kind: 'certificate', scheme: 'iso-9001' }],
    });
    when(declared).thenRefused('CLAIM_UNBACKED', { noticeId, version: 1, claims: ['iso-9001'] });
  });
});

it('does nothing when an accepted command is sent again', () => {
  const command = fc
    .record(
      {
        version: fc.integer({ min: 1, max: 4 }),
        content: fc.constantFrom(WHOLE, MORE, `${WHOLE}\nWe hold Cyber Essentials.`),
        purposes: fc.constantFrom(['answer-enquiries'], []),
        statements: fc.constantFrom(STATEMENTS, STATEMENTS, STATEMENTS, []),
        effectiveFrom: fc.constantFrom('2018-05-25T00:00:00Z', '2026-12-01T00:00:00+01:00', '2027-01-01T00:00:00Z'),
      },
      { requiredKeys: ['version', 'content', 'purposes', 'statements'] },
    )
    .map(publish);
  fc.assert(
    fc.property(fc.array(command, { maxLength: 10 }), (commands) => {
      let history: NoticeEvent[] = [];
      for (const each of commands) {
        const { outcome, thenRepeatedNothing } = given(...history).when(each);
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      const versionsOf = history.flatMap((event) => (event.type === 'NoticePublished' ? [event.data] : []));
      for (const { version, effectiveFrom, gaps } of versionsOf)
        if (version > 1 || effectiveFrom >= NOW) expect(gaps).toEqual([]);
      const times = versionsOf.map(({ effectiveFrom }) => effectiveFrom);
      expect(times).toEqual([...times].sort());
    }),
  );
});
