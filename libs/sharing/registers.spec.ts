import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, logbook, registerOf, scenario } from '#kernel/testing';
import type { AgreementCommand, RecordAgreement } from './agreement.commands.js';
import { agreementDecider } from './agreement.decider.js';
import type { AgreementEvent, AgreementRecorded } from './agreement.events.js';
import { agreementRegister, agreementsAsOf, termsOn } from './agreement.register.js';
import type { InstrumentCommand, RecordStatutoryInstrument } from './instrument.commands.js';
import { instrumentDecider } from './instrument.decider.js';
import type { StatutoryInstrumentRecorded } from './instrument.events.js';
import { instrumentRegister, instrumentsAsOf, notInForce } from './instrument.register.js';
import type { RecipientCommand, RegisterRecipient } from './recipient.commands.js';
import { recipientDecider } from './recipient.decider.js';
import type { GroupMembershipEnded, GroupMembershipStarted, RecipientRegistered } from './recipient.events.js';
import { membersAsOf, recipientRegister } from './recipient.register.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };

const pacific: RecipientRegistered['data'] = {
  recipientId: 'chersoft-pacific',
  kind: 'GROUP',
  name: 'CherSoft Pacific',
  legalForm: 'company',
  country: 'NZ',
};
const { recipientId } = pacific;
const register = (changes: Partial<RegisterRecipient> = {}): RecipientCommand => ({
  ...sent,
  type: 'RegisterRecipient',
  ...pacific,
  ...changes,
});
const start = (from: string, companyNumber = 'NZ123'): RecipientCommand => ({
  ...sent,
  type: 'StartGroupMembership',
  recipientId,
  companyNumber,
  from,
});
const end = (to: string): RecipientCommand => ({ ...sent, type: 'EndGroupMembership', recipientId, to });
const registered: RecipientRegistered = { type: 'RecipientRegistered', data: pacific };
const started = (from: string, companyNumber = 'NZ123'): GroupMembershipStarted => ({
  type: 'GroupMembershipStarted',
  data: { recipientId, companyNumber, from },
});
const ended = (to: string): GroupMembershipEnded => ({ type: 'GroupMembershipEnded', data: { recipientId, to } });

describe('a recipient', () => {
  const { given, when } = scenario(recipientDecider, factsAt());

  it('is registered', () => when(register()).then(registered));
  it('is registered once', () => given(registered).when(register()).thenNothing());
  it('keeps its id for itself', () =>
    given(registered)
      .when(register({ kind: 'PROCESSOR' }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { recipientId }));
  it('is the person, of whom nothing is written down', () =>
    when({ ...sent, type: 'RegisterRecipient', recipientId: 'self', kind: 'SELF' }).then({
      type: 'RecipientRegistered',
      data: { recipientId: 'self', kind: 'SELF' },
    }));

  it('joins the group', () => given(registered).when(start('2024-01-01')).then(started('2024-01-01')));
  it('joins once', () =>
    given(registered, started('2024-01-01'), ended('2026-06-01')).when(start('2024-01-01')).thenNothing());
  it('must be registered to join or leave', () => {
    when(start('2024-01-01')).thenRefused('RECIPIENT_UNKNOWN', { recipientId });
    when(end('2024-01-01')).thenRefused('RECIPIENT_UNKNOWN', { recipientId });
  });
  it('joins as a group company only', () =>
    given({ ...registered, data: { ...pacific, kind: 'PROCESSOR' } })
      .when(start('2024-01-01'))
      .thenRefused('REGISTER_ENTRY_UNKNOWN', { recipientId, kind: 'PROCESSOR' }));
  it.each(['2023-01-01', '2024-01-02', '2026-05-31'])('is no member twice at a time: again from %s', (from) => {
    const { when: again } = given(registered, started('2024-01-01'), ended('2026-06-01'));
    again(start(from)).thenRefused('REGISTER_ENTRY_EXISTS', { recipientId, from: '2024-01-01' });
  });
  it('may come back on the day it left', () =>
    given(registered, started('2024-01-01'), ended('2026-06-01'))
      .when(start('2026-06-01'))
      .then(started('2026-06-01')));

  it('leaves', () => given(registered, started('2024-01-01')).when(end('2026-06-01')).then(ended('2026-06-01')));
  it('leaves once, also when it has come back since', () => {
    const left = [registered, started('2024-01-01'), ended('2026-06-01')];
    given(...left)
      .when(end('2026-06-01'))
      .thenNothing();
    given(...left, started('2026-06-01'))
      .when(end('2026-06-01'))
      .thenNothing();
  });
  it('leaves only what it has joined', () => {
    given(registered).when(end('2026-06-01')).thenRefused('REGISTER_ENTRY_UNKNOWN');
    given(registered, started('2024-01-01')).when(end('2024-01-01')).thenRefused('REGISTER_ENTRY_UNKNOWN');
  });

  it('is a member from its first day until the day it left', () => {
    const state = registerOf(recipientRegister, registered, started('2024-01-01'), ended('2026-06-01'));
    const members = (date: string) => membersAsOf(state, date).map((each) => each.registered.recipientId);
    expect(['2023-12-31', '2024-01-01', '2026-05-31', '2026-06-01'].map(members)).toEqual([
      [],
      [recipientId],
      [recipientId],
      [],
    ]);
  });

  it('changes nothing when a command is repeated', () => {
    const date = fc.integer({ min: 10, max: 30 }).map((day) => `2026-06-${day}`);
    const command = fc.oneof(
      fc.constant(register()),
      date.map((from) => start(from)),
      date.map(end),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), command, (before, last) => {
        repeats(recipientDecider, factsAt(), before, last);
      }),
    );
  });
});

const agreed: AgreementRecorded['data'] = {
  agreementId: 'mail-host-dpa',
  recipientId: 'mail-host',
  kind: 'art28',
  purposes: ['send-newsletter'],
  categories: ['contact.email'],
  from: '2026-01-01',
  to: '2027-01-01',
  publicSummary: 'Our mail host sends letters for us and may do nothing else with the addresses.',
  documentHash: 'a'.repeat(64),
  checklist: ['instructions', 'confidentiality', 'security'],
};
const { agreementId } = agreed;
const record = (changes: Partial<RecordAgreement> = {}): AgreementCommand => ({
  ...sent,
  type: 'RecordAgreement',
  ...agreed,
  ...changes,
});
const endAgreement = (to: string): AgreementCommand => ({ ...sent, type: 'EndAgreement', agreementId, to });
const agreementRecorded: AgreementRecorded = { type: 'AgreementRecorded', data: agreed };
const agreementEnded = (to: string) =>
  ({ type: 'AgreementEnded', data: { agreementId, recipientId: 'mail-host', to } }) as const;

describe('an agreement', () => {
  const recipients = registerOf(recipientRegister, {
    type: 'RecipientRegistered',
    data: { recipientId: 'mail-host', kind: 'PROCESSOR', name: 'Mail Host', legalForm: 'company', country: 'GB' },
  });
  const facts = { ...factsAt(), recipients };
  const { given, when } = scenario(agreementDecider, facts);

  it('is recorded', () => when(record()).then(agreementRecorded));
  it('is recorded once', () => given(agreementRecorded, agreementEnded('2026-07-01')).when(record()).thenNothing());
  it('keeps its id for itself', () =>
    given(agreementRecorded)
      .when(record({ categories: ['contact.phone'] }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { agreementId }));
  it('is with a recipient we know', () =>
    when(record({ recipientId: 'constructor' })).thenRefused('RECIPIENT_UNKNOWN', { recipientId: 'constructor' }));
  it.each([undefined, '', ' \n'])('says in plain words what it is about, not %j (I-22b)', (publicSummary) => {
    const { publicSummary: _dropped, ...rest } = record() as RecordAgreement;
    when({ ...rest, ...(publicSummary !== undefined && { publicSummary }) } as AgreementCommand).thenRefused(
      'AGREEMENT_SUMMARY_MISSING',
      { agreementId, field: 'publicSummary' },
    );
  });

  it('ends before its time', () =>
    given(agreementRecorded).when(endAgreement('2026-07-01')).then(agreementEnded('2026-07-01')));
  it('ends once', () =>
    given(agreementRecorded, agreementEnded('2026-07-01')).when(endAgreement('2026-07-01')).thenNothing());
  it('is not lengthened by ending it', () => {
    given(agreementRecorded).when(endAgreement('2027-01-02')).thenRefused('VERSION_CONFLICT', {
      agreementId,
      to: '2027-01-01',
    });
    given(agreementRecorded, agreementEnded('2026-07-01'))
      .when(endAgreement('2026-08-01'))
      .thenRefused('VERSION_CONFLICT', { agreementId, to: '2026-07-01' });
  });
  it('must exist to end', () =>
    when(endAgreement('2026-07-01')).thenRefused('REGISTER_ENTRY_UNKNOWN', { agreementId }));

  const amendment = { ...agreed, version: 2, from: '2026-06-01', to: '2028-01-01', categories: ['contact.phone'] };
  const { kind: _kind, ...amendedTerms } = amendment;
  const amend = (changes: object = {}) =>
    ({ ...sent, type: 'AmendAgreement', ...amendedTerms, ...changes }) as AgreementCommand;
  const amended = { type: 'AgreementAmended', data: amendedTerms } as const;
  it('is amended by a version that follows the newest', () => {
    given(agreementRecorded).when(amend()).then(amended);
    given(agreementRecorded, amended).when(amend()).thenNothing();
    given(agreementRecorded)
      .when(amend({ version: 3 }))
      .thenRefused('VERSION_CONFLICT', { agreementId, version: 1 });
    given(agreementRecorded, amended)
      .when(amend({ documentHash: 'd'.repeat(64) }))
      .thenRefused('VERSION_CONFLICT', { agreementId, version: 2 });
    when(amend()).thenRefused('REGISTER_ENTRY_UNKNOWN', { agreementId });
    given(agreementRecorded)
      .when(amend({ publicSummary: ' ' }))
      .thenRefused('AGREEMENT_SUMMARY_MISSING');
  });
  it('is not brought back by amending it, nor amended over a gap or before its time', () => {
    given(agreementRecorded, agreementEnded('2026-12-01'))
      .when(amend())
      .thenRefused('VERSION_CONFLICT', { agreementId, to: '2026-12-01' });
    given(agreementRecorded)
      .when(amend({ from: '2027-01-02' }))
      .thenRefused('VERSION_CONFLICT', { agreementId, to: '2027-01-01' });
    given(agreementRecorded)
      .when(amend({ from: '2025-12-31' }))
      .thenRefused('VERSION_CONFLICT', { agreementId, from: '2026-01-01' });
    given({ ...agreementRecorded, data: { ...agreed, to: '2026-11-01' } })
      .when(amend())
      .thenRefused('VERSION_CONFLICT', { agreementId, to: '2026-11-01' });
  });
  it('says on each day what the version of that day says, until the end agreed last', () => {
    const state = registerOf<AgreementEvent, typeof agreementRegister.initialState>(
      agreementRegister,
      agreementRecorded,
      amended,
    );
    const said = (date: string) => termsOn(state.get(agreementId)!, date)?.categories;
    expect(['2026-05-31', '2026-06-01', '2027-06-01', '2028-01-01'].map(said)).toEqual([
      ['contact.email'],
      ['contact.phone'],
      ['contact.phone'],
      undefined,
    ]);
  });

  it('is in force from its first day until its end', () => {
    const state = registerOf(agreementRegister, agreementRecorded, agreementEnded('2026-07-01'));
    const count = (date: string) => agreementsAsOf(state, date).length;
    expect(['2025-12-31', '2026-01-01', '2026-06-30', '2026-07-01'].map(count)).toEqual([0, 1, 1, 0]);
  });

  it('changes nothing when a command is repeated', () => {
    const command = fc.oneof(
      fc.constantFrom(record(), record({ categories: ['contact.phone'] }), amend(), amend({ version: 3 })),
      fc.integer({ min: 10, max: 30 }).map((day) => endAgreement(`2026-06-${day}`)),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 6 }), command, (before, last) => {
        repeats(agreementDecider, facts, before, last);
      }),
    );
  });
});

const whole: StatutoryInstrumentRecorded['data'] = {
  instrumentId: 'order-2026-17',
  enactment: 'Police and Criminal Evidence Act 1984',
  section: 'Schedule 1',
  instrumentKind: 'productionOrder',
  reference: 'T20260017',
  issuer: 'Crown Court at Exeter',
  issuedOn: '2026-05-01',
  validUntil: '2026-07-31',
  scope: { categories: ['contact.email'] },
  mandatory: true,
  reviewedBy: 'counsel',
  noTippingOff: true,
  documentHash: 'b'.repeat(64),
};
const { instrumentId } = whole;
const instrument = (changes: Partial<RecordStatutoryInstrument> = {}): InstrumentCommand => ({
  ...sent,
  type: 'RecordStatutoryInstrument',
  ...whole,
  ...changes,
});
const withdraw: InstrumentCommand = { ...sent, type: 'WithdrawInstrument', instrumentId };
const answer: InstrumentCommand = { ...sent, type: 'MarkInstrumentAnswered', instrumentId };
const instrumentRecorded: StatutoryInstrumentRecorded = { type: 'StatutoryInstrumentRecorded', data: whole };
const withdrawn = { type: 'InstrumentWithdrawn', data: { instrumentId } } as const;
const answered = { type: 'InstrumentAnswered', data: { instrumentId } } as const;

describe('a statutory instrument', () => {
  const { given, when } = scenario(instrumentDecider, factsAt());

  it('is recorded whole', () => when(instrument()).then(instrumentRecorded));
  it('is recorded once, also after it was withdrawn', () =>
    given(instrumentRecorded, withdrawn).when(instrument()).thenNothing());
  it('keeps its id for itself', () =>
    given(instrumentRecorded)
      .when(instrument({ reference: 'T20260018' }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { instrumentId }));

  it.each([
    'enactment',
    'section',
    'instrumentKind',
    'reference',
    'issuer',
    'issuedOn',
    'scope',
    'mandatory',
    'reviewedBy',
    'documentHash',
  ] as const)('does not compel without %s (I-19b)', (part) => {
    const { [part]: _left, ...rest } = instrument() as RecordStatutoryInstrument;
    when(rest as InstrumentCommand).thenRefused('COMPULSION_INCOMPLETE', { instrumentId, missing: [part] });
  });
  it('does not compel when it may be answered or not, is blank, or reaches nothing', () =>
    when(instrument({ mandatory: false, section: ' ', scope: { categories: [] } })).thenRefused(
      'COMPULSION_INCOMPLETE',
      { instrumentId, missing: ['section', 'scope', 'mandatory'] },
    ));
  it('is reviewed by another person than its recorder', () =>
    when(instrument({ reviewedBy: factsAt().actor.id })).thenRefused('COMPULSION_INCOMPLETE', {
      instrumentId,
      missing: ['reviewedBy'],
    }));

  it('is withdrawn, and answered, once', () => {
    given(instrumentRecorded).when(withdraw).then(withdrawn);
    given(instrumentRecorded, withdrawn).when(withdraw).thenNothing();
    given(instrumentRecorded).when(answer).then(answered);
    given(instrumentRecorded, answered).when(answer).thenNothing();
  });
  it('must exist for that', () => {
    when(withdraw).thenRefused('REGISTER_ENTRY_UNKNOWN', { instrumentId });
    when(answer).thenRefused('REGISTER_ENTRY_UNKNOWN', { instrumentId });
  });

  it('compels from the day of issue, in London, to its last day', () => {
    const state = registerOf(instrumentRegister, instrumentRecorded);
    const why = (at: string) => notInForce(state.get(instrumentId)!, instant(at));
    expect(why('2026-04-30T22:59:59Z')).toBe('notIssued');
    expect(why('2026-04-30T23:00:00Z')).toBeUndefined();
    expect(why('2026-07-31T22:59:59Z')).toBeUndefined();
    expect(why('2026-07-31T23:00:00Z')).toBe('lapsed');
    expect(instrumentsAsOf(state, instant('2026-06-01T09:00:00Z'))).toHaveLength(1);
  });
  it.each(['withdrawn', 'answered'] as const)('compels no more from the moment it is %s', (status) => {
    const { at } = logbook();
    const state = [
      at('2026-05-01T09:00:00Z', instrumentRecorded),
      at('2026-06-01T09:00:00Z', status === 'withdrawn' ? withdrawn : answered),
    ].reduce(instrumentRegister.evolve, instrumentRegister.initialState);
    expect(notInForce(state.get(instrumentId)!, instant('2026-06-01T08:59:59Z'))).toBeUndefined();
    expect(notInForce(state.get(instrumentId)!, instant('2026-06-01T09:00:00Z'))).toBe(status);
  });

  it('changes nothing when a command is repeated', () => {
    const command = fc.constantFrom(instrument(), instrument({ reference: 'T20260018' }), withdraw, answer);
    fc.assert(
      fc.property(fc.array(command, { maxLength: 6 }), command, (before, last) => {
        repeats(instrumentDecider, factsAt(), before, last);
      }),
    );
  });
});

/** Sends the commands one after the other, and the last one twice. */
function repeats<
  C extends { readonly type: string },
  E extends { type: string; data: object },
  S,
  F extends ReturnType<typeof factsAt>,
>(decider: Parameters<typeof scenario<C, E, S, F>>[0], facts: F, before: readonly C[], last: C): void {
  let state = decider.initialState;
  const send = (command: C) => {
    const outcome = decider.decide(command, state, facts);
    if (outcome.kind === 'accepted')
      state = outcome.events.reduce((folded, event) => decider.evolve(folded, event, facts.occurredAt), state);
    return outcome;
  };
  before.forEach(send);
  if (send(last).kind === 'accepted') expect(send(last)).toEqual({ kind: 'accepted', events: [] });
}
