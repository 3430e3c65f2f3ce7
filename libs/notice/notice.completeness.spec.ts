import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { COMPANY_POLICY, describeWithData } from '../../test/data.js';
import { gapsOf, gapsOfHistory, type NoticeDraft } from './notice.completeness.js';
import { assessNotice, NOTICE_PART_NAMES, saysPeriod, type NoticeStatement } from './notice.vocabulary.js';
import { enquiries, purposesWith, STATEMENTS, versions, WHOLE } from './testing/index.js';

const AT = instant('2026-11-23T09:00:00Z');
const purposes = purposesWith(...versions('answer-enquiries', [enquiries]));
const whole: NoticeDraft = {
  language: 'en-GB',
  content: WHOLE,
  purposes: ['answer-enquiries'],
  statements: STATEMENTS,
  claims: [],
};

/** The statements with those of one part changed, or left out. */
const but = (part: string, change?: Partial<NoticeStatement>): NoticeDraft => ({
  ...whole,
  statements: STATEMENTS.flatMap((each) => (each.part !== part ? [each] : change ? [{ ...each, ...change }] : [])),
});
const gaps = (draft: NoticeDraft, register = purposes) => gapsOf(draft, register, AT).gaps;

describe('a notice with declarations', () => {
  it('is complete when every part stands in the text and agrees with the register', () =>
    expect(gapsOf(whole, purposes, AT)).toEqual({ gaps: [], purposeVersions: { 'answer-enquiries': 1 } }));

  it.each(NOTICE_PART_NAMES.filter((part) => STATEMENTS.some((each) => each.part === part)))(
    'lacks %s when nothing says where it stands',
    (part) => {
      const found = gaps(but(part));
      expect(found.length).toBeGreaterThan(0);
      for (const gap of found) expect(gap).toMatch(new RegExp(`^${part}(/[a-zA-Z-]+)?: missing$`));
    },
  );

  it.each<readonly [string, string, Partial<NoticeStatement>, string]>([
    ['a passage that does not occur', 'transfers', { passage: 'It goes to another country.' }, 'transfers: notInText'],
    ['a passage about something else', 'transfers', { passage: 'Ask our' }, 'transfers: notSaid'],
    ['another basis', 'lawfulBases', { basis: 'consent' }, 'lawfulBases/answer-enquiries: disagrees'],
    ['words of another basis', 'lawfulBases', { passage: 'Ask our' }, 'lawfulBases/answer-enquiries: notSaid'],
    ['another period', 'retentionPeriods', { period: 'P3Y' }, 'retentionPeriods/answer-enquiries: disagrees'],
    [
      'words without the period',
      'retentionPeriods',
      { passage: 'We keep it' },
      'retentionPeriods/answer-enquiries: notSaid',
    ],
    ['another kind of recipient', 'recipients', { recipientKinds: ['GROUP'] }, 'recipients/PROCESSOR: missing'],
    ['no kind of recipient', 'recipients', { recipientKinds: [] }, 'recipients/PROCESSOR: missing'],
    ['another purpose', 'purposes', { purposes: ['send-newsletter'] }, 'purposes/answer-enquiries: missing'],
  ])('has a gap at %s', (_what, part, change, gap) => expect(gaps(but(part, change))).toEqual([gap]));

  it('says neither when it says two things of one purpose', () => {
    const second: NoticeStatement = {
      part: 'lawfulBases',
      purposes: ['answer-enquiries'],
      basis: 'consent',
      passage: 'contract',
    };
    expect(gaps({ ...whole, statements: [...STATEMENTS, second] })).toEqual([
      'lawfulBases/answer-enquiries: disagrees',
    ]);
  });

  it('names the categories of which it does not say how long they are kept', () => {
    const rule = { ...enquiries.retention[0]!, category: 'ticket.text', period: 'P1Y' };
    const more = purposesWith(
      ...versions('answer-enquiries', [{ ...enquiries, retention: [...enquiries.retention, rule] }]),
    );
    expect(gaps(whole, more)).toEqual(['retentionPeriods/answer-enquiries/ticket.text: disagrees']);
    expect(gaps(but('retentionPeriods', { categories: ['contact.email'] }), more)).toEqual([
      'retentionPeriods/answer-enquiries/ticket.text: missing',
    ]);
  });

  it('tells of interests and of withdrawal where a purpose rests on them', () => {
    const resting = (basis: 'consent' | 'legitimateInterests') =>
      gaps(whole, purposesWith(...versions('answer-enquiries', [{ ...enquiries, basis }])));
    expect(resting('legitimateInterests')).toEqual([
      'lawfulBases/answer-enquiries: disagrees',
      'legitimateInterests: missing',
    ]);
    expect(resting('consent')).toEqual(['lawfulBases/answer-enquiries: disagrees', 'rightToWithdrawConsent: missing']);
  });

  it('may tell of a purpose as it is in force or, beforehand, as it was drafted', () => {
    const longer = { ...enquiries, retention: [{ ...enquiries.retention[0]!, period: 'P3Y' }] };
    const drafted = purposesWith(...versions('answer-enquiries', [longer], enquiries));
    expect(gapsOf(whole, drafted, AT)).toEqual({ gaps: [], purposeVersions: { 'answer-enquiries': 2 } });
    const kept = purposesWith(...versions('answer-enquiries', [enquiries], longer));
    expect(gapsOf(whole, kept, AT)).toEqual({ gaps: [], purposeVersions: { 'answer-enquiries': 1 } });
  });

  it('tells of no purpose that nobody defined', () =>
    expect(gapsOf(whole, new Map(), AT)).toEqual({
      gaps: ['purposes/answer-enquiries: unknownPurpose'],
      purposeVersions: {},
    }));

  it('that covers no purpose explains nothing', () =>
    expect(gaps({ ...whole, purposes: [] })).toEqual(['purposes: missing']));

  it('in another language is compared, but not read', () => {
    expect(gaps({ ...but('transfers', { passage: 'Ask our' }), language: 'cy' })).toEqual([]);
    expect(gaps({ ...but('transfers', { passage: 'Dim byd' }), language: 'cy' })).toEqual(['transfers: notInText']);
  });

  it('declares no claim that does not stand in it', () =>
    expect(
      gaps({ ...whole, claims: [{ claimId: 'iso-9001', kind: 'certificate', scheme: 'iso-9001', text: 'ISO 9001' }] }),
    ).toEqual(['claims/iso-9001: notInText']));
});

describe('a version of the past', () => {
  it('is examined by its text when it comes without declarations', () => {
    const bare = { ...whole, statements: [] };
    expect(gapsOfHistory({ ...bare, content: 'We keep it for two years.' }, purposes, AT).gaps).toContain(
      'transfers: missing',
    );
    expect(gapsOfHistory({ ...bare, content: 'We keep it for two years.' }, purposes, AT).gaps).not.toContain(
      'retentionPeriods: missing',
    );
    expect(gapsOfHistory({ ...bare, language: 'cy' }, purposes, AT).gaps).toContain('transfers: notExamined');
  });
  it('is compared when it comes with some', () =>
    expect(gapsOfHistory(but('transfers'), purposes, AT).gaps).toEqual(['transfers: missing']));
});

describe('a period in words', () => {
  it.each([
    ['P2Y', 'for two years'],
    ['P2Y', 'for 2 calendar years'],
    ['P24M', 'two years'],
    ['P2Y', 'twenty-four months'],
    ['P6M', 'six months'],
    ['P1Y6M', 'one year and six months'],
    ['P18M', '18 months'],
    ['P90D', 'ninety days'],
    ['P14D', 'two weeks'],
    ['P1M1D', 'a day more than a month: 1 month and 1 day'],
    ['P0D', 'is not kept'],
  ])('%s is said by “%s”', (period, words) => expect(saysPeriod(period, words)).toBe(true));
  it.each([
    ['P2Y', 'for twenty-two years'],
    ['P2Y', 'for 12 years'],
    ['P2Y', 'for a long time'],
    ['P1Y6M', 'one year'],
    ['P90D', 'three months'],
    ['P0D', 'for a day'],
    ['often', 'often'],
  ])('%s is not said by “%s”', (period, words) => expect(saysPeriod(period, words)).toBe(false));
});

describe('a text alone', () => {
  it('is found whole when it is', () => {
    const { missing, conditional } = assessNotice(WHOLE);
    expect([missing, conditional]).toEqual([['lawfulBases'], ['legitimateInterests', 'rightToWithdrawConsent']]);
  });
  it('of nothing says nothing', () => expect(assessNotice('Hello.')).toMatchObject({ stated: [], claims: [] }));
});

describe('a text that is made to be slow', () => {
  it.each(['use '.repeat(25_000), 'complain '.repeat(11_000), 'need '.repeat(20_000), '1 '.repeat(50_000)])(
    'is read nevertheless (%#)',
    (text) => {
      const before = performance.now();
      assessNotice(text);
      expect(performance.now() - before).toBeLessThan(5_000);
    },
  );

  it('is compared nevertheless', () => {
    const statements = Array.from({ length: 500 }, () => STATEMENTS[7]!);
    const before = performance.now();
    expect(gaps({ ...whole, content: 'no '.repeat(33_000), statements }).length).toBeGreaterThan(0);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

describeWithData('the company’s own text (C30)', COMPANY_POLICY, (text) => {
  const { stated, missing, conditional, claims } = assessNotice(text);

  it('lacks exactly what the clause says', () =>
    expect(missing).toEqual([
      'controllerIdentity',
      'dataProtectionContact',
      'lawfulBases',
      'transfers',
      'retentionPeriods',
      'rightToErasure',
      'rightToRestriction',
      'rightToObject',
      'rightToPortability',
      'complaintToAuthority',
    ]));

  it('has what it has', () =>
    expect(stated).toEqual(
      expect.arrayContaining([
        'contact',
        'purposes',
        'recipients',
        'rightOfAccess',
        'rightToRectification',
        'complaintToController',
        'whetherRequired',
      ]),
    ));

  it('leaves open what depends on what is done', () =>
    expect(conditional).toEqual(['legitimateInterests', 'rightToWithdrawConsent', 'automatedDecisions', 'source']));

  it('names a repealed statute, a withdrawn edition and the wrong word, among its claims', () =>
    expect(claims.map(({ claimId, text: words }) => [claimId, words])).toEqual([
      ['ico-dp-fee:dpa-1998', 'Data Protection Act 1998'],
      ['iso-27001:2013', 'ISO/IEC 27001:2013'],
      ['cyber-essentials', 'Cyber Essentials'],
      ['accreditation', 'accreditation'],
      ['independent-test', 'independent testing'],
    ]));
});
