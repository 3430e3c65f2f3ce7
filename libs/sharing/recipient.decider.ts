import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { EndGroupMembership, RecipientCommand, StartGroupMembership } from './recipient.commands.js';
import type { RecipientEvent, RecipientRegistered } from './recipient.events.js';
import { evolveRecipient, type Recipient } from './recipient.register.js';

/** The stream of one recipient. */
export const recipientStream = (recipientId: string): string => `recipient-${recipientId}`;

export const recipientDecider: Decider<RecipientCommand, RecipientEvent, Recipient | undefined, Facts> = {
  initialState: undefined,
  folds: { RecipientRegistered: true, GroupMembershipStarted: true, GroupMembershipEnded: true },
  evolve: evolveRecipient,
  decide(command, recipient) {
    const { recipientId } = command;
    if (command.type === 'RegisterRecipient') {
      const { kind, name, legalForm, country } = command;
      const data: RecipientRegistered['data'] = {
        recipientId,
        kind,
        ...(name !== undefined && { name }),
        ...(legalForm !== undefined && { legalForm }),
        ...(country !== undefined && { country }),
      };
      if (!recipient) return accept({ type: 'RecipientRegistered', data });
      return canonicalJson(recipient.registered) === canonicalJson(data)
        ? unchanged
        : refuse('REGISTER_ENTRY_EXISTS', { recipientId });
    }
    if (!recipient) return refuse('RECIPIENT_UNKNOWN', { recipientId });
    return command.type === 'StartGroupMembership' ? start(command, recipient) : end(command, recipient);
  },
};

function start(command: StartGroupMembership, { registered, memberships }: Recipient): Outcome<RecipientEvent> {
  const { recipientId, companyNumber, from } = command;
  if (registered.kind !== 'GROUP') return refuse('REGISTER_ENTRY_UNKNOWN', { recipientId, kind: registered.kind });
  if (memberships.some((each) => each.companyNumber === companyNumber && each.from === from)) return unchanged;
  // The new membership has no end yet: whatever has not ended by its first day overlaps it.
  const overlapped = memberships.find(({ to }) => to === undefined || from < to);
  if (overlapped) return refuse('REGISTER_ENTRY_EXISTS', { recipientId, from: overlapped.from });
  return accept({ type: 'GroupMembershipStarted', data: { recipientId, companyNumber, from } });
}

function end(command: EndGroupMembership, { memberships }: Recipient): Outcome<RecipientEvent> {
  const { recipientId, to } = command;
  // A membership lasts at least a day, so no two of them end on the same one.
  if (memberships.some((each) => each.to === to)) return unchanged;
  const open = memberships.find((each) => each.to === undefined);
  if (!open || to <= open.from) return refuse('REGISTER_ENTRY_UNKNOWN', { recipientId, field: 'membership' });
  return accept({ type: 'GroupMembershipEnded', data: { recipientId, to } });
}
