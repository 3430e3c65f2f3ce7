import { IsIn, IsString, MaxLength, MinLength } from 'class-validator';
import { Command, IsId } from '#slice';
import { ADDRESS_KINDS, type AddressKind } from './address.js';

/** Commands about one suppressed address. */
abstract class SuppressionCommand extends Command {
  /** A random id, chosen by the sender: what the suppression is called from then on. */
  @IsId()
  readonly suppressionId!: string;
}

/**
 * Suppresses an address for marketing, whoever it stands with now or later (C05, UK GDPR Art 21(2)-(3)): somebody
 * objected who is not known by more than the address.
 */
export class SuppressAddress extends SuppressionCommand {
  get type() {
    return 'SuppressAddress' as const;
  }

  @IsIn(ADDRESS_KINDS)
  readonly kind!: AddressKind;

  /** Kept as a keyed hash only. */
  @IsString()
  @MinLength(3)
  @MaxLength(320)
  readonly address!: string;

  @IsIn(['person', 'preferenceService', 'bounce', 'regulator'])
  readonly source!: 'person' | 'preferenceService' | 'bounce' | 'regulator';
}

/** Lifts a suppression, also one that rests on an objection (by its id), because the person asked for it. */
export class LiftSuppression extends SuppressionCommand {
  get type() {
    return 'LiftSuppression' as const;
  }
}

/** Removes what a lifted suppression has left in the vault; sent by the steward. */
export class RemoveSuppression extends SuppressionCommand {
  get type() {
    return 'RemoveSuppression' as const;
  }
}

export type SuppressionDomainCommand = SuppressAddress | LiftSuppression | RemoveSuppression;
