import { accept, canonicalJson, parseInstant, unchanged, type Decider, type Instant } from '#kernel';
import type { DescribeController } from './data-controller.commands.js';
import type { ControllerEvent } from './data-controller.events.js';
import { descriptionOf, type DescribedController } from './data-controller.register.js';

/** The newest description. */
export type ControllerState = DescribedController | undefined;

/** How the controller describes itself. A date alone is no change: what was recorded keeps its date. */
export const controllerDecider: Decider<DescribeController, ControllerEvent, ControllerState> = {
  initialState: undefined,
  folds: { ControllerDescribed: true },
  evolve: (_before, { data }) => data,
  decide(command, newest, facts) {
    const { controllerId } = command;
    const content = descriptionOf(command);
    if (newest && canonicalJson(descriptionOf(newest)) === canonicalJson(content)) return unchanged;
    const wanted = parseInstant(command.effectiveFrom ?? '') ?? facts.occurredAt;
    return accept({
      type: 'ControllerDescribed',
      data: {
        controllerId,
        version: (newest?.version ?? 0) + 1,
        ...content,
        // What was in force stays so: only the first description may reach back.
        effectiveFrom: newest ? latest(wanted, facts.occurredAt, newest.effectiveFrom) : wanted,
      },
    });
  },
};

const latest = (...instants: readonly [Instant, ...Instant[]]): Instant =>
  instants.reduce((last, each) => (each > last ? each : last));
