import {
  instant,
  uuidV5,
  type Cell,
  type DomainEvent,
  type Projection,
  type Recorded,
  type Register,
  type Row,
} from '../index.js';

const LOG = '0c7f5a1e-9b1d-4a53-8f0e-6d1b2c3a4e5f';

/**
 * A log in memory: `at('2026-06-01T09:00:00Z', event)` appends, and gives the event as it would be read.
 *
 * @param stream where every event stands.
 */
export function logbook(stream = 'any') {
  const events: Recorded[] = [];
  return {
    events: events as readonly Recorded[],
    /** @param written when it was recorded; at once when absent. */
    at<E extends DomainEvent>(happened: string, event: E, written: string = happened): Recorded<E> {
      const position = events.length + 1;
      const recorded: Recorded<E> = {
        ...event,
        id: uuidV5(LOG, `event ${position}`),
        stream,
        revision: position,
        position,
        occurredAt: instant(happened),
        recordedAt: instant(written),
        commandId: uuidV5(LOG, `command ${position}`),
        actorId: 'crm',
        fingerprint: '',
        storedType: '',
      };
      events.push(recorded);
      return recorded;
    },
  };
}

/** The register after these events, all of which happened at one moment. */
export function registerOf<E extends DomainEvent, S>(register: Register<E, S>, ...events: readonly E[]): S {
  const { at } = logbook();
  return events.reduce(
    (state, event) => register.evolve(state, at('2020-01-01T00:00:00Z', event)),
    register.initialState,
  );
}

/** The tables of a projection after these events, by a reading of `RowChange` that knows no database. */
export function tablesOf(projection: object, events: readonly Recorded[]): Readonly<Record<string, readonly Row[]>> {
  const { tables: shapes, handles, every } = projection as Projection;
  const tables: Record<string, Row[]> = Object.fromEntries(Object.keys(shapes).map((name) => [name, []]));
  const matches = (row: Row, where: Row) => Object.entries(where).every(([column, cell]) => row[column] === cell);
  for (const event of events)
    for (const change of [...(every?.(event) ?? []), ...(handles[event.type]?.(event) ?? [])]) {
      const rows = tables[change.table]!;
      const shape = shapes[change.table]!;
      switch (change.change) {
        case 'insert':
        case 'insertIfAbsent': {
          const columns: readonly (readonly [string, Cell | undefined])[] = Object.keys(shape.columns).map((name) => [
            name,
            change.row[name],
          ]);
          const unfit = columns.filter(
            ([name, cell]) => cell === undefined || (cell === null && !shape.columns[name]!.endsWith('?')),
          );
          if (unfit.length > 0 || Object.keys(change.row).length !== columns.length)
            throw new Error(`a row that does not fit ${change.table}: ${JSON.stringify(change.row)}`);
          const key = Object.fromEntries(shape.key.map((name) => [name, change.row[name]!]));
          if (!rows.some((row) => matches(row, key))) rows.push(change.row);
          else if (change.change === 'insert') throw new Error(`a key twice in ${change.table}`);
          break;
        }
        case 'update':
          tables[change.table] = rows.map((row) => (matches(row, change.where) ? { ...row, ...change.set } : row));
          break;
        case 'delete':
          tables[change.table] = rows.filter((row) => !matches(row, change.where));
      }
    }
  return tables;
}
