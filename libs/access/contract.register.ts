import type { Register } from '#kernel';
import type { ContractEvent, ServiceScope } from './contract.events.js';

export interface ServiceContract {
  /** The newest version, approved or not. */
  readonly newest?: { readonly version: number; readonly author: string; readonly scope: ServiceScope };
  /** The version that binds. */
  readonly inForce?: { readonly version: number; readonly scope: ServiceScope };
}

/** By actor id of the service. */
export type ContractRegisterState = ReadonlyMap<string, ServiceContract>;

/** Folds what happened to one contract; shared with the decider. */
export function evolveContract(contract: ServiceContract, event: ContractEvent): ServiceContract {
  switch (event.type) {
    case 'ServiceContractDrafted': {
      const { version, author, purposes, categories, collectionPoints } = event.data;
      return { ...contract, newest: { version, author, scope: { purposes, categories, collectionPoints } } };
    }
    case 'ServiceContractApproved':
      return contract.newest?.version === event.data.version
        ? { ...contract, inForce: { version: event.data.version, scope: contract.newest.scope } }
        : contract;
    case 'ServiceContractEnded': {
      const { inForce: _ended, ...rest } = contract;
      return rest;
    }
  }
}

export const contractRegister: Register<ContractEvent, ContractRegisterState> = {
  name: 'service-contracts',
  streamPrefix: 'contract-',
  initialState: new Map(),
  folds: { ServiceContractDrafted: true, ServiceContractApproved: true, ServiceContractEnded: true },
  evolve(state, event) {
    const { serviceId } = event.data;
    return new Map(state).set(serviceId, evolveContract(state.get(serviceId) ?? {}, event));
  },
};
