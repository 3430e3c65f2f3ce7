import { REFUSALS, type Refusal, type RefusalCode } from '#kernel';

/** The command took effect (or had done so before: a repeat gets the same answer). */
export interface Accepted {
  readonly accepted: true;
  readonly commandId: string;
  /** What was recorded; empty when nothing had to change. */
  readonly events: readonly { readonly id: string; readonly type: string; readonly revision: number }[];
  readonly stream: string;
  /** Give it to a query as `min-position` to read what this command wrote. */
  readonly position: number;
}

/** The command was refused, and the refusal is on record. Holds names and ids, never values. */
export interface Refused {
  readonly accepted: false;
  readonly commandId: string;
  readonly code: RefusalCode;
  readonly clauses: readonly string[];
  readonly legalRef: string;
  readonly details: Refusal['details'];
  /** What would make it pass. */
  readonly remedy: string;
  /** Whether the same request may pass later (under a new command id). */
  readonly retryable: boolean;
  /** Id of the `CommandRefused` event. */
  readonly refusalId: string;
  readonly position: number;
}

export type Answer = Accepted | Refused;

export function refused(
  commandId: string,
  code: RefusalCode,
  details: Refusal['details'],
  refusalId: string,
  position: number,
): Refused {
  const rule: { clauses: readonly string[]; law: string; remedy: string; retryable?: true } = REFUSALS[code];
  return {
    accepted: false,
    commandId,
    code,
    clauses: rule.clauses,
    legalRef: rule.law,
    details,
    remedy: rule.remedy,
    retryable: rule.retryable ?? false,
    refusalId,
    position,
  };
}
