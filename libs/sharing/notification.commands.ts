import { IsIn, IsInt, IsOptional, Min, ValidateIf } from 'class-validator';
import { Command, IsId, IsRegisterId } from '#slice';
import type { NotificationOf } from '#subject';
import { UNREACHABLE_REASONS, type UnreachableReason } from './notification.events.js';
import { IsCode } from './sharing.fields.js';

const KINDS: readonly NotificationOf[] = ['correction', 'restriction', 'erasure'];

/** About notices to one recipient of one person's data (UK GDPR Art 19). */
abstract class NoticeCommand extends Command {
  @IsId()
  readonly subjectId!: string;

  @IsRegisterId()
  readonly recipientId!: string;

  /** What the recipient has to be told of; a correction when absent. */
  @IsOptional()
  @IsIn(KINDS)
  readonly what?: NotificationOf;
}

const isOfCorrection = ({ what }: NoticeCommand): boolean => what === undefined || what === 'correction';
const isOfItem = ({ what }: NoticeCommand): boolean => what !== 'restriction';

/** Records that a recipient was told, or why not (C21). */
export class NotifyRecipient extends NoticeCommand {
  get type() {
    return 'NotifyRecipient' as const;
  }

  /** Of a correction: the item. Of an erasure: one of its items, or all of them when absent. */
  @ValidateIf(
    (command: NotifyRecipient) => isOfCorrection(command) || (isOfItem(command) && command.itemId !== undefined),
  )
  @IsId()
  readonly itemId?: string;

  /** Of a correction: the version that replaced what the recipient holds. */
  @ValidateIf((command: NotifyRecipient) => isOfCorrection(command) || command.version !== undefined)
  @IsInt()
  @Min(2)
  readonly version?: number;

  @IsIn(['notified', 'impossible', 'disproportionate'])
  readonly outcome!: 'notified' | 'impossible' | 'disproportionate';
}

/** Records that a recipient has done what it was told of; of every item when none is named. */
export class ConfirmRecipient extends NoticeCommand {
  get type() {
    return 'ConfirmRecipient' as const;
  }

  @IsOptional()
  @IsId()
  readonly itemId?: string;

  @IsOptional()
  @IsCode()
  readonly reference?: string;
}

/** Records that a recipient cannot be reached; of every item when none is named. */
export class MarkRecipientUnreachable extends NoticeCommand {
  get type() {
    return 'MarkRecipientUnreachable' as const;
  }

  @IsOptional()
  @IsId()
  readonly itemId?: string;

  @IsIn(UNREACHABLE_REASONS)
  readonly reason!: UnreachableReason;
}

/** Raises what is not told or not confirmed for too long; sent by the steward. */
export class RemindRecipient extends NoticeCommand {
  get type() {
    return 'RemindRecipient' as const;
  }
}

export type NotificationCommand = NotifyRecipient | ConfirmRecipient | MarkRecipientUnreachable | RemindRecipient;
