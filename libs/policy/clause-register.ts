import { REFUSALS, type RefusalCode } from '#kernel';
import { ISO_CONTROLS } from './iso-controls.js';
import type { Clause, ClauseStatus, Policy } from './policy-file.js';

/** A clause with what its references stand for: what an auditor reads. */
export interface ClauseEntry extends Omit<Clause, 'rules' | 'isoControls'> {
  readonly rules: readonly { readonly code: RefusalCode; readonly law: string; readonly remedy: string }[];
  readonly isoControls: readonly { readonly id: string; readonly title: string }[];
}

export interface ClauseCoverage {
  /** Ids of the clauses by how far the engine keeps them. */
  readonly byStatus: Readonly<Record<ClauseStatus, readonly string[]>>;
  /** Controls of ISO/IEC 27001:2022 with the clauses that give evidence for them; `planned` ones give none. */
  readonly controls: readonly { readonly id: string; readonly title: string; readonly clauses: readonly string[] }[];
  /** Enforced clauses that lack a rule, a read model or a test; empty in a policy that is wired. */
  readonly unwired: readonly { readonly clause: string; readonly lacks: 'rules' | 'readModels' | 'tests' }[];
}

/** The clauses in the order of their numbers. */
export function clauseRegister(policy: Policy): readonly ClauseEntry[] {
  return [...policy.clauses]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((clause) => ({
      ...clause,
      rules: clause.rules.map((code) => ({ code, law: REFUSALS[code].law, remedy: REFUSALS[code].remedy })),
      isoControls: clause.isoControls.map((id) => ({ id, title: ISO_CONTROLS[id] ?? '' })),
    }));
}

export function clauseCoverage(clauses: readonly ClauseEntry[]): ClauseCoverage {
  const ids = (chosen: readonly ClauseEntry[]) => chosen.map(({ id }) => id);
  const having = (status: ClauseStatus) => ids(clauses.filter((clause) => clause.status === status));
  const giving = clauses.filter(({ status }) => status !== 'planned');
  return {
    byStatus: { enforced: having('enforced'), partial: having('partial'), planned: having('planned') },
    controls: Object.entries(ISO_CONTROLS).flatMap(([id, title]) => {
      const evidence = ids(giving.filter(({ isoControls }) => isoControls.some((control) => control.id === id)));
      return evidence.length === 0 ? [] : [{ id, title, clauses: evidence }];
    }),
    unwired: clauses
      .filter(({ status }) => status === 'enforced')
      .flatMap((clause) =>
        (['rules', 'readModels', 'tests'] as const)
          .filter((part) => clause[part].length === 0)
          .map((lacks) => ({ clause: clause.id, lacks })),
      ),
  };
}
