import type { EventCodec } from '#event-log';
import type { ViewingEvent } from './view.events.js';

/** None of them holds a value: neither what was seen nor what was searched for. */
export const viewingCodec: EventCodec<ViewingEvent> = {
  capability: 'viewing',
  events: {
    PersonalDataViewed: { stored: 'personal-data-viewed.v1' },
    ViewBudgetDrawn: { stored: 'view-budget-drawn.v1' },
    PersonalDataSearched: { stored: 'personal-data-searched.v1' },
    BulkViewRequested: { stored: 'bulk-view-requested.v1' },
    BulkViewApproved: { stored: 'bulk-view-approved.v1' },
    BulkViewClosed: { stored: 'bulk-view-closed.v1' },
  },
};
