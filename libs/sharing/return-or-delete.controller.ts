import { Controller, Get, Inject } from '@nestjs/common';
import { OpenTo } from '#access';
import { londonDate } from '#calendar';
import type { CivilDate, Row } from '#kernel';
import { ReadModels } from '#read-model';
import { CLOCK, type Clock } from '#slice';
import { disclosuresProjection } from './disclosure.projection.js';
import { sharingRegistersProjection } from './sharing.projection.js';

interface MembershipRow {
  readonly recipient_id: string;
  readonly member_from: CivilDate;
  readonly member_to: CivilDate | null;
}

/** A company that left the group and what it was given: to be retrieved, or shown to be deleted (C19). */
interface ReturnOrDelete {
  readonly recipientId: string;
  /** First day on which it was no member. */
  readonly leftOn: CivilDate;
  /** The oldest 500 of what it was given. */
  readonly items: readonly Row[];
  readonly more: boolean;
}

const ITEMS_SHOWN = 500;

/** Follow-up tasks of companies that left the group. */
@Controller('v1/return-or-delete')
export class ReturnOrDeleteController {
  constructor(
    private readonly readModels: ReadModels,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @OpenTo('privacyOfficer', 'legal', 'auditor')
  tasks(): { readonly tasks: readonly ReturnOrDelete[]; readonly position: number } {
    const today = londonDate(this.clock.now());
    const memberships = this.readModels.rows<MembershipRow>(sharingRegistersProjection, 'group_memberships', {});
    const left = new Map<string, CivilDate>();
    for (const { recipient_id, member_to } of memberships)
      if (member_to !== null && member_to <= today && member_to > (left.get(recipient_id) ?? ''))
        left.set(recipient_id, member_to);
    for (const { recipient_id, member_from, member_to } of memberships)
      if (member_from <= today && (member_to === null || member_to > today)) left.delete(recipient_id);
    const tasks = [...left].map(([recipientId, leftOn]) => {
      const where = { recipient_id: recipientId, recipient_kind: 'GROUP' };
      const page = this.readModels.page(disclosuresProjection, 'disclosures', where, 0, ITEMS_SHOWN);
      return { recipientId, leftOn, items: page.rows, more: page.next !== undefined };
    });
    return { tasks: tasks.filter(({ items }) => items.length > 0), position: this.readModels.position };
  }
}
