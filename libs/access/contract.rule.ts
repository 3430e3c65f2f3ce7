import type { Actor, Refusal } from '#kernel';
import type { DoorRule, Registers } from '#slice';
import { contractRegister } from './contract.register.js';

/** What a command names that a contract speaks of; commands are looked at by the names that all of them share. */
interface Named {
  readonly purposeId?: unknown;
  readonly collectionPointId?: unknown;
  readonly categories?: unknown;
  readonly items?: unknown;
}

/**
 * Holds a service to its contract: the purpose, the collection point and the categories that a command names, or that
 * stand behind the ids it names, must be within it, so that a purpose is never merely asserted. A service without a
 * contract names none.
 *
 * What somebody wants of us is taken from any service, whatever its contract: see `forThePerson` of a command.
 */
export const withinContract: DoorRule = ({ command, actor, forThePerson, touched }, registers) => {
  if (!actor.roles.includes('service') || forThePerson) return undefined;
  const scope = registers.get(contractRegister).get(actor.id)?.inForce?.scope;
  const named = command as Named;
  const beyond = (field: string, details: Refusal['details']): Refusal => ({
    code: 'OUTSIDE_SERVICE_CONTRACT',
    details: { serviceId: actor.id, field, ...details },
  });
  for (const purposeId of [...textsIn([named.purposeId]), ...(touched.purposes ?? [])])
    if (!scope?.purposes.includes(purposeId)) return beyond('purposeId', { purposeId });
  for (const collectionPointId of textsIn([named.collectionPointId]))
    if (!scope?.collectionPoints.includes(collectionPointId)) return beyond('collectionPointId', { collectionPointId });
  const categories = [...textsIn(named.categories), ...categoriesOf(named.items), ...(touched.categories ?? [])];
  const outside = [...new Set(categories)].filter((category) => !scope?.categories.includes(category));
  return outside.length > 0 ? beyond('categories', { categories: outside }) : undefined;
};

/** Whether somebody may ask about a purpose: a service only within its contract; others are no matter of contracts. */
export function mayNamePurpose(registers: Registers, actor: Actor, purposeId: string): boolean {
  if (!actor.roles.includes('service')) return true;
  return registers.get(contractRegister).get(actor.id)?.inForce?.scope.purposes.includes(purposeId) ?? false;
}

function categoriesOf(items: unknown): readonly string[] {
  if (!Array.isArray(items)) return [];
  return textsIn(items.map(({ category }: { readonly category?: unknown }) => category));
}

const textsIn = (list: unknown): readonly string[] =>
  Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : [];
