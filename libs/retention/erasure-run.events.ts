/** What is approved about the erasures of a time. Stands in `erasurerun-<id>`. */
export type ErasureRunEvent = ErasureRunApproved;

/** An item version as a dry run lists it. */
export interface ItemOfRun {
  readonly subjectId: string;
  readonly itemId: string;
  readonly version: number;
  /** What the rule of its last purpose does at its end. */
  readonly action: 'erase' | 'anonymise' | 'review';
}

/** How many versions something keeps beyond their time. */
export interface ExceptionOfRun {
  readonly cause: string;
  readonly versions: number;
}

/** What a privacy officer has looked at: what ends by a time, and what stays and why. */
export interface ErasureRun {
  /** RFC 3339. */
  readonly at: string;
  readonly items: readonly ItemOfRun[];
  readonly exceptions: readonly ExceptionOfRun[];
}

/**
 * A privacy officer has looked at what ends by a time, and approved it. It is carried out at that time, and nothing
 * waits for it: what is due ends on time without an approval too.
 */
export interface ErasureRunApproved {
  readonly type: 'ErasureRunApproved';
  readonly data: ErasureRun & {
    readonly runId: string;
    /** SHA-256 of the canonical JSON of what was looked at, in hex. */
    readonly digest: string;
    readonly approvedBy: string;
  };
}
