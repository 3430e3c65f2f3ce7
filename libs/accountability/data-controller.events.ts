import type { Instant } from '#kernel';

/** What is recorded about who decides: stands in `controller-<id>`. */
export type ControllerEvent = ControllerDescribed;

/** Who decides what happens with the data, as the record of processing activities states it (UK GDPR Art 30(1)(a), (g)). */
export interface ControllerDescription {
  /** Of the organisation. */
  readonly name: string;
  readonly postalAddress: string;
  /** Of a function, for example a privacy mailbox. */
  readonly email: string;
  /** The data protection officer, by role and contact: a name would be personal data. */
  readonly dataProtectionOfficer?: { readonly role: string; readonly email: string };
  /** The supervisory authority. Its name changes by statute, so it is data. */
  readonly authority: string;
  /** The technical and organisational measures in general (UK GDPR Art 32(1)). */
  readonly security: string;
}

/** A controller was described, for the first time or anew. */
export interface ControllerDescribed {
  readonly type: 'ControllerDescribed';
  readonly data: ControllerDescription & {
    readonly controllerId: string;
    /** From 1, without gaps. */
    readonly version: number;
    /** From when it is so. Before it was recorded only for version 1. */
    readonly effectiveFrom: Instant;
  };
}
