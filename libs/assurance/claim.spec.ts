import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attestation } from './assurance.register.js';
import { claimStanding } from './claim.standing.js';
import { detectClaims, type Claim } from './claim.vocabulary.js';

const idsIn = (text: string) => detectClaims(text).map(({ claimId }) => claimId);
const claimIn = (text: string): Claim => detectClaims(text)[0]!;

describe('claims in a text', () => {
  it.each([
    ['We are registered under the Data Protection Act 1998.', ['ico-dp-fee:dpa-1998']],
    ['as the DPA 1998 says', ['ico-dp-fee:dpa-1998']],
    ['We are registered with the Information Commissioner.', ['ico-dp-fee']],
    ['We pay the data protection fee.', ['ico-dp-fee']],
    ['certified to ISO/IEC_27001:2013', ['iso-27001:2013']],
    ['certified to ISO 27001 : 2022', ['iso-27001:2022']],
    ['certified to ISO 27001', ['iso-27001']],
    ['ISO/IEC\n27701:2025 and ISO 9001', ['iso-27701:2025', 'iso-9001']],
    ['Cyber Essentials Plus', ['cyber-essentials-plus']],
    ['Cyber Essentials and Cyber\nEssentials, twice', ['cyber-essentials']],
    ['we hold accreditaion', ['accreditation']],
    ['accredited by the best', ['accreditation']],
    ['independently audited', ['independent-test']],
    ['yearly penetration tests', ['independent-test']],
    ['We test our backups every year.', ['restore-test']],
    ['Our backups are regularly tested', ['restore-test']],
  ])('%s', (text, ids) => expect(idsIn(text)).toEqual(ids));

  it.each([
    'You can turn to the Information Commissioner at any time.',
    'Registered in England. We use your data under the Data Protection Act 2018.',
    'We were certified by a UKAS-accredited body and an accredited certification body.',
    'Dates are written as ISO 8601.',
    'This is independent of your order.',
    'A key in a backup lives until that backup is gone, and tests are run daily.',
  ])('are not found in: %s', (text) => expect(idsIn(text)).toEqual([]));
});

const certificate = (changes: Partial<Attestation> = {}): Attestation => ({
  attestationId: 'isms',
  kind: 'certificate',
  scheme: 'iso-27001',
  edition: '2022',
  from: '2025-06-01',
  to: '2027-05-31',
  ...changes,
});

describe('what a claim is worth', () => {
  const standing = (text: string, date: string, ...attestations: readonly Attestation[]) =>
    claimStanding(claimIn(text), attestations, date);
  const ISMS = 'ISO/IEC 27001:2022';

  it.each([
    ['before it is valid', '2025-05-31', 'unbacked'],
    ['on its first day', '2025-06-01', 'valid'],
    ['91 days before its last', '2027-03-01', 'valid'],
    ['90 days before its last', '2027-03-02', 'expiring'],
    ['on its last day', '2027-05-31', 'expiring'],
    ['the day after', '2027-06-01', 'expired'],
  ])('with a certificate %s', (_when, date, status) => expect(standing(ISMS, date, certificate()).status).toBe(status));

  it('is nothing without an attestation', () => expect(standing(ISMS, '2026-01-01')).toEqual({ status: 'unbacked' }));

  it('ends with a withdrawal', () => {
    const withdrawn = certificate({ withdrawnOn: '2026-02-01' });
    expect(standing(ISMS, '2025-09-01', withdrawn)).toMatchObject({ status: 'valid', validTo: '2026-01-31' });
    expect(standing(ISMS, '2026-02-01', withdrawn)).toMatchObject({ status: 'expired', attestationId: 'isms' });
  });

  it('goes on with a renewal', () => {
    const renewal = certificate({ attestationId: 'renewed', from: '2027-06-01', to: '2029-05-31' });
    expect(standing(ISMS, '2027-06-01', certificate(), renewal)).toMatchObject({
      status: 'valid',
      attestationId: 'renewed',
    });
  });

  it('is superseded with its edition, whatever the dates say (I-10b)', () => {
    const old = certificate({ edition: '2013', to: '2027-12-31' });
    expect(standing('ISO/IEC 27001:2013', '2025-10-30', old).status).toBe('valid');
    expect(standing('ISO/IEC 27001:2013', '2025-10-31', old)).toEqual({
      status: 'superseded',
      attestationId: 'isms',
      validTo: '2027-12-31',
      why: 'withdrawnEdition',
    });
    expect(standing('ISO 27001', '2026-01-01', old).status).toBe('superseded');
    expect(standing('ISO 27001', '2026-01-01', old, certificate({ attestationId: 'new' }))).toMatchObject({
      status: 'valid',
      attestationId: 'new',
    });
  });

  it('is of its own edition only', () =>
    expect(standing('ISO 27001:2022', '2025-07-01', certificate({ edition: '2013' })).status).toBe('unbacked'));

  it('is superseded with the law it names', () => {
    const entry: Attestation = {
      attestationId: 'fee',
      kind: 'registration',
      scheme: 'ico-dp-fee',
      from: '2018-01-01',
      to: '2018-12-31',
    };
    const claim = 'registered under the Data Protection Act 1998';
    expect(standing(claim, '2018-05-24', entry).status).toBe('valid');
    expect(standing(claim, '2018-05-25', entry)).toMatchObject({ status: 'superseded', why: 'repealedLaw' });
    expect(standing('We pay the data protection fee', '2018-10-31', entry).status).toBe('valid');
    expect(standing('We pay the data protection fee', '2018-11-01', entry).status).toBe('expiring');
  });

  it('is superseded by its wording', () =>
    expect(standing('accredited', '2017-01-01')).toEqual({ status: 'superseded', why: 'wording' }));

  it('of the basic level is borne by the audited one, and not the other way round', () => {
    const plus = certificate({ scheme: 'cyber-essentials-plus', edition: 'v3.3' });
    expect(standing('Cyber Essentials', '2026-01-01', plus).status).toBe('valid');
    expect(standing('Cyber Essentials Plus', '2026-01-01', { ...plus, scheme: 'cyber-essentials' }).status).toBe(
      'unbacked',
    );
  });

  it('of a test lasts twelve months (I-09b)', () => {
    const test: Attestation = {
      attestationId: 'test',
      kind: 'independentTest',
      scheme: 'independent-test',
      from: '2026-03-31',
      to: '2027-03-31',
    };
    expect(standing('independently tested', '2027-03-31', test).status).toBe('valid');
    expect(standing('independently tested', '2027-04-01', test)).toMatchObject({
      status: 'stale',
      attestationId: 'test',
    });
  });

  it('of a tested restore lasts twelve months (C08)', () => {
    const test = {
      attestationId: 'restore',
      kind: 'restoreTest',
      scheme: 'restore-test',
      from: '2026-03-31',
      to: '2027-03-31',
    } as const;
    expect(standing('We test our backups', '2027-03-31', test).status).toBe('valid');
    expect(standing('We test our backups', '2027-04-01', test).status).toBe('stale');
    expect(standing('We test our backups', '2027-04-01').status).toBe('unbacked');
  });

  it('is borne on exactly the days on which something in force bears it', () => {
    const day = fc
      .integer({ min: 0, max: 900 })
      .map((days) => new Date(Date.UTC(2025, 0, 1 + days)).toISOString().slice(0, 10));
    fc.assert(
      fc.property(fc.array(fc.tuple(day, day)), day, (periods, date) => {
        const attestations = periods
          .filter(([from, to]) => from <= to)
          .map(([from, to], index) => certificate({ attestationId: `a${index}`, from, to }));
        const { status } = standing(ISMS, date, ...attestations);
        const borne = attestations.some(({ from, to }) => from <= date && date <= to);
        expect(status === 'valid' || status === 'expiring').toBe(borne);
      }),
    );
  });
});
