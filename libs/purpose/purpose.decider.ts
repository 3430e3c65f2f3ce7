import { addPeriodToInstant } from '#calendar';
import {
  accept,
  canonicalJson,
  parseInstant,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import type {
  ApprovePurpose,
  DefinePurpose,
  FieldToDefine,
  PurposeDomainCommand,
  RaisePurposeReview,
  ResumePurpose,
  RetirePurpose,
  ReviewPurpose,
  SuspendPurpose,
} from './purpose.commands.js';
import {
  SERVICE_LINES,
  type PurposeDefinition,
  type PurposeEvent,
  type PurposeField,
  type ServiceLine,
} from './purpose.events.js';
import { isCommercialTerm, isSpecialCategory, isUsage } from './purpose.vocabulary.js';

export interface PurposeVersion {
  readonly version: number;
  readonly author: string;
  readonly definition: PurposeDefinition;
  /** When it takes effect; absent until it is approved. */
  readonly inForceFrom?: Instant;
  /** When it is to be reviewed; absent when it is not. */
  readonly reviewBy?: Instant;
  /** Whether that has been raised. */
  readonly reviewRaised?: boolean;
}

export interface PurposeState {
  /** In rising order. Only the last one can be a draft that may still be approved. */
  readonly versions: readonly PurposeVersion[];
  readonly suspendedAt?: Instant;
  readonly retired: boolean;
}

type PurposeOutcome = Outcome<PurposeEvent>;

const initialState: PurposeState = { versions: [], retired: false };

function evolve(state: PurposeState, event: PurposeEvent, at: Instant): PurposeState {
  switch (event.type) {
    case 'PurposeDefined': {
      const { purposeId: _id, version, author, replaces: _draft, ...definition } = event.data;
      return { ...state, versions: [...state.versions, { version, author, definition }] };
    }
    case 'PurposeApproved':
      return withVersion(state, event.data.version, {
        inForceFrom: event.data.effectiveFrom,
        ...stated({ reviewBy: event.data.reviewBy }),
      });
    case 'PurposeReviewDue':
      return withVersion(state, event.data.version, { reviewRaised: true });
    case 'PurposeReviewed':
      return withVersion(state, event.data.version, { reviewBy: event.data.reviewBy, reviewRaised: false });
    case 'PurposeSuspended':
      return { ...state, suspendedAt: at };
    case 'PurposeResumed': {
      const { suspendedAt: _ended, ...rest } = state;
      return rest;
    }
    case 'PurposeRetired':
      return { ...state, retired: true };
  }
}

function decide(command: PurposeDomainCommand, state: PurposeState, facts: Facts): PurposeOutcome {
  switch (command.type) {
    case 'DefinePurpose':
      return define(command, state, facts);
    case 'ApprovePurpose':
      return approve(command, state, facts);
    case 'RaisePurposeReview':
      return raiseReview(command, state, facts);
    case 'ReviewPurpose':
      return review(command, state, facts);
    case 'SuspendPurpose':
      return suspend(command, state);
    case 'ResumePurpose':
      return resume(command, state, facts);
    case 'RetirePurpose':
      return retire(command, state);
  }
}

/** What a purpose says and who stands behind it. Retirement is final: the id then stands for what it stood for. */
export const purposeDecider: Decider<PurposeDomainCommand, PurposeEvent, PurposeState> = {
  initialState,
  folds: {
    PurposeDefined: true,
    PurposeApproved: true,
    PurposeReviewDue: true,
    PurposeReviewed: true,
    PurposeSuspended: true,
    PurposeResumed: true,
    PurposeRetired: true,
  },
  evolve,
  decide,
};

function define(command: DefinePurpose, state: PurposeState, facts: Facts): PurposeOutcome {
  const { purposeId, serviceLine } = command;
  const newest = state.versions.at(-1);
  const next = (newest?.version ?? 0) + 1;
  const version = command.version ?? next;
  const content = contentOf(command);

  const known = command.version === undefined ? newest : versionOf(state, command.version);
  if (known && canonicalJson(known.definition) === canonicalJson(content)) return unchanged;
  if (state.retired) return refuseRetired(purposeId);
  if (version !== next) return refuse('VERSION_CONFLICT', { purposeId, version, next });

  if (!isServiceLine(serviceLine)) return refuse('PURPOSE_OUT_OF_SCOPE', { purposeId, serviceLine });
  if (!content.commercial && isCommercialTerm(content.dpvIri))
    return refuse('PURPOSE_MISCLASSIFIED', { purposeId, dpvIri: content.dpvIri });
  // No consent unlocks usage (C07): a commercial purpose has no use for it, whatever its author says.
  const usage = content.fields.map((field) => field.category).filter(isUsage);
  if (content.commercial && usage.length > 0) return refuse('USAGE_SECONDARY_USE', { purposeId, fields: usage });
  const special = content.fields.filter((field) => field.special === true).map((field) => field.category);
  if (special.length > 0 && content.specialCategoryCondition === undefined)
    return refuse('SPECIAL_CATEGORY_NOT_PERMITTED', { purposeId, fields: special });
  const ruled = new Set(content.retention.map((rule) => rule.category));
  const unruled = content.fields.map((field) => field.category).filter((category) => !ruled.has(category));
  if (unruled.length > 0) return refuse('RETENTION_RULE_MISSING', { purposeId, fields: unruled });

  const draft = newest?.inForceFrom === undefined ? newest?.version : undefined;
  return accept({
    type: 'PurposeDefined',
    data: { purposeId, version, author: facts.actor.id, ...stated({ replaces: draft }), ...content, serviceLine },
  });
}

function approve(command: ApprovePurpose, state: PurposeState, facts: Facts): PurposeOutcome {
  const { purposeId, version } = command;
  const draft = versionOf(state, version);
  const newest = state.versions.at(-1);
  if (!draft || !newest) return refuse('PURPOSE_UNKNOWN', { purposeId, version });
  if (draft.inForceFrom !== undefined) return unchanged;
  if (state.retired) return refuseRetired(purposeId);
  if (version !== newest.version) return refuse('VERSION_CONFLICT', { purposeId, version, newest: newest.version });
  if (facts.actor.id === draft.author) return refuse('FOUR_EYES_REQUIRED', { purposeId, version });
  const { dpiaRequired, dpiaRef, reviewPeriod } = draft.definition;
  if (dpiaRequired && dpiaRef === undefined) return refuse('DPIA_MISSING', { purposeId, version });

  const before = newestApproved(state);
  const wanted = draft.definition.effectiveFrom ?? facts.occurredAt;
  return accept({
    type: 'PurposeApproved',
    data: {
      purposeId,
      version,
      approver: facts.actor.id,
      // What was in force stays so: only the first approved version may reach back before its approval.
      effectiveFrom: before ? latest(wanted, facts.occurredAt, before.inForceFrom) : wanted,
      ...stated({ supersedes: before?.version, reviewBy: reviewAfter(facts.occurredAt, reviewPeriod) }),
    },
  });
}

/** Once for each date. What is no longer due leaves nothing to raise: a timer looks at rows that lag behind. */
function raiseReview(command: RaisePurposeReview, state: PurposeState, facts: Facts): PurposeOutcome {
  const { purposeId, version } = command;
  if (state.versions.length === 0) return refuse('PURPOSE_UNKNOWN', { purposeId });
  const newest = newestApproved(state);
  if (state.retired || newest?.version !== version || newest.reviewRaised) return unchanged;
  const { reviewBy } = newest;
  if (reviewBy === undefined || reviewBy !== parseInstant(command.due) || facts.now < reviewBy) return unchanged;
  return accept({ type: 'PurposeReviewDue', data: { purposeId, version, due: reviewBy } });
}

/** A review never brings the next one forward. */
function review(command: ReviewPurpose, state: PurposeState, facts: Facts): PurposeOutcome {
  const { purposeId, version } = command;
  const unfit = neverInForce(purposeId, state);
  if (unfit) return unfit;
  const newest = newestApproved(state);
  if (newest?.version !== version) return refuse('VERSION_CONFLICT', { purposeId, version });
  const reviewBy = reviewAfter(facts.occurredAt, newest.definition.reviewPeriod);
  if (reviewBy === undefined) return refuse('REGISTER_ENTRY_UNKNOWN', { purposeId, version, field: 'reviewPeriod' });
  if (newest.reviewBy !== undefined && reviewBy <= newest.reviewBy) return unchanged;
  return accept({ type: 'PurposeReviewed', data: { purposeId, version, reviewer: facts.actor.id, reviewBy } });
}

const reviewAfter = (at: Instant, period: string | undefined): Instant | undefined =>
  period === undefined ? undefined : addPeriodToInstant(at, period);

function withVersion(state: PurposeState, version: number, change: Partial<PurposeVersion>): PurposeState {
  return {
    ...state,
    versions: state.versions.map((each) => (each.version === version ? { ...each, ...change } : each)),
  };
}

/** The first reason stands: a suspended purpose that is suspended again is left as it is. */
function suspend(command: SuspendPurpose, state: PurposeState): PurposeOutcome {
  const { purposeId, reasonCode } = command;
  const unfit = neverInForce(purposeId, state);
  if (unfit) return unfit;
  if (state.suspendedAt !== undefined) return unchanged;
  return accept({ type: 'PurposeSuspended', data: { purposeId, reasonCode } });
}

function resume(command: ResumePurpose, state: PurposeState, facts: Facts): PurposeOutcome {
  const { purposeId } = command;
  const unfit = neverInForce(purposeId, state);
  if (unfit) return unfit;
  if (state.suspendedAt === undefined) return unchanged;
  // Otherwise the suspension would never have been.
  if (facts.occurredAt < state.suspendedAt) return refuse('VERSION_CONFLICT', { purposeId, field: 'occurredAt' });
  return accept({ type: 'PurposeResumed', data: { purposeId } });
}

function retire(command: RetirePurpose, state: PurposeState): PurposeOutcome {
  const { purposeId } = command;
  if (state.versions.length === 0) return refuse('PURPOSE_UNKNOWN', { purposeId });
  return state.retired ? unchanged : accept({ type: 'PurposeRetired', data: { purposeId } });
}

function neverInForce(purposeId: string, state: PurposeState): Outcome<never> | undefined {
  if (state.versions.length === 0) return refuse('PURPOSE_UNKNOWN', { purposeId });
  if (state.retired) return refuseRetired(purposeId);
  return newestApproved(state) ? undefined : refuse('PURPOSE_NOT_APPROVED', { purposeId });
}

const refuseRetired = (purposeId: string): Outcome<never> =>
  refuse('PURPOSE_SUSPENDED', { purposeId, status: 'retired' });

function versionOf(state: PurposeState, version: number): PurposeVersion | undefined {
  return state.versions.find((each) => each.version === version);
}

function newestApproved(state: PurposeState): (PurposeVersion & { readonly inForceFrom: Instant }) | undefined {
  return state.versions.findLast((each) => each.inForceFrom !== undefined) as ReturnType<typeof newestApproved>;
}

/** The definition in its one spelling, so that equal content is equal text. */
function contentOf(command: DefinePurpose): Omit<PurposeDefinition, 'serviceLine'> & { readonly serviceLine: string } {
  const { title, plainWords, serviceLine, commercial, basis, rliCondition, liaRef, dpiaRef, dpvIri } = command;
  const { specialCategoryCondition, effectiveFrom, rliNecessity, dataSubjects, reviewPeriod } = command;
  return {
    title,
    plainWords,
    serviceLine,
    commercial,
    basis,
    dpiaRequired: command.dpiaRequired ?? false,
    dpvIri,
    fields: command.fields.map(fieldOf),
    retention: command.retention.map(({ category, trigger, period, action, legalRef }) => ({
      category,
      trigger,
      period,
      action,
      legalRef,
    })),
    recipientKindsAllowed: [...command.recipientKindsAllowed],
    ...stated({ rliCondition, rliNecessity, liaRef, dpiaRef, specialCategoryCondition, reviewPeriod }),
    ...stated({ dataSubjects: dataSubjects && [...dataSubjects] }),
    ...stated({ effectiveFrom: parseInstant(effectiveFrom ?? '') }),
  };
}

function fieldOf(field: FieldToDefine): PurposeField {
  const { category, necessity, justification, freeText, checkInterval } = field;
  const special = field.special === true || isSpecialCategory(category);
  return {
    category,
    necessity,
    justification,
    ...(freeText && { freeText: { expectation: freeText.expectation, maxLength: freeText.maxLength } }),
    ...(special && { special }),
    ...stated({ checkInterval }),
  };
}

/** The members that were given: an optional one left out and one sent as null are the same. */
function stated<T extends object>(members: T): { [name in keyof T]?: NonNullable<T[name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member != null)) as ReturnType<
    typeof stated<T>
  >;
}

function isServiceLine(line: string): line is ServiceLine {
  return (SERVICE_LINES as readonly string[]).includes(line);
}

const latest = (...instants: readonly [Instant, ...Instant[]]): Instant =>
  instants.reduce((last, each) => (each > last ? each : last));
