import type { Instant } from './instant.js';
import type { Refusal, RefusalCode } from './refusal.js';

/** A command within the domain: plain data with a name. */
export interface DomainCommand {
  readonly type: string;
}

/** An event within the domain: a name in the past tense and its facts. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** Who sends a command. Resolved by the door, never read from a message body. */
export interface Actor {
  readonly id: string;
  readonly type: 'user' | 'service_account' | 'app_user' | 'system';
  readonly roles: readonly string[];
  /** The person that a subject, or who acts for one, acts about. */
  readonly subjectId?: string;
  /** How they proved it; absent for the engine itself. */
  readonly authentication?: Authentication;
}

/** How an actor proved who they are. What an identity provider says of it stands on record with what was done. */
export interface Authentication {
  readonly method: 'token' | 'password' | 'oidc';
  /** Authentication context class (OpenID Connect Core, section 2). */
  readonly acr?: string;
  /** Authentication methods, for example `pwd` and `otp` (RFC 8176). */
  readonly amr?: readonly string[];
}

/** What every decision may know beside the state: time, identity and fresh ids are arguments. */
export interface Facts {
  readonly actor: Actor;
  /** When the engine decides. */
  readonly now: Instant;
  /** When it happened in the world; never after `now`. */
  readonly occurredAt: Instant;
  /** A fresh UUID for this command; the same name gives the same id when the command is repeated. */
  id(name: string): string;
}

/** The answer of a decision: facts to record (none when nothing changes), or a refusal. */
export type Outcome<E extends DomainEvent> =
  | { readonly kind: 'accepted'; readonly events: readonly E[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * One part of the domain: pure functions over plain data.
 *
 * Only `decide` may refuse. `evolve` never fails and never judges: what is in the log has happened.
 * A repeated command yields no events.
 */
export interface Decider<C extends DomainCommand, E extends DomainEvent, S, F extends Facts = Facts> {
  readonly initialState: S;
  /** The event types this decider folds; every other event of the stream is passed over. */
  readonly folds: { readonly [type in E['type']]: true };
  /** @param at when the event happened. */
  evolve(state: S, event: E, at: Instant): S;
  decide(command: C, state: S, facts: F): Outcome<E>;
}

/** The outcome that records these events. */
export function accept<E extends DomainEvent>(...events: E[]): Outcome<E> {
  return { kind: 'accepted', events };
}

/** The outcome of a repeated command: nothing changes. */
export const unchanged: Outcome<never> = { kind: 'accepted', events: [] };

/** The outcome that refuses, with the names (never the values) that explain it. */
export function refuse(code: RefusalCode, details: Refusal['details'] = {}): Outcome<never> {
  return { kind: 'refused', refusal: { code, details } };
}
