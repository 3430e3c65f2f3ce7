import { accept, canonicalJson, instant, refuse, unchanged, type Decider, type Facts } from '#kernel';
import type { RecordServiceDisruption } from './disruption.commands.js';
import type { ServiceDisruptionRecorded } from './disruption.events.js';

export const DISRUPTION_STREAM_PREFIX = 'disruption-';

/** What was said of it last. */
export type DisruptionState = ServiceDisruptionRecorded['data'] | undefined;

/**
 * Disruptions of services (C08). Data that nobody can get at are lost to people for that time: a personal data breach,
 * which the controller documents (UK GDPR Art 4(12), 33(5)). Planned maintenance is no breach of security.
 */
export const disruptionDecider: Decider<RecordServiceDisruption, ServiceDisruptionRecorded, DisruptionState, Facts> = {
  initialState: undefined,
  folds: { ServiceDisruptionRecorded: true },
  evolve: (_state, event) => event.data,
  decide(command, state, { now }) {
    const { disruptionId, services, cause, personalDataUnavailable, incidentRef } = command;
    const [from, to] = [instant(command.from), command.to === undefined ? undefined : instant(command.to)];
    const data: ServiceDisruptionRecorded['data'] = {
      ...{ disruptionId, services, from },
      ...(to !== undefined && { to }),
      ...{ cause, personalDataUnavailable },
      ...(incidentRef !== undefined && { incidentRef }),
    };
    if (state && canonicalJson(state) === canonicalJson(data)) return unchanged;
    if (state?.to !== undefined) return refuse('REGISTER_ENTRY_EXISTS', { disruptionId });
    if (from > now) return refuse('OCCURRED_IN_FUTURE', { field: 'from' });
    if (to !== undefined && to > now) return refuse('OCCURRED_IN_FUTURE', { field: 'to' });
    return personalDataUnavailable && cause !== 'plannedMaintenance' && incidentRef === undefined
      ? refuse('BREACH_REFERENCE_MISSING', { disruptionId, field: 'incidentRef' })
      : accept({ type: 'ServiceDisruptionRecorded', data });
  },
};
