import { insert, update, type Projection } from '#kernel';
import type { ContractEvent } from './contract.events.js';

/** What each service may ask for: every version, who stands behind it, and since when it binds. Lists are JSON text. */
export const serviceContractsProjection: Projection<ContractEvent> = {
  name: 'service-contracts',
  version: 1,
  tables: {
    service_contracts: {
      columns: {
        service_id: 'text',
        version: 'integer',
        /** draft, inForce, replaced or ended. */
        status: 'text',
        purposes: 'text',
        categories: 'text',
        collection_points: 'text',
        author: 'text',
        drafted_at: 'text',
        approver: 'text?',
        in_force_from: 'text?',
        in_force_to: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['service_id', 'version'],
      history: true,
    },
  },
  handles: {
    ServiceContractDrafted: ({ data, occurredAt, id, position }) => [
      insert('service_contracts', {
        service_id: data.serviceId,
        version: data.version,
        status: 'draft',
        purposes: JSON.stringify(data.purposes),
        categories: JSON.stringify(data.categories),
        collection_points: JSON.stringify(data.collectionPoints),
        author: data.author,
        drafted_at: occurredAt,
        approver: null,
        in_force_from: null,
        in_force_to: null,
        event_id: id,
        position,
      }),
    ],
    ServiceContractApproved: ({ data, occurredAt }) => [
      update(
        'service_contracts',
        { service_id: data.serviceId, status: 'inForce' },
        { status: 'replaced', in_force_to: occurredAt },
      ),
      update(
        'service_contracts',
        { service_id: data.serviceId, version: data.version },
        { status: 'inForce', approver: data.approver, in_force_from: occurredAt },
      ),
    ],
    ServiceContractEnded: ({ data, occurredAt }) => [
      update(
        'service_contracts',
        { service_id: data.serviceId, version: data.version },
        { status: 'ended', in_force_to: occurredAt },
      ),
    ],
  },
};
