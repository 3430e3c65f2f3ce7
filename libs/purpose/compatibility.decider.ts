import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type {
  ApproveCompatibility,
  AssessCompatibility,
  CompatibilityDomainCommand,
  RevokeCompatibility,
} from './compatibility.commands.js';
import {
  ANNEX_2_CONDITIONS,
  type CompatibilityAssessment,
  type CompatibilityEvent,
  type CompatibilityGround,
} from './compatibility.events.js';
import { evolveAssessments, type AssessedCompatibility } from './compatibility.register.js';
import type { LawfulBasis } from './purpose.events.js';
import type { PurposeRegisterState } from './purpose.register.js';

/** The assessments of one pair of purposes, oldest first. */
export type CompatibilityState = readonly AssessedCompatibility[];

/** What the rules about compatibility look up. */
export interface CompatibilityFacts extends Facts {
  readonly purposes: PurposeRegisterState;
}

type CompatibilityOutcome = Outcome<CompatibilityEvent>;

function decide(
  command: CompatibilityDomainCommand,
  state: CompatibilityState,
  facts: CompatibilityFacts,
): CompatibilityOutcome {
  switch (command.type) {
    case 'AssessCompatibility':
      return assess(command, state, facts);
    case 'ApproveCompatibility':
      return approve(command, state, facts);
    case 'RevokeCompatibility':
      return revoke(command, state, facts);
  }
}

/**
 * Whether data of one purpose may serve another (UK GDPR Art 8A, I-13c). An assessment is about one version of each;
 * the newest approved one about the same versions counts.
 */
export const compatibilityDecider: Decider<
  CompatibilityDomainCommand,
  CompatibilityEvent,
  CompatibilityState,
  CompatibilityFacts
> = {
  initialState: [],
  folds: { CompatibilityAssessed: true, CompatibilityApproved: true, CompatibilityRevoked: true },
  evolve: evolveAssessments,
  decide,
};

function assess(
  command: AssessCompatibility,
  state: CompatibilityState,
  { purposes, actor }: CompatibilityFacts,
): CompatibilityOutcome {
  const { from, fromVersion, to, toVersion } = command;
  const newest = state.findLast((each) => each.fromVersion === fromVersion && each.toVersion === toVersion);
  const content = contentOf(command);
  const live = newest && newest.revokedAt === undefined;
  if (live && canonicalJson(contentOf(newest)) === canonicalJson(content)) return unchanged;

  const old = purposes.get(from);
  if (!old?.defined.has(fromVersion)) return refuse('PURPOSE_UNKNOWN', { purposeId: from, version: fromVersion });
  if (!purposes.get(to)?.defined.has(toVersion))
    return refuse('PURPOSE_UNKNOWN', { purposeId: to, version: toVersion });
  const original = old.approved.find(({ version }) => version === fromVersion);
  // Nothing can have been collected under it.
  if (!original) return refuse('PURPOSE_NOT_APPROVED', { purposeId: from, version: fromVersion });
  const lacks = lacking(content, original.basis);
  if (lacks) return refuse('PURPOSE_INCOMPATIBLE', { from, to, ...lacks });

  const replaces = live && newest.approvedAt === undefined ? newest.assessment : undefined;
  return accept({
    type: 'CompatibilityAssessed',
    data: {
      from,
      to,
      assessment: (state.at(-1)?.assessment ?? 0) + 1,
      author: actor.id,
      ...(replaces !== undefined && { replaces }),
      ...content,
    },
  });
}

function approve(command: ApproveCompatibility, state: CompatibilityState, facts: Facts): CompatibilityOutcome {
  const { from, to, assessment } = command;
  const draft = state.find((each) => each.assessment === assessment);
  if (!draft) return refuse('REGISTER_ENTRY_UNKNOWN', { from, to, assessment });
  if (draft.revokedAt !== undefined) return refuse('VERSION_CONFLICT', { from, to, assessment, status: 'revoked' });
  if (draft.approvedAt !== undefined) return unchanged;
  if (draft.supersededAt !== undefined) return refuse('VERSION_CONFLICT', { from, to, assessment, status: 'replaced' });
  if (facts.actor.id === draft.author) return refuse('FOUR_EYES_REQUIRED', { from, to, assessment });

  const before = state.find((each) => sameVersions(each, draft) && inForce(each));
  return accept({
    type: 'CompatibilityApproved',
    data: { from, to, assessment, approver: facts.actor.id, ...(before && { supersedes: before.assessment }) },
  });
}

function revoke(command: RevokeCompatibility, state: CompatibilityState, facts: Facts): CompatibilityOutcome {
  const { from, to, assessment, reasonCode } = command;
  const known = state.find((each) => each.assessment === assessment);
  if (!known) return refuse('REGISTER_ENTRY_UNKNOWN', { from, to, assessment });
  if (known.revokedAt !== undefined || known.supersededAt !== undefined) return unchanged;
  // Otherwise it would never have held.
  if (known.approvedAt !== undefined && facts.occurredAt < known.approvedAt)
    return refuse('VERSION_CONFLICT', { from, to, assessment, field: 'occurredAt' });
  return accept({ type: 'CompatibilityRevoked', data: { from, to, assessment, reasonCode } });
}

const ONLY_WITHOUT_CONSENT: readonly CompatibilityGround[] = [...ANNEX_2_CONDITIONS, 'publicInterestObjective'];

/**
 * What keeps a finding of `compatible` from standing, given the basis the data was collected on.
 *
 * Data that rests on consent goes no further than Art 8A(4): compliance with the principles; a condition of Annex 2 or
 * an objective of Art 23, and only where nobody can reasonably be asked for consent. The condition of Annex 2 about
 * archiving (paragraph 2) is for such data only.
 */
function lacking(
  { verdict, ground, consentNotReasonable }: CompatibilityAssessment,
  basis: LawfulBasis,
): { readonly basis: string; readonly ground: string; readonly field: string } | undefined {
  if (verdict !== 'compatible' || ground === undefined) return undefined;
  if (basis !== 'consent') return ground === 'archivingDisclosure' ? { basis, ground, field: 'ground' } : undefined;
  if (ground === 'complianceWithPrinciples') return undefined;
  if (!ONLY_WITHOUT_CONSENT.includes(ground)) return { basis, ground, field: 'ground' };
  return consentNotReasonable === undefined ? { basis, ground, field: 'consentNotReasonable' } : undefined;
}

const sameVersions = (a: CompatibilityAssessment, b: CompatibilityAssessment): boolean =>
  a.fromVersion === b.fromVersion && a.toVersion === b.toVersion;

const inForce = ({ approvedAt, supersededAt, revokedAt }: AssessedCompatibility): boolean =>
  approvedAt !== undefined && supersededAt === undefined && revokedAt === undefined;

/** What is said, without who said it: an optional member left out and one sent as null are the same. */
function contentOf(said: CompatibilityAssessment): CompatibilityAssessment {
  const { fromVersion, toVersion, verdict, ground, consentNotReasonable, reasoning } = said;
  return {
    fromVersion,
    toVersion,
    verdict,
    ...(ground != null && { ground }),
    ...(consentNotReasonable != null && { consentNotReasonable }),
    reasoning,
  };
}
