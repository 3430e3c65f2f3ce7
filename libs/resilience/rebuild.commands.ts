import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsInt, IsObject, Matches, Min, ValidateNested } from 'class-validator';
import { Command, IsId, IsSha256 } from '#slice';

class RebuiltProjection {
  @Matches(/^[a-z0-9]+(-[a-z0-9]+)*\.v[1-9][0-9]{0,5}$/)
  readonly projection!: string;

  @IsSha256()
  readonly digest!: string;
}

/** Records that read models were built anew; sent by the engine, under an id that follows from what was built. */
export class RecordProjectionRebuild extends Command {
  get type() {
    return 'RecordProjectionRebuild' as const;
  }

  @IsId()
  readonly rebuildId!: string;

  @IsInt()
  @Min(1)
  readonly through!: number;

  @IsSha256()
  readonly digest!: string;

  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(500)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RebuiltProjection)
  readonly projections!: readonly RebuiltProjection[];
}
