import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { ApproveServiceContract, ContractDomainCommand, DraftServiceContract } from './contract.commands.js';
import type { ContractEvent, ServiceScope } from './contract.events.js';
import { evolveContract, type ServiceContract } from './contract.register.js';

/** The stream of what one service may ask for. */
export const contractStream = (serviceId: string): string => `contract-${serviceId}`;

/** What services may ask for. Two people stand behind each version; an end needs one. */
export const contractDecider: Decider<ContractDomainCommand, ContractEvent, ServiceContract> = {
  initialState: {},
  folds: { ServiceContractDrafted: true, ServiceContractApproved: true, ServiceContractEnded: true },
  evolve: evolveContract,
  decide(command, state, facts) {
    switch (command.type) {
      case 'DraftServiceContract':
        return draft(command, state, facts);
      case 'ApproveServiceContract':
        return approve(command, state, facts);
      case 'EndServiceContract': {
        const { serviceId } = command;
        if (!state.newest) return refuse('REGISTER_ENTRY_UNKNOWN', { serviceId });
        return state.inForce
          ? accept({ type: 'ServiceContractEnded', data: { serviceId, version: state.inForce.version } })
          : unchanged;
      }
    }
  },
};

function draft(command: DraftServiceContract, { newest }: ServiceContract, facts: Facts): Outcome<ContractEvent> {
  const { serviceId } = command;
  const scope: ServiceScope = {
    purposes: [...command.purposes],
    categories: [...command.categories],
    collectionPoints: [...command.collectionPoints],
  };
  if (newest && canonicalJson(newest.scope) === canonicalJson(scope)) return unchanged;
  const version = (newest?.version ?? 0) + 1;
  return accept({
    type: 'ServiceContractDrafted',
    data: { serviceId, version, author: facts.actor.id, ...scope },
  });
}

function approve(
  { serviceId, version }: ApproveServiceContract,
  { newest, inForce }: ServiceContract,
  facts: Facts,
): Outcome<ContractEvent> {
  if (!newest) return refuse('REGISTER_ENTRY_UNKNOWN', { serviceId, version });
  if (inForce?.version === version) return unchanged;
  if (newest.version !== version) return refuse('VERSION_CONFLICT', { serviceId, version, newest: newest.version });
  if (facts.actor.id === newest.author) return refuse('FOUR_EYES_REQUIRED', { serviceId, version });
  return accept({
    type: 'ServiceContractApproved',
    data: { serviceId, version, approver: facts.actor.id },
  });
}
