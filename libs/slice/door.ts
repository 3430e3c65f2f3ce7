import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Actor } from '#kernel';
import type { Answer } from './answer.js';
import type { AnySlice, Capability, CommandBinding, DoorRule } from './capability.js';
import type { Command } from './command.js';
import { RegisterHost } from './register-host.js';
import { SliceRunner } from './runner.js';
import { InvalidCommand, readCommand } from './validation.js';

/** A command of the engine: its class, who may send it, and where it is decided. */
export interface KnownCommand extends CommandBinding {
  readonly type: string;
  readonly capability: string;
  readonly slice: AnySlice;
}

/** Every command of an application by name. */
export class CommandCatalogue {
  readonly #commands = new Map<string, KnownCommand>();
  /** What every command has to pass after its roles. */
  readonly doorRules: readonly DoorRule[];

  constructor(capabilities: readonly Capability[]) {
    this.doorRules = capabilities.flatMap((each) => each.doorRules);
    for (const capability of capabilities)
      for (const slice of capability.slices)
        for (const binding of slice.commands) {
          const { type } = new binding.command();
          if (this.#commands.has(type)) throw new Error(`the command ${type} is bound twice`);
          this.#commands.set(type, { ...binding, type, capability: capability.name, slice });
        }
  }

  get(type: string): KnownCommand | undefined {
    return this.#commands.get(type);
  }

  all(): readonly KnownCommand[] {
    return [...this.#commands.values()];
  }
}

/**
 * The one way in: validate, authorise by role and by the rules of the door, then the CommandBus. HTTP, bus, CLI and timers all come through here, so
 * every door gives the same answers.
 */
@Injectable()
export class CommandDoor {
  constructor(
    private readonly catalogue: CommandCatalogue,
    private readonly bus: CommandBus,
    private readonly runner: SliceRunner,
    private readonly registers: RegisterHost,
  ) {}

  /**
   * @param type name of the command.
   * @param body what the sender wrote; nothing in it is trusted.
   * @param actor who sends it, as the door has authenticated it.
   * @param inClear path of a personal field that came in the clear over a way that takes it under seal only.
   * @throws InvalidCommand when there is no such command or the body is malformed.
   */
  async submit(type: string, body: unknown, actor: Actor, inClear?: string): Promise<Answer> {
    const known = this.catalogue.get(type);
    if (!known) throw new InvalidCommand([{ field: 'type', rule: 'isKnownCommand' }]);
    const command: Command = Object.assign(await readCommand(known.command, body), { actor });
    const stream = known.slice.stream(command);
    if (!known.roles.some((role) => actor.roles.includes(role)))
      return this.runner.refuse(command, stream, 'FORBIDDEN', { command: type });
    if (inClear !== undefined)
      return this.runner.refuse(command, stream, 'PLAINTEXT_PERSONAL_DATA', { field: inClear });
    const sent = { actor, forThePerson: known.forThePerson ?? false };
    for (const rule of this.catalogue.doorRules) {
      const refusal = rule(command, sent, this.registers);
      if (refusal) return this.runner.refuse(command, stream, refusal.code, refusal.details);
    }
    return this.bus.execute(command);
  }
}
