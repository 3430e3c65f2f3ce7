import { Controller, Get, Inject, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import { parseInstant, type Actor, type Instant } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, InvalidCommand, type Clock } from '#slice';
import { isDiscreet } from './discretion.js';
import { sharingRegistersProjection } from './sharing.projection.js';
import { heldRowsOf, whoHeldWhat, type HolderAsOf } from './who-held-what.query.js';

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
    const rows = whoHeldWhat(heldRowsOf(this.readModels, subject), {
      at,
      ended: true,
      ...(knownAt !== undefined && { knownAt }),
    });
    const shown = isDiscreet(actor) ? rows : rows.filter((row) => !this.#secret(row));
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
