import { describe, expect, it } from '@jest/globals';
import { uuidV5, type Row } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { USE_FINDINGS, type UseReported } from '#use';
import { incidentCapability } from './incident.capability.js';
import { ReportIncident } from './incident.commands.js';
import { incidentDecider } from './incident.decider.js';
import { INCIDENT_KINDS, type IncidentReported } from './incident.events.js';
import { openIncidentPolicy } from './incident.policy.js';
import { incidentRegisterProjection } from './incident.projection.js';

const AT = '2026-11-23T09:00:00Z';
const incidentId = '33333333-3333-4333-8333-333333333333';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const useId = '22222222-2222-4222-8222-222222222222';
const about = {
  incidentId,
  kind: 'USE_AFTER_WITHDRAWAL',
  reporter: 'mailer',
  subjectId,
  purposeId: 'news',
  useId,
} as const;
const command = { commandId: useId, actor: factsAt().actor, type: 'ReportIncident', ...about } as ReportIncident;
const reported: IncidentReported = { type: 'IncidentReported', data: about };
const found = (changes: Partial<UseReported['data']> = {}): UseReported => ({
  type: 'UseReported',
  data: {
    subjectId,
    useId,
    purposeId: 'news',
    commercial: true,
    outcome: 'done',
    finding: 'afterWithdrawal',
    incidentId,
    ...changes,
  },
});
const rows = (table: string, ...events: readonly (UseReported | IncidentReported)[]): readonly Row[] => {
  const log = logbook();
  events.forEach((event) => log.at(AT, event));
  return tablesOf(incidentRegisterProjection, log.events)[table]!;
};

describe('an incident', () => {
  const { given, when } = scenario(incidentDecider, factsAt());
  it('is reported once, however often it is told of', () => {
    when(command).then(reported);
    when(command).thenRepeatedNothing();
    given(reported)
      .when({ ...command, reporter: 'crm' } as ReportIncident)
      .thenNothing();
  });
  it('is reported by the engine alone', () =>
    expect(incidentCapability.slices[0]?.commands).toEqual([{ command: ReportIncident, roles: ['system'] }]));
});

describe('IncidentRegister', () => {
  it('is to be opened for a finding, and is open when it is on record', () => {
    expect(rows('incidents_to_open', found())).toMatchObject([
      { incident_id: incidentId, kind: 'USE_AFTER_WITHDRAWAL' },
    ]);
    expect(rows('incidents_to_open', found(), reported)).toEqual([]);
    expect(rows('incidents', found(), reported)).toMatchObject([
      { incident_id: incidentId, status: 'reported', reporter: 'mailer', use_id: useId, subject_id: subjectId },
    ]);
  });
  it('is not opened for a use that was in order', () => {
    const { finding: _none, incidentId: _id, ...data } = found().data;
    expect(rows('incidents_to_open', { type: 'UseReported', data })).toEqual([]);
  });
  it('has a name of its own for every finding', () => {
    const kinds = USE_FINDINGS.map((finding, index) =>
      rows('incidents_to_open', found({ finding, incidentId: uuidV5(useId, `${index}`) })).map(({ kind }) => kind),
    ).flat();
    expect(kinds).toEqual(INCIDENT_KINDS);
  });
  it('is opened by a command that its row fills', async () => {
    const [row] = rows('incidents_to_open', found());
    const { type, body } = openIncidentPolicy.command([row!]);
    expect(type).toBe('ReportIncident');
    expect(await readCommand(ReportIncident, { commandId: useId, ...body })).toMatchObject({
      ...about,
      reporter: 'crm',
    });
  });
});
