import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { RecordServiceDisruption } from './disruption.commands.js';
import { disruptionDecider } from './disruption.decider.js';
import { DISRUPTION_CAUSES, type ServiceDisruptionRecorded } from './disruption.events.js';
import { serviceDisruptionsProjection } from './disruption.projection.js';
import { resilienceCapability } from './resilience.capability.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const about = {
  disruptionId: 'outage-1',
  services: ['customer-portal'],
  from: instant('2026-11-23T07:00:00Z'),
  cause: 'power',
  personalDataUnavailable: true,
  incidentRef: 'INC-7',
};
const TO = '2026-11-23T08:00:00.000Z';
/** @param without what the command leaves out. */
const record = (changes: object = {}, ...without: readonly string[]): RecordServiceDisruption => {
  const body = { commandId, actor: factsAt().actor, type: 'RecordServiceDisruption', ...about, ...changes };
  return Object.fromEntries(
    Object.entries(body).filter(([name]) => !without.includes(name)),
  ) as unknown as RecordServiceDisruption;
};
const recorded = (changes: object = {}): ServiceDisruptionRecorded => ({
  type: 'ServiceDisruptionRecorded',
  data: { ...about, ...changes } as ServiceDisruptionRecorded['data'],
});
const { given, when } = scenario(disruptionDecider, factsAt());

describe('a disruption', () => {
  it('is recorded while it goes on, learnt more of, and ended once', () => {
    when(record()).then(recorded());
    given(recorded())
      .when(record({ cause: 'network' }))
      .then(recorded({ cause: 'network' }));
    given(recorded())
      .when(record({ to: TO }))
      .then(recorded({ to: TO }));
    given(recorded({ to: TO }))
      .when(record({ to: TO }))
      .thenNothing();
    given(recorded({ to: TO }))
      .when(record())
      .thenRefused('REGISTER_ENTRY_EXISTS', { disruptionId: 'outage-1' });
  });
  it('is one time whatever zone it is written in', () =>
    given(recorded())
      .when(record({ from: '2026-11-23T08:00:00+01:00' }))
      .thenNothing());
  it('that keeps people from their data names the incident, unless it was planned (Art 4(12))', () => {
    const refusal = { disruptionId: 'outage-1', field: 'incidentRef' };
    when(record({}, 'incidentRef')).thenRefused('BREACH_REFERENCE_MISSING', refusal);
    given(recorded())
      .when(record({ to: TO }, 'incidentRef'))
      .thenRefused('BREACH_REFERENCE_MISSING', refusal);
    when(record({ cause: 'plannedMaintenance' }, 'incidentRef')).thenTypes('ServiceDisruptionRecorded');
    when(record({ personalDataUnavailable: false }, 'incidentRef')).thenTypes('ServiceDisruptionRecorded');
  });
  it('has happened', () => {
    when(record({ from: '2026-11-23T09:00:00.001Z' })).thenRefused('OCCURRED_IN_FUTURE', { field: 'from' });
    when(record({ to: '2026-11-23T09:00:00.001Z' })).thenRefused('OCCURRED_IN_FUTURE', { field: 'to' });
  });
  it('is recorded by whoever keeps the service up', () =>
    expect(resilienceCapability.slices[0]?.commands).toEqual([
      { command: RecordServiceDisruption, roles: ['operator', 'securityOfficer'] },
    ]));

  it('does nothing when it is sent again, and stays ended, over random histories', () => {
    const time = fc.constantFrom('2026-11-23T07:00:00Z', '2026-11-23T07:30:00Z', '2026-11-23T10:00:00Z');
    const command = fc
      .record(
        {
          from: time,
          to: time,
          cause: fc.constantFrom(...DISRUPTION_CAUSES),
          personalDataUnavailable: fc.boolean(),
          incidentRef: fc.constantFrom('INC-1', 'INC-2'),
        },
        { requiredKeys: ['from', 'cause', 'personalDataUnavailable'] },
      )
      .map((changes) => record({ ...changes }, ...('incidentRef' in changes ? [] : ['incidentRef'])));
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let history: ServiceDisruptionRecorded[] = [];
        for (const each of commands) {
          const { outcome, thenRepeatedNothing } = given(...history).when(each);
          if (outcome.kind === 'refused') continue;
          thenRepeatedNothing();
          history = [...history, ...outcome.events];
        }
        expect(history.slice(0, -1).filter(({ data }) => data.to !== undefined)).toEqual([]);
        for (const { data } of history)
          if (data.personalDataUnavailable && data.cause !== 'plannedMaintenance')
            expect(data.incidentRef).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('the body', () => {
  const read = (changes: object) => readCommand(RecordServiceDisruption, { commandId, ...about, ...changes });
  it('is read', async () =>
    expect(await read({ to: TO })).toMatchObject({ ...about, to: TO, type: 'RecordServiceDisruption' }));
  it.each([
    ['disruptionId', { disruptionId: 'Outage 1' }],
    ['services', { services: [] }],
    ['services', { services: ['portal', 'portal'] }],
    ['services', { services: ['asha@example.test'] }],
    ['from', { from: 'yesterday' }],
    ['to', { to: '2026-11-23T06:59:59Z' }],
    // Later on the clock of the wall, and an hour before.
    ['to', { to: '2026-11-23T07:30:00+01:30' }],
    ['cause', { cause: 'Asha pulled the plug' }],
    ['personalDataUnavailable', { personalDataUnavailable: 'yes' }],
    ['incidentRef', { incidentRef: 'told Asha' }],
  ])('is not read: %s (%#)', async (field, changes) => {
    await expect(read(changes)).rejects.toThrow(`${field} (`);
  });
});

describe('ServiceDisruptions', () => {
  it('has one row for each, as it was said last', () => {
    const log = logbook();
    log.at('2026-11-23T07:05:00Z', recorded());
    const rows = () => tablesOf(serviceDisruptionsProjection, log.events)['service_disruptions'];
    expect(rows()).toMatchObject([{ began_at: about.from, ended_at: null, recorded_by: 'crm' }]);
    log.at('2026-11-23T08:05:00Z', recorded({ to: TO, cause: 'network' }));
    expect(rows()).toMatchObject([
      {
        disruption_id: 'outage-1',
        services: '["customer-portal"]',
        ended_at: TO,
        cause: 'network',
        personal_data_unavailable: 1,
        incident_ref: 'INC-7',
        recorded_at: '2026-11-23T08:05:00.000Z',
      },
    ]);
  });
});
