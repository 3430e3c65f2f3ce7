import { Body, Controller, Get, HttpCode, Inject, NotFoundException, Param, Post } from '@nestjs/common';
import { IsByteLength, Matches, MaxLength } from 'class-validator';
import { OpenTo } from '#access';
import { assuranceProjection, attestationIn, claimStanding, type AttestationRow, type ClaimStatus } from '#assurance';
import { londonDate } from '#calendar';
import type { Instant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, readBody, SHA_256, type Clock } from '#slice';
import { LONGEST_CONTENT } from './notice.commands.js';
import { noticesProjection } from './notice.projection.js';
import { assessNotice, NOTICE_PARTS, type NoticePart } from './notice.vocabulary.js';

interface NoticeRow {
  readonly notice_id: string;
  readonly version: number;
  readonly language: string;
  readonly title: string;
  readonly content: string;
  readonly content_hash: string;
  readonly purposes: string;
  readonly effective_from: Instant;
  readonly superseded_at: Instant | null;
}

/** A published version, word for word: `contentHash` is the SHA-256 of the UTF-8 bytes of `content`. */
interface PublishedText {
  readonly noticeId: string;
  readonly version: number;
  readonly language: string;
  readonly title: string;
  readonly content: string;
  readonly contentHash: string;
  readonly purposes: readonly string[];
  readonly effectiveFrom: Instant;
  /** When the next version takes or took its place. */
  readonly supersededAt?: Instant;
}

interface PartFound {
  readonly part: NoticePart;
  readonly law: string;
}

class TextToAssess {
  @Matches(/\S/)
  @IsByteLength(1, LONGEST_CONTENT)
  @MaxLength(LONGEST_CONTENT)
  readonly content!: string;
}

/** What people are told, for everybody, and what an examination of any text finds. */
@Controller('v1/notices')
export class NoticesController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The version in force. No token is needed: everybody may know what they would be told (UK GDPR Art 12(1)). */
  @Get(':noticeId')
  @OpenTo('anyone')
  inForce(@Param('noticeId') noticeId: string): PublishedText {
    const now = this.clock.now();
    // Texts are long: the newest version alone is read, and older ones only while it has not taken effect.
    let [row] = this.readModels.rows<NoticeRow>(noticesProjection, 'notices', {
      notice_id: noticeId,
      superseded_at: null,
    });
    while (row && row.effective_from > now) {
      const where = { notice_id: noticeId, version: row.version - 1 };
      [row] = this.readModels.rows<NoticeRow>(noticesProjection, 'notices', where);
    }
    if (!row) throw new NotFoundException();
    return published(row);
  }

  /** Every version with this very text; for whoever was given it, and for auditors who have only its hash. */
  @Get('by-hash/:sha256')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  byHash(@Param('sha256') sha256: string): { readonly notices: readonly PublishedText[]; readonly position: number } {
    if (!SHA_256.test(sha256)) throw new InvalidCommand([{ field: 'sha256', rule: 'isSha256' }]);
    const rows = this.readModels.rows<NoticeRow>(noticesProjection, 'notices', { content_hash: sha256 }, 'position');
    return { notices: rows.map(published), position: this.readModels.position };
  }

  /** Examines an English text that is not published, see {@link assessNotice}. Nothing is recorded. */
  @Post('assessment')
  @HttpCode(200)
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  async assess(@Body() body: unknown): Promise<{
    readonly stated: readonly PartFound[];
    readonly missing: readonly PartFound[];
    readonly conditional: readonly PartFound[];
    readonly claims: readonly { readonly claimId: string; readonly text: string; readonly status: ClaimStatus }[];
  }> {
    const { content } = await readBody(TextToAssess, body);
    const { stated, missing, conditional, claims } = assessNotice(content);
    const attestations = this.readModels
      .rows<AttestationRow>(assuranceProjection, 'attestations', {})
      .map(attestationIn);
    const today = londonDate(this.clock.now());
    return {
      stated: stated.map(withLaw),
      missing: missing.map(withLaw),
      conditional: conditional.map(withLaw),
      claims: claims.map((claim) => ({
        claimId: claim.claimId,
        text: claim.text,
        status: claimStanding(claim, attestations, today).status,
      })),
    };
  }
}

const withLaw = (part: NoticePart): PartFound => ({ part, law: NOTICE_PARTS[part] });

function published(row: NoticeRow): PublishedText {
  return {
    noticeId: row.notice_id,
    version: row.version,
    language: row.language,
    title: row.title,
    content: row.content,
    contentHash: row.content_hash,
    purposes: JSON.parse(row.purposes) as readonly string[],
    effectiveFrom: row.effective_from,
    ...(row.superseded_at !== null && { supersededAt: row.superseded_at }),
  };
}
