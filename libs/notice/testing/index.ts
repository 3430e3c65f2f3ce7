import type { Instant } from '#kernel';
import { registerOf } from '#kernel/testing';
import { purposeRegister, type PurposeDefinition, type PurposeEvent, type PurposeRegisterState } from '#purpose';
import type { NoticeStatement } from '../notice.vocabulary.js';

const EVER = '2018-05-25T00:00:00.000Z' as Instant;

/** A purpose that rests on a contract and is kept two years. */
export const enquiries: PurposeDefinition = {
  title: 'Answering enquiries',
  plainWords: 'We answer you.',
  serviceLine: 'SUPPORT',
  commercial: false,
  basis: 'contract',
  dpiaRequired: false,
  dpvIri: 'dpv:CustomerCare',
  fields: [{ category: 'contact.email', necessity: 'required', justification: 'The answer goes there.' }],
  retention: [
    {
      category: 'contact.email',
      trigger: 'serviceRequestClosed',
      period: 'P2Y',
      action: 'erase',
      legalRef: 'UK GDPR Art 5(1)(e)',
    },
  ],
  recipientKindsAllowed: ['SELF', 'PROCESSOR'],
};

/** Versions of a purpose, each defined and, unless it is the draft, approved for ever. */
export function versions(
  purposeId: string,
  definitions: readonly PurposeDefinition[],
  draft?: PurposeDefinition,
): readonly PurposeEvent[] {
  return [
    ...definitions.flatMap((definition, index): readonly PurposeEvent[] => [
      { type: 'PurposeDefined', data: { ...definition, purposeId, version: index + 1, author: 'ada' } },
      { type: 'PurposeApproved', data: { purposeId, version: index + 1, approver: 'bob', effectiveFrom: EVER } },
    ]),
    ...(draft
      ? [
          {
            type: 'PurposeDefined' as const,
            data: { ...draft, purposeId, version: definitions.length + 1, author: 'ada' },
          },
        ]
      : []),
  ];
}

export const purposesWith = (...events: readonly PurposeEvent[]): PurposeRegisterState =>
  registerOf(purposeRegister, ...events);

/** A text that says everything of {@link enquiries}, with a line end within a passage. */
export const WHOLE = `Example Ltd, 1 Example Quay, Exampleton ZZ99 9ZZ, is the controller.
Ask our data protection officer: privacy@example.test.
We use your address to answer you. This is part of our contract
with you. Without it we cannot answer. It comes from you.
The firm that runs our mail works for us. Nothing goes to another country.
We keep it for two years.
You can ask for a copy of it, have it corrected, erased or its use restricted, object to it, or get it in a form that
machines can read. You can complain to us, and turn to the Information Commissioner. Nothing is decided by a machine.`;

/** Where in {@link WHOLE} each part stands. */
export const STATEMENTS: readonly NoticeStatement[] = [
  { part: 'controllerIdentity', passage: '1 Example Quay, Exampleton ZZ99 9ZZ' },
  { part: 'contact', passage: 'privacy@example.test' },
  { part: 'dataProtectionContact', passage: 'Ask our data protection officer' },
  { part: 'purposes', purposes: ['answer-enquiries'], passage: 'We use your address to answer you.' },
  {
    part: 'lawfulBases',
    purposes: ['answer-enquiries'],
    basis: 'contract',
    passage: 'This is part of our contract with you.',
  },
  { part: 'recipients', recipientKinds: ['PROCESSOR'], passage: 'The firm that runs our mail works for us.' },
  { part: 'transfers', passage: 'Nothing goes to another country.' },
  { part: 'retentionPeriods', purposes: ['answer-enquiries'], period: 'P24M', passage: 'We keep it for two years.' },
  { part: 'rightOfAccess', passage: 'You can ask for a copy of it' },
  { part: 'rightToRectification', passage: 'have it corrected' },
  { part: 'rightToErasure', passage: 'erased' },
  { part: 'rightToRestriction', passage: 'its use restricted' },
  { part: 'rightToObject', passage: 'object to it' },
  { part: 'rightToPortability', passage: 'a form that machines can read' },
  { part: 'complaintToController', passage: 'You can complain to us' },
  { part: 'complaintToAuthority', passage: 'turn to the Information Commissioner' },
  { part: 'whetherRequired', passage: 'Without it we cannot answer.' },
  { part: 'automatedDecisions', passage: 'Nothing is decided by a machine.' },
  { part: 'source', passage: 'It comes from you.' },
];
