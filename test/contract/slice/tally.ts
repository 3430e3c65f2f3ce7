import { IsInt, IsOptional, IsString, Matches } from 'class-validator';
import {
  capability,
  Command,
  REGISTER_ID,
  slice,
  type AnySlice,
  type CommandLedger,
  type LedgerEntry,
  type LookUps,
} from '#slice';
import {
  accept,
  Personal,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Protected,
  type Recorded,
  type Register,
} from '#kernel';
import type { EventCodec } from '#event-log';

/** Counts something up to a limit. As small as a capability can be, with everything one can have. */
abstract class TallyCommand extends Command {
  @Matches(REGISTER_ID)
  readonly tallyId!: string;
}

export class Add extends TallyCommand {
  get type() {
    return 'Add' as const;
  }
  @IsInt()
  readonly by!: number;
}

export class CloseTally extends TallyCommand {
  get type() {
    return 'CloseTally' as const;
  }
}

/** Writes a remark under seal, or where no codec declares it (`leak`). */
export class Remark extends TallyCommand {
  get type() {
    return 'Remark' as const;
  }
  @IsString()
  readonly text!: string;

  @IsOptional()
  @IsString()
  readonly leak?: string;
}

export class SetLimit extends Command {
  get type() {
    return 'SetLimit' as const;
  }
  @Matches(REGISTER_ID)
  readonly limitId!: string;

  @IsInt()
  readonly limit!: number;
}

interface Added {
  readonly type: 'Added';
  readonly data: { readonly tallyId: string; readonly by: number; readonly total: number };
}
interface Closed {
  readonly type: 'Closed';
  readonly data: { readonly tallyId: string };
}
interface Remarked {
  readonly type: 'Remarked';
  readonly data: { readonly text: Protected<string>; readonly leak?: Protected<string> };
}
interface LimitSet {
  readonly type: 'LimitSet';
  readonly data: { readonly limitId: string; readonly limit: number };
}
export type TallyEvent = Added | Closed | Remarked;

export const tallyCodec: EventCodec<TallyEvent | LimitSet> = {
  capability: 'tally',
  events: {
    Added: { stored: 'added.v1' },
    Closed: { stored: 'closed.v1' },
    Remarked: { stored: 'remarked.v1', personal: ['text'] },
    LimitSet: { stored: 'limit-set.v1' },
  },
};

type Limits = Readonly<Record<string, number>>;
export const limitRegister: Register<LimitSet, Limits> = {
  name: 'limits',
  streamPrefix: 'limit-',
  initialState: {},
  folds: { LimitSet: true },
  evolve: (state, { data }: Recorded<LimitSet>) => ({ ...state, [data.limitId]: data.limit }),
};

interface TallyState {
  readonly total: number;
  readonly closed: boolean;
}
interface TallyFacts extends Facts {
  readonly limits: Limits;
}

const SUBJECT = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';

const tallyDecider: Decider<Add | CloseTally | Remark, TallyEvent, TallyState, TallyFacts> = {
  initialState: { total: 0, closed: false },
  folds: { Added: true, Closed: true, Remarked: true },
  evolve(state, event) {
    switch (event.type) {
      case 'Added':
        return { ...state, total: event.data.total };
      case 'Closed':
        return { ...state, closed: true };
      case 'Remarked':
        return state;
    }
  },
  decide(command, state, facts) {
    const { tallyId } = command;
    switch (command.type) {
      case 'Add': {
        const total = state.total + command.by;
        if (state.closed) return refuse('REGISTER_ENTRY_UNKNOWN', { tallyId });
        if (total > (facts.limits[tallyId] ?? Infinity)) return refuse('DATA_EXCESSIVE', { tallyId, total });
        return accept({ type: 'Added', data: { tallyId, by: command.by, total } });
      }
      case 'CloseTally':
        return state.closed ? unchanged : accept({ type: 'Closed', data: { tallyId } });
      case 'Remark': {
        const key = { subjectId: SUBJECT, keyId: facts.id('remark') };
        const leak = command.leak === undefined ? {} : { leak: new Personal(command.leak, key) };
        return accept({ type: 'Remarked', data: { text: new Personal(command.text, key), ...leak } });
      }
    }
  },
};

/** @param lookUp stands between reading and deciding: where a test makes others write. */
export const tallySlice = (lookUp: (parts: LookUps) => Promise<object> = () => Promise.resolve({})): AnySlice =>
  slice<Add | CloseTally | Remark, TallyEvent, TallyState, TallyFacts>({
    decider: tallyDecider,
    streamPrefix: 'tally-',
    stream: ({ tallyId }) => `tally-${tallyId}`,
    facts: (registers) => ({ limits: registers.get(limitRegister) }),
    lookUp: (_command, _state, parts) => lookUp(parts),
    commands: [
      { command: Add, roles: ['service', 'staff'] },
      { command: CloseTally, roles: ['staff'] },
      { command: Remark, roles: ['service'] },
    ],
  });

export const limitSlice: AnySlice = slice<SetLimit, LimitSet, Limits, Facts>({
  decider: {
    initialState: {},
    folds: { LimitSet: true },
    evolve: (state, { data }) => ({ ...state, [data.limitId]: data.limit }),
    decide: ({ limitId, limit }, state) =>
      state[limitId] === limit ? unchanged : accept({ type: 'LimitSet', data: { limitId, limit } }),
  },
  streamPrefix: 'limit-',
  stream: ({ limitId }) => `limit-${limitId}`,
  facts: () => ({}),
  commands: [{ command: SetLimit, roles: ['staff'] }],
});

export const tallyCapability = capability({
  name: 'tally',
  codec: tallyCodec,
  slices: [tallySlice(), limitSlice],
  registers: [limitRegister],
});

/** A ledger that knows nothing yet: the read model has not been asked to follow. */
export const blankLedger: CommandLedger = { find: () => Promise.resolve<LedgerEntry | undefined>(undefined) };
