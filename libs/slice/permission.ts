import type { Actor } from '#kernel';

/** Roles of those who work here; each has a door of its own for what it may do. */
export const EMPLOYED_ROLES = ['staff', 'privacyOfficer', 'legal', 'securityOfficer', 'auditor', 'operator'] as const;

/** In which role somebody acts. `system` is the engine itself; nobody outside has it. */
export const ROLES = ['service', ...EMPLOYED_ROLES, 'subject', 'agent', 'system'] as const;
export type Role = (typeof ROLES)[number];

/** Roles in which somebody acts about one person only: the one their credential names. */
export const PERSONAL_ROLES: readonly Role[] = ['subject', 'agent'];

/**
 * The one decision about who may do what, for commands and questions of every door. What nobody was permitted is
 * forbidden.
 *
 * @param roles who may, as the matrix has it.
 * @param subjectId the person it is about; whatever else it is counts as nobody.
 */
export function permits(roles: readonly Role[], actor: Actor, subjectId?: unknown): boolean {
  return roles.some(
    (role) =>
      actor.roles.includes(role) &&
      (!PERSONAL_ROLES.includes(role) || (actor.subjectId !== undefined && actor.subjectId === subjectId)),
  );
}
