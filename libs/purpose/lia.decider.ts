import { addPeriodToInstant } from '#calendar';
import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { ApproveLia, DraftLia, ExpireLia, LiaDomainCommand, RejectLia } from './lia.commands.js';
import type { LiaContent, LiaEvent } from './lia.events.js';
import { evolveLia, type LiaVersion } from './lia.register.js';
import type { PurposeRegisterState } from './purpose.register.js';

/** How long an assessment is relied on before it is made anew, at most and unless it says less (domain facts 2.2). */
export const LIA_REVIEW_PERIOD = 'P12M';

export interface LiaFacts extends Facts {
  readonly purposes: PurposeRegisterState;
}

type LiaOutcome = Outcome<LiaEvent>;

/** The stream of one assessment. */
export const liaStream = (liaId: string): string => `lia-${liaId}`;

/** Assessments of legitimate interests: drafted by one person, approved by another, made anew within a year. */
export const liaDecider: Decider<LiaDomainCommand, LiaEvent, readonly LiaVersion[], LiaFacts> = {
  initialState: [],
  folds: { LiaDrafted: true, LiaApproved: true, LiaRejected: true, LiaExpired: true },
  evolve: evolveLia,
  decide(command, versions, facts) {
    if (command.type === 'DraftLia') return draft(command, versions, facts);
    const { liaId, version } = command;
    const found = versions.find((each) => each.version === version);
    if (!found) return refuse('REGISTER_ENTRY_UNKNOWN', { liaId, version });
    switch (command.type) {
      case 'ApproveLia':
        return approve(command, found, versions, facts);
      case 'RejectLia':
        return reject(command, found, versions, facts);
      case 'ExpireLia':
        return expire(command, found, versions, facts);
    }
  },
};

function draft(command: DraftLia, versions: readonly LiaVersion[], facts: LiaFacts): LiaOutcome {
  const { liaId, purposeId, purposeVersion } = command;
  const newest = versions.at(-1);
  const content = contentOf(command);
  // The same words once more are a repeat while they are a draft, and a review once they were decided.
  if (newest && newest.approvedAt === undefined && !newest.rejected && same(newest, content)) return unchanged;
  const purpose = facts.purposes.get(purposeId);
  if (!purpose) return refuse('PURPOSE_UNKNOWN', { purposeId });
  const definition = purpose.defined.get(purposeVersion);
  if (!definition) return refuse('PURPOSE_UNKNOWN', { purposeId, version: purposeVersion });
  if (definition.basis !== 'legitimateInterests')
    return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis: definition.basis });
  const version = (newest?.version ?? 0) + 1;
  return accept({ type: 'LiaDrafted', data: { liaId, version, author: facts.actor.id, ...content } });
}

function approve(
  { liaId, version }: ApproveLia,
  found: LiaVersion,
  versions: readonly LiaVersion[],
  facts: LiaFacts,
): LiaOutcome {
  if (found.approvedAt !== undefined) return unchanged;
  const stale = overtaken(found, versions);
  if (stale) return stale;
  if (facts.actor.id === found.author) return refuse('FOUR_EYES_REQUIRED', { liaId, version });
  const supersedes = versions.findLast(({ approvedAt }) => approvedAt !== undefined)?.version;
  return accept({
    type: 'LiaApproved',
    data: {
      liaId,
      version,
      outcome: found.outcome,
      approver: facts.actor.id,
      reviewBy: addPeriodToInstant(facts.occurredAt, found.reviewPeriod),
      ...(supersedes !== undefined && { supersedes }),
    },
  });
}

function reject(
  { liaId, version, reasonCode }: RejectLia,
  found: LiaVersion,
  versions: readonly LiaVersion[],
  facts: LiaFacts,
): LiaOutcome {
  if (found.rejected) return unchanged;
  if (found.approvedAt !== undefined) return refuse('VERSION_CONFLICT', { liaId, version, status: 'approved' });
  const stale = overtaken(found, versions);
  if (stale) return stale;
  if (facts.actor.id === found.author) return refuse('FOUR_EYES_REQUIRED', { liaId, version });
  return accept({ type: 'LiaRejected', data: { liaId, version, rejectedBy: facts.actor.id, reasonCode } });
}

function expire(
  { liaId, version }: ExpireLia,
  { reviewBy, expired }: LiaVersion,
  versions: readonly LiaVersion[],
  facts: LiaFacts,
): LiaOutcome {
  if (expired) return unchanged;
  const newest = versions.findLast(({ approvedAt }) => approvedAt !== undefined)?.version === version;
  return newest && reviewBy !== undefined && reviewBy <= facts.now
    ? accept({ type: 'LiaExpired', data: { liaId, version, reviewBy } })
    : unchanged;
}

/** A draft that another one has replaced, or that was rejected, can no longer be decided. */
function overtaken(
  { liaId, version, rejected }: LiaVersion,
  versions: readonly LiaVersion[],
): Outcome<never> | undefined {
  if (rejected) return refuse('VERSION_CONFLICT', { liaId, version, status: 'rejected' });
  const newest = versions.at(-1)?.version ?? version;
  return newest === version ? undefined : refuse('VERSION_CONFLICT', { liaId, version, newest });
}

const same = (one: LiaContent, other: LiaContent): boolean => canonicalJson(contentOf(one)) === canonicalJson(other);

function contentOf(content: Omit<LiaContent, 'reviewPeriod'> & { readonly reviewPeriod?: string }): LiaContent {
  const { purposeId, purposeVersion, purposeTest, necessityTest, balance, outcome } = content;
  return {
    purposeId,
    purposeVersion,
    subjectClasses: [...content.subjectClasses].sort(),
    purposeTest,
    necessityTest,
    balance,
    safeguards: [...content.safeguards],
    outcome,
    reviewPeriod: content.reviewPeriod ?? LIA_REVIEW_PERIOD,
  };
}
