import { accept, refuse, unchanged, type Decider, type Facts } from '#kernel';
import type { SuppressionDomainCommand } from './suppression.commands.js';
import type { SuppressionEvent } from './suppression.events.js';

export interface SuppressionState {
  readonly status: 'unknown' | 'suppressed' | 'lifted' | 'removed';
}

export interface SuppressionFacts extends Facts {
  /** Whether the vault holds addresses under this id, of an objection too. */
  readonly isHeld: boolean;
}

/** The stream of one suppression. */
export const suppressionStream = (suppressionId: string): string => `suppression-${suppressionId}`;

/** Addresses that are suppressed by themselves. The hash is in the vault before the event says so. */
export const suppressionDecider: Decider<
  SuppressionDomainCommand,
  SuppressionEvent,
  SuppressionState,
  SuppressionFacts
> = {
  initialState: { status: 'unknown' },
  folds: { AddressSuppressed: true, SuppressionLifted: true, SuppressionRemoved: true },
  evolve(_state, event) {
    switch (event.type) {
      case 'AddressSuppressed':
        return { status: 'suppressed' };
      case 'SuppressionLifted':
        return { status: 'lifted' };
      case 'SuppressionRemoved':
        return { status: 'removed' };
    }
  },
  decide(command, { status }, facts) {
    const { suppressionId } = command;
    switch (command.type) {
      case 'SuppressAddress': {
        const { kind, source } = command;
        if (status === 'suppressed') return unchanged;
        // An id stands for one suppression: what was lifted does not come back under it.
        if (status !== 'unknown') return refuse('REGISTER_ENTRY_EXISTS', { suppressionId });
        return accept({ type: 'AddressSuppressed', data: { suppressionId, kind, source } });
      }
      case 'LiftSuppression':
        if (status === 'lifted' || status === 'removed') return unchanged;
        if (status === 'unknown' && !facts.isHeld) return refuse('REGISTER_ENTRY_UNKNOWN', { suppressionId });
        return accept({ type: 'SuppressionLifted', data: { suppressionId } });
      case 'RemoveSuppression':
        // The vault was told to forget it before this was asked.
        return status === 'lifted' && !facts.isHeld
          ? accept({ type: 'SuppressionRemoved', data: { suppressionId } })
          : unchanged;
    }
  },
};
