import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { AgreementCommand, EndAgreement, RecordAgreement } from './agreement.commands.js';
import type { AgreementEvent, AgreementRecorded } from './agreement.events.js';
import { evolveAgreement, type Agreement } from './agreement.register.js';
import type { RecipientRegisterState } from './recipient.register.js';

/** The stream of one agreement. */
export const agreementStream = (agreementId: string): string => `agreement-${agreementId}`;

export interface AgreementFacts extends Facts {
  readonly recipients: RecipientRegisterState;
}

export const agreementDecider: Decider<AgreementCommand, AgreementEvent, Agreement | undefined, AgreementFacts> = {
  initialState: undefined,
  folds: { AgreementRecorded: true, AgreementEnded: true },
  evolve: evolveAgreement,
  decide(command, agreement, facts) {
    return command.type === 'RecordAgreement' ? record(command, agreement, facts) : end(command, agreement);
  },
};

function record(
  command: RecordAgreement,
  agreement: Agreement | undefined,
  facts: AgreementFacts,
): Outcome<AgreementEvent> {
  const { agreementId, recipientId, to, transferMechanism } = command;
  const publicSummary = command.publicSummary?.trim() ?? '';
  if (!facts.recipients.has(recipientId)) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  if (publicSummary === '') return refuse('AGREEMENT_SUMMARY_MISSING', { agreementId, field: 'publicSummary' });
  const data: AgreementRecorded['data'] = {
    agreementId,
    recipientId,
    kind: command.kind,
    purposes: command.purposes,
    categories: command.categories,
    from: command.from,
    ...(to !== undefined && { to }),
    ...(transferMechanism !== undefined && { transferMechanism }),
    publicSummary,
    documentHash: command.documentHash,
    checklist: command.checklist,
  };
  if (!agreement) return accept({ type: 'AgreementRecorded', data });
  return canonicalJson(agreement.recorded) === canonicalJson(data)
    ? unchanged
    : refuse('REGISTER_ENTRY_EXISTS', { agreementId });
}

function end({ agreementId, to }: EndAgreement, agreement: Agreement | undefined): Outcome<AgreementEvent> {
  if (!agreement) return refuse('REGISTER_ENTRY_UNKNOWN', { agreementId });
  const { recorded, endedOn } = agreement;
  if (endedOn === to) return unchanged;
  // An end that was announced stands, and no agreement is lengthened by ending it.
  if (endedOn !== undefined) return refuse('VERSION_CONFLICT', { agreementId, to: endedOn });
  if (recorded.to !== undefined && recorded.to < to)
    return refuse('VERSION_CONFLICT', { agreementId, to: recorded.to });
  return accept({ type: 'AgreementEnded', data: { agreementId, recipientId: recorded.recipientId, to } });
}
