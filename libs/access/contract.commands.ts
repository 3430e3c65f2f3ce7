import { ArrayMaxSize, ArrayUnique, IsArray, IsInt, Min } from 'class-validator';
import { Command, IsCategory, IsRegisterId } from '#slice';

/** Commands about what one service may ask for. */
abstract class ContractCommand extends Command {
  /** Actor id of the service. */
  @IsRegisterId()
  readonly serviceId!: string;
}

/** Drafts what a service may ask for; another person has to approve it (6.9 of the domain: services). */
export class DraftServiceContract extends ContractCommand {
  get type() {
    return 'DraftServiceContract' as const;
  }

  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsRegisterId({ each: true })
  readonly purposes!: readonly string[];

  @IsArray()
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsRegisterId({ each: true })
  readonly collectionPoints!: readonly string[];
}

/** Approves the newest draft; sent by another person than its author. */
export class ApproveServiceContract extends ContractCommand {
  get type() {
    return 'ApproveServiceContract' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;
}

/** Ends what a service may ask for, at once. */
export class EndServiceContract extends ContractCommand {
  get type() {
    return 'EndServiceContract' as const;
  }
}

export type ContractDomainCommand = DraftServiceContract | ApproveServiceContract | EndServiceContract;
