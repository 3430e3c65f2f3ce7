import { uuidV5, type Sealed } from '#kernel';
import type { KeyVault } from '#key-vault';
import { purposeRegister } from '#purpose';
import type { LookUps } from '#slice';
import { addressKindOf, normalised } from './address.js';
import type { SuppressionDomainCommand } from './suppression.commands.js';
import type { SuppressionFacts } from './suppression.decider.js';
import type { UseDomainCommand } from './use.commands.js';
import type { UseFacts, UseState } from './use.decider.js';

/**
 * What the gate has to wait for. Addresses are opened in memory, for a commercial use or an objection only, and go no
 * further than their keyed hash.
 *
 * For an objection the vault is told first: should the process die before the objection is on record, the person is
 * left alone all the same, and the repeat of the command finds it done.
 */
export async function lookUpUse(
  command: UseDomainCommand,
  state: UseState,
  { vault, registers }: LookUps,
): Promise<Partial<UseFacts>> {
  switch (command.type) {
    case 'AuthoriseUse': {
      const versions = registers.get(purposeRegister).get(command.purposeId)?.approved ?? [];
      if (!versions.some(({ commercial }) => commercial)) return {};
      const addresses = await addressesOf(state, command.itemIds, vault);
      const found = vault.suppression.suppressing(addresses.map(({ text }) => text));
      return { suppressedBy: Object.fromEntries(addresses.map(({ itemId }, index) => [itemId, found[index] ?? []])) };
    }
    case 'ObjectToMarketing': {
      if (state.openedAt === undefined || state.objection !== undefined) return {};
      const addresses = await addressesOf(state, Object.keys(state.items), vault);
      const texts = [...new Set(addresses.map(({ text }) => text))];
      await vault.suppression.add(uuidV5(command.commandId, 'objection'), texts);
      return { addressesSuppressed: texts.length };
    }
    default:
      return {};
  }
}

/** The addresses among these items, in their one spelling; what is erased has none any more. */
async function addressesOf(
  state: UseState,
  itemIds: readonly string[],
  vault: KeyVault,
): Promise<readonly { readonly itemId: string; readonly text: string }[]> {
  const sealed = itemIds.flatMap((itemId) => {
    const item = state.items[itemId];
    const kind = item && addressKindOf(item.category);
    return kind !== undefined && item?.address !== undefined && !item.gone
      ? [{ itemId, kind, address: item.address }]
      : [];
  });
  const opened = await vault.open<string>(sealed.map(({ address }): Sealed<string> => address));
  return sealed.flatMap(({ itemId, kind }, index) => {
    const value = opened[index];
    return value?.kind === 'opened' ? [{ itemId, text: normalised(kind, value.value).text }] : [];
  });
}

/** The vault is told first: the hash is durable before the event says so, and gone before the event says that. */
export async function lookUpSuppression(
  command: SuppressionDomainCommand,
  state: { readonly status: string },
  { vault }: LookUps,
): Promise<Partial<SuppressionFacts>> {
  const { suppressionId } = command;
  if (command.type === 'SuppressAddress' && state.status === 'unknown')
    await vault.suppression.add(suppressionId, [normalised(command.kind, command.address).text]);
  if (command.type === 'RemoveSuppression' && state.status === 'lifted') await vault.suppression.remove(suppressionId);
  return { isHeld: vault.suppression.holds(suppressionId) };
}
