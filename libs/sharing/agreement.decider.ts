import { londonDate } from '#calendar';
import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { AgreementCommand, AmendAgreement, EndAgreement, RecordAgreement } from './agreement.commands.js';
import type { AgreementAmended, AgreementEvent, AgreementRecorded, AgreementTerms } from './agreement.events.js';
import { endOf, evolveAgreement, versionsOf, type Agreement } from './agreement.register.js';
import type { RecipientRegisterState } from './recipient.register.js';

/** The stream of one agreement. */
export const agreementStream = (agreementId: string): string => `agreement-${agreementId}`;

export interface AgreementFacts extends Facts {
  readonly recipients: RecipientRegisterState;
}

export const agreementDecider: Decider<AgreementCommand, AgreementEvent, Agreement | undefined, AgreementFacts> = {
  initialState: undefined,
  folds: { AgreementRecorded: true, AgreementAmended: true, AgreementEnded: true },
  evolve: evolveAgreement,
  decide(command, agreement, facts) {
    switch (command.type) {
      case 'RecordAgreement':
        return record(command, agreement, facts);
      case 'AmendAgreement':
        return amend(command, agreement, facts);
      case 'EndAgreement':
        return end(command, agreement);
    }
  },
};

function record(
  command: RecordAgreement,
  agreement: Agreement | undefined,
  facts: AgreementFacts,
): Outcome<AgreementEvent> {
  const { agreementId, recipientId, kind } = command;
  if (!facts.recipients.has(recipientId)) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  const terms = termsOf(command);
  if (terms.publicSummary === '') return refuse('AGREEMENT_SUMMARY_MISSING', { agreementId, field: 'publicSummary' });
  const data: AgreementRecorded['data'] = { agreementId, recipientId, kind, ...terms };
  if (!agreement) return accept({ type: 'AgreementRecorded', data });
  return canonicalJson(agreement.recorded) === canonicalJson(data)
    ? unchanged
    : refuse('REGISTER_ENTRY_EXISTS', { agreementId });
}

/** A version follows the one before without a gap; what has ended is not brought back by amending it. */
function amend(
  command: AmendAgreement,
  agreement: Agreement | undefined,
  facts: AgreementFacts,
): Outcome<AgreementEvent> {
  const { agreementId, version } = command;
  if (!agreement) return refuse('REGISTER_ENTRY_UNKNOWN', { agreementId });
  const terms = termsOf(command);
  if (terms.publicSummary === '') return refuse('AGREEMENT_SUMMARY_MISSING', { agreementId, field: 'publicSummary' });
  const data: AgreementAmended['data'] = {
    agreementId,
    recipientId: agreement.recorded.recipientId,
    version,
    ...terms,
  };
  const newest = versionsOf(agreement).at(-1) ?? { ...agreement.recorded, version: 1 };
  if (version <= newest.version) {
    const before = agreement.amendments.find((each) => each.version === version);
    return before && canonicalJson(before) === canonicalJson(data)
      ? unchanged
      : refuse('VERSION_CONFLICT', { agreementId, version: newest.version });
  }
  const end = endOf(agreement);
  if (version !== newest.version + 1) return refuse('VERSION_CONFLICT', { agreementId, version: newest.version });
  if (terms.from < newest.from) return refuse('VERSION_CONFLICT', { agreementId, from: newest.from });
  if (agreement.endedOn !== undefined || (end !== undefined && (end <= londonDate(facts.now) || end < terms.from)))
    return refuse('VERSION_CONFLICT', { agreementId, to: end ?? '' });
  return accept({ type: 'AgreementAmended', data });
}

function termsOf(command: RecordAgreement | AmendAgreement): AgreementTerms {
  const { to, transferMechanism } = command;
  return {
    purposes: command.purposes,
    categories: command.categories,
    from: command.from,
    ...(to !== undefined && { to }),
    ...(transferMechanism !== undefined && { transferMechanism }),
    publicSummary: command.publicSummary?.trim() ?? '',
    documentHash: command.documentHash,
    checklist: command.checklist,
  };
}

function end({ agreementId, to }: EndAgreement, agreement: Agreement | undefined): Outcome<AgreementEvent> {
  if (!agreement) return refuse('REGISTER_ENTRY_UNKNOWN', { agreementId });
  const { recorded, endedOn } = agreement;
  if (endedOn === to) return unchanged;
  const agreed = endOf(agreement);
  // An end that was announced stands, and no agreement is lengthened by ending it.
  if (endedOn !== undefined) return refuse('VERSION_CONFLICT', { agreementId, to: endedOn });
  if (agreed !== undefined && agreed < to) return refuse('VERSION_CONFLICT', { agreementId, to: agreed });
  return accept({ type: 'AgreementEnded', data: { agreementId, recipientId: recorded.recipientId, to } });
}
