import { IsIn } from 'class-validator';
import { Command, IsCivilDate, IsId, IsRegisterId } from '#slice';
import { RETURN_OUTCOMES, type EndedGround, type EndOfCopies, type ReturnOutcome } from './return-or-delete.events.js';
import { IsCode } from './sharing.fields.js';

/** Opens the task of a ground that has ended; sent by the steward. */
export class OpenReturnOrDelete extends Command {
  get type() {
    return 'OpenReturnOrDelete' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  @IsIn(['groupExit', 'agreementEnded'])
  readonly reason!: EndedGround;

  @IsCode()
  readonly reference!: string;

  /** First day on which the ground was none, as the steward read it. */
  @IsCivilDate()
  readonly since!: string;
}

/** Closes a task: what the recipient had is returned, deleted, kept because a law demands it, or held on a new ground. */
export class ConfirmReturnOrDelete extends Command {
  get type() {
    return 'ConfirmReturnOrDelete' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  @IsId()
  readonly taskId!: string;

  @IsIn(RETURN_OUTCOMES)
  readonly outcome!: ReturnOutcome;

  /** Of the proof: a receipt, a certificate, the statute, the new agreement. */
  @IsCode()
  readonly reference!: string;
}

/** Ends the copies of one person's data that were given on a ground whose task is done; sent by the steward. */
export class EndCopies extends Command {
  get type() {
    return 'EndCopies' as const;
  }

  @IsId()
  readonly subjectId!: string;

  @IsRegisterId()
  readonly recipientId!: string;

  @IsId()
  readonly taskId!: string;

  @IsIn(['groupExit', 'agreementEnded'])
  readonly reason!: EndedGround;

  /** Of the ground: the company number of the membership, or the id of the agreement. */
  @IsCode()
  readonly ground!: string;

  /** First day on which the ground was none: what was given on a later one stays. */
  @IsCivilDate()
  readonly since!: string;

  @IsIn(['returned', 'deleted'])
  readonly outcome!: EndOfCopies;

  /** Of the proof. */
  @IsCode()
  readonly reference!: string;
}

export type ReturnOrDeleteCommand = OpenReturnOrDelete | ConfirmReturnOrDelete;
