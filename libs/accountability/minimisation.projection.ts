import { londonDate } from '#calendar';
import { insertIfAbsent, type Projection, type Recorded } from '#kernel';
import type { DataShared } from '#sharing';
import type { DataCollected } from '#subject';
import type { UseAuthorised } from '#use';

/** What happened to a category for a purpose. */
export const FIELD_TRACES = ['collected', 'used', 'disclosed'] as const;
export type FieldTrace = (typeof FIELD_TRACES)[number];

/**
 * `minimisation`: in which months, on the London calendar, a category was collected, used or disclosed for a purpose;
 * nothing about whom. One row for each at most, whatever the number of people.
 */
export const minimisationProjection: Projection<DataCollected | UseAuthorised | DataShared> = {
  name: 'minimisation',
  version: 1,
  tables: {
    minimisation: {
      columns: {
        purpose_id: 'text',
        category: 'text',
        month: 'text',
        trace: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['purpose_id', 'category', 'month', 'trace'],
      history: true,
    },
  },
  handles: {
    DataCollected: (event) => traces(event, 'collected', categoriesOf(event.data.items)),
    UseAuthorised: (event) => traces(event, 'used', categoriesOf(event.data.items)),
    DataShared: (event) => traces(event, 'disclosed', event.data.categories),
  },
};

const categoriesOf = (items: readonly { readonly category: string }[]): readonly string[] => [
  ...new Set(items.map(({ category }) => category)),
];

function traces(
  { id, occurredAt, position, data }: Recorded<DataCollected | UseAuthorised | DataShared>,
  trace: FieldTrace,
  categories: readonly string[],
) {
  const month = londonDate(occurredAt).slice(0, 7);
  return categories.map((category) =>
    insertIfAbsent('minimisation', {
      purpose_id: data.purposeId,
      category,
      month,
      trace,
      event_id: id,
      position,
    }),
  );
}
