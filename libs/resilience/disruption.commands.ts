import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  Matches,
  MaxLength,
} from 'class-validator';
import { Command, IsInstant, IsNotBefore, IsRegisterId, REFERENCE } from '#slice';
import { DISRUPTION_CAUSES, type DisruptionCause } from './disruption.events.js';

/**
 * Records a disruption of a service. While it has no end, the same id takes what has become known since; with `to` it
 * is over, and stays as it is (C08).
 */
export class RecordServiceDisruption extends Command {
  get type() {
    return 'RecordServiceDisruption' as const;
  }

  @IsRegisterId()
  readonly disruptionId!: string;

  /** Ids of the services that were affected. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsRegisterId({ each: true })
  readonly services!: string[];

  /** When it began; not in the future. */
  @IsInstant()
  readonly from!: string;

  /** When it was over; absent while it goes on. */
  @IsOptional()
  @IsInstant()
  @IsNotBefore('from')
  readonly to?: string;

  @IsIn(DISRUPTION_CAUSES)
  readonly cause!: DisruptionCause;

  /** Whether people, or those who serve them, could not get at personal data. */
  @IsBoolean()
  readonly personalDataUnavailable!: boolean;

  /** The incident under which that is documented; needed when personal data was not available, but for planned maintenance. */
  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly incidentRef?: string;
}
