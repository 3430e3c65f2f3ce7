export { viewingCapability } from './viewing.capability.js';
export { accessLogProjection } from './access-log.projection.js';
export { BlindIndex, SearchUnavailable, type FoundSubject } from './blind-index.js';
export { normalised, searchFieldOf, SEARCH_FIELDS, type SearchField } from './identifier.js';
export { ViewDoor } from './view-door.js';
export type { PersonalDataViewed, ViewingEvent } from './view.events.js';
