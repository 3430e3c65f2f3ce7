import type { Actor } from '#kernel';
import type { Role } from '#slice';

/** Roles that may know of disclosures under a duty not to tip off; those who answer the person may not (I-22c). */
export const DISCREET: readonly Role[] = ['privacyOfficer', 'legal', 'auditor'];

/** Whether a reader may know of disclosures under a duty not to tip off (I-22c). */
export const isDiscreet = ({ roles }: Actor): boolean => DISCREET.some((role) => roles.includes(role));
