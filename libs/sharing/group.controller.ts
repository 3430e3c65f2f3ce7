import { Controller, Get, Inject, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { londonDate } from '#calendar';
import type { CivilDate } from '#kernel';
import { CLOCK, dateOf, RegisterHost, type Clock } from '#slice';
import { membersAsOf, membershipOn, recipientRegister, type Membership } from './recipient.register.js';

interface Member extends Membership {
  readonly recipientId: string;
  readonly name?: string;
  readonly country?: string;
}

/** `GroupRegisterAsOf`: who belongs to the group on a day in London, today when none is asked for (C19, I-19e). */
@Controller('v1/group')
export class GroupController {
  constructor(
    private readonly registers: RegisterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @OpenTo('service', 'staff', 'privacyOfficer', 'legal', 'auditor')
  members(@Query('asOf') asOf: string | undefined): { readonly asOf: CivilDate; readonly members: readonly Member[] } {
    const date = dateOf('asOf', asOf) ?? londonDate(this.clock.now());
    const members = membersAsOf(this.registers.get(recipientRegister), date).flatMap((recipient): Member[] => {
      const membership = membershipOn(recipient, date);
      const { recipientId, name, country } = recipient.registered;
      if (!membership) return [];
      return [
        { recipientId, ...(name !== undefined && { name }), ...(country !== undefined && { country }), ...membership },
      ];
    });
    return { asOf: date, members: members.sort((a, b) => (a.recipientId < b.recipientId ? -1 : 1)) };
  }
}
