import { daysBefore } from '#calendar';
import type { CivilDate } from '#kernel';
import { WARNING_DAYS, type AttestationKind } from './assurance.expiry.js';
import { attestationInForce, type Attestation } from './assurance.register.js';
import { SUPERSEDED, type Claim, type Superseded } from './claim.vocabulary.js';

/**
 * `valid`: an attestation in force stands behind it. `expiring`: one does, and its first warning is due. `expired`,
 * or `stale` for a test: one did. `superseded`: it names what is over, whatever attests it. `unbacked`: nothing ever
 * stood behind it.
 */
export type ClaimStatus = 'valid' | 'expiring' | 'expired' | 'stale' | 'superseded' | 'unbacked';

export interface ClaimStanding {
  readonly status: ClaimStatus;
  /** What stands behind it, or stood behind it last. */
  readonly attestationId?: string;
  /** Last day on which that counts. */
  readonly validTo?: CivilDate;
  /** Why it is superseded. */
  readonly why?: Superseded['why'];
}

/** What goes stale rather than expires: its end is no date that somebody else has set. */
const TESTS: readonly AttestationKind[] = ['independentTest', 'restoreTest'];

/** Schemes whose certificate says at least what the claim says: the audited level stands for the other one. */
const STRONGER: Readonly<Record<string, readonly string[]>> = { 'cyber-essentials': ['cyber-essentials-plus'] };

/** What a claim is worth on a date in London, whatever events came of it (I-03a, I-03b, I-09b, I-10b). */
export function claimStanding(claim: Claim, attestations: Iterable<Attestation>, date: CivilDate): ClaimStanding {
  const backing = [...attestations].filter((each) => speaksFor(each, claim) && each.from <= date);
  const latest = backing.reduce<Attestation | undefined>(
    (last, each) => (last && end(last) >= end(each) ? last : each),
    undefined,
  );
  const behind = latest && { attestationId: latest.attestationId, validTo: end(latest) };
  const over = supersededOn(claim.scheme, claim.edition, date);
  if (over) return { status: 'superseded', ...behind, why: over.why };

  const current = backing.filter(({ scheme, edition }) => !supersededOn(scheme, edition, date));
  if (current.length === 0 && latest) return { status: 'superseded', ...behind, why: 'withdrawnEdition' };
  const inForce = current
    .filter((each) => attestationInForce(each, date))
    .reduce<Attestation | undefined>((last, each) => (last && end(last) >= end(each) ? last : each), undefined);
  if (inForce) {
    const [first] = WARNING_DAYS[inForce.kind];
    const near = first !== undefined && date >= daysBefore(end(inForce), first);
    return { status: near ? 'expiring' : 'valid', attestationId: inForce.attestationId, validTo: end(inForce) };
  }
  if (!latest) return { status: 'unbacked' };
  return { status: TESTS.includes(latest.kind) ? 'stale' : 'expired', ...behind };
}

/** Whether an attestation of this scheme and edition has been overtaken on that date, whatever its dates say. */
export function supersededOn(scheme: string, edition: string | undefined, date: CivilDate): Superseded | undefined {
  return SUPERSEDED.find((each) => each.scheme === scheme && each.edition === edition && each.from <= date);
}

function speaksFor({ scheme, edition }: Attestation, claim: Claim): boolean {
  const schemes = [claim.scheme, ...(Object.hasOwn(STRONGER, claim.scheme) ? (STRONGER[claim.scheme] ?? []) : [])];
  // A registration has no edition: before the Act of 1998 was repealed, any entry was one under it.
  return (
    schemes.includes(scheme) &&
    (claim.edition === undefined || claim.kind === 'registration' || edition === claim.edition)
  );
}

/** Last day on which it counts. */
function end({ to, withdrawnOn }: Attestation): CivilDate {
  if (withdrawnOn === undefined) return to;
  const last = daysBefore(withdrawnOn, 1);
  return last < to ? last : to;
}
