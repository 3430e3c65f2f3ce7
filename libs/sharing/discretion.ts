import type { Actor } from '#kernel';
import type { ReadModels } from '#read-model';
import type { Role } from '#slice';
import { disclosuresProjection } from './disclosure.projection.js';
import { sharingRegistersProjection } from './sharing.projection.js';

/** Roles that may know of disclosures under a duty not to tip off; those who answer the person may not (I-22c). */
export const DISCREET: readonly Role[] = ['privacyOfficer', 'legal', 'auditor'];

/** Whether a reader may know of disclosures under a duty not to tip off (I-22c). */
export const isDiscreet = ({ roles }: Actor): boolean => DISCREET.some((role) => roles.includes(role));

/** The instruments under a duty not to tip off. */
export const secretInstruments = (readModels: ReadModels): readonly string[] =>
  readModels
    .rows<{ readonly instrument_id: string }>(sharingRegistersProjection, 'instruments', { no_tipping_off: 1 })
    .map((row) => row.instrument_id);

/**
 * Those who hold data of a person under such instruments alone: to name them as holders would tell of the instrument.
 *
 * @param secret as {@link secretInstruments} has them.
 */
export function secretRecipients(
  readModels: ReadModels,
  secret: readonly string[],
  subjectId: string,
): readonly string[] {
  if (secret.length === 0) return [];
  const given = readModels.rows<{ readonly recipient_id: string; readonly instrument_id: string | null }>(
    disclosuresProjection,
    'disclosures',
    { subject_id: subjectId },
  );
  const isSecret = (instrumentId: string | null): boolean => instrumentId !== null && secret.includes(instrumentId);
  const open = new Set(given.filter((row) => !isSecret(row.instrument_id)).map((row) => row.recipient_id));
  return [...new Set(given.map((row) => row.recipient_id))].filter((recipientId) => !open.has(recipientId));
}
