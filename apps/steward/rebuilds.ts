import type { Logger } from 'pino';
import { canonicalJson, uuidV5 } from '#kernel';
import type { Projector, Rebuild } from '#read-model';
import type { CommandDoor } from '#slice';
import { STEWARD } from './steward.js';

/** Namespace of the ids of rebuilds. */
const REBUILDS = '6f0c7a52-3c1e-4d0b-9b57-2a6e8d41c9f3';

/** The id of a rebuild stands for what was built, up to where, and what it gave. */
export const rebuildIdOf = (rebuild: Rebuild): string => uuidV5(REBUILDS, canonicalJson(rebuild));

/**
 * Puts on record, once, what was built anew. It never throws: what could not be recorded is taken up at the next
 * start, under the same id.
 */
export async function recordRebuilds(parts: {
  readonly door: CommandDoor;
  readonly projector: Projector;
  readonly logger: Logger;
}): Promise<void> {
  const { door, projector, logger } = parts;
  try {
    for (const rebuild of projector.rebuilds()) {
      const rebuildId = rebuildIdOf(rebuild);
      const projections = Object.entries(rebuild.projections).map(([projection, digest]) => ({ projection, digest }));
      const body = { commandId: rebuildId, rebuildId, through: rebuild.through, digest: rebuild.digest, projections };
      const answer = await door.submit('RecordProjectionRebuild', body, STEWARD);
      if (!answer.accepted) throw new Error(`the record of a rebuild was refused: ${answer.code}`);
      projector.rebuildRecorded(rebuild.through);
      logger.info({ through: rebuild.through, projections: projections.length }, 'read models were built anew');
    }
  } catch (error) {
    logger.warn(
      { error: error instanceof Error ? error.name : typeof error },
      'that read models were built anew is recorded at the next start',
    );
  }
}
