import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsInt, Max, Min } from 'class-validator';
import { Command, IsCategory, IsId, IsRegisterId } from '#slice';

/** The most people of one bulk view. */
export const MOST_PEOPLE = 1_000;
/** The longest time a bulk view is open, in hours: a working day. */
export const LONGEST_BULK_VIEW = 8;

abstract class BulkViewCommand extends Command {
  @IsId()
  readonly bulkViewId!: string;
}

/** Asks to look at many people's data, for one purpose and case, which is stated as `caseRef`. */
export class RequestBulkView extends BulkViewCommand {
  get type() {
    return 'RequestBulkView' as const;
  }

  @IsRegisterId()
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_PEOPLE)
  @ArrayUnique()
  @IsId({ each: true })
  readonly subjectIds!: readonly string[];

  /** How long it is to be open, from its approval on. */
  @IsInt()
  @Min(1)
  @Max(LONGEST_BULK_VIEW)
  readonly hours!: number;
}

/** Opens a bulk view for its time; never by who asked. */
export class ApproveBulkView extends BulkViewCommand {
  get type() {
    return 'ApproveBulkView' as const;
  }
}

/** Refuses a bulk view, or ends it before its time. */
export class CloseBulkView extends BulkViewCommand {
  get type() {
    return 'CloseBulkView' as const;
  }
}

export type BulkViewDomainCommand = RequestBulkView | ApproveBulkView | CloseBulkView;
