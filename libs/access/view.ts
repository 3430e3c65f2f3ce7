import { ArrayMaxSize, IsArray, IsOptional, Matches, MaxLength, ValidateIf } from 'class-validator';
import type { EventCodec } from '#event-log';
import { accept, insert, refuse, unchanged, type Decider, type Facts, type Projection } from '#kernel';
import { CATEGORY, Command, IsId, IsInstant, REGISTER_ID } from '#slice';
import type { ContractEvent } from './contract.events.js';
import type { GrantEvent } from './grant.events.js';

/** Somebody was shown personal data: who, about whom, which categories, why. Never the values (C15). */
export interface PersonalDataViewed {
  readonly type: 'PersonalDataViewed';
  readonly data: {
    readonly subjectId: string;
    readonly viewId: string;
    readonly categories: readonly string[];
    readonly purposeId: string;
    readonly caseRef: string;
  };
}

/** Asks to see a person's data. It is on record before anything is shown: no append, no answer. */
export class ViewPersonalData extends Command {
  get type() {
    return 'ViewPersonalData' as const;
  }

  @IsId()
  readonly subjectId!: string;

  /** Not optional here: it says in which month's stream the view stands. */
  @ValidateIf(() => true)
  @IsInstant()
  override readonly occurredAt!: string;

  @IsOptional()
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId?: string;

  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(CATEGORY, { each: true })
  @MaxLength(64, { each: true })
  readonly categories!: readonly string[];
}

/** Views of one person in one month stand in a stream of their own, which may grow without holding up decisions. */
export const accessStream = (subjectId: string, at: string): string => `access-${subjectId}-${at.slice(0, 7)}`;

export const accessCodec: EventCodec<PersonalDataViewed | GrantEvent | ContractEvent> = {
  capability: 'access',
  events: {
    PersonalDataViewed: { stored: 'personal-data-viewed.v1' },
    ServiceContractDrafted: { stored: 'service-contract-drafted.v1' },
    ServiceContractApproved: { stored: 'service-contract-approved.v1' },
    ServiceContractEnded: { stored: 'service-contract-ended.v1' },
    AccessRequested: { stored: 'access-requested.v1' },
    AccessGranted: { stored: 'access-granted.v1' },
    AccessRevoked: { stored: 'access-revoked.v1' },
    AccessExpired: { stored: 'access-expired.v1' },
    AccessReviewed: { stored: 'access-reviewed.v1' },
    BreakGlassUsed: { stored: 'break-glass-used.v1' },
    BreakGlassReviewed: { stored: 'break-glass-reviewed.v1' },
  },
};

interface ViewState {
  readonly views: readonly string[];
}

export const viewDecider: Decider<ViewPersonalData, PersonalDataViewed, ViewState, Facts> = {
  initialState: { views: [] },
  folds: { PersonalDataViewed: true },
  evolve: (state, event) => ({ views: [...state.views, event.data.viewId].slice(-100) }),
  decide({ subjectId, purposeId, caseRef, categories }, state, facts) {
    const viewId = facts.id('view');
    if (state.views.includes(viewId)) return unchanged;
    if (facts.actor.roles.includes('auditor')) return refuse('AUDITOR_NO_PLAINTEXT');
    const missing = [...(purposeId === undefined ? ['purpose'] : []), ...(caseRef === undefined ? ['caseRef'] : [])];
    if (purposeId === undefined || caseRef === undefined) return refuse('PURPOSE_NOT_STATED', { fields: missing });
    return accept({ type: 'PersonalDataViewed', data: { subjectId, viewId, categories, purposeId, caseRef } });
  },
};

/** `AccessLog`: who looked at whose data, when and why. */
export const accessLogProjection: Projection<PersonalDataViewed> = {
  name: 'access-log',
  version: 1,
  tables: {
    access_log: {
      columns: {
        view_id: 'text',
        subject_id: 'text',
        actor_id: 'text',
        categories: 'text',
        purpose_id: 'text',
        case_ref: 'text',
        viewed_at: 'text',
        position: 'integer',
      },
      key: ['view_id'],
      indexes: [['subject_id', 'position']],
      history: true,
    },
  },
  handles: {
    PersonalDataViewed: ({ data, actorId, occurredAt, position }) => [
      insert('access_log', {
        view_id: data.viewId,
        subject_id: data.subjectId,
        actor_id: actorId,
        categories: data.categories.join(' '),
        purpose_id: data.purposeId,
        case_ref: data.caseRef,
        viewed_at: occurredAt,
        position,
      }),
    ],
  },
};
