/** What is decided about one incident. Stands in `incident-<uuid>`. */
export type IncidentEvent = IncidentReported;

/** Something was done with personal data that should not have been (C05, C08). */
export const INCIDENT_KINDS = [
  'USE_AFTER_WITHDRAWAL',
  'USE_AFTER_OBJECTION',
  'USE_AFTER_RESTRICTION',
  'USE_AFTER_ERASURE',
  'USE_AFTER_EXPIRY',
  'USE_WITHOUT_BASIS',
  'USE_FOR_OTHER_CAMPAIGN',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** An incident was reported: by whom, when, and what it is about. Assessment and notification come after. */
export interface IncidentReported {
  readonly type: 'IncidentReported';
  readonly data: {
    readonly incidentId: string;
    readonly kind: IncidentKind;
    /** Who told of it: the actor whose report showed it. */
    readonly reporter: string;
    readonly subjectId: string;
    readonly purposeId: string;
    /** The use that was reported. */
    readonly useId: string;
  };
}
