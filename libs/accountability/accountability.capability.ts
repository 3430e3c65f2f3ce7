import { capability, READERS, slice, view, type Role } from '#slice';
import type { Facts } from '#kernel';
import { accountabilityCodec } from './accountability.codec.js';
import { AskingController } from './asking.controller.js';
import { DescribeController } from './data-controller.commands.js';
import { controllerDecider, type ControllerState } from './data-controller.decider.js';
import type { ControllerEvent } from './data-controller.events.js';
import { controllersProjection } from './data-controller.projection.js';
import { controllerRegister } from './data-controller.register.js';
import { MinimisationController } from './minimisation.controller.js';
import { minimisationProjection } from './minimisation.projection.js';
import { registerFactsProjection } from './register-facts.projection.js';
import { RopaController } from './ropa.controller.js';
import { segregationProjection } from './segregation.projection.js';

/** Who keeps the register of controllers. */
const roles: readonly Role[] = ['privacyOfficer'];

/**
 * What the controller can show for itself (UK GDPR Art 5(2), 30): it reads what the other capabilities have recorded,
 * and none of them knows it.
 */
export const accountabilityCapability = capability({
  name: 'accountability',
  codec: accountabilityCodec,
  slices: [
    slice<DescribeController, ControllerEvent, ControllerState, Facts>({
      decider: controllerDecider,
      commands: [{ command: DescribeController, roles }],
      streamPrefix: controllerRegister.streamPrefix,
      stream: ({ controllerId }) => `controller-${controllerId}`,
      facts: () => ({}),
    }),
  ],
  registers: [controllerRegister],
  projections: [controllersProjection, registerFactsProjection, minimisationProjection, segregationProjection],
  views: [
    view('register', 'controllers', controllersProjection, 'controllers'),
    view('register', 'minimisation', minimisationProjection, 'minimisation'),
    view('register', 'segregation', segregationProjection, 'segregation', [...READERS, 'securityOfficer']),
  ],
  controllers: [RopaController, MinimisationController, AskingController],
});
