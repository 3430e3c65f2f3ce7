import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uuidV5 } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { RecordProjectionRebuild } from './rebuild.commands.js';
import { rebuildDecider } from './rebuild.decider.js';
import type { ProjectionRebuilt } from './rebuild.events.js';
import { projectionRebuildsProjection } from './rebuild.projection.js';
import { resilienceCapability } from './resilience.capability.js';

const rebuildId = '44444444-4444-4444-8444-444444444444';
const about = {
  rebuildId,
  through: 900,
  digest: 'a'.repeat(64),
  projections: [{ projection: 'holdings.v2', digest: 'b'.repeat(64) }],
};
const record = (changes: object = {}) =>
  ({
    commandId: rebuildId,
    actor: factsAt().actor,
    type: 'RecordProjectionRebuild',
    ...about,
    ...changes,
  }) as RecordProjectionRebuild;
const rebuilt: ProjectionRebuilt = { type: 'ProjectionRebuilt', data: about };
const { given, when } = scenario(rebuildDecider, factsAt());

describe('a rebuild', () => {
  it('is recorded once, however often it is told of', () => {
    when(record()).then(rebuilt);
    given(rebuilt).when(record()).thenNothing();
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 5 }), (positions) => {
        const { outcome } = when(record({ rebuildId: uuidV5(rebuildId, positions.join()) }));
        const events = outcome.kind === 'accepted' ? outcome.events : [];
        for (const through of positions)
          given(...events)
            .when(record({ through }))
            .thenNothing();
      }),
    );
  });
  it('is recorded by the engine alone', () =>
    expect(resilienceCapability.slices[1]?.commands).toEqual([
      { command: RecordProjectionRebuild, roles: ['system'] },
    ]));
  it('is listed with its digest', () => {
    const log = logbook();
    log.at('2026-11-23T09:00:00Z', rebuilt);
    expect(tablesOf(projectionRebuildsProjection, log.events)['projection_rebuilds']).toMatchObject([
      { rebuild_id: rebuildId, through: 900, digest: about.digest, projections: JSON.stringify(about.projections) },
    ]);
  });
  it('is read from a body that names what was built', async () => {
    const read = (changes: object) =>
      readCommand(RecordProjectionRebuild, { commandId: rebuildId, ...about, ...changes });
    expect(await read({})).toMatchObject(about);
    for (const [field, changes] of [
      ['through', { through: 0 }],
      ['projections', { projections: [] }],
      ['projections.0.projection', { projections: [{ projection: 'asha@example.test', digest: about.digest }] }],
      ['projections.0.digest', { projections: [{ projection: 'holdings.v2', digest: 'B'.repeat(64) }] }],
    ] as const)
      await expect(read(changes)).rejects.toThrow(`${field} (`);
  });
});
