import { grantRegister, openingAt } from '#access';
import { purposeRegister } from '#purpose';
import type { Registers } from '#slice';
import { bulkViewRegister } from './bulk-view.register.js';
import type { Opened, ViewFacts } from './view.decider.js';
import type { ViewerFacts } from './viewer.decider.js';

type LookFacts = Pick<ViewFacts, 'purposes' | 'bulkViews' | 'opened'> & Pick<ViewerFacts, 'openedToSearch'>;

/** Nobody has this id: what is open about nobody in particular is open by grants alone. */
const ANYBODY = '';

/** What the registers say of who may look at what. */
export function lookFacts(registers: Registers): LookFacts {
  const opened: LookFacts['opened'] = (asked, at): Opened => {
    const state = registers.get(grantRegister);
    const { open, closed, by, lapsed } = openingAt(state, asked, at);
    const holding = state.get(asked.actorId);
    const emergency = by.some((id) => holding?.emergencies.has(id));
    const role =
      by.map((id) => holding?.grants.get(id)?.role).find((each) => each !== undefined) ??
      (emergency ? VIEWING.find((each) => asked.roles.includes(each)) : undefined);
    return { open, closed, by, lapsed, emergency, ...(role !== undefined && { role }) };
  };
  return {
    purposes: registers.get(purposeRegister),
    bulkViews: registers.get(bulkViewRegister),
    opened,
    openedToSearch: (asked, at) => opened({ ...asked, subjectId: ANYBODY }, at),
  };
}

/** Roles that look at people's data; an emergency is used in the first of them that somebody has. */
const VIEWING = ['privacyOfficer', 'legal', 'staff'] as const;
