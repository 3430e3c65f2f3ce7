import type { Refusal } from '#kernel';
import type { Command, DoorRule } from '#slice';
import { contractRegister } from './contract.register.js';

/** What a command names that a contract speaks of; commands are looked at by the names that all of them share. */
interface Named {
  readonly purposeId?: unknown;
  readonly collectionPointId?: unknown;
  readonly items?: unknown;
}

/**
 * Holds a service to its contract: the purpose, the collection point and the categories that a command names must be
 * within it, so that a purpose is never merely asserted. A service without a contract names none.
 *
 * What somebody wants of us is taken from any service, whatever its contract: see `forThePerson` of a command.
 */
export const withinContract: DoorRule = (command, { actor, forThePerson }, registers) => {
  if (!actor.roles.includes('service') || forThePerson) return undefined;
  const scope = registers.get(contractRegister).get(actor.id)?.inForce?.scope;
  const { purposeId, collectionPointId, items } = command as Command & Named;
  const beyond = (field: string, details: Refusal['details']): Refusal => ({
    code: 'OUTSIDE_SERVICE_CONTRACT',
    details: { serviceId: actor.id, field, ...details },
  });
  if (typeof purposeId === 'string' && !scope?.purposes.includes(purposeId)) return beyond('purposeId', { purposeId });
  if (typeof collectionPointId === 'string' && !scope?.collectionPoints.includes(collectionPointId))
    return beyond('collectionPointId', { collectionPointId });
  const categories = categoriesOf(items).filter((category) => !scope?.categories.includes(category));
  return categories.length > 0 ? beyond('items', { categories }) : undefined;
};

function categoriesOf(items: unknown): readonly string[] {
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: { readonly category?: unknown }) =>
    typeof item.category === 'string' ? [item.category] : [],
  );
}
