import type { CivilDate, Register } from '#kernel';
import type { RecipientEvent, RecipientRegistered } from './recipient.events.js';

/** A recipient with its times in the group, oldest entry first; they never overlap. */
export interface Recipient {
  readonly registered: RecipientRegistered['data'];
  readonly memberships: readonly Membership[];
}

export interface Membership {
  readonly companyNumber: string;
  readonly from: CivilDate;
  /** Exclusive; open while absent. */
  readonly to?: CivilDate;
}

/** By recipient id. */
export type RecipientRegisterState = ReadonlyMap<string, Recipient>;

export function evolveRecipient(recipient: Recipient | undefined, event: RecipientEvent): Recipient | undefined {
  if (event.type === 'RecipientRegistered') return { registered: event.data, memberships: [] };
  if (!recipient) return undefined;
  const { memberships } = recipient;
  switch (event.type) {
    case 'GroupMembershipStarted': {
      const { companyNumber, from } = event.data;
      return { ...recipient, memberships: [...memberships, { companyNumber, from }] };
    }
    case 'GroupMembershipEnded': {
      const { to } = event.data;
      return { ...recipient, memberships: memberships.map((each) => (each.to === undefined ? { ...each, to } : each)) };
    }
  }
}

export const recipientRegister: Register<RecipientEvent, RecipientRegisterState> = {
  name: 'recipients',
  streamPrefix: 'recipient-',
  initialState: new Map(),
  folds: { RecipientRegistered: true, GroupMembershipStarted: true, GroupMembershipEnded: true },
  evolve(state, event) {
    const { recipientId } = event.data;
    const recipient = evolveRecipient(state.get(recipientId), event);
    return recipient ? new Map(state).set(recipientId, recipient) : state;
  },
};

/** The membership in force on that date in London: from its first day until the day it ended, exclusive (I-19e). */
export function membershipOn(recipient: Recipient, date: CivilDate): Membership | undefined {
  return recipient.memberships.find(({ from, to }) => from <= date && (to === undefined || date < to));
}

/** `GroupRegisterAsOf`: the members of the group on that date in London. */
export function membersAsOf(state: RecipientRegisterState, date: CivilDate): readonly Recipient[] {
  return [...state.values()].filter((recipient) => membershipOn(recipient, date) !== undefined);
}
