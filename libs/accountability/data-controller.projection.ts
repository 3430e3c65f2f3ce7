import { insert, update, type Projection } from '#kernel';
import type { ControllerEvent } from './data-controller.events.js';

/** Every description of every controller, in force from `effective_from` until before `effective_to`. */
export const controllersProjection: Projection<ControllerEvent> = {
  name: 'controllers',
  version: 1,
  tables: {
    controllers: {
      columns: {
        controller_id: 'text',
        version: 'integer',
        name: 'text',
        postal_address: 'text',
        email: 'text',
        officer_role: 'text?',
        officer_email: 'text?',
        authority: 'text',
        security: 'text',
        effective_from: 'text',
        effective_to: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['controller_id', 'version'],
      history: true,
    },
  },
  handles: {
    ControllerDescribed: ({ data, id, position }) => [
      ...(data.version === 1
        ? []
        : [
            update(
              'controllers',
              { controller_id: data.controllerId, version: data.version - 1 },
              { effective_to: data.effectiveFrom },
            ),
          ]),
      insert('controllers', {
        controller_id: data.controllerId,
        version: data.version,
        name: data.name,
        postal_address: data.postalAddress,
        email: data.email,
        officer_role: data.dataProtectionOfficer?.role ?? null,
        officer_email: data.dataProtectionOfficer?.email ?? null,
        authority: data.authority,
        security: data.security,
        effective_from: data.effectiveFrom,
        effective_to: null,
        event_id: id,
        position,
      }),
    ],
  },
};
