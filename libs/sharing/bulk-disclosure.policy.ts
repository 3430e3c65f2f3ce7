import { uuidV5, type Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { bulkDisclosuresProjection } from './bulk-disclosure.projection.js';

/** A part as the projection wrote it. */
interface Part {
  readonly order: Readonly<Record<string, unknown>>;
  readonly subjectIds: readonly string[];
}

const partOf = (row: Row): Part => JSON.parse(String(row['part'])) as Part;

/**
 * Works a disclosure about many people off, part by part. The commands of a part have ids of their own that follow
 * from the disclosure and the person: done again after a crash, each has the answer it had before.
 */
export const bulkDisclosurePolicy: TimedPolicy = {
  name: 'bulk-disclosure',
  projection: bulkDisclosuresProjection,
  table: 'bulk_batches',
  where: {},
  rowsAtOnce: 4,
  groupBy: ['disclosure_id', 'batch'],
  before: ([row]) => {
    const { order, subjectIds } = partOf(row);
    const disclosureId = String(row['disclosure_id']);
    return subjectIds.map((subjectId) => ({
      type: 'ShareCategories',
      body: { ...order, subjectId, commandId: uuidV5(disclosureId, `share ${subjectId}`) },
    }));
  },
  command: ([row], answers = []) => {
    const disclosureId = String(row['disclosure_id']);
    const { subjectIds } = partOf(row);
    const refused = answers.flatMap((answer, index) =>
      answer.accepted ? [] : [{ subjectId: subjectIds[index], code: answer.code }],
    );
    const batch = Number(row['batch']);
    return {
      type: 'RecordBulkProgress',
      body: {
        commandId: uuidV5(disclosureId, `batch ${batch}`),
        disclosureId,
        batch,
        shared: answers.length - refused.length,
        refused,
      },
    };
  },
};
