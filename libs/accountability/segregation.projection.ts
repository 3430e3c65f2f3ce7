import type { ContractEvent, GrantEvent } from '#access';
import { insertIfAbsent, update, type Projection, type Recorded, type RowChange } from '#kernel';
import type { CompatibilityApproved, CompatibilityAssessed, LiaApproved, LiaDrafted, LiaRejected } from '#purpose';
import type { PurposeApproved, PurposeDefined } from '#purpose';
import type { EssentialityApproved, EssentialityRejected, TelemetryStreamRegistered } from '#telemetry';

type TwoPeoplesEvent =
  | Extract<
      GrantEvent,
      { readonly type: 'AccessRequested' | 'AccessGranted' | 'BreakGlassUsed' | 'BreakGlassReviewed' }
    >
  | Extract<ContractEvent, { readonly type: 'ServiceContractDrafted' | 'ServiceContractApproved' }>
  | PurposeDefined
  | PurposeApproved
  | LiaDrafted
  | LiaApproved
  | LiaRejected
  | CompatibilityAssessed
  | CompatibilityApproved
  | TelemetryStreamRegistered
  | EssentialityApproved
  | EssentialityRejected;

/**
 * `SegregationReport`: every decision that takes two people, with who stood on either side of it. Rows whose
 * `separated` is 0 are decisions that one person made alone: the rules leave none, and this shows it from the log
 * alone. Of access, the first is who it is for, whoever asked; of an emergency, who used it.
 */
export const segregationProjection: Projection<TwoPeoplesEvent> = {
  name: 'segregation',
  version: 1,
  tables: {
    segregation: {
      columns: {
        /** purpose, lia, compatibility, telemetryStream, serviceContract, access or breakGlass. */
        kind: 'text',
        entry_id: 'text',
        /** 0 where there are no versions. */
        version: 'integer',
        first_by: 'text',
        first_at: 'text',
        second_by: 'text?',
        second_at: 'text?',
        /** approved, rejected or reviewed; null while only one has spoken. */
        outcome: 'text?',
        /** 1 when two people stand behind it, 0 when one does; null while only one has spoken. */
        separated: 'integer?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['kind', 'entry_id', 'version'],
      indexes: [['separated'], ['first_by', 'second_by']],
      history: true,
    },
  },
  handles: {
    PurposeDefined: (event) => first(event, 'purpose', event.data.purposeId, event.data.version),
    PurposeApproved: (event) => second(event, 'purpose', event.data.purposeId, event.data.version, 'approved'),
    LiaDrafted: (event) => first(event, 'lia', event.data.liaId, event.data.version),
    LiaApproved: (event) => second(event, 'lia', event.data.liaId, event.data.version, 'approved'),
    LiaRejected: (event) => second(event, 'lia', event.data.liaId, event.data.version, 'rejected'),
    CompatibilityAssessed: (event) => first(event, 'compatibility', pairOf(event), event.data.assessment),
    CompatibilityApproved: (event) => second(event, 'compatibility', pairOf(event), event.data.assessment, 'approved'),
    TelemetryStreamRegistered: (event) => first(event, 'telemetryStream', event.data.streamId, event.data.version),
    EssentialityApproved: (event) =>
      second(event, 'telemetryStream', event.data.streamId, event.data.version, 'approved'),
    EssentialityRejected: (event) =>
      second(event, 'telemetryStream', event.data.streamId, event.data.version, 'rejected'),
    ServiceContractDrafted: (event) => first(event, 'serviceContract', event.data.serviceId, event.data.version),
    ServiceContractApproved: (event) =>
      second(event, 'serviceContract', event.data.serviceId, event.data.version, 'approved'),
    AccessRequested: (event) => first(event, 'access', event.data.grantId, 0, event.data.granteeId),
    AccessGranted: (event) => second(event, 'access', event.data.grantId, 0, 'approved'),
    BreakGlassUsed: (event) => first(event, 'breakGlass', event.data.breakGlassId, 0),
    BreakGlassReviewed: (event) => second(event, 'breakGlass', event.data.breakGlassId, 0, 'reviewed'),
  },
};

const pairOf = ({ data: { from, to } }: Recorded<CompatibilityAssessed | CompatibilityApproved>): string =>
  `${from}.${to}`;

function first(
  event: Recorded<TwoPeoplesEvent>,
  kind: string,
  entryId: string,
  version: number,
  by = event.actorId,
): readonly RowChange[] {
  return [
    insertIfAbsent('segregation', {
      kind,
      entry_id: entryId,
      version,
      first_by: by,
      first_at: event.occurredAt,
      second_by: null,
      second_at: null,
      outcome: null,
      separated: null,
      event_id: event.id,
      position: event.position,
    }),
  ];
}

/** Who decides again, in a review, is one of the two already: the first decision stays the one that is shown. */
function second(
  { actorId, occurredAt }: Recorded<TwoPeoplesEvent>,
  kind: string,
  entryId: string,
  version: number,
  outcome: string,
): readonly RowChange[] {
  const entry = { kind, entry_id: entryId, version };
  return [
    update(
      'segregation',
      { ...entry, outcome: null },
      { second_by: actorId, second_at: occurredAt, outcome, separated: 1 },
    ),
    update('segregation', { ...entry, second_by: actorId, first_by: actorId }, { separated: 0 }),
  ];
}
