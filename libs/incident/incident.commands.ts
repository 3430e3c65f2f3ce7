import { IsIn, Matches, MaxLength } from 'class-validator';
import { Command, IsId, REGISTER_ID } from '#slice';
import { INCIDENT_KINDS, type IncidentKind } from './incident.events.js';

/** Reports an incident that the engine itself has found; sent by the steward. `occurredAt` is when it happened. */
export class ReportIncident extends Command {
  get type() {
    return 'ReportIncident' as const;
  }

  @IsId()
  readonly incidentId!: string;

  @IsIn(INCIDENT_KINDS)
  readonly kind!: IncidentKind;

  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  @MaxLength(64)
  readonly reporter!: string;

  @IsId()
  readonly subjectId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsId()
  readonly useId!: string;
}
