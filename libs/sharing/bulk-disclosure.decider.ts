import { accept, canonicalJson, refuse, unchanged, uuidV5, type Decider, type Outcome } from '#kernel';
import { BATCH, type BulkDisclosureAccepted, type BulkDisclosureEvent } from './bulk-disclosure.events.js';
import type { BulkDisclosureCommand, RecordBulkProgress, ShareDataInBulk } from './disclosure.commands.js';
import { mayReceive, type DisclosureFacts } from './disclosure.decider.js';

/** The stream of one disclosure about many people. */
export const disclosureStream = (disclosureId: string): string => `disclosure-${disclosureId}`;

/** A disclosure about many people. Who they are stands in its first event only. */
export interface BulkDisclosure {
  readonly gist: string;
  readonly subjectCount: number;
  /** Numbers of the parts that are done. */
  readonly done: ReadonlySet<number>;
  readonly shared: number;
  /** How many were left out, by code. */
  readonly refused: ReadonlyMap<string, number>;
}

export const bulkDisclosureDecider: Decider<
  BulkDisclosureCommand,
  BulkDisclosureEvent,
  BulkDisclosure | undefined,
  DisclosureFacts
> = {
  initialState: undefined,
  folds: { BulkDisclosureAccepted: true, BulkDisclosureProgressed: true, BulkDisclosureCompleted: true },
  evolve(state, event) {
    switch (event.type) {
      case 'BulkDisclosureAccepted': {
        const { subjectCount } = event.data;
        return { gist: gist(event.data), subjectCount, done: new Set(), shared: 0, refused: new Map() };
      }
      case 'BulkDisclosureProgressed': {
        if (!state) return state;
        const refused = new Map(state.refused);
        for (const { code } of event.data.refused) refused.set(code, (refused.get(code) ?? 0) + 1);
        const done = new Set(state.done).add(event.data.batch);
        return { ...state, done, shared: state.shared + event.data.shared, refused };
      }
      case 'BulkDisclosureCompleted':
        return state;
    }
  },
  decide(command, state, facts) {
    return command.type === 'ShareDataInBulk' ? begin(command, state, facts) : progress(command, state);
  },
};

type Order = Omit<BulkDisclosureAccepted['data'], 'recipientKind' | 'purposeVersion' | 'subjectCount'>;

/** What makes two bulk disclosures under one id the same. */
function gist(order: Order): string {
  const { disclosureId, subjectIds, recipientId, purposeId, categories, medium } = order;
  const { basis, agreementId, instrumentId, transferMechanism } = order;
  const people = uuidV5(disclosureId, [...subjectIds].sort().join(' '));
  const grounds = [basis, agreementId, instrumentId, transferMechanism].map((each) => each ?? null);
  return canonicalJson([recipientId, purposeId, [...categories].sort(), medium, ...grounds, people]);
}

function begin(
  command: ShareDataInBulk,
  state: BulkDisclosure | undefined,
  facts: DisclosureFacts,
): Outcome<BulkDisclosureEvent> {
  const { disclosureId, recipientId, purposeId, categories, subjectIds, medium } = command;
  const { basis, agreementId, instrumentId, transferMechanism } = command;
  const order: Order = {
    disclosureId,
    recipientId,
    purposeId,
    categories,
    ...(basis !== undefined && { basis }),
    ...(agreementId !== undefined && { agreementId }),
    ...(instrumentId !== undefined && { instrumentId }),
    ...(transferMechanism !== undefined && { transferMechanism }),
    medium,
    subjectIds,
  };
  if (state) return state.gist === gist(order) ? unchanged : refuse('REGISTER_ENTRY_EXISTS', { disclosureId });
  const recipient = facts.recipients.get(recipientId);
  if (!recipient) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  const wanted = categories.map((category) => ({ category }));
  const allowed = mayReceive(order, recipient, wanted, facts);
  if ('kind' in allowed) return allowed;
  return accept({
    type: 'BulkDisclosureAccepted',
    data: {
      ...order,
      recipientKind: recipient.registered.kind,
      purposeVersion: allowed.purpose.version,
      subjectCount: subjectIds.length,
    },
  });
}

function progress(command: RecordBulkProgress, state: BulkDisclosure | undefined): Outcome<BulkDisclosureEvent> {
  const { disclosureId, batch, shared, refused } = command;
  const batches = Math.ceil((state?.subjectCount ?? 0) / BATCH);
  if (!state || batch >= batches) return refuse('REGISTER_ENTRY_UNKNOWN', { disclosureId, batch });
  if (state.done.has(batch)) return unchanged;
  const sharedSoFar = state.shared + shared;
  const refusedSoFar = [...state.refused.values()].reduce((sum, count) => sum + count, refused.length);
  const progressed: BulkDisclosureEvent = {
    type: 'BulkDisclosureProgressed',
    data: {
      disclosureId,
      batch,
      shared,
      refused: refused.map(({ subjectId, code }) => ({ subjectId, code })),
      sharedSoFar,
      refusedSoFar,
    },
  };
  if (state.done.size + 1 < batches) return accept(progressed);
  const counts = new Map(state.refused);
  for (const { code } of refused) counts.set(code, (counts.get(code) ?? 0) + 1);
  return accept<BulkDisclosureEvent>(progressed, {
    type: 'BulkDisclosureCompleted',
    data: {
      disclosureId,
      shared: sharedSoFar,
      refused: [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => (a.code < b.code ? -1 : 1)),
    },
  });
}
