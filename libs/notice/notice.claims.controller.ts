import { Controller, Get, Inject, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import {
  assuranceProjection,
  attestationIn,
  claimStanding,
  type AttestationRow,
  type Claim,
  type ClaimKind,
  type ClaimStanding,
} from '#assurance';
import { londonDate } from '#calendar';
import { type Instant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, instantIn, InvalidCommand, type Clock } from '#slice';
import { noticeClaimsProjection } from './notice.claims.projection.js';

interface ClaimRow {
  readonly notice_id: string;
  readonly version: number;
  readonly claim_id: string;
  readonly kind: ClaimKind;
  readonly scheme: string;
  readonly edition: string | null;
  readonly claim_text: string;
  readonly effective_from: Instant;
  readonly superseded_at: Instant | null;
  readonly flagged: string | null;
  readonly event_id: string;
}

/** A claim of a notice version and what it is worth. */
interface ClaimAnswer extends ClaimStanding, Claim {
  readonly noticeId: string;
  readonly version: number;
  /** Whether that version was in force. */
  readonly noticeInForce: boolean;
  /** What it was worth when it was recorded, if no new version could have made it. */
  readonly flagged?: string;
  /** The publication that makes it. */
  readonly eventId: string;
}

/** `ClaimsRegister`: what is claimed in public, and what stands behind it (C03, C09, C10). */
@Controller('v1/claims')
export class ClaimsController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param asOf answers as it would have been answered then: by what had been recorded, and by that day. */
  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  answer(
    @Query('noticeId') noticeId: string | undefined,
    @Query('asOf') asOf: string | undefined,
  ): { readonly claims: readonly ClaimAnswer[]; readonly asOf: Instant; readonly position: number } {
    if (noticeId !== undefined && typeof noticeId !== 'string')
      throw new InvalidCommand([{ field: 'noticeId', rule: 'isText' }]);
    const then = asOf === undefined ? undefined : instantIn('asOf', asOf);
    const at = then ?? this.clock.now();
    const where = noticeId === undefined ? {} : { notice_id: noticeId };
    const rows = this.readModels.rows<ClaimRow>(noticeClaimsProjection, 'claims', where, 'claim_id', then);
    const attestations = this.readModels
      .rows<AttestationRow>(assuranceProjection, 'attestations', {}, undefined, then)
      .map(attestationIn);
    const claims = rows.map((row): ClaimAnswer => {
      const claim: Claim = {
        claimId: row.claim_id,
        kind: row.kind,
        scheme: row.scheme,
        ...(row.edition !== null && { edition: row.edition }),
        text: row.claim_text,
      };
      return {
        noticeId: row.notice_id,
        version: row.version,
        noticeInForce: row.effective_from <= at && (row.superseded_at === null || at < row.superseded_at),
        ...claim,
        ...claimStanding(claim, attestations, londonDate(at)),
        ...(row.flagged !== null && { flagged: row.flagged }),
        eventId: row.event_id,
      };
    });
    const place = (a: ClaimAnswer, b: ClaimAnswer) =>
      a.noticeId < b.noticeId ? -1 : a.noticeId > b.noticeId ? 1 : a.version - b.version;
    return { claims: [...claims].sort(place), asOf: at, position: this.readModels.position };
  }
}
