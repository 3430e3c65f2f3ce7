import { setTimeout as wait } from 'node:timers/promises';
import {
  canonicalJson,
  parseInstant,
  REFUSALS,
  uuidV5,
  type DomainCommand,
  type DomainEvent,
  type Facts,
  type Instant,
  type Outcome,
  type Recorded,
  type Refusal,
  type RefusalCode,
} from '#kernel';
import { LogUnavailable, PlaintextPersonalData, RevisionConflict, type EventLog, type Identified } from '#event-log';
import { refused, type Accepted, type Answer, type Refused } from './answer.js';
import type { AnySlice, DoorRule, LookUps } from './capability.js';
import type { Clock } from './clock.js';
import type { Command } from './command.js';
import { eventId, REFUSAL_STREAM_PREFIX, refusalEventId, type CommandRefused } from './refusal-log.js';
import type { RegisterHost } from './register-host.js';

/** What the ledger of answered commands knows about a command id. */
export interface LedgerEntry {
  readonly stream: string;
  readonly fingerprint: string;
  /** Id of the first event the command recorded, or of its refusal. */
  readonly answerEvent: string;
  /** Revision of that event in its stream. */
  readonly revision: number;
}

/** Looks answered commands up. May lag: what it does not know yet, the runner remembers itself. */
export interface CommandLedger {
  find(commandId: string): Promise<LedgerEntry | undefined>;
}

/** Trace of one command within a stream. */
interface CommandTrace {
  readonly fingerprint: string;
  readonly position: number;
  readonly events: readonly { readonly id: string; readonly type: string; readonly revision: number }[];
}

/** A stream folded by every decider of its kind, as far as it was read. */
interface Fold {
  revision: number;
  position: number;
  readonly states: Map<AnySlice, unknown>;
  readonly commands: Map<string, CommandTrace>;
}

/** The command could not be decided on a state that stood still. Nothing was recorded; it may be sent again. */
export class TooContended extends Error {
  override readonly name = 'TooContended';
}

const ATTEMPTS = 12;
/**
 * Longest pause before the last attempts, in milliseconds. Who has just won remembers the stream and needs one round
 * trip for the next command, who has lost needs two: without a pause a loser goes on losing for as long as the other
 * has commands waiting.
 */
const LONGEST_PAUSE = 100;
const PREFIX = /^[a-z]+-$/;
const REMEMBERED_STREAMS = 10_000;
const REMEMBERED_ANSWERS = 20_000;

/**
 * Decides commands: context, read, decide, seal, append at the revision that was read, answer.
 *
 * Guarantees: a command id has one effect and one answer, also under concurrent duplicates and after a restart. An
 * answer is given only after its events (or its refusal) are durable. Commands on one stream are decided one after
 * the other; a conflict with another process is decided anew, a bounded number of times.
 */
export class SliceRunner {
  readonly #folds = new Map<string, Fold>();
  readonly #answers = new Map<string, { readonly fingerprint: string; readonly answer: Answer }>();
  readonly #running = new Map<string, { readonly fingerprint: string; readonly answer: Promise<Answer> }>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #slicesByPrefix = new Map<string, AnySlice[]>();
  readonly #lookUps: LookUps;

  constructor(
    private readonly log: EventLog,
    private readonly registers: RegisterHost,
    private readonly ledger: CommandLedger,
    private readonly clock: Clock,
    slices: readonly AnySlice[],
    private readonly rules: readonly DoorRule[] = [],
  ) {
    this.#lookUps = { vault: log.vault, registers, events: (stream) => log.readStream(stream) };
    for (const slice of slices) {
      if (!PREFIX.test(slice.streamPrefix)) throw new Error(`${slice.streamPrefix} is not a word and a hyphen`);
      this.#slicesByPrefix.set(slice.streamPrefix, [...(this.#slicesByPrefix.get(slice.streamPrefix) ?? []), slice]);
    }
  }

  /**
   * @throws LogUnavailable when the outcome is not known: send the same command again.
   * @throws TooContended when the stream would not stand still.
   */
  async run(slice: AnySlice, command: Command): Promise<Answer> {
    const { commandId } = command;
    const fingerprint = this.#fingerprint(command);
    const stream = slice.stream(command);
    const known = this.#running.get(commandId) ?? this.#answers.get(commandId);
    if (known)
      return known.fingerprint === fingerprint ? known.answer : this.#refuseReuse(command, stream, fingerprint);
    const answer = this.#inTurn(stream, () => this.#decide(slice, command, stream, fingerprint)).then((decided) =>
      this.#whenFolded(decided, stream),
    );
    this.#running.set(commandId, { fingerprint, answer });
    try {
      const given = await answer;
      remember(this.#answers, commandId, { fingerprint, answer: given }, REMEMBERED_ANSWERS);
      return given;
    } finally {
      this.#running.delete(commandId);
    }
  }

  /** Whoever is told that a register was changed finds the change in it. */
  async #whenFolded(answer: Answer, stream: string): Promise<Answer> {
    if (answer.accepted && this.registers.folds(stream)) await this.registers.reached(answer.position);
    return answer;
  }

  /** Records a refusal that was made before any rule was asked, such as one for a missing role. */
  async refuse(
    command: Command,
    stream: string,
    code: RefusalCode,
    details: Refusal['details'] = {},
  ): Promise<Refused> {
    const fingerprint = this.#fingerprint(command);
    const answered = await this.ledger.find(command.commandId);
    const remembered = this.#answers.get(command.commandId);
    if ((answered ?? remembered ?? { fingerprint }).fingerprint !== fingerprint)
      return this.#refuseReuse(command, stream, fingerprint);
    if (answered && isRefusal(answered)) return this.#refusalOnRecord(answered, command.commandId);
    const answer = await this.#refuse(command, stream, { code, details }, fingerprint);
    remember(this.#answers, command.commandId, { fingerprint, answer }, REMEMBERED_ANSWERS);
    return answer;
  }

  async #decide(slice: AnySlice, command: Command, stream: string, fingerprint: string): Promise<Answer> {
    const answered = await this.ledger.find(command.commandId);
    if (answered && answered.fingerprint !== fingerprint) return this.#refuseReuse(command, stream, fingerprint);
    if (answered && isRefusal(answered)) return this.#refusalOnRecord(answered, command.commandId);

    const happened = command.occurredAt === undefined ? this.clock.now() : parseInstant(command.occurredAt);
    if (happened === undefined || happened > this.clock.now())
      return this.#refuse(
        command,
        stream,
        { code: 'OCCURRED_IN_FUTURE', details: { field: 'occurredAt' } },
        fingerprint,
      );

    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 1) await wait(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE));
      let fold = this.#folds.get(stream);
      const cached = fold !== undefined;
      fold ??= await this.#read(stream);
      const trace = fold.commands.get(command.commandId);
      if (trace)
        return trace.fingerprint === fingerprint
          ? this.#acceptedBefore(command, stream, trace)
          : this.#refuseReuse(command, stream, fingerprint);

      const now = this.clock.now();
      const occurredAt = command.occurredAt === undefined ? now : happened;
      const facts: Facts = {
        actor: command.actor,
        now,
        occurredAt,
        id: (name) => uuidV5(command.commandId, name),
        ...slice.facts(this.registers),
      };
      const state = fold.states.get(slice);
      const turnedAway = this.#turnedAway(slice, command, state);
      const looked = !turnedAway && slice.lookUp ? await slice.lookUp(command, state, this.#lookUps) : {};
      const outcome: Outcome<DomainEvent> = turnedAway
        ? { kind: 'refused', refusal: turnedAway }
        : slice.decider.decide(command as DomainCommand, state, { ...facts, ...looked });
      const final = outcome.kind === 'accepted' && outcome.events.length > 0;
      if (!final && cached) {
        // Nothing will be appended, so nothing would tell that the cached state is behind: read on, decide once more.
        if (await this.#catchUp(stream, fold)) continue;
      }
      if (outcome.kind === 'refused') return this.#refuse(command, stream, outcome.refusal, fingerprint);
      if (outcome.events.length === 0)
        return {
          accepted: true,
          commandId: command.commandId,
          events: [],
          stream,
          position: Math.max(fold.position, 0),
        };

      const events: Identified[] = outcome.events.map((event, index) => ({
        ...event,
        id: eventId(command.commandId, index),
      }));
      try {
        return await this.#append(command, stream, fold, events, occurredAt, now, fingerprint);
      } catch (error) {
        this.#folds.delete(stream);
        if (error instanceof PlaintextPersonalData)
          return this.#refuse(
            command,
            stream,
            { code: 'PLAINTEXT_PERSONAL_DATA', details: { field: error.path } },
            fingerprint,
          );
        if (!(error instanceof RevisionConflict)) throw error;
      }
    }
    throw new TooContended(`the stream ${stream} would not stand still`);
  }

  /** What the rules of the door have against a command: they are asked with what it touches in this state. */
  #turnedAway(slice: AnySlice, command: Command, state: unknown): Refusal | undefined {
    const sent = {
      command,
      actor: command.actor,
      forThePerson: slice.commands.find((each) => command instanceof each.command)?.forThePerson ?? false,
      touched: slice.touched?.(command, state, this.registers) ?? {},
    };
    for (const rule of this.rules) {
      const refusal = rule(sent, this.registers);
      if (refusal) return refusal;
    }
    return undefined;
  }

  async #append(
    command: Command,
    stream: string,
    fold: Fold,
    events: readonly Identified[],
    occurredAt: Instant,
    now: Instant,
    fingerprint: string,
  ): Promise<Accepted> {
    const recordedAt = now;
    const { position, events: stored } = await this.log.append(stream, fold.revision, events, {
      commandId: command.commandId,
      actor: command.actor,
      occurredAt,
      recordedAt,
      fingerprint,
    });
    const first = fold.revision + 1;
    const trace: CommandTrace = {
      fingerprint,
      position,
      events: events.map((event, index) => ({ id: event.id, type: event.type, revision: first + index })),
    };
    // What was stored, not what was decided: a fold keeps no personal value in the clear.
    this.#evolve(fold, stream, stored, occurredAt);
    fold.revision += events.length;
    fold.position = position;
    fold.commands.set(command.commandId, trace);
    remember(this.#folds, stream, fold, REMEMBERED_STREAMS);
    return { accepted: true, commandId: command.commandId, events: trace.events, stream, position };
  }

  async #read(stream: string): Promise<Fold> {
    const fold: Fold = { revision: -1, position: 0, states: new Map(), commands: new Map() };
    for (const slice of this.#slicesOf(stream)) fold.states.set(slice, slice.decider.initialState);
    await this.#catchUp(stream, fold);
    remember(this.#folds, stream, fold, REMEMBERED_STREAMS);
    return fold;
  }

  /** Reads what the fold has not seen. @returns whether there was anything. */
  async #catchUp(stream: string, fold: Fold): Promise<boolean> {
    let moved = false;
    for await (const event of this.log.readStream(stream, fold.revision + 1)) {
      this.#evolve(fold, stream, [event], event.occurredAt);
      traceInto(fold.commands, event);
      fold.revision = event.revision;
      fold.position = event.position;
      moved = true;
    }
    return moved;
  }

  #evolve(fold: Fold, stream: string, events: readonly DomainEvent[], at: Instant): void {
    for (const slice of this.#slicesOf(stream)) {
      let state = fold.states.get(slice);
      for (const event of events) if (event.type in slice.decider.folds) state = slice.decider.evolve(state, event, at);
      fold.states.set(slice, state);
    }
  }

  #slicesOf(stream: string): readonly AnySlice[] {
    return this.#slicesByPrefix.get(stream.slice(0, stream.indexOf('-') + 1)) ?? [];
  }

  #acceptedBefore(command: Command, stream: string, trace: CommandTrace): Accepted {
    return { accepted: true, commandId: command.commandId, events: trace.events, stream, position: trace.position };
  }

  async #refusalOnRecord(entry: LedgerEntry, commandId: string): Promise<Refused> {
    for await (const event of this.log.readStream(entry.stream, entry.revision)) {
      if (event.id !== entry.answerEvent) break;
      const { code, details } = (event as Recorded<CommandRefused>).data;
      return refused(commandId, code, details, event.id, event.position);
    }
    throw new LogUnavailable(new Error(`the refusal ${entry.answerEvent} is not in ${entry.stream}`));
  }

  #refuseReuse(command: Command, stream: string, fingerprint: string): Promise<Refused> {
    const id = refusalEventId(command.commandId, `${fingerprint} ${dayOf(this.clock.now())}`);
    return this.#record(
      command,
      stream,
      { code: 'COMMAND_ID_REUSED', details: { field: 'commandId' } },
      fingerprint,
      id,
    );
  }

  #refuse(command: Command, stream: string, refusal: Refusal, fingerprint: string): Promise<Refused> {
    return this.#record(command, stream, refusal, fingerprint, refusalEventId(command.commandId));
  }

  async #record(command: Command, stream: string, refusal: Refusal, fingerprint: string, id: string): Promise<Refused> {
    const now = this.clock.now();
    const rule = REFUSALS[refusal.code];
    const event: CommandRefused & { readonly id: string } = {
      type: 'CommandRefused',
      id,
      data: {
        commandType: command.type,
        code: refusal.code,
        clauses: rule.clauses,
        legalRef: rule.law,
        details: refusal.details,
        streamRef: stream,
        ...(command.caseRef !== undefined && { caseRef: command.caseRef }),
      },
    };
    const { position } = await this.log.append(`${REFUSAL_STREAM_PREFIX}${dayOf(now)}`, 'any', [event], {
      commandId: command.commandId,
      actor: command.actor,
      occurredAt: now,
      recordedAt: now,
      fingerprint,
    });
    return refused(command.commandId, refusal.code, refusal.details, id, position);
  }

  /** Keyed, so that a personal value in a command cannot be guessed from it. */
  #fingerprint(command: Command): string {
    const { actor, commandId: _id, ...content } = command;
    return this.log.vault.hmac('command', canonicalJson({ ...content, type: command.type, actor: actor.id }));
  }

  /** Runs after everything that was queued for this stream before. */
  async #inTurn<T>(stream: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(stream);
    const turn = (before ?? Promise.resolve()).then(work, work);
    this.#queues.set(stream, turn);
    try {
      return await turn;
    } finally {
      if (this.#queues.get(stream) === turn) this.#queues.delete(stream);
    }
  }
}

const isRefusal = ({ stream }: LedgerEntry): boolean => stream.startsWith(REFUSAL_STREAM_PREFIX);

/** Refusals stand in one stream a day. */
const dayOf = (at: Instant): string => at.slice(0, 10);

function traceInto(commands: Map<string, CommandTrace>, event: Recorded): void {
  const trace = commands.get(event.commandId);
  commands.set(event.commandId, {
    fingerprint: event.fingerprint,
    position: event.position,
    events: [...(trace?.events ?? []), { id: event.id, type: event.type, revision: event.revision }],
  });
}

/** Keeps the newest `limit` entries. */
function remember<V>(map: Map<string, V>, key: string, value: V, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > limit) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
}
