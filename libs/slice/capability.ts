import type { Type } from '@nestjs/common';
import type {
  Actor,
  Decider,
  DomainCommand,
  DomainEvent,
  Facts,
  Projection,
  Recorded,
  Refusal,
  Register,
} from '#kernel';
import type { EventCodec } from '#event-log';
import type { KeyVault } from '#key-vault';
import type { Command } from './command.js';
import type { Role } from './permission.js';
import type { TimedPolicy } from './timed-policy.js';

/** A command class with the roles that may send it. */
export interface CommandBinding {
  readonly command: new () => Command;
  readonly roles: readonly Role[];
  /** Passes on what the person wants of us, such as a withdrawal: taken from any service (UK GDPR Art 7(3), 12(2)). */
  readonly forThePerson?: true;
}

/** What a command is about without naming it: what stands behind the ids that it names. */
export interface Touched {
  readonly purposes?: readonly string[];
  readonly categories?: readonly string[];
}

/** A command as it reached the engine. */
export interface Sent {
  readonly command: Command;
  readonly actor: Actor;
  readonly forThePerson: boolean;
  readonly touched: Touched;
}

/**
 * Looks at every command before it is decided, whatever door it came through.
 *
 * @returns why it is refused; `undefined` when the rule has nothing against it.
 */
export type DoorRule = (sent: Sent, registers: Registers) => Refusal | undefined;

/** Gives the present state of a register. */
export interface Registers {
  get<E extends DomainEvent, S>(register: Register<E, S>): S;
}

/** What a decision may have looked up before it is made. */
export interface LookUps {
  readonly vault: KeyVault;
  readonly registers: Registers;
  /**
   * The events of another stream, as the log has them now. The append is conditional on the command's own stream
   * only: what is recorded in the other one after this reading is not seen.
   */
  events(stream: string): AsyncIterable<Recorded>;
}

/** Binds a decider to the streams it decides about and to the commands that reach it. */
export interface Slice<
  C extends DomainCommand = never,
  E extends DomainEvent = never,
  S = never,
  F extends Facts = never,
> {
  readonly decider: Decider<C, E, S, F>;
  readonly commands: readonly CommandBinding[];
  /** The stream a command is decided in. */
  stream(command: C): string;
  /** Prefix of those streams. */
  readonly streamPrefix: string;
  /** What the decider needs beside time, actor and ids. */
  facts(registers: Registers): Omit<F, keyof Facts>;
  /** What a command is about beyond what it names; needed where it names items, uses or streams by their id. */
  touched?(command: C, state: S, registers: Registers): Touched;
  /** Further facts that have to be waited for. */
  lookUp?(command: C, state: S, lookUps: LookUps): Promise<Partial<F>>;
}

/** A slice with its types closed over: what the runner works with. */
export interface AnySlice {
  readonly decider: Decider<DomainCommand, DomainEvent, unknown, Facts>;
  readonly commands: readonly CommandBinding[];
  stream(command: DomainCommand): string;
  readonly streamPrefix: string;
  facts(registers: Registers): object;
  touched?(command: DomainCommand, state: unknown, registers: Registers): Touched;
  lookUp?(command: DomainCommand, state: unknown, lookUps: LookUps): Promise<object>;
}

export function slice<C extends DomainCommand, E extends DomainEvent, S, F extends Facts>(
  definition: Slice<C, E, S, F>,
): AnySlice {
  return definition as unknown as AnySlice;
}

/**
 * A read model that staff may list. It must not hold sealed values: those open one person at a time, on record.
 */
export interface View {
  /** Last part of its address. */
  readonly name: string;
  /** Where it is found: among the registers, under one person, or as a log of its own. */
  readonly scope: 'register' | 'subject' | 'log';
  readonly projection: Projection;
  readonly table: string;
  readonly roles: readonly Role[];
  /** Whether its rows about a person stand in the person's file too; for a view under one person. */
  readonly inFile?: true;
}

/** The views whose rows stand in a person's file beside what is held. */
export const FILE_VIEWS = Symbol('FileViews');

/** Who may read what is not said to be more discreet, or more open. */
export const READERS: readonly Role[] = ['staff', 'privacyOfficer', 'legal', 'auditor'];

export function view(
  scope: View['scope'],
  name: string,
  projection: unknown,
  table: string,
  roles: readonly Role[] = READERS,
): View {
  return { scope, name, projection: projection as Projection, table, roles };
}

/** One capability as the applications see it: one line per application takes it in. */
export interface Capability {
  readonly name: string;
  readonly codec: EventCodec;
  readonly slices: readonly AnySlice[];
  readonly registers: readonly Register<DomainEvent, unknown>[];
  readonly projections: readonly Projection[];
  readonly views: readonly View[];
  readonly controllers: readonly Type[];
  readonly policies: readonly TimedPolicy[];
  readonly doorRules: readonly DoorRule[];
}

/** Closes the types of a capability's parts, which are checked where each part is defined. */
export function capability(definition: {
  readonly name: string;
  readonly codec: unknown;
  readonly slices?: readonly AnySlice[];
  readonly registers?: readonly unknown[];
  readonly projections?: readonly unknown[];
  readonly views?: readonly View[];
  readonly controllers?: readonly Type[];
  readonly policies?: readonly unknown[];
  readonly doorRules?: readonly DoorRule[];
}): Capability {
  return {
    name: definition.name,
    codec: definition.codec as EventCodec,
    slices: definition.slices ?? [],
    registers: (definition.registers ?? []) as Register<DomainEvent, unknown>[],
    projections: (definition.projections ?? []) as Projection[],
    views: definition.views ?? [],
    controllers: definition.controllers ?? [],
    policies: (definition.policies ?? []) as TimedPolicy[],
    doorRules: definition.doorRules ?? [],
  };
}

/** Prefixes of every stream that these capabilities write. */
export function streamPrefixesOf(capabilities: readonly Capability[]): readonly string[] {
  return [...new Set(capabilities.flatMap((each) => each.slices.map((one) => one.streamPrefix)))];
}
