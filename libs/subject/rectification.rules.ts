import { CALENDAR_VERSION, addPeriodToInstant, rightsRequestDeadline } from '#calendar';
import { accept, Personal, refuse, unchanged, type Facts, type Instant, type Outcome } from '#kernel';
import type { AnswerRectification, RaiseRectificationOverdue, ReportChange } from './rectification.commands.js';
import type { RectificationCompleted, RectificationEvent, RectificationOutcome } from './rectification.events.js';
import type { SubjectEvent } from './subject.events.js';

/** The controller's part of the United Kingdom: its bank holidays count. */
const DIVISION = 'england-and-wales';

/** How long a reported value that was not taken over is kept for disputes, from the end of its case on. */
export const DISPUTE_PERIOD = 'P12M';

/** One case as its stream tells it. */
export interface RectificationCase {
  readonly due: string;
  /** By item: the version that was in question, and whether its correction was refused. */
  readonly items: ReadonlyMap<string, { readonly version: number; readonly refused: boolean }>;
  readonly notHeld: readonly string[];
  /** The person was told what of it concerns nothing that is held. */
  readonly answered: boolean;
  readonly overdue: boolean;
  /** From when on the reported values are no longer kept; set when the case is closed. */
  readonly valuesUntil?: string;
}

/** Cases by request id. */
export type RectificationCases = ReadonlyMap<string, RectificationCase>;

/** What a case asks about an item. */
export interface ItemInCase {
  readonly category: string;
  readonly version: number;
  readonly status: 'held' | 'expired' | 'erased';
  readonly disputedSince?: Instant;
  readonly completed: readonly number[];
}
export type ItemsInCases = Readonly<Record<string, ItemInCase>>;

export function evolveCases(
  cases: RectificationCases,
  event: RectificationEvent | Extract<SubjectEvent, { type: 'RectificationRefused' }>,
): RectificationCases {
  switch (event.type) {
    case 'RectificationRequested': {
      const { requestId, due, notHeld } = event.data;
      const items = new Map(event.data.items.map(({ itemId, version }) => [itemId, { version, refused: false }]));
      return new Map(cases).set(requestId, { due, items, notHeld, answered: false, overdue: false });
    }
    case 'RectificationRefused': {
      const { itemId, requestId } = event.data;
      const refused = [...cases].map(([id, each]): readonly [string, RectificationCase] => {
        const part = each.items.get(itemId);
        if (!part || !isOpen(each) || (requestId !== undefined && requestId !== id)) return [id, each];
        return [id, { ...each, items: new Map(each.items).set(itemId, { ...part, refused: true }) }];
      });
      return new Map(refused);
    }
    case 'RectificationAnswered':
      return withCase(cases, event.data.requestId, (each) => ({ ...each, answered: true }));
    case 'RectificationOverdue':
      return withCase(cases, event.data.requestId, (each) => ({ ...each, overdue: true }));
    case 'RectificationCompleted':
      return withCase(cases, event.data.requestId, (each) => ({ ...each, valuesUntil: event.data.valuesUntil }));
    // The values that were reported are kept and ended by the rules of retention.
    case 'SubjectReportedChange':
    case 'ReportedValuesErased':
      return cases;
  }
}

/** Opens a case about everything the person spoke of. What is held of it is in dispute from that moment on (I-14c). */
export function reportChange(
  command: ReportChange,
  cases: RectificationCases,
  items: ItemsInCases,
  facts: Facts,
): Outcome<SubjectEvent> {
  const { subjectId, channel } = command;
  const requestId = facts.id('request');
  if (cases.has(requestId)) return unchanged;
  const strange = command.changes.filter(
    ({ itemId, category }) => itemId !== undefined && items[itemId]?.category !== category,
  );
  if (strange.length > 0) return refuse('ITEM_UNKNOWN', { items: strange.map(({ itemId }) => itemId ?? '') });

  const held = Object.entries(items).filter(([, item]) => item.status === 'held');
  const meant = ({ itemId, category }: ReportChange['changes'][number]) =>
    held.filter(([id, item]) => (itemId === undefined ? item.category === category : itemId === id));
  const inQuestion = new Map(command.changes.flatMap(meant));
  const notHeld = command.changes.filter((change) => meant(change).length === 0).map(({ category }) => category);
  const deadline = rightsRequestDeadline({
    relevantTime: facts.occurredAt,
    division: DIVISION,
    extended: false,
    pauses: [],
  });
  // Only an open pause leaves a clock without a date, and only access requests are paused.
  if (deadline.dueDate === null) throw new TypeError('a rectification cannot be paused');

  return accept<SubjectEvent>(
    {
      type: 'SubjectReportedChange',
      data: {
        subjectId,
        requestId,
        channel,
        changes: command.changes.map(({ category, itemId, value }, index) => {
          const keyId = facts.id(`reported key ${index}`);
          return {
            category,
            ...(itemId !== undefined && { itemId }),
            ...(value !== undefined && { keyId, value: new Personal(value, { subjectId, keyId }) }),
          };
        }),
      },
    },
    {
      type: 'RectificationRequested',
      data: {
        subjectId,
        requestId,
        channel,
        receivedAt: facts.occurredAt,
        items: [...inQuestion].map(([itemId, { version, category }]) => ({ itemId, version, category })),
        notHeld: [...new Set(notHeld)],
        due: deadline.mustBeDoneBefore,
        dueDate: deadline.dueDate,
        division: DIVISION,
        calendarVersion: CALENDAR_VERSION,
        horizonExceeded: deadline.horizonExceeded,
      },
    },
    ...[...inQuestion]
      .filter(([, item]) => item.disputedSince === undefined)
      .map(([itemId, { version, category }]): SubjectEvent => ({
        type: 'AccuracyDoubtRaised',
        data: { subjectId, itemId, version, category, cause: 'subjectNotice', requestId },
      })),
  );
}

/** Whether a command about an item may name this case; the refusal when not. */
export function caseOf(
  requestId: string | undefined,
  itemId: string,
  cases: RectificationCases,
): Outcome<never> | undefined {
  if (requestId === undefined) return undefined;
  const named = cases.get(requestId);
  if (!named) return refuse('REGISTER_ENTRY_UNKNOWN', { requestId });
  return named.items.has(itemId) ? undefined : refuse('ITEM_UNKNOWN', { itemId, requestId });
}

/** Whether an open case, or the named one, awaits a decision about the item. */
export function awaits(
  itemId: string,
  requestId: string | undefined,
  cases: RectificationCases,
  items: ItemsInCases,
): boolean {
  return [...cases].some(
    ([id, each]) =>
      (requestId === undefined || requestId === id) &&
      isOpen(each) &&
      each.items.has(itemId) &&
      outcomeOf(itemId, each, items) === undefined,
  );
}

export function answerRectification(
  { subjectId, requestId }: AnswerRectification,
  cases: RectificationCases,
  items: ItemsInCases,
): Outcome<SubjectEvent> {
  const about = cases.get(requestId);
  if (!about) return refuse('REGISTER_ENTRY_UNKNOWN', { requestId });
  if (!isOpen(about) || about.answered) return unchanged;
  const open = [...about.items.keys()].filter((itemId) => outcomeOf(itemId, about, items) === undefined);
  const gone = open.filter((itemId) => items[itemId]?.status !== 'held').map((itemId) => items[itemId]?.category ?? '');
  const categories = [...new Set([...about.notHeld, ...gone])];
  if (categories.length === 0) return refuse('RESPONSE_INCOMPLETE', { requestId, items: open });
  return accept({ type: 'RectificationAnswered', data: { subjectId, requestId, categories } });
}

export function raiseRectificationOverdue(
  { subjectId, requestId, due }: RaiseRectificationOverdue,
  cases: RectificationCases,
  facts: Facts,
): Outcome<SubjectEvent> {
  const about = cases.get(requestId);
  if (!about) return refuse('REGISTER_ENTRY_UNKNOWN', { requestId });
  const overtaken = !isOpen(about) || about.overdue || about.due !== due || due > facts.now;
  return overtaken ? unchanged : accept({ type: 'RectificationOverdue', data: { subjectId, requestId, due } });
}

/** The cases that have nothing open any more. */
export function completions(
  subjectId: string,
  cases: RectificationCases,
  items: ItemsInCases,
  at: Instant,
): readonly RectificationCompleted[] {
  return [...cases].flatMap(([requestId, each]): RectificationCompleted[] => {
    if (!isOpen(each) || (each.notHeld.length > 0 && !each.answered)) return [];
    const outcomes: { readonly itemId: string; readonly outcome: RectificationOutcome }[] = [];
    for (const itemId of each.items.keys()) {
      const outcome = outcomeOf(itemId, each, items);
      if (outcome === undefined) return [];
      outcomes.push({ itemId, outcome });
    }
    const [first, ...others] = new Set([
      ...outcomes.map(({ outcome }) => outcome),
      ...(each.notHeld.length > 0 ? (['notHeld'] as const) : []),
    ]);
    const outcome = first === undefined || others.length > 0 ? 'partly' : first;
    const disputed = outcome === 'refused' || outcome === 'partly';
    const valuesUntil = disputed ? addPeriodToInstant(at, DISPUTE_PERIOD) : at;
    return [{ type: 'RectificationCompleted', data: { subjectId, requestId, outcome, items: outcomes, valuesUntil } }];
  });
}

const isOpen = (each: RectificationCase): boolean => each.valuesUntil === undefined;

/** How the part of a case about an item has ended; `undefined` while it has not. */
function outcomeOf(itemId: string, each: RectificationCase, items: ItemsInCases): RectificationOutcome | undefined {
  const part = each.items.get(itemId);
  const item = items[itemId];
  if (!part || !item) return undefined;
  if (item.completed.some((version) => version > part.version)) return 'corrected';
  if (part.refused) return 'refused';
  return item.status !== 'held' && each.answered ? 'notHeld' : undefined;
}

function withCase(
  cases: RectificationCases,
  requestId: string,
  change: (each: RectificationCase) => RectificationCase,
): RectificationCases {
  const found = cases.get(requestId);
  return found ? new Map(cases).set(requestId, change(found)) : cases;
}
