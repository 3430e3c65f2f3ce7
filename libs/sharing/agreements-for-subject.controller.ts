import { Controller, Get, Inject, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import { londonDate } from '#calendar';
import type { Actor } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, dateOf, InvalidCommand, RegisterHost, type Clock } from '#slice';
import { agreementRegister } from './agreement.register.js';
import {
  agreementsForSubject,
  NO_TIPPING_OFF,
  type ActivePurpose,
  type AgreementsForSubject,
  type DisclosureRow,
  type Period,
} from './agreements-for-subject.query.js';
import { disclosuresProjection } from './disclosure.projection.js';
import { isDiscreet } from './discretion.js';
import { instrumentRegister } from './instrument.register.js';
import { recipientRegister } from './recipient.register.js';
import { heldRowsOf, whoHeldWhat } from './who-held-what.query.js';

/** What of a disclosure that must not be told of may be seen by those who answer the person: that there is something. */
interface Exemption {
  readonly exemption: string;
}

interface Answer extends Omit<AgreementsForSubject, 'withheld'>, Period {
  readonly subject: string;
  /** No agreement concerns the person and nothing was passed on; nothing was left out of this answer either. */
  readonly none: boolean;
  readonly withheld: AgreementsForSubject['withheld'] | readonly Exemption[];
  /** How far the read models have come. */
  readonly position: number;
}

/** `AgreementsForSubject`: the agreements under which a person's data was or may be passed on, or none (C22). */
@Controller('v1/subjects/:subjectId/agreements')
export class AgreementsForSubjectController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly registers: RegisterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Of the days from `from` to `to` in London, both included; of today when neither is given. */
  @Get()
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  answer(
    @Param('subjectId', ParseUUIDPipe) subject: string,
    @Query('from') since: string | undefined,
    @Query('to') until: string | undefined,
    @SentBy() actor: Actor,
  ): Answer {
    const { position } = this.readModels;
    const today = londonDate(this.clock.now());
    const to = dateOf('to', until) ?? today;
    const from = dateOf('from', since) ?? (to < today ? to : today);
    if (to < from) throw new InvalidCommand([{ field: 'to', rule: 'isNotBeforeFrom' }]);
    const where = { subject_id: subject };
    const { withheld, ...found } = agreementsForSubject(
      {
        agreements: this.registers.get(agreementRegister),
        recipients: this.registers.get(recipientRegister),
        instruments: this.registers.get(instrumentRegister),
      },
      { from, to },
      this.readModels.rows<DisclosureRow>(disclosuresProjection, 'disclosures', where, 'position'),
      this.#purposes(subject),
    );
    const { agreements, recipients, statutory } = found;
    const discreet = isDiscreet(actor);
    return {
      subject,
      from,
      to,
      none: agreements.length + recipients.length + statutory.length + withheld.length === 0,
      ...found,
      withheld: discreet || withheld.length === 0 ? withheld : [{ exemption: NO_TIPPING_OFF }],
      position,
    };
  }

  /** What the controller has held of the person, and for which purposes. */
  #purposes(subjectId: string): readonly ActivePurpose[] {
    return whoHeldWhat(heldRowsOf(this.readModels, subjectId), { at: this.clock.now(), ended: true }).flatMap(
      ({ holderKind, purposeId, category, from, to }): ActivePurpose[] =>
        holderKind === 'CONTROLLER'
          ? [
              {
                purposeId,
                category,
                from: from.at as ActivePurpose['from'],
                ...(to && { to: to.at as ActivePurpose['from'] }),
              },
            ]
          : [],
    );
  }
}
