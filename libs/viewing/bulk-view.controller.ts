import { Controller, Get, Inject, NotFoundException, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo, SentBy } from '#access';
import type { Actor, Sealed } from '#kernel';
import { KeyVault } from '#key-vault';
import { ReadModels } from '#read-model';
import { CLOCK, CommandDoor, RegisterHost, wholeNumber, type Clock, type Refused } from '#slice';
import { holdingsProjection } from '#subject';
import { bulkRefusal } from './view.decider.js';
import { bulkViewRegister, type BulkView } from './bulk-view.register.js';
import { ViewDoor } from './view-door.js';

/** People on one page: each is a view on record of its own. */
const PEOPLE_AT_ONCE = 50;

interface HeldRow {
  readonly item_id: string;
  readonly version: number;
  readonly category: string;
  readonly sealed: string;
}

interface PersonView {
  readonly subjectId: string;
  readonly holdings: readonly (Omit<HeldRow, 'sealed'> & {
    readonly value?: string;
    readonly withheld?: 'forgotten';
  })[];
  readonly viewId?: string;
  /** Why this person stays shut: the code of a refusal that is on record. */
  readonly refused?: string;
}

interface BulkPage {
  readonly people: readonly PersonView[];
  /** Where the next page begins; absent at the end. */
  readonly next?: number;
}

/** Many people's data, by a bulk view that a second person has opened for a time (C15). */
@Controller('v1/bulk-views')
export class BulkViewController {
  readonly #views: ViewDoor;

  constructor(
    private readonly readModels: ReadModels,
    private readonly vault: KeyVault,
    private readonly registers: RegisterHost,
    door: CommandDoor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.#views = new ViewDoor(door, registers, clock);
  }

  /** A page of the people, in the order in which they were asked for. Every one of them is on record first. */
  @Get(':bulkViewId/people')
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  async people(
    @Param('bulkViewId', ParseUUIDPipe) bulkViewId: string,
    @Query('after') after: string | undefined,
    @Query('limit') limit: string | undefined,
    @SentBy() actor: Actor,
  ): Promise<BulkPage | Refused> {
    const bulk = this.registers.get(bulkViewRegister).get(bulkViewId);
    if (!bulk) throw new NotFoundException();
    const refused = await this.#refusal(bulkViewId, bulk, actor);
    if (refused) return refused;
    const from = wholeNumber('after', after);
    const size = Math.min(Math.max(wholeNumber('limit', limit, PEOPLE_AT_ONCE), 1), PEOPLE_AT_ONCE);
    const subjectIds = bulk.scope.subjectIds.slice(from, from + size);
    const looks = await Promise.all(subjectIds.map((subjectId) => this.#look(subjectId, bulkViewId, bulk, actor)));
    const shut = looks.map(({ recorded }) => (recorded?.accepted === false ? recorded : undefined));
    // A reason that keeps all of them shut is the answer.
    if (shut[0] && shut.every((each) => each?.code === shut[0]?.code)) return shut[0];

    const open = looks.flatMap(({ rows, recorded }) => (recorded?.accepted ? rows : []));
    const opened = await this.vault.open<string>(open.map(({ sealed }) => JSON.parse(sealed) as Sealed<string>));
    const values = new Map(open.map((row, index) => [row, opened[index]]));
    const end = from + subjectIds.length;
    return {
      people: looks.map(({ subjectId, rows, recorded }): PersonView => {
        if (recorded?.accepted === false) return { subjectId, holdings: [], refused: recorded.code };
        const holdings = rows.map((row) => {
          const { sealed: _sealed, ...item } = row;
          const value = values.get(row);
          return value?.kind === 'opened'
            ? { ...item, value: value.value }
            : { ...item, withheld: 'forgotten' as const };
        });
        return { subjectId, holdings, ...(recorded && { viewId: recorded.viewId }) };
      }),
      ...(end < bulk.scope.subjectIds.length && { next: end }),
    };
  }

  /** Refuses on record whoever may not use the bulk view now. */
  async #refusal(bulkViewId: string, bulk: BulkView, actor: Actor): Promise<Refused | undefined> {
    const { purposeId, caseRef, categories } = bulk.scope;
    const [subjectId = ''] = bulk.scope.subjectIds;
    const asked = { actorId: actor.id, roles: actor.roles, subjectId, purposeId, caseRef, categories };
    const bulkViews = this.registers.get(bulkViewRegister);
    if (!actor.roles.includes('auditor') && !bulkRefusal(bulkViewId, asked, { bulkViews, now: this.clock.now() }))
      return undefined;
    const answer = await this.#views.open({ subjectId, purposeId, caseRef, categories, bulkViewId }, actor);
    return answer.accepted ? undefined : answer;
  }

  /** What is held about one person of what was asked for, and whether it may be opened. */
  async #look(subjectId: string, bulkViewId: string, { scope }: BulkView, actor: Actor) {
    const where = { subject_id: subjectId, status: 'held' };
    const rows = this.readModels
      .rows<HeldRow>(holdingsProjection, 'holdings', where, 'position')
      .filter(({ category }) => scope.categories.includes(category))
      .map(({ item_id, version, category, sealed }) => ({ item_id, version, category, sealed }));
    const categories = [...new Set(rows.map(({ category }) => category))];
    const { purposeId, caseRef } = scope;
    const recorded =
      rows.length === 0
        ? undefined
        : await this.#views.open({ subjectId, purposeId, caseRef, categories, bulkViewId }, actor);
    return { subjectId, rows, recorded };
  }
}
