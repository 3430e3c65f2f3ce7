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

/** Counts one person more against what somebody may open in a day. Sent by the engine itself, in the name of who asked. */
export class DrawViewBudget extends Command {
  get type() {
    return 'DrawViewBudget' as const;
  }

  /**
   * Not optional here: it says in which day's stream it stands. Said in each class: of two that are inherited the
   * validator takes both.
   */
  @ValidateIf(() => true)
  @IsInstant()
  override readonly occurredAt!: string;

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

/**
 * Puts a search on record before its answer is given. What was searched for is not part of it. Sent by the engine
 * itself, in the name of who asked.
 */
export class RecordSearch extends Command {
  get type() {
    return 'RecordSearch' as const;
  }

  /** Not optional here either. */
  @ValidateIf(() => true)
  @IsInstant()
  override readonly occurredAt!: string;

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
