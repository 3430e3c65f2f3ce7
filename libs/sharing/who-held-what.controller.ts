import { Controller, Get, Inject, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import { parseInstant, type Actor, type Instant, type Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { sharingRegistersProjection } from './sharing.projection.js';
import { whoHeldWhatProjection } from './who-held-what.projection.js';
import { WHO_HELD_WHAT_TABLES, whoHeldWhat, type HolderAsOf, type WhoHeldWhatRows } from './who-held-what.query.js';

interface WhoHeldWhatAnswer {
  readonly subject: string;
  readonly asOf: Instant;
  readonly knownAt?: Instant;
  readonly rows: readonly HolderAsOf[];
  /** How many rows this reader may not know of: disclosures under a duty not to tip off (I-22c). */
  readonly withheld: number;
  /** How far the read models have come. */
  readonly position: number;
}

/** Roles that may know of disclosures under a duty not to tip off. */
const DISCREET: readonly string[] = ['privacyOfficer', 'legal', 'auditor'];

/** Who held what about a person, when, for which purpose and on which basis: the question the product exists for. */
@Controller('v1/who-held-what')
export class WhoHeldWhatController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  answer(
    @Query('subject', ParseUUIDPipe) subject: string,
    @Query('asOf') asOf: string | undefined,
    @Query('knownAt') known: string | undefined,
    @SentBy() actor: Actor,
  ): WhoHeldWhatAnswer {
    const at = timeOf('asOf', asOf) ?? this.clock.now();
    const knownAt = timeOf('knownAt', known);
    const tables = WHO_HELD_WHAT_TABLES.map(
      (table) => [table, this.readModels.rows<Row>(whoHeldWhatProjection, table, { subject_id: subject })] as const,
    );
    const rows = whoHeldWhat(Object.fromEntries(tables) as unknown as WhoHeldWhatRows, {
      at,
      ended: true,
      ...(knownAt !== undefined && { knownAt }),
    });
    const shown = DISCREET.some((role) => actor.roles.includes(role)) ? rows : rows.filter((row) => !this.#secret(row));
    return {
      subject,
      asOf: at,
      ...(knownAt !== undefined && { knownAt }),
      rows: shown,
      withheld: rows.length - shown.length,
      position: this.readModels.position,
    };
  }

  #secret({ basisRef }: HolderAsOf): boolean {
    if (basisRef === null) return false;
    const where = { instrument_id: basisRef, no_tipping_off: 1 };
    return this.readModels.rows(sharingRegistersProjection, 'instruments', where).length > 0;
  }
}

function timeOf(field: string, text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = parseInstant(text);
  if (at === undefined) throw new InvalidCommand([{ field, rule: 'isRfc3339' }]);
  return at;
}
