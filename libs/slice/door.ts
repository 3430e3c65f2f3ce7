import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Actor } from '#kernel';
import type { Answer } from './answer.js';
import type { AnySlice, Capability, CommandBinding } from './capability.js';
import type { Command } from './command.js';
import { permits } from './permission.js';
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

  constructor(capabilities: readonly Capability[]) {
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

/** Whoever has no right to send a command sent something that is no command either. Nothing is on record. */
export class NotPermitted extends Error {
  override readonly name = 'NotPermitted';
}

/**
 * The one way in: validate, authorise by role, then the CommandBus. HTTP, bus, CLI and timers all come through here,
 * so every door gives the same answers.
 */
@Injectable()
export class CommandDoor {
  constructor(
    private readonly catalogue: CommandCatalogue,
    private readonly bus: CommandBus,
    private readonly runner: SliceRunner,
  ) {}

  /**
   * @param type name of the command.
   * @param body what the sender wrote; nothing in it is trusted.
   * @param actor who sends it, as the door has authenticated it.
   * @param inClear path of a personal field that came in the clear over a way that takes it under seal only.
   * @throws InvalidCommand when there is no such command or the body is malformed.
   * @throws NotPermitted when the body is malformed and the sender may not send this command at all.
   */
  async submit(type: string, body: unknown, actor: Actor, inClear?: string): Promise<Answer> {
    const known = this.catalogue.get(type);
    if (!known) throw new InvalidCommand([{ field: 'type', rule: 'isKnownCommand' }]);
    const permitted = permits(known.roles, actor, subjectOf(body));
    const command: Command = Object.assign(await readAs(known, body, permitted), { actor });
    const stream = known.slice.stream(command);
    if (!permitted) return this.runner.refuse(command, stream, 'FORBIDDEN', { command: type });
    if (inClear !== undefined)
      return this.runner.refuse(command, stream, 'PLAINTEXT_PERSONAL_DATA', { field: inClear });
    return this.bus.execute(command);
  }
}

async function readAs({ command }: KnownCommand, body: unknown, permitted: boolean): Promise<Command> {
  try {
    return await readCommand(command, body);
  } catch (error) {
    if (!permitted && error instanceof InvalidCommand) throw new NotPermitted();
    throw error;
  }
}

const subjectOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'subjectId' in body ? body.subjectId : undefined;
