import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Row } from '#kernel';
import type { KeyVault } from '#key-vault';
import type { ReadModels } from '#read-model';
import { erasureLedgerProjection, retentionScheduleProjection } from '#retention';
import type { CommandDoor } from '#slice';
import { holdingsProjection, rectificationsProjection } from '#subject';
import { usageProjection } from '#telemetry';
import { suppressionListProjection } from '#use';
import { STEWARD } from './steward.js';

interface ErasedRow {
  readonly erasure_id: string;
  readonly subject_id: string;
  readonly person_key_destroyed: number;
  readonly cause: string;
}

const AT_ONCE = 500;

/** The vault is new, or another's: what the log holds cannot be read, and what is sealed now would not open later. */
export class VaultLost extends Error {
  override readonly name = 'VaultLost';
  constructor() {
    super('the key vault has none of the keys of the log: put the vault back that belongs to it, or its backup');
  }
}

/** An older vault has the oldest keys, and one that has destroyed them all has tombstones. */
async function assertVaultOfLog({ readModels, vault }: Parameters<typeof reconcile>[0]): Promise<void> {
  const kept = { status: 'kept' };
  const oldest = readModels.page(retentionScheduleProjection, 'retention_schedule', kept, 0, AT_ONCE).rows;
  if (oldest.length === 0 || (await vault.tombstonesBefore(Number.MAX_SAFE_INTEGER, 1)).length > 0) return;
  const live = await vault.liveKeys(oldest.map((row) => String(row['key_id'])));
  if (live.length === 0) throw new VaultLost();
}

/**
 * Holds log and vault against each other before the door opens: either may have been restored from before an erasure
 * that the other knows of. What the log says is erased loses its keys; what the vault has destroyed is stated in the
 * log. Neither looks at more than the newest when they agree: a copy lacks the end of a history, never its middle.
 *
 * @returns how many keys it has destroyed, and about how many people it has restated an erasure.
 * @throws VaultLost when the vault has nothing to do with the log.
 */
export async function reconcile(parts: {
  readonly door: CommandDoor;
  readonly readModels: ReadModels;
  readonly vault: KeyVault;
  readonly logger: Logger;
}): Promise<{ readonly destroyed: number; readonly restated: number }> {
  await assertVaultOfLog(parts);
  const destroyed = await destroyWhatLogErased(parts);
  const restated = await stateWhatVaultDestroyed(parts);
  const lost = suppressionsLost(parts);
  if (lost > 0)
    parts.logger.error(
      { suppressions: lost },
      'a restored vault lacks addresses that are suppressed: suppress them again',
    );
  if (destroyed + restated > 0)
    parts.logger.warn({ destroyed, restated }, 'a restored log or vault was brought up to the erasures since');
  return { destroyed, restated };
}

/** What is erased beside items: where it stands, and its keys. */
const BESIDE_ITEMS = [
  {
    projection: usageProjection,
    table: 'usage_months',
    keysOf: (row: Row): readonly string[] => JSON.parse(String(row['keys'])) as string[],
  },
  {
    projection: rectificationsProjection,
    table: 'reported_values',
    keysOf: (row: Row): readonly string[] => [String(row['key_id'])],
  },
] as const;

async function destroyWhatLogErased(parts: Parameters<typeof reconcile>[0]): Promise<number> {
  let sum = await destroyErasedItems(parts);
  for (const place of BESIDE_ITEMS) sum += await destroyErasedIn(place, parts);
  return sum;
}

async function destroyErasedIn(
  { projection, table, keysOf }: (typeof BESIDE_ITEMS)[number],
  { readModels, vault }: Parameters<typeof reconcile>[0],
): Promise<number> {
  const erased = { status: 'erased' };
  const destroy = async (rows: readonly Row[]): Promise<number> => {
    const live = await vault.liveKeys(rows.flatMap(keysOf));
    return live.length === 0 ? 0 : (await vault.destroyItemKeys(live, 'retention')).destroyed;
  };
  const newest = readModels.latest<Row>(projection, table, erased, 'erased_at', AT_ONCE);
  let sum = await destroy(newest);
  if (sum === 0 || newest.length < AT_ONCE) return sum;
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = readModels.page(projection, table, erased, after, AT_ONCE);
    sum += await destroy(page.rows);
    after = page.next;
  }
  return sum;
}

async function destroyErasedItems({ readModels, vault }: Parameters<typeof reconcile>[0]): Promise<number> {
  const newest = readModels.latest<ErasedRow>(erasureLedgerProjection, 'erasures', {}, 'erased_at', AT_ONCE);
  const alive = await destroyLive(newest, readModels, vault);
  if (alive === 0 || newest.length < AT_ONCE) return alive;
  let sum = alive;
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = readModels.page(erasureLedgerProjection, 'erasures', {}, after, AT_ONCE);
    const rows = page.rows as unknown as (ErasedRow & { readonly erased_at: string | null })[];
    sum += await destroyLive(
      rows.filter(({ erased_at }) => erased_at !== null),
      readModels,
      vault,
    );
    after = page.next;
  }
  return sum;
}

async function destroyLive(erasures: readonly ErasedRow[], readModels: ReadModels, vault: KeyVault): Promise<number> {
  let destroyed = 0;
  for (const { erasure_id, subject_id, person_key_destroyed, cause } of erasures) {
    if (person_key_destroyed === 1 && (await vault.tombstoneOfSubject(subject_id)) === undefined)
      destroyed += (await vault.destroySubject(subject_id, cause)).destroyed;
    const keys = readModels
      .rows<{ readonly key_id: string; readonly status: string }>(retentionScheduleProjection, 'retention_schedule', {
        erasure_id,
        status: 'erased',
      })
      .map(({ key_id }) => key_id);
    const live = await vault.liveKeys(keys);
    if (live.length > 0) destroyed += (await vault.destroyItemKeys(live, cause)).destroyed;
  }
  return destroyed;
}

/** Of the newest suppressions that the log knows of, those the vault has nothing of: only its journal has the address. */
function suppressionsLost({ readModels, vault }: Parameters<typeof reconcile>[0]): number {
  const newest = readModels.latest<Row>(
    suppressionListProjection,
    'suppressions',
    { lifted_at: null },
    'since',
    AT_ONCE,
  );
  return newest.filter(
    ({ addresses, suppression_id }) => addresses !== 0 && !vault.suppression.holds(String(suppression_id)),
  ).length;
}

async function stateWhatVaultDestroyed({ door, readModels, vault }: Parameters<typeof reconcile>[0]): Promise<number> {
  const people = new Set<string>();
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const tombstones = await vault.tombstonesBefore(before, AT_ONCE);
    const found = people.size;
    for (const { kind, id } of tombstones) {
      const person = kind === 'subject' ? personNotErased(id, readModels) : personOfKey(id, readModels);
      if (person !== undefined) people.add(person);
    }
    const last = tombstones.at(-1);
    if (!last || people.size === found) break;
    before = last.sequence;
  }
  let position = 0;
  for (const subjectId of people) {
    const answer = await door.submit('RestateErasure', { commandId: randomUUID(), subjectId }, STEWARD);
    position = Math.max(position, answer.position);
  }
  if (position > 0) await readModels.reached(position, 30_000);
  return people.size;
}

function personOfKey(keyId: string, readModels: ReadModels): string | undefined {
  const [row] = readModels.rows<{ readonly subject_id: string; readonly status: string }>(
    retentionScheduleProjection,
    'retention_schedule',
    { key_id: keyId, status: 'kept' },
  );
  return row?.subject_id;
}

/** A person whom the log knows and does not know to be erased. */
function personNotErased(subjectId: string, readModels: ReadModels): string | undefined {
  const where = { subject_id: subjectId };
  if (readModels.rows(holdingsProjection, 'subjects', where).length === 0) return undefined;
  const erased = readModels.rows(erasureLedgerProjection, 'erasures', { ...where, person_key_destroyed: 1 });
  return erased.length === 0 ? subjectId : undefined;
}
