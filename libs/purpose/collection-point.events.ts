/** The places where people are asked for data. */
export const COLLECTION_POINT_KINDS = ['webForm', 'api', 'phone', 'paper', 'email', 'inProduct'] as const;
export type CollectionPointKind = (typeof COLLECTION_POINT_KINDS)[number];

/** What is decided about a collection point. Stands in `collectionpoint-<id>`. */
export type CollectionPointEvent = CollectionPointRegistered | CollectionPointRetired;

/** What a version of a collection point is bound to (I-11b). */
export interface CollectionPointDefinition {
  readonly kind: CollectionPointKind;
  readonly title: string;
  /** Why people are asked there, in plain words (C28). */
  readonly explanation: string;
  readonly purposes: readonly string[];
  /** Categories that may be asked for there. */
  readonly fields: readonly string[];
  readonly noticeId: string;
}

/** A collection point was put into service, or changed while in service. */
export interface CollectionPointRegistered {
  readonly type: 'CollectionPointRegistered';
  readonly data: CollectionPointDefinition & {
    readonly collectionPointId: string;
    /** From 1, without gaps. */
    readonly version: number;
  };
}

/** The collection point was taken out of service for good; its id is not used again. */
export interface CollectionPointRetired {
  readonly type: 'CollectionPointRetired';
  readonly data: {
    readonly collectionPointId: string;
    /** The version in service until then. */
    readonly version: number;
  };
}
