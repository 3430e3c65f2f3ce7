import { insert, insertIfAbsent, update, type Projection, type Recorded, type RowChange } from '#kernel';
import type { TelemetryStreamEvent } from './telemetry-stream.events.js';

/**
 * `TelemetryInventory`. `telemetry_streams`: every version, with who stands behind it (`status`: proposed, replaced,
 * approved, superseded, rejected or retired) and by when it has to be reviewed. `telemetry_fields`: what each version
 * captures, and why the service cannot do without it. `telemetry_standing`: what holds for a stream in all its versions
 * (`status`: open, suspended or retired).
 */
export const telemetryInventoryProjection: Projection<TelemetryStreamEvent> = {
  name: 'telemetry-inventory',
  version: 1,
  tables: {
    telemetry_streams: {
      columns: {
        stream_id: 'text',
        version: 'integer',
        status: 'text',
        service: 'text',
        purpose_id: 'text',
        notice_id: 'text',
        traceability: 'text',
        anonymity_assessment_ref: 'text?',
        reads_device: 'integer',
        strictly_necessary: 'text?',
        author: 'text',
        registered_at: 'text',
        judge: 'text?',
        judged_at: 'text?',
        reason_code: 'text?',
        review_by: 'text?',
        review_raised: 'integer',
        event_id: 'text',
        position: 'integer',
      },
      key: ['stream_id', 'version'],
      indexes: [['status', 'review_raised', 'review_by']],
      history: true,
    },
    telemetry_fields: {
      columns: {
        stream_id: 'text',
        version: 'integer',
        name: 'text',
        type: 'text',
        essential_for: 'text',
        justification: 'text',
        traceability: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['stream_id', 'version', 'name'],
      history: true,
    },
    telemetry_standing: {
      columns: {
        stream_id: 'text',
        status: 'text',
        since: 'text',
        reason_code: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['stream_id'],
      history: true,
    },
  },
  handles: {
    TelemetryStreamRegistered: (event) => {
      const { data, id: event_id, occurredAt, position } = event;
      const { streamId: stream_id, version } = data;
      return [
        insert('telemetry_streams', {
          stream_id,
          version,
          status: 'proposed',
          service: data.service,
          purpose_id: data.purposeId,
          notice_id: data.noticeId,
          traceability: data.traceability,
          anonymity_assessment_ref: data.anonymityAssessmentRef ?? null,
          reads_device: data.readsDevice ? 1 : 0,
          strictly_necessary: data.strictlyNecessary ?? null,
          author: data.author,
          registered_at: occurredAt,
          judge: null,
          judged_at: null,
          reason_code: null,
          review_by: null,
          review_raised: 0,
          event_id,
          position,
        }),
        ...(data.replaces === undefined
          ? []
          : [update('telemetry_streams', { stream_id, version: data.replaces }, { status: 'replaced' })]),
        ...data.fields.map((field) =>
          insert('telemetry_fields', {
            stream_id,
            version,
            name: field.name,
            type: field.type,
            essential_for: field.essentialFor,
            justification: field.justification,
            traceability: field.traceability,
            event_id,
            position,
          }),
        ),
        insertIfAbsent('telemetry_standing', {
          stream_id,
          status: 'open',
          since: occurredAt,
          reason_code: null,
          event_id,
          position,
        }),
      ];
    },
    EssentialityApproved: ({ data, occurredAt, id, position }) => [
      ...(data.supersedes === undefined
        ? []
        : [update('telemetry_streams', versionOf(data.streamId, data.supersedes), { status: 'superseded' })]),
      update('telemetry_streams', versionOf(data.streamId, data.version), {
        status: 'approved',
        judge: data.approver,
        judged_at: occurredAt,
        reason_code: null,
        review_by: data.reviewBy,
        review_raised: 0,
        event_id: id,
        position,
      }),
    ],
    EssentialityRejected: ({ data, occurredAt, id, position }) => [
      update('telemetry_streams', versionOf(data.streamId, data.version), {
        status: 'rejected',
        judge: data.reviewer,
        judged_at: occurredAt,
        reason_code: data.reasonCode,
        review_by: null,
        event_id: id,
        position,
      }),
    ],
    EssentialityReviewDue: ({ data, id, position }) => [
      update('telemetry_streams', versionOf(data.streamId, data.version), {
        review_raised: 1,
        event_id: id,
        position,
      }),
    ],
    TelemetryStreamSuspended: (event) => [standing(event, 'suspended', event.data.reasonCode)],
    TelemetryStreamResumed: (event) => [standing(event, 'open')],
    TelemetryStreamRetired: (event) => [
      standing(event, 'retired'),
      ...(['proposed', 'approved'] as const).map((status) =>
        update('telemetry_streams', { stream_id: event.data.streamId, status }, { status: 'retired' }),
      ),
    ],
  },
};

const versionOf = (streamId: string, version: number) => ({ stream_id: streamId, version });

function standing(
  event: Recorded<{ type: string; data: { streamId: string } }>,
  status: 'open' | 'suspended' | 'retired',
  reasonCode: string | null = null,
): RowChange {
  const { data, occurredAt, id, position } = event;
  return update(
    'telemetry_standing',
    { stream_id: data.streamId },
    { status, since: occurredAt, reason_code: reasonCode, event_id: id, position },
  );
}
