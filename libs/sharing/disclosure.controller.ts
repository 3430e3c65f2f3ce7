import { Controller, Get, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import type { Row } from '#kernel';
import { ReadModels, type PageOfRows } from '#read-model';
import { limitOf, wholeNumber } from '#slice';
import { bulkDisclosuresProjection } from './bulk-disclosure.projection.js';
import { disclosuresProjection } from './disclosure.projection.js';

interface DisclosureAnswer {
  readonly disclosureId: string;
  readonly recipientId: string;
  readonly purposeId: string;
  readonly status: 'running' | 'completed';
  readonly subjectCount: number;
  /** How many people's data was given. */
  readonly shared: number;
  /** How many people were left out. */
  readonly refused: number;
  readonly refusedByCode: readonly { readonly code: string; readonly count: number }[];
  /** Who was left out, and why: a page of them. */
  readonly refusals: readonly { readonly subjectId: string; readonly code: string }[];
  /** Give it as `after` for the next page; absent at the end. */
  readonly next?: number;
  /** How far the read models have come. */
  readonly position: number;
}

/** One disclosure: how far it has come, and who was left out of it (I-19g). */
@Controller('v1/disclosures')
export class DisclosureController {
  constructor(private readonly readModels: ReadModels) {}

  /** Open to those that may know of what was disclosed under a duty not to tip off (I-22c). */
  @Get(':disclosureId')
  @OpenTo('privacyOfficer', 'legal', 'auditor')
  answer(
    @Param('disclosureId', ParseUUIDPipe) disclosureId: string,
    @Query('after') after: string | undefined,
    @Query('limit') limit: string | undefined,
  ): DisclosureAnswer {
    const from = wholeNumber('after', after);
    const size = limitOf(limit);
    const where = { disclosure_id: disclosureId };
    const { position } = this.readModels;
    const [bulk] = this.readModels.rows<Row>(bulkDisclosuresProjection, 'bulk_disclosures', where);
    if (!bulk) return this.#byPerson(disclosureId, position);
    const page = this.readModels.page(bulkDisclosuresProjection, 'bulk_refusals', where, from, size);
    return {
      disclosureId,
      recipientId: String(bulk['recipient_id']),
      purposeId: String(bulk['purpose_id']),
      status: bulk['status'] === 'completed' ? 'completed' : 'running',
      subjectCount: Number(bulk['subject_count']),
      shared: Number(bulk['shared']),
      refused: Number(bulk['refused']),
      refusedByCode: JSON.parse(String(bulk['refused_by_code'] ?? '[]')) as DisclosureAnswer['refusedByCode'],
      refusals: page.rows.map((row) => ({ subjectId: String(row['subject_id']), code: String(row['code']) })),
      ...(page.next !== undefined && { next: page.next }),
      position,
    };
  }

  /** Sent person by person, under one id or each under its own. */
  #byPerson(disclosureId: string, position: number): DisclosureAnswer {
    const where = { disclosure_id: disclosureId };
    const people = new Set<unknown>();
    let first: Row | undefined;
    for (let from: number | undefined = 0; from !== undefined;) {
      const page: PageOfRows = this.readModels.page(disclosuresProjection, 'disclosures', where, from, 500);
      first ??= page.rows[0];
      for (const each of page.rows) people.add(each['subject_id']);
      from = page.next;
    }
    if (!first) throw new NotFoundException();
    return {
      disclosureId,
      recipientId: String(first['recipient_id']),
      purposeId: String(first['purpose_id']),
      status: 'completed',
      subjectCount: people.size,
      shared: people.size,
      refused: 0,
      refusedByCode: [],
      refusals: [],
      position,
    };
  }
}
