import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { Command, IsCategory, IsId, IsInstant, IsRegisterId } from '#slice';
import { SEARCH_FIELDS, type SearchField } from './identifier.js';

/** What one person does on one day. Sent by the engine itself, in the name of who asked. */
abstract class ViewerCommand extends Command {
  /** Not optional here: it says in which day's stream it stands. */
  @ValidateIf(() => true)
  @IsInstant()
  override readonly occurredAt!: string;
}

/** Counts one person more against what somebody may open in a day. */
export class DrawViewBudget extends ViewerCommand {
  get type() {
    return 'DrawViewBudget' as const;
  }

  @IsId()
  readonly subjectId!: string;
}

class FoundSubject {
  @IsId()
  readonly subjectId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @IsCategory({ each: true })
  readonly categories!: readonly string[];
}

/** Most people that one search tells of. */
export const MOST_FOUND = 100;

/** Puts a search on record before its answer is given. What was searched for is not part of it. */
export class RecordSearch extends ViewerCommand {
  get type() {
    return 'RecordSearch' as const;
  }

  @IsIn(SEARCH_FIELDS)
  readonly field!: SearchField;

  @IsOptional()
  @IsRegisterId()
  readonly purposeId?: string;

  @IsArray()
  @ArrayMaxSize(MOST_FOUND)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => FoundSubject)
  readonly found!: readonly FoundSubject[];
}

export type ViewerDomainCommand = DrawViewBudget | RecordSearch;
