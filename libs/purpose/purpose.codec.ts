import type { EventCodec } from '#event-log';
import type { CollectionPointEvent } from './collection-point.events.js';
import type { PurposeEvent } from './purpose.events.js';

/** Purposes and collection points are organisational facts: nothing in them is personal. */
export const purposeCodec: EventCodec<PurposeEvent | CollectionPointEvent> = {
  capability: 'purpose',
  events: {
    PurposeDefined: { stored: 'purpose-defined.v1' },
    PurposeApproved: { stored: 'purpose-approved.v1' },
    PurposeSuspended: { stored: 'purpose-suspended.v1' },
    PurposeResumed: { stored: 'purpose-resumed.v1' },
    PurposeRetired: { stored: 'purpose-retired.v1' },
    CollectionPointRegistered: { stored: 'collection-point-registered.v1' },
    CollectionPointRetired: { stored: 'collection-point-retired.v1' },
  },
};
