import type { EventCodec } from '#event-log';
import type { CollectionPointEvent } from './collection-point.events.js';
import type { CompatibilityEvent } from './compatibility.events.js';
import type { LiaEvent } from './lia.events.js';
import type { PurposeEvent } from './purpose.events.js';

/** Purposes, their compatibility, assessed interests and collection points are organisational facts: nothing in them is personal. */
export const purposeCodec: EventCodec<PurposeEvent | CollectionPointEvent | CompatibilityEvent | LiaEvent> = {
  capability: 'purpose',
  events: {
    PurposeDefined: { stored: 'purpose-defined.v1' },
    PurposeApproved: { stored: 'purpose-approved.v1' },
    PurposeReviewDue: { stored: 'purpose-review-due.v1' },
    PurposeReviewed: { stored: 'purpose-reviewed.v1' },
    PurposeSuspended: { stored: 'purpose-suspended.v1' },
    PurposeResumed: { stored: 'purpose-resumed.v1' },
    PurposeRetired: { stored: 'purpose-retired.v1' },
    CollectionPointRegistered: { stored: 'collection-point-registered.v1' },
    CollectionPointRetired: { stored: 'collection-point-retired.v1' },
    CompatibilityAssessed: { stored: 'compatibility-assessed.v1' },
    CompatibilityApproved: { stored: 'compatibility-approved.v1' },
    CompatibilityRevoked: { stored: 'compatibility-revoked.v1' },
    LiaDrafted: { stored: 'lia-drafted.v1' },
    LiaApproved: { stored: 'lia-approved.v1' },
    LiaRejected: { stored: 'lia-rejected.v1' },
    LiaExpired: { stored: 'lia-expired.v1' },
  },
};
