import { canonicalJson, uuidV5, type Actor } from '#kernel';
import type { Answer, Refused, Registers } from '#slice';
import type { Policy } from './policy-file.js';
import { planPolicy, policyRegisters, type PlannedCommand, type PolicyPlan } from './policy-plan.js';

/** What applying a policy needs of the engine. */
export interface PolicyTarget {
  /** In step with what `submit` has answered. */
  readonly registers: Registers;
  /** The door of the engine, `CommandDoor.submit`. */
  submit(type: string, body: unknown, actor: Actor): Promise<Answer>;
  /**
   * Part of the command ids. What was refused stays refused under its id: after the cause was removed, another
   * attempt (any other text) decides anew.
   */
  readonly attempt?: string;
}

export type PolicyApplied =
  | {
      readonly outcome: 'applied';
      readonly answers: readonly Answer[];
      /** What differs still: nothing, unless somebody else changed the registers meanwhile. */
      readonly remaining: PolicyPlan;
    }
  | {
      readonly outcome: 'refused';
      readonly answers: readonly Answer[];
      readonly command: PlannedCommand;
      readonly refusal: Refused;
    };

const NAMESPACE = 'f0d1f4de-7a53-5c7b-8f0c-6f2f5f0f5a3e';

/**
 * Sends the commands that bring the registers to the file, one after the other, and stops at the first refusal.
 *
 * May be repeated: what was done is no longer planned, and what was under way when a run broke off has the same
 * command id in the next one.
 *
 * @throws what `submit` throws; the next run goes on from there.
 */
export async function applyPolicy(policy: Policy, target: PolicyTarget): Promise<PolicyApplied> {
  const actors = {
    author: privacyOfficer(policy.authoredBy),
    approver: privacyOfficer(policy.approvedBy),
  };
  const answers: Answer[] = [];
  for (const command of planPolicy(policy, policyRegisters(target.registers)).commands) {
    const commandId = policyCommandId(policy, command, target.attempt);
    const answer = await target.submit(command.type, { ...command.body, commandId }, actors[command.as]);
    answers.push(answer);
    if (!answer.accepted) return { outcome: 'refused', answers, command, refusal: answer };
  }
  return { outcome: 'applied', answers, remaining: planPolicy(policy, policyRegisters(target.registers)) };
}

/** The id under which a planned command is sent: the same for the same command onto the same version of its entry. */
export function policyCommandId(policy: Policy, command: PlannedCommand, attempt = ''): string {
  const { type, body, as, onto } = command;
  const { id, version } = policy.policy;
  const actor = as === 'author' ? policy.authoredBy : policy.approvedBy;
  return uuidV5(NAMESPACE, canonicalJson({ policy: id, version, type, body, actor, onto, attempt }));
}

function privacyOfficer(id: string): Actor {
  return { id, type: 'user', roles: ['privacyOfficer'] };
}
