export { subjectCapability } from './subject.capability.js';
export { subjectCodec } from './subject.codec.js';
export * from './subject.events.js';
export { CATEGORY } from './subject.commands.js';
export { SUPERSEDED_PERIOD } from './subject.decider.js';
export { holdingsProjection } from './holdings.projection.js';
export { timelineProjection } from './timeline.projection.js';
