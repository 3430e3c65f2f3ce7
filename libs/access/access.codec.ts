import type { EventCodec } from '#event-log';
import type { ContractEvent } from './contract.events.js';
import type { GrantEvent } from './grant.events.js';

export const accessCodec: EventCodec<GrantEvent | ContractEvent> = {
  capability: 'access',
  events: {
    ServiceContractDrafted: { stored: 'service-contract-drafted.v1' },
    ServiceContractApproved: { stored: 'service-contract-approved.v1' },
    ServiceContractEnded: { stored: 'service-contract-ended.v1' },
    AccessRequested: { stored: 'access-requested.v1' },
    AccessGranted: { stored: 'access-granted.v1' },
    AccessRevoked: { stored: 'access-revoked.v1' },
    AccessExpired: { stored: 'access-expired.v1' },
    AccessReviewed: { stored: 'access-reviewed.v1' },
    AccessReviewOverdue: { stored: 'access-review-overdue.v1' },
    BreakGlassEnded: { stored: 'break-glass-ended.v1' },
    BreakGlassUsed: { stored: 'break-glass-used.v1' },
    BreakGlassReviewed: { stored: 'break-glass-reviewed.v1' },
  },
};
