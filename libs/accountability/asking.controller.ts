import { Controller, Get, GoneException, Inject, NotFoundException, Param } from '@nestjs/common';
import { OpenTo } from '#access';
import { noticeRegister, noticesProjection } from '#notice';
import { collectionPointNow, collectionPointRegister, purposeRegister, type CollectionPointEntry } from '#purpose';
import { ReadModelBehind, ReadModels } from '#read-model';
import { CLOCK, RegisterHost, type Clock } from '#slice';
import { askedVersions, askingAt, type AskedVersion, type Asking } from './asking.query.js';

/**
 * What a place that asks for personal data has to say there (C28): the page that renders the form takes its words from
 * here, so that nobody can read anything else than what the register holds.
 */
@Controller('v1/collection-points')
export class AskingController {
  constructor(
    private readonly registers: RegisterHost,
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** For everybody: it is about no person. A point that nobody registered is not found, a retired one is gone. */
  @Get(':collectionPointId')
  @OpenTo('anyone')
  now(@Param('collectionPointId') id: string): Asking & { readonly noticeText: string | null } {
    const found = collectionPointNow(this.registers.get(collectionPointRegister), id);
    if (found.status === 'retired') throw new GoneException();
    if (found.status !== 'active') throw new NotFoundException();
    const purposes = this.registers.get(purposeRegister);
    const notices = this.registers.get(noticeRegister);
    const asking = askingAt(found.point, purposes, notices, this.clock.now());
    return { ...asking, noticeText: asking.notice && this.#textOf(asking.notice) };
  }

  /** Every version with its time in service, and which notice was to be shown there when (I-11b). */
  @Get(':collectionPointId/history')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  history(@Param('collectionPointId') id: string): { readonly versions: readonly AskedVersion[] } {
    const entry: CollectionPointEntry | undefined = this.registers.get(collectionPointRegister).get(id);
    if (!entry) throw new NotFoundException();
    return { versions: askedVersions(entry, this.registers.get(noticeRegister)) };
  }

  /** Texts stand in the read model, which follows the register. */
  #textOf({ noticeId, version }: NonNullable<Asking['notice']>): string {
    const where = { notice_id: noticeId, version };
    const [row] = this.readModels.rows<{ readonly content: string }>(noticesProjection, 'notices', where);
    if (!row) throw new ReadModelBehind(this.readModels.position + 1, this.readModels.position);
    return row.content;
  }
}
