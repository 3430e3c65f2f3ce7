import { randomUUID } from 'node:crypto';
import { uuidV5, type Actor } from '#kernel';
import { purposeAsOf } from '#purpose';
import type { Clock, CommandDoor, Refused, Registers } from '#slice';
import { lookFacts } from './view-facts.js';
import { categoriesOf } from './view.decider.js';

/** What somebody asks to see of a person. */
export interface Asked {
  readonly subjectId: string;
  readonly purposeId?: string;
  readonly caseRef?: string;
  readonly categories: readonly string[];
  /** Whether less than all of it will do: then what is open is opened, and the rest stays shut. */
  readonly inPart?: boolean;
  readonly bulkViewId?: string;
}

/** A view that is on record. Only now may these categories be opened. */
export interface Recorded {
  readonly accepted: true;
  readonly viewId: string;
  readonly categories: readonly string[];
}

/** The engine itself sends what nobody else may; who asked stays on record. */
export const inTheNameOf = (actor: Actor): Actor => ({ ...actor, roles: [...actor.roles, 'system'] });

/**
 * The way to a value: whoever opens one asks here first. Counts it against the day's budget of who asks, and puts the
 * view on record: no append, no answer.
 */
export class ViewDoor {
  constructor(
    private readonly door: CommandDoor,
    private readonly registers: Registers,
    private readonly clock: Clock,
  ) {}

  /** @throws InvalidCommand when purpose or case are no references; LogUnavailable when nothing could be recorded. */
  async open(asked: Asked, actor: Actor): Promise<Recorded | Refused> {
    const { subjectId, purposeId, caseRef, bulkViewId } = asked;
    const { categories, drawsBudget } = this.#within(asked, actor);
    if (drawsBudget) {
      const draw = { commandId: randomUUID(), occurredAt: this.clock.now(), subjectId };
      const drawn = await this.door.submit('DrawViewBudget', draw, inTheNameOf(actor));
      if (!drawn.accepted) return drawn;
    }
    const commandId = randomUUID();
    const answer = await this.door.submit(
      'ViewPersonalData',
      {
        commandId,
        occurredAt: this.clock.now(),
        subjectId,
        categories,
        ...(purposeId !== undefined && { purposeId }),
        ...(caseRef !== undefined && { caseRef }),
        ...(bulkViewId !== undefined && { bulkViewId }),
      },
      actor,
    );
    return answer.accepted ? { accepted: true, viewId: uuidV5(commandId, 'view'), categories } : answer;
  }

  /** Whether the purpose would show all of it, and nothing but a grant is missing. */
  lacksGrant(asked: Asked, actor: Actor): boolean {
    const { listed, open } = this.#opened(asked, actor);
    const isListed = listed === 'all' || asked.categories.every((each) => listed.includes(each));
    return isListed && open.length < asked.categories.length;
  }

  /** What is to be opened; what was asked for when that is nothing, so that its refusal says why. */
  #within(asked: Asked, actor: Actor): { readonly categories: readonly string[]; readonly drawsBudget: boolean } {
    const { categories, inPart, bulkViewId } = asked;
    const { open, listed, emergency } = this.#opened(asked, actor);
    const isListed = (category: string): boolean => emergency || listed === 'all' || listed.includes(category);
    const wanted = inPart ? categories.filter(isListed) : categories;
    const shown = open.filter((each) => wanted.includes(each) && isListed(each));
    if (shown.length === 0 || (!inPart && shown.length < categories.length))
      return { categories: wanted.length > 0 ? wanted : categories, drawsBudget: false };
    // What was opened in an emergency is judged after; a bulk view was approved for its number.
    return { categories: shown, drawsBudget: !emergency && bulkViewId === undefined };
  }

  /** What grants or an emergency open of it, and what the purpose lists. */
  #opened(asked: Asked, { id, roles }: Actor): OpenNow {
    const { purposeId, caseRef } = asked;
    if (purposeId === undefined || caseRef === undefined) return { open: [], listed: [], emergency: false };
    const { opened, purposes } = lookFacts(this.registers);
    const now = this.clock.now();
    const { open, emergency } = opened({ ...asked, purposeId, caseRef, actorId: id, roles }, now);
    const found = purposeAsOf(purposes, purposeId, now);
    return { open, emergency, listed: found.status === 'inForce' ? categoriesOf(found.purpose) : [] };
  }
}

interface OpenNow {
  readonly open: readonly string[];
  readonly listed: readonly string[] | 'all';
  readonly emergency: boolean;
}
