import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  Matches,
  Min,
  ValidateNested,
} from 'class-validator';
import { RETENTION_ACTIONS, type RetentionAction } from '#purpose';
import { Command, IsId, IsInstant } from '#slice';
import { LAW_OF } from './deferral.decider.js';

/** How many versions a dry run lists, and a run holds. */
export const VERSIONS_IN_RUN = 500;

class ListedVersion {
  @IsId()
  readonly subjectId!: string;

  @IsId()
  readonly itemId!: string;

  @IsInt()
  @Min(1)
  readonly version!: number;

  @IsIn(RETENTION_ACTIONS)
  readonly action!: RetentionAction;
}

class ListedException {
  @IsIn(Object.keys(LAW_OF))
  readonly cause!: string;

  @IsInt()
  @Min(1)
  readonly versions!: number;
}

/**
 * Approves what a dry run (`GET /v1/retention/due?at=`) has listed, by its digest. What is due ends on time without it:
 * the approval shows that somebody looked, and lets what became of it be held against that.
 */
export class ApproveErasureRun extends Command {
  get type() {
    return 'ApproveErasureRun' as const;
  }

  @IsId()
  readonly runId!: string;

  /** The time of the dry run. */
  @IsInstant()
  readonly at!: string;

  /** As the dry run gave it. */
  @Matches(/^[0-9a-f]{64}$/)
  readonly digest!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(VERSIONS_IN_RUN)
  @ArrayUnique((each: ListedVersion) => `${each?.itemId}@${each?.version}`)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ListedVersion)
  readonly items!: readonly ListedVersion[];

  @IsArray()
  @ArrayMaxSize(Object.keys(LAW_OF).length)
  @ArrayUnique((each: ListedException) => each?.cause)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ListedException)
  readonly exceptions!: readonly ListedException[];
}
