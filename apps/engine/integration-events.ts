import type { IntegrationEvents, JsonSchema } from '#command-bus';

const id: JsonSchema = { type: 'string', format: 'uuid' };
const text: JsonSchema = { type: 'string' };
const version: JsonSchema = { type: 'integer', minimum: 1 };
const time: JsonSchema = { type: 'string', format: 'date-time' };

const object = (properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const itemVersion = object({ itemId: id, version, category: text });

/**
 * What other systems may know, so that they can do their part: stop a use, forget a copy, ask anew. Ids, codes and
 * times; no value of a person, no name of a person, and nothing about disclosures, some of which the law keeps secret.
 */
export const integrationEvents: IntegrationEvents = {
  SubjectRegistered: {
    stored: 'subject-registered.v1',
    summary: 'The relationship with a person was opened.',
    schema: object({ subjectId: id, capacity: text }),
  },
  DataCollected: {
    stored: 'data-collected.v1',
    summary: 'Values were collected for a purpose; the values are not told.',
    schema: object({
      subjectId: id,
      purposeId: text,
      purposeVersion: version,
      items: listOf(itemVersion),
    }),
  },
  DataCorrected: {
    stored: 'data-corrected.v1',
    summary: 'A value was replaced; whoever holds the old version asks for the new one.',
    schema: object({ subjectId: id, itemId: id, category: text, fromVersion: version, toVersion: version }),
  },
  DataErased: {
    stored: 'data-erased.v1',
    summary: 'Item versions were erased; copies of them go too.',
    schema: object({ subjectId: id, items: listOf(itemVersion), cause: text }),
  },
  ProcessingRestricted: {
    stored: 'processing-restricted.v1',
    summary: 'Nothing but storage until the restriction is lifted.',
    schema: object({ subjectId: id }),
  },
  RestrictionLifted: {
    stored: 'restriction-lifted.v1',
    summary: 'The restriction was lifted.',
    schema: object({ subjectId: id }),
  },
  ConsentGiven: {
    stored: 'consent-given.v1',
    summary: 'The person consented to a purpose over a channel.',
    schema: object(
      { subjectId: id, consentId: id, purposeId: text, purposeVersion: version, channel: text, expiresAt: time },
      ['expiresAt'],
    ),
  },
  ConsentWithdrawn: {
    stored: 'consent-withdrawn.v1',
    summary: 'The person withdrew a consent; what rests on it stops at once.',
    schema: object({ subjectId: id, consentId: id, purposeId: text, channel: text }),
  },
  ConsentExpired: {
    stored: 'consent-expired.v1',
    summary: 'A consent reached the end of its agreed life.',
    schema: object({ subjectId: id, consentId: id, purposeId: text, channel: text }),
  },
  MarketingObjectionReceived: {
    stored: 'marketing-objection-received.v1',
    summary: 'The person objected to direct marketing: no more of it, by anyone.',
    schema: object({ subjectId: id, objectionId: id }),
  },
  PurposeApproved: {
    stored: 'purpose-approved.v1',
    summary: 'A version of a purpose may be used.',
    schema: object({ purposeId: text, version, effectiveFrom: time }),
  },
  PurposeSuspended: {
    stored: 'purpose-suspended.v1',
    summary: 'A purpose must not be used until it is resumed.',
    schema: object({ purposeId: text, reasonCode: text }),
  },
  PurposeResumed: {
    stored: 'purpose-resumed.v1',
    summary: 'A suspended purpose may be used again.',
    schema: object({ purposeId: text }),
  },
  PurposeRetired: {
    stored: 'purpose-retired.v1',
    summary: 'A purpose is over.',
    schema: object({ purposeId: text }),
  },
  NoticePublished: {
    stored: 'notice-published.v1',
    summary: 'A version of a notice was published.',
    schema: object({
      noticeId: text,
      version,
      language: text,
      contentHash: text,
      purposes: listOf(text),
      effectiveFrom: time,
    }),
  },
};
