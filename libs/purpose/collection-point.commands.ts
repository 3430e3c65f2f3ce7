import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import { Command, IsCategory, REGISTER_ID } from '#slice';
import { COLLECTION_POINT_KINDS, type CollectionPointKind } from './collection-point.events.js';

/** Commands about one collection point. */
abstract class CollectionPointCommand extends Command {
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly collectionPointId!: string;
}

/** Puts a collection point into service, or changes one that is (C11). */
export class RegisterCollectionPoint extends CollectionPointCommand {
  get type() {
    return 'RegisterCollectionPoint' as const;
  }

  @IsIn(COLLECTION_POINT_KINDS)
  readonly kind!: CollectionPointKind;

  @Matches(/\S/)
  @MaxLength(200)
  readonly title!: string;

  /** Why people are asked there, in plain words. Without it the command is refused, and the refusal recorded (C28). */
  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  readonly explanation?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ArrayUnique()
  @Matches(REGISTER_ID, { each: true })
  @MaxLength(64, { each: true })
  readonly purposes!: readonly string[];

  /** Categories that may be asked for there. */
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly fields!: readonly string[];

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;
}

/** Takes a collection point out of service for good. */
export class RetireCollectionPoint extends CollectionPointCommand {
  get type() {
    return 'RetireCollectionPoint' as const;
  }
}

export type CollectionPointDomainCommand = RegisterCollectionPoint | RetireCollectionPoint;
