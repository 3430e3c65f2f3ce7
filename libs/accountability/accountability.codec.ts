import type { EventCodec } from '#event-log';
import type { ControllerEvent } from './data-controller.events.js';

/** Organisations and their functions: nothing here is personal. */
export const accountabilityCodec: EventCodec<ControllerEvent> = {
  capability: 'accountability',
  events: { ControllerDescribed: { stored: 'controller-described.v1' } },
};
