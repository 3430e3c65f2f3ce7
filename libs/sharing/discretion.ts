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
 * Those who hold data of people under such instruments alone, by person: to name them as holders would tell of the
 * instrument.
 */
export function secretRecipients(
  readModels: ReadModels,
  subjectIds: readonly string[],
  secret = secretInstruments(readModels),
): ReadonlyMap<string, readonly string[]> {
  if (secret.length === 0) return new Map();
  const given = new Map<string, { readonly all: Set<string>; readonly open: Set<string> }>();
  for (const row of readModels.rowsAmong<GivenRow>(
    disclosuresProjection,
    'disclosures',
    {},
    'subject_id',
    subjectIds,
  )) {
    const recipients = given.get(row.subject_id) ?? { all: new Set(), open: new Set() };
    given.set(row.subject_id, recipients);
    recipients.all.add(row.recipient_id);
    if (row.instrument_id === null || !secret.includes(row.instrument_id)) recipients.open.add(row.recipient_id);
  }
  return new Map([...given].map(([subjectId, { all, open }]) => [subjectId, [...all].filter((id) => !open.has(id))]));
}

interface GivenRow {
  readonly subject_id: string;
  readonly recipient_id: string;
  readonly instrument_id: string | null;
}
