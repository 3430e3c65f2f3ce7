import type { CivilDate, Register } from '#kernel';

/**
 * What independence has to know of the group. These are events of the capability `sharing`, which stands above the
 * notices and so above this one: it cannot be imported here, and a test holds the two together.
 */
export type GroupEvent =
  | {
      readonly type: 'RecipientRegistered';
      readonly data: { readonly recipientId: string; readonly name?: string };
    }
  | {
      readonly type: 'GroupMembershipStarted';
      readonly data: { readonly recipientId: string; readonly companyNumber: string; readonly from: CivilDate };
    }
  | {
      readonly type: 'GroupMembershipEnded';
      readonly data: { readonly recipientId: string; readonly to: CivilDate };
    };

interface Company {
  readonly name?: string;
  readonly memberships: readonly {
    readonly companyNumber: string;
    readonly from: CivilDate;
    readonly to?: CivilDate;
  }[];
}

/** By recipient id. */
export type GroupRegisterState = ReadonlyMap<string, Company>;

export const groupRegister: Register<GroupEvent, GroupRegisterState> = {
  name: 'group',
  streamPrefix: 'recipient-',
  initialState: new Map(),
  folds: { RecipientRegistered: true, GroupMembershipStarted: true, GroupMembershipEnded: true },
  evolve(state, event) {
    const company = state.get(event.data.recipientId) ?? { memberships: [] };
    return new Map(state).set(event.data.recipientId, evolveCompany(company, event));
  },
};

function evolveCompany(company: Company, event: GroupEvent): Company {
  switch (event.type) {
    case 'RecipientRegistered':
      return { ...company, ...(event.data.name !== undefined && { name: event.data.name }) };
    case 'GroupMembershipStarted': {
      const { companyNumber, from } = event.data;
      return { ...company, memberships: [...company.memberships, { companyNumber, from }] };
    }
    case 'GroupMembershipEnded': {
      const { to } = event.data;
      return {
        ...company,
        memberships: company.memberships.map((each) => (each.to === undefined ? { ...each, to } : each)),
      };
    }
  }
}

/**
 * The member of the group on that date, in London, that bears the number or the name; `undefined` when there is none.
 * Case, spaces and leading zeros make no difference.
 *
 * @returns its recipient id.
 */
export function groupMember(
  state: GroupRegisterState,
  organisation: { readonly name: string; readonly companyNumber: string },
  date: CivilDate,
): string | undefined {
  const [name, number] = [plain(organisation.name), plainNumber(organisation.companyNumber)];
  for (const [recipientId, company] of state) {
    const membership = company.memberships.find(({ from, to }) => from <= date && (to === undefined || date < to));
    if (!membership) continue;
    if (plainNumber(membership.companyNumber) === number || plain(company.name ?? '') === name) return recipientId;
  }
  return undefined;
}

const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim();
const plainNumber = (text: string): string => text.toLowerCase().replace(/\s/g, '').replace(/^0+/, '');
