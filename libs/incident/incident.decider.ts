import { accept, unchanged, type Decider, type Facts } from '#kernel';
import type { ReportIncident } from './incident.commands.js';
import type { IncidentEvent } from './incident.events.js';

export type IncidentState = 'unknown' | 'reported';

/** The stream of one incident. */
export const incidentStream = (incidentId: string): string => `incident-${incidentId}`;

/** An incident is reported once, however often it is told of. */
export const incidentDecider: Decider<ReportIncident, IncidentEvent, IncidentState, Facts> = {
  initialState: 'unknown',
  folds: { IncidentReported: true },
  evolve: () => 'reported',
  decide({ incidentId, kind, reporter, subjectId, purposeId, useId }, state) {
    return state === 'reported'
      ? unchanged
      : accept({ type: 'IncidentReported', data: { incidentId, kind, reporter, subjectId, purposeId, useId } });
  },
};
