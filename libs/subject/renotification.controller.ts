import { Controller, Get, Inject, NotFoundException, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import type { Instant } from '#kernel';
import { noticeRegister } from '#notice';
import { purposeRegister } from '#purpose';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, LARGEST_PAGE, REGISTER_ID, RegisterHost, type Clock } from '#slice';
import { whoWasToldWhatProjection } from './notice-told.projection.js';
import { renotification, type OutdatedVersion } from './renotification.query.js';

interface ToldRow {
  readonly subject_id: string;
  readonly version: number;
  readonly told_at: Instant;
  readonly event_id: string;
}

interface Due {
  readonly subjectId: string;
  /** The newest version the person was presented, when, and by which event. */
  readonly versionTold: number;
  readonly toldAt: Instant;
  readonly eventId: string;
  /** Since when a version in force has said more than that. */
  readonly since: Instant;
  readonly purposesAdded: readonly string[];
  readonly purposesWidened: readonly string[];
}

interface Renotifications {
  readonly noticeId: string;
  readonly versionInForce: number;
  readonly rows: readonly Due[];
  /** Give it as `after` for the next page; absent at the end. A page may be short, or empty, before the end. */
  readonly next?: string;
  /** How far the read models have come. */
  readonly position: number;
}

/**
 * Who has to be told again: people whose data is held under a notice and who were presented no version that says all
 * the one in force says (I-30c). It is worked out when asked, so that publishing a version costs nothing per person.
 */
@Controller('v1/renotifications')
export class RenotificationController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly registers: RegisterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  due(
    @Query('noticeId') noticeId: string | undefined,
    @Query('after') after: string | undefined,
    @Query('limit') limit: string | undefined,
  ): Renotifications {
    if (noticeId === undefined || !REGISTER_ID.test(noticeId))
      throw new InvalidCommand([{ field: 'noticeId', rule: 'matches' }]);
    const [fromVersion, row] = cursorOf(after);
    const size = sizeOf(limit);
    const found = renotification(
      this.registers.get(noticeRegister),
      this.registers.get(purposeRegister),
      noticeId,
      this.clock.now(),
    );
    if (!found) throw new NotFoundException();

    const told: (ToldRow & Pick<OutdatedVersion, 'since' | 'added' | 'widened'>)[] = [];
    let next: string | undefined;
    for (const { version, since, added, widened } of found.outdated) {
      if (version < fromVersion) continue;
      const where = { notice_id: noticeId, version };
      const from = version === fromVersion ? row : 0;
      const page = this.readModels.page(whoWasToldWhatProjection, 'last_told', where, from, size - told.length);
      for (const each of page.rows as unknown as readonly ToldRow[]) told.push({ ...each, since, added, widened });
      if (page.next !== undefined) {
        next = `${version}-${page.next}`;
        break;
      }
    }
    const people = told.map(({ subject_id }) => subject_id);
    const where = { notice_id: noticeId, status: 'held' };
    const holding = this.readModels.among(whoWasToldWhatProjection, 'collected_under', where, 'subject_id', people);
    return {
      noticeId,
      versionInForce: found.inForce.version,
      rows: told
        .filter(({ subject_id }) => holding.has(subject_id))
        .map(({ subject_id, version, told_at, event_id, since, added, widened }) => ({
          subjectId: subject_id,
          versionTold: version,
          toldAt: told_at,
          eventId: event_id,
          since,
          purposesAdded: added,
          purposesWidened: widened,
        })),
      ...(next !== undefined && { next }),
      position: this.readModels.position,
    };
  }
}

/** The version and the row in which the page before ended. */
function cursorOf(after: string | undefined): [version: number, row: number] {
  if (after === undefined) return [0, 0];
  const [, version, row] = /^(\d{1,9})-(\d{1,15})$/.exec(after) ?? [];
  if (version === undefined || row === undefined) throw new InvalidCommand([{ field: 'after', rule: 'isCursor' }]);
  return [Number(version), Number(row)];
}

function sizeOf(limit: string | undefined): number {
  if (limit === undefined) return 100;
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new InvalidCommand([{ field: 'limit', rule: 'isInt' }]);
  return Math.min(Number(limit), LARGEST_PAGE);
}
