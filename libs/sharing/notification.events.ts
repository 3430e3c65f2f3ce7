import type { RecipientNotified } from '#subject';

/**
 * What became of a notice to a recipient (C21, UK GDPR Art 19). Stands in the person's stream, after the event of the
 * holdings that made it due and after `RecipientNotified`.
 */
export type NotificationEvent = RecipientConfirmed | RecipientUnreachable | RecipientReminderRaised;

/** Which notice it is about: to whom, of what, and about which items (none for a restriction). */
type Notice = Pick<RecipientNotified['data'], 'subjectId' | 'recipientId' | 'what' | 'items'>;

/** The recipient says that it has done what it was told of. */
export interface RecipientConfirmed {
  readonly type: 'RecipientConfirmed';
  readonly data: Notice & {
    /** Of the recipient's answer; an opaque code. */
    readonly reference?: string;
  };
}

export const UNREACHABLE_REASONS = ['noAnswer', 'addressUnknown', 'dissolved', 'refused'] as const;
export type UnreachableReason = (typeof UNREACHABLE_REASONS)[number];

/** The recipient could not be reached; it may be told later all the same. */
export interface RecipientUnreachable {
  readonly type: 'RecipientUnreachable';
  readonly data: Notice & { readonly reason: UnreachableReason };
}

/** A notice was not given, or not confirmed, for too long. Raised a bounded number of times; the last one is overdue. */
export interface RecipientReminderRaised {
  readonly type: 'RecipientReminderRaised';
  readonly data: Notice & { readonly attempt: number; readonly overdue?: true };
}

/**
 * What the rules about notices need of an erasure: who was given what of that which is erased. Retention decides about
 * erasures; the event is one of the holdings.
 */
export interface ErasureView {
  readonly type: 'ErasureStarted';
  readonly data: {
    readonly subjectId: string;
    readonly recipients: readonly {
      readonly recipientId: string;
      readonly items: readonly { readonly itemId: string; readonly version: number }[];
    }[];
  };
}
