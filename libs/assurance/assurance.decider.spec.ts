import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { factsAt, logbook, registerOf, scenario } from '#kernel/testing';
import { membersAsOf, recipientRegister, type RecipientEvent } from '#sharing';
import type {
  CheckAttestation,
  CloseFinding,
  RaiseFinding,
  RecordCertificate,
  RecordIndependentTest,
  RecordRegistration,
  RecordRestoreTest,
  WithdrawCertificate,
} from './assurance.commands.js';
import { assuranceDecider, type AssuranceFacts } from './assurance.decider.js';
import type {
  AssuranceEvent,
  CertificateRecorded,
  FindingClosed,
  FindingRaised,
  IndependentTestRecorded,
  RegistrationRecorded,
  RestoreTested,
} from './assurance.events.js';
import { attestationRegister, attestationsAsOf } from './assurance.register.js';
import { groupMember, groupRegister } from './group.register.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };

const group: readonly RecipientEvent[] = [
  {
    type: 'RecipientRegistered',
    data: { recipientId: 'pacific', kind: 'GROUP', name: 'Example Pacific Ltd', legalForm: 'company', country: 'NZ' },
  },
  { type: 'GroupMembershipStarted', data: { recipientId: 'pacific', companyNumber: 'EX000003', from: '2021-01-01' } },
  { type: 'GroupMembershipEnded', data: { recipientId: 'pacific', to: '2026-06-01' } },
];
const facts: AssuranceFacts = {
  ...factsAt(),
  attestations: new Map(),
  group: registerOf(groupRegister, ...group),
};
const { given, when } = scenario(assuranceDecider, facts);
const at = (time: string) => ({ now: instant(time) });

const fee: RegistrationRecorded['data'] = {
  attestationId: 'fee',
  scheme: 'ico-dp-fee',
  reference: 'ZA000001',
  tier: 2,
  validFrom: '2026-01-01',
  validTo: '2026-12-31',
};
const isms: CertificateRecorded['data'] = {
  attestationId: 'isms',
  scheme: 'iso-27001',
  edition: '2022',
  body: 'Example Certification Ltd',
  number: 'EX-1',
  scope: 'Charts.',
  validFrom: '2025-06-01',
  validTo: '2028-05-31',
  documentHash: 'a'.repeat(64),
};
const pentest: IndependentTestRecorded['data'] = {
  attestationId: 'pentest',
  testKind: 'penetrationTest',
  tester: 'Example Testers Ltd',
  testerCompanyNumber: 'EX900001',
  scope: 'The portal.',
  performedOn: '2026-03-31',
  reportHash: 'b'.repeat(64),
};
const restore: RestoreTested['data'] = {
  attestationId: 'restore',
  backupHash: 'd'.repeat(64),
  environment: 'temporaryFolder',
  performedOn: '2026-03-31',
  outcome: 'passed',
  digestBefore: 'e'.repeat(64),
  digestAfter: 'e'.repeat(64),
  durationSeconds: 90,
};
const register = (changes: Partial<RegistrationRecorded['data']> = {}): RecordRegistration => ({
  ...sent,
  type: 'RecordRegistration',
  ...fee,
  ...changes,
});
const certify = (changes: Partial<CertificateRecorded['data']> = {}): RecordCertificate => ({
  ...sent,
  type: 'RecordCertificate',
  ...isms,
  ...changes,
});
const test = (changes: Partial<IndependentTestRecorded['data']> = {}): RecordIndependentTest => ({
  ...sent,
  type: 'RecordIndependentTest',
  ...pentest,
  ...changes,
});
/** @param without what the command leaves out. */
const restored = (
  changes: Partial<RestoreTested['data']> = {},
  ...without: readonly (keyof RestoreTested['data'])[]
): RecordRestoreTest => {
  const command = { ...sent, type: 'RecordRestoreTest' as const, ...restore, ...changes };
  return Object.fromEntries(
    Object.entries(command).filter(([name]) => !(without as readonly string[]).includes(name)),
  ) as unknown as RecordRestoreTest;
};
const withdraw = (withdrawnOn: string, attestationId = 'isms'): WithdrawCertificate => ({
  ...sent,
  type: 'WithdrawCertificate',
  attestationId,
  withdrawnOn,
  reasonCode: 'scopeChanged',
});
const check = (attestationId: string): CheckAttestation => ({ ...sent, type: 'CheckAttestation', attestationId });
const raise = (changes: Partial<RaiseFinding> = {}): RaiseFinding => ({
  ...sent,
  type: 'RaiseFinding',
  attestationId: 'pentest',
  findingId: 'F-1',
  severity: 'high',
  ...changes,
});
const close = (changes: Partial<CloseFinding> = {}): CloseFinding => ({
  ...sent,
  type: 'CloseFinding',
  attestationId: 'pentest',
  findingId: 'F-1',
  closure: 'remedied',
  ...changes,
});

const registered: RegistrationRecorded = { type: 'RegistrationRecorded', data: fee };
const certified: CertificateRecorded = { type: 'CertificateRecorded', data: isms };
const tested: IndependentTestRecorded = { type: 'IndependentTestRecorded', data: pentest };
const restoreTested: RestoreTested = { type: 'RestoreTested', data: restore };
const withdrawn = (withdrawnOn: string): AssuranceEvent => ({
  type: 'CertificateWithdrawn',
  data: { attestationId: 'isms', withdrawnOn, reasonCode: 'scopeChanged' },
});
const raised: FindingRaised = {
  type: 'FindingRaised',
  data: { attestationId: 'pentest', findingId: 'F-1', severity: 'high' },
};
const closed: FindingClosed = {
  type: 'FindingClosed',
  data: { attestationId: 'pentest', findingId: 'F-1', closure: 'remedied' },
};

describe('an attestation', () => {
  it.each([
    ['registration', register(), registered],
    ['certificate', certify(), certified],
    ['independent test', test(), tested],
    ['tested restore', restored(), restoreTested],
  ])('is recorded once: %s', (_what, command, event) => {
    when(command).then(event);
    given(event).when(command).thenNothing();
  });

  it('keeps its id for itself', () => {
    given(certified)
      .when(certify({ scope: 'All.' }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { attestationId: 'isms' });
    given(registered)
      .when(certify({ attestationId: 'fee' }))
      .thenRefused('REGISTER_ENTRY_EXISTS');
  });

  it('lasts no longer than its scheme (I-10a)', () => {
    const details = (attestationId: string, scheme: string) => ({ attestationId, scheme, field: 'validTo' });
    when(register({ validTo: '2027-01-02' })).thenRefused('ATTESTATION_PERIOD_EXCEEDED', details('fee', 'ico-dp-fee'));
    when(certify({ scheme: 'cyber-essentials', validTo: '2026-06-02' })).thenRefused(
      'ATTESTATION_PERIOD_EXCEEDED',
      details('isms', 'cyber-essentials'),
    );
    when(certify({ scheme: 'cyber-essentials', validTo: '2026-06-01' })).thenTypes('CertificateRecorded');
  });

  it('is one for one number at a time (I-10a)', () => {
    const overlapping = { attestations: registerOf(attestationRegister, certified) };
    const other = { attestationId: 'other' };
    when(certify({ ...other, validFrom: '2028-05-31', validTo: '2031-05-31' }), overlapping).thenRefused(
      'REGISTER_ENTRY_EXISTS',
      { attestationId: 'isms', field: 'validFrom' },
    );
    when(certify({ ...other, validFrom: '2028-06-01', validTo: '2031-05-31' }), overlapping).thenTypes(
      'CertificateRecorded',
    );
    when(certify({ ...other, number: 'EX-2' }), overlapping).thenTypes('CertificateRecorded');
  });

  it('is history when its edition is over', () => when(certify({ edition: '2013' })).thenTypes('CertificateRecorded'));
});

describe('a test', () => {
  const refusal = { attestationId: 'pentest', recipientId: 'pacific', performedOn: '2026-03-31' };
  it.each([
    ['by its number', { testerCompanyNumber: 'ex 000003' }],
    ['by its name', { tester: 'example  pacific LTD' }],
  ])('is not independent when a group company did it, known %s (I-09a)', (_how, change) =>
    when(test(change)).thenRefused('TESTER_NOT_INDEPENDENT', refusal),
  );
  it('is independent once the company has left the group', () => {
    when(test({ testerCompanyNumber: 'EX000003', performedOn: '2026-06-01' })).thenTypes('IndependentTestRecorded');
    when(test({ testerCompanyNumber: 'EX000003', performedOn: '2026-05-31' })).thenRefused('TESTER_NOT_INDEPENDENT');
  });
  it('has been done', () =>
    when(test({ performedOn: '2026-11-24' })).thenRefused('OCCURRED_IN_FUTURE', { field: 'performedOn' }));
});

describe('a restore', () => {
  it.each([
    ['other digests', restored({ digestAfter: 'f'.repeat(64) }), 'digestBefore'],
    ['no digest of what there was', restored({}, 'digestBefore'), 'digestBefore'],
    ['no digest of what came back', restored({}, 'digestAfter'), 'digestAfter'],
    ['no digest at all', restored({}, 'digestBefore', 'digestAfter'), 'digestAfter'],
  ])('has not passed with %s', (_what, command, field) =>
    when(command).thenRefused('RESTORE_NOT_SHOWN', { attestationId: 'restore', field }),
  );
  it('has failed with whatever it gave', () => {
    const failed = restored({ outcome: 'failed', digestAfter: 'f'.repeat(64) });
    when(failed).thenTypes('RestoreTested');
    when(restored({ outcome: 'failed' }, 'digestBefore', 'digestAfter')).thenTypes('RestoreTested');
  });
  it('has been tested', () =>
    when(restored({ performedOn: '2026-11-24' })).thenRefused('OCCURRED_IN_FUTURE', { field: 'performedOn' }));
  it('that failed speaks for nothing, and has findings', () => {
    const failed: RestoreTested = { type: 'RestoreTested', data: { ...restore, outcome: 'failed' } };
    expect(attestationsAsOf(registerOf(attestationRegister, failed), '2026-04-01')).toEqual([]);
    expect(attestationsAsOf(registerOf(attestationRegister, restoreTested), '2026-04-01')).toMatchObject([
      { kind: 'restoreTest', scheme: 'restore-test', to: '2027-03-31' },
    ]);
    given(failed).when(check('restore'), at('2030-01-01T00:00:00Z')).thenNothing();
    given(failed)
      .when(raise({ attestationId: 'restore' }))
      .thenTypes('FindingRaised');
  });
});

describe('the group as it is known here', () => {
  it('is the group of the sharing register', () => {
    const members = (date: string) =>
      membersAsOf(registerOf(recipientRegister, ...group), date).map(({ registered: { recipientId } }) => recipientId);
    const member = (date: string) => groupMember(facts.group, { name: '', companyNumber: 'EX000003' }, date) ?? [];
    for (const date of ['2020-12-31', '2021-01-01', '2026-05-31', '2026-06-01'])
      expect([date, [member(date)].flat()]).toEqual([date, members(date)]);
  });
  it('is folded from the events that the sharing register folds', () =>
    expect([groupRegister.streamPrefix, groupRegister.folds]).toEqual([
      recipientRegister.streamPrefix,
      recipientRegister.folds,
    ]));
});

describe('a withdrawal', () => {
  it('ends a certificate', () => given(certified).when(withdraw('2027-01-01')).then(withdrawn('2027-01-01')));
  it('happens once', () => {
    given(certified, withdrawn('2027-01-01')).when(withdraw('2027-01-01')).thenNothing();
    given(certified, withdrawn('2027-01-01'))
      .when(withdraw('2027-02-01'))
      .thenRefused('VERSION_CONFLICT', { attestationId: 'isms', withdrawnOn: '2027-01-01' });
  });
  it('is of a certificate', () => {
    when(withdraw('2027-01-01')).thenRefused('REGISTER_ENTRY_UNKNOWN', { attestationId: 'isms' });
    given(tested).when(withdraw('2027-01-01', 'pentest')).thenRefused('REGISTER_ENTRY_UNKNOWN');
  });
  it('counts from its day', () => {
    const { at: append, events } = logbook();
    append('2026-01-01T09:00:00Z', certified);
    append('2026-01-01T09:00:00Z', {
      type: 'CertificateWithdrawn',
      data: { attestationId: 'isms', withdrawnOn: '2027-01-01', reasonCode: 'a' },
    });
    const state = events.reduce(
      (register, event) => attestationRegister.evolve(register, event as never),
      attestationRegister.initialState,
    );
    const inForce = (date: string) => attestationsAsOf(state, date).length;
    expect(['2025-05-31', '2025-06-01', '2026-12-31', '2027-01-01'].map(inForce)).toEqual([0, 1, 1, 0]);
  });
});

describe('time', () => {
  const warned = (daysLeft: number): AssuranceEvent => ({
    type: 'CertificateExpiring',
    data: { attestationId: 'isms', validTo: '2028-05-31', daysLeft },
  });
  const expired: AssuranceEvent = {
    type: 'CertificateExpired',
    data: { attestationId: 'isms', validTo: '2028-05-31' },
  };

  it('warns of a certificate 90, 30 and 7 days before, and says when it is over, each once', () => {
    given(certified).when(check('isms'), at('2028-03-01T23:59:59Z')).thenNothing();
    given(certified).when(check('isms'), at('2028-03-02T00:00:00Z')).then(warned(90));
    given(certified, warned(90)).when(check('isms'), at('2028-03-02T00:00:00Z')).thenNothing();
    given(certified, warned(90)).when(check('isms'), at('2028-04-30T23:00:00Z')).then(warned(30));
    given(certified, warned(30)).when(check('isms'), at('2028-05-23T23:00:00Z')).then(warned(7));
    given(certified, warned(7)).when(check('isms'), at('2028-05-31T22:59:59Z')).thenNothing();
    given(certified, warned(7)).when(check('isms'), at('2028-05-31T23:00:00Z')).then(expired);
    given(certified, expired).when(check('isms'), at('2030-01-01T00:00:00Z')).thenNothing();
  });

  it('makes up no warning that nobody was there to give', () => {
    given(certified).when(check('isms'), at('2028-05-30T00:00:00Z')).then(warned(7));
    given(certified).when(check('isms'), at('2030-01-01T00:00:00Z')).then(expired);
  });

  it('warns of a registration 60, 30 and 7 days before', () => {
    const expiring = (daysLeft: number): AssuranceEvent => ({
      type: 'RegistrationExpiring',
      data: { attestationId: 'fee', validTo: '2026-12-31', daysLeft },
    });
    given(registered).when(check('fee'), at('2026-10-31T23:59:59Z')).thenNothing();
    given(registered).when(check('fee'), at('2026-11-01T00:00:00Z')).then(expiring(60));
    given(registered, expiring(60)).when(check('fee'), at('2026-12-01T00:00:00Z')).then(expiring(30));
    given(registered, expiring(30)).when(check('fee'), at('2026-12-24T00:00:00Z')).then(expiring(7));
    given(registered).when(check('fee'), at('2027-01-01T00:00:00Z')).thenTypes('RegistrationExpired');
  });

  it('lets a test speak for twelve months', () => {
    given(tested).when(check('pentest'), at('2027-03-31T22:59:59Z')).thenNothing();
    given(tested)
      .when(check('pentest'), at('2027-03-31T23:00:00Z'))
      .then({ type: 'IndependentTestStale', data: { attestationId: 'pentest', performedOn: '2026-03-31' } });
  });

  it('lets a restore speak for twelve months', () => {
    given(restoreTested).when(check('restore'), at('2027-03-31T22:59:59Z')).thenNothing();
    given(restoreTested)
      .when(check('restore'), at('2027-03-31T23:00:00Z'))
      .then({ type: 'RestoreTestStale', data: { attestationId: 'restore', performedOn: '2026-03-31' } });
  });

  it('does nothing to what was withdrawn, or never was', () => {
    given(certified, withdrawn('2027-01-01')).when(check('isms'), at('2030-01-01T00:00:00Z')).thenNothing();
    when(check('isms'), at('2030-01-01T00:00:00Z')).thenNothing();
  });
});

describe('a finding', () => {
  it('is raised and closed, each once', () => {
    given(tested).when(raise()).then(raised);
    given(tested, raised).when(raise()).thenNothing();
    given(tested, raised).when(close()).then(closed);
    given(tested, raised, closed).when(close()).thenNothing();
    given(tested, raised, closed).when(raise()).thenNothing();
  });
  it('stays what it was', () => {
    given(tested, raised)
      .when(raise({ severity: 'low' }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { attestationId: 'pentest', findingId: 'F-1' });
    given(tested, raised, closed)
      .when(close({ closure: 'riskAccepted' }))
      .thenRefused('VERSION_CONFLICT', { attestationId: 'pentest', findingId: 'F-1' });
  });
  it('is of an attestation', () => {
    when(raise()).thenRefused('REGISTER_ENTRY_UNKNOWN', { attestationId: 'pentest' });
    given(tested).when(close()).thenRefused('REGISTER_ENTRY_UNKNOWN', { attestationId: 'pentest', findingId: 'F-1' });
  });
});

it('passes over no event of its stream', () => expect(Object.keys(assuranceDecider.folds)).toHaveLength(13));
