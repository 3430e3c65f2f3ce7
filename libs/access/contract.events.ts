/** What a service of ours may ask of the engine. Stands in `contract-<service>`. */
export type ContractEvent = ServiceContractDrafted | ServiceContractApproved | ServiceContractEnded;

/** What a service may do: nothing beyond it, whatever it says of itself. */
export interface ServiceScope {
  /** Purposes it may name. */
  readonly purposes: readonly string[];
  /** Categories of data it may bring, use or pass on. */
  readonly categories: readonly string[];
  /** Collection points it may collect through. */
  readonly collectionPoints: readonly string[];
}

/** A version was drafted. It binds nobody before another person has approved it. */
export interface ServiceContractDrafted {
  readonly type: 'ServiceContractDrafted';
  readonly data: ServiceScope & {
    /** Actor id of the service. */
    readonly serviceId: string;
    /** From 1, without gaps. */
    readonly version: number;
    readonly author: string;
  };
}

/** A second person approved it; it takes the place of the version before. */
export interface ServiceContractApproved {
  readonly type: 'ServiceContractApproved';
  readonly data: { readonly serviceId: string; readonly version: number; readonly approver: string };
}

/** The service may ask for nothing any more. */
export interface ServiceContractEnded {
  readonly type: 'ServiceContractEnded';
  readonly data: { readonly serviceId: string; readonly version: number };
}
