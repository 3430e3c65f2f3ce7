import { addPeriod, londonDate } from '#calendar';
import { accept, refuse, unchanged, uuidV5, type CivilDate, type Decider, type Facts, type Outcome } from '#kernel';
import { agreementInForce, agreementsWith, endOf, type AgreementRegisterState } from './agreement.register.js';
import type { RecipientEvent } from './recipient.events.js';
import { evolveRecipient, membershipOn, type Recipient } from './recipient.register.js';
import type { ConfirmReturnOrDelete, OpenReturnOrDelete, ReturnOrDeleteCommand } from './return-or-delete.commands.js';
import type { EndedGround, ReturnOrDeleteEvent, ReturnOutcome } from './return-or-delete.events.js';

/** How long a recipient has from the day the ground ended (default of the product; the law names no time). */
export const RETURN_PERIOD = 'P1M';

/** Namespace of the ids of tasks: the same ending is the same task, whoever opens it. */
const TASKS = '6f0d3c1e-52a7-4b0b-9f64-3a1f0a1c7d52';

interface Task {
  readonly reason: EndedGround;
  readonly outcome?: ReturnOutcome;
}

export interface ReturnOrDeleteState {
  readonly recipient?: Recipient;
  /** By task id. */
  readonly tasks: ReadonlyMap<string, Task>;
}

export interface ReturnOrDeleteFacts extends Facts {
  readonly agreements: AgreementRegisterState;
}

export const returnOrDeleteDecider: Decider<
  ReturnOrDeleteCommand,
  RecipientEvent | ReturnOrDeleteEvent,
  ReturnOrDeleteState,
  ReturnOrDeleteFacts
> = {
  initialState: { tasks: new Map() },
  folds: {
    RecipientRegistered: true,
    GroupMembershipStarted: true,
    GroupMembershipEnded: true,
    ReturnOrDeleteOpened: true,
    ReturnOrDeleteConfirmed: true,
  },
  evolve(state, event) {
    switch (event.type) {
      case 'ReturnOrDeleteOpened':
        return { ...state, tasks: new Map(state.tasks).set(event.data.taskId, { reason: event.data.reason }) };
      case 'ReturnOrDeleteConfirmed': {
        const { taskId, outcome } = event.data;
        const task = state.tasks.get(taskId);
        return task ? { ...state, tasks: new Map(state.tasks).set(taskId, { ...task, outcome }) } : state;
      }
      default: {
        const recipient = evolveRecipient(state.recipient, event);
        return recipient ? { ...state, recipient } : state;
      }
    }
  },
  decide(command, state, facts) {
    return command.type === 'OpenReturnOrDelete' ? open(command, state, facts) : confirm(command, state, facts);
  },
};

function open(
  { recipientId, reason, reference, since }: OpenReturnOrDelete,
  { recipient, tasks }: ReturnOrDeleteState,
  facts: ReturnOrDeleteFacts,
): Outcome<ReturnOrDeleteEvent> {
  if (!recipient) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  const taskId = uuidV5(TASKS, [recipientId, reason, reference, since].join(' '));
  const over = since <= londonDate(facts.now) && hasEnded(recipient, reason, reference, since, facts);
  if (tasks.has(taskId) || !over) return unchanged;
  const due = addPeriod(since, RETURN_PERIOD);
  return accept({ type: 'ReturnOrDeleteOpened', data: { taskId, recipientId, reason, reference, since, due } });
}

function hasEnded(
  { registered, memberships }: Recipient,
  reason: EndedGround,
  reference: string,
  since: CivilDate,
  { agreements }: ReturnOrDeleteFacts,
): boolean {
  if (reason === 'groupExit') return memberships.some((each) => each.companyNumber === reference && each.to === since);
  const agreement = agreements.get(reference);
  return agreement?.recorded.recipientId === registered.recipientId && endOf(agreement) === since;
}

function confirm(
  { recipientId, taskId, outcome, reference }: ConfirmReturnOrDelete,
  { recipient, tasks }: ReturnOrDeleteState,
  facts: ReturnOrDeleteFacts,
): Outcome<ReturnOrDeleteEvent> {
  const task = tasks.get(taskId);
  if (!recipient || !task) return refuse('REGISTER_ENTRY_UNKNOWN', { recipientId, taskId });
  if (task.outcome === outcome) return unchanged;
  if (task.outcome !== undefined) return refuse('VERSION_CONFLICT', { taskId, outcome: task.outcome });
  const date = londonDate(facts.occurredAt);
  if (outcome === 'continued') {
    const member = membershipOn(recipient, date) !== undefined;
    const agreed = agreementsWith(facts.agreements, recipientId).some((each) => agreementInForce(each, date));
    if (task.reason === 'groupExit' && !member) return refuse('NOT_GROUP_MEMBER', { recipientId, date });
    if (task.reason === 'agreementEnded' && !agreed) return refuse('AGREEMENT_MISSING', { recipientId });
  }
  return accept({ type: 'ReturnOrDeleteConfirmed', data: { taskId, recipientId, outcome, reference } });
}
