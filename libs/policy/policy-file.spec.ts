import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseDocument, visit } from 'yaml';
import { CLAIM_KINDS } from '#assurance';
import { NOTICE_PART_NAMES } from '#notice';
import {
  RETENTION_ACTIONS,
  RETENTION_TRIGGERS,
  COLLECTION_POINT_KINDS,
  LAWFUL_BASES,
  RLI_CONDITIONS,
  SERVICE_LINES,
} from '#purpose';
import { AGREEMENT_KINDS, ART28_TERMS, LEGAL_FORMS, RECIPIENT_KINDS, TRANSFER_MECHANISMS } from '#sharing';
import { FIELD_TYPES, SERVICE_FUNCTIONS, TRACEABILITIES } from '#telemetry';
import { COMPANY_POLICY, describeWithData } from '../../test/data.js';
import { InvalidPolicy, readPolicy, SHIPPED_POLICY } from './policy-file.js';

const TEXT = readFileSync(SHIPPED_POLICY, 'utf8');
const SCHEMA = JSON.parse(readFileSync(new URL('./policy.schema.json', import.meta.url), 'utf8'));

/** The shipped file with one value replaced, added or (by `undefined`) taken out. */
function planted(path: string, value: unknown): string {
  const document = parseDocument(TEXT);
  const keys = path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  if (value === undefined) document.deleteIn(keys);
  else document.setIn(keys, document.createNode(value));
  return String(document);
}

function problemsOf(text: string): string[] {
  try {
    readPolicy(text);
  } catch (error) {
    if (error instanceof InvalidPolicy) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('the shipped policy file', () => {
  it('is valid', () => {
    expect(problemsOf(TEXT)).toEqual([]);
    expect(readPolicy(TEXT).clauses.map(({ id }) => id)).toEqual(
      Array.from({ length: 30 }, (_clause, index) => `C${String(index + 1).padStart(2, '0')}`),
    );
  });

  it('has no trigger that nothing starts', () => {
    const triggers = readPolicy(TEXT).purposes.flatMap(({ retention }) => retention.map(({ trigger }) => trigger));
    expect(triggers).not.toContain('lastReliedOn');
  });

  it('marks every organisation but CherSoft as an example, and the address that nobody gave us', () => {
    expect(readPolicy(TEXT).controller?.postalAddress).toMatch(/\(fictional\)$/);
    for (const { id, kind, name } of readPolicy(TEXT).recipients)
      if (id !== 'chersoft' && kind !== 'SELF') expect(name).toMatch(/\(fictional/);
  });
});

describe('reading', () => {
  const line = (text: string) => expect.stringMatching(new RegExp(`^${text}`));

  it.each([
    ['a key twice', `${TEXT}\nauthoredBy: another\n`, [line('line \\d+, column 1: is not YAML .*duplicate key')]],
    [
      'a tag',
      TEXT.replace('authoredBy: ', 'authoredBy: !person '),
      [line('line \\d+, column \\d+: is not YAML .*tag resolve failed')],
    ],
    ['two documents', `${TEXT}\n---\na: b\n`, [line('line \\d+, column \\d+: is not YAML .*multiple docs')]],
    ['a broken line', 'policy: [', [line('line 1, column \\d+: is not YAML')]],
    ['a list', '- a\n', ['(file): must be object']],
    ['nothing', '', ['(file): must be object']],
    [
      'aliases without end',
      `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n`,
      ['(file): has too many aliases'],
    ],
  ])('refuses %s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('says where, never what', () => {
    const message = problemsOf(planted('purposes.0.basis', 'asha@example.test')).join('\n');
    expect(message).toMatch(/^purposes\[0\]\.basis: must be one of consent, /);
    expect(message).not.toContain('asha');
  });
});

describe('the schema', () => {
  it.each([
    ['an unknown key', 'purposes.0.colour', 'red', 'purposes[0].colour: is not a key of the schema'],
    ['an unknown key at the top', 'colour', 'red', 'colour: is not a key of the schema'],
    [
      'a mailbox that is none',
      'controller.email',
      'nowhere',
      'controller.email: must match pattern "^[^\\s@]+@[^\\s@]+$"',
    ],
    ['a missing key', 'purposes.1.plainWords', undefined, 'purposes[1].plainWords: is missing'],
    [
      'a word that is none of the list',
      'purposes.0.serviceLine',
      'BROKERAGE',
      'purposes[0].serviceLine: must be one of B2B, B2C, SUPPORT, WEBSITE, GOVERNANCE',
    ],
    ['a control as a number', 'clauses.0.isoControls.0', 5.1, 'clauses[0].isoControls[0]: must be string'],
    [
      'a clause of another number',
      'clauses.0.id',
      'C31',
      'clauses[0].id: must match pattern "^C(0[1-9]|[12][0-9]|30)$"',
    ],
    [
      'a planned clause that does not say what is missing',
      'clauses.23.outstanding',
      undefined,
      'clauses[23].outstanding: is missing',
    ],
    [
      'an enforced clause with something outstanding',
      'clauses.0.outstanding',
      'a bit',
      'clauses[0].outstanding: has no place here',
    ],
    [
      'a test outside the repository',
      'clauses.0.tests.0.file',
      '../x.spec.ts',
      'clauses[0].tests[0].file: must match pattern "^(libs|apps|test)/[a-zA-Z0-9./-]+\\.spec\\.ts$"',
    ],
    ['an organisation without a country', 'recipients.0.country', undefined, 'recipients[0].country: is missing'],
    [
      'the same purpose twice in a list',
      'notices.0.purposes.1',
      'service-account',
      'notices[0].purposes: has an entry twice',
    ],
  ])('refuses %s', (_what, path, value, problem) => {
    expect(problemsOf(planted(path, value))).toEqual([problem]);
  });

  it('closes and describes every object', () => {
    const open: string[] = [];
    const walk = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      const { type, additionalProperties, description, properties } = node as Record<string, unknown>;
      if (type === 'object' && (additionalProperties !== false || typeof description !== 'string')) open.push(path);
      if (type === 'object')
        for (const [name, member] of Object.entries(properties as object))
          if (!('$ref' in member) && typeof member.description !== 'string') open.push(`${path}.${name}`);
      for (const [name, member] of Object.entries(node)) walk(member, `${path}/${name}`);
    };
    walk(SCHEMA, '');
    expect(open).toEqual([]);
  });

  it('lists the words of the registers', () => {
    const { purpose, retention, collectionPoint, recipient, agreement, statement, claim } = SCHEMA.definitions;
    const { telemetryStream, traceability } = SCHEMA.definitions;
    const telemetryField = telemetryStream.properties.fields.items.properties;
    expect({
      serviceLine: purpose.properties.serviceLine.enum,
      basis: purpose.properties.basis.enum,
      rliCondition: purpose.properties.rliCondition.enum,
      allowed: purpose.properties.recipientKindsAllowed.items.enum,
      trigger: retention.properties.trigger.enum,
      action: retention.properties.action.enum,
      point: collectionPoint.properties.kind.enum,
      recipient: recipient.properties.kind.enum,
      legalForm: recipient.properties.legalForm.enum,
      agreement: agreement.properties.kind.enum,
      mechanism: agreement.properties.transferMechanism.enum,
      terms: agreement.properties.checklist.items.enum,
      parts: statement.properties.part.enum,
      stated: statement.properties.basis.enum,
      told: statement.properties.recipientKinds.items.enum,
      claim: claim.properties.kind.enum,
      traceability: traceability.enum,
      fieldType: telemetryField.type.enum,
      serviceFunction: telemetryField.essentialFor.enum,
    }).toEqual({
      serviceLine: SERVICE_LINES,
      basis: LAWFUL_BASES,
      rliCondition: RLI_CONDITIONS,
      allowed: RECIPIENT_KINDS,
      trigger: RETENTION_TRIGGERS,
      action: RETENTION_ACTIONS,
      point: COLLECTION_POINT_KINDS,
      recipient: RECIPIENT_KINDS,
      legalForm: LEGAL_FORMS,
      agreement: AGREEMENT_KINDS,
      mechanism: TRANSFER_MECHANISMS,
      terms: ART28_TERMS,
      parts: NOTICE_PART_NAMES,
      stated: LAWFUL_BASES,
      told: RECIPIENT_KINDS,
      claim: CLAIM_KINDS,
      traceability: TRACEABILITIES,
      fieldType: FIELD_TYPES,
      serviceFunction: SERVICE_FUNCTIONS,
    });
  });
});

describe('the cross checks', () => {
  it.each([
    ['an author who approves', 'approvedBy', 'policy-author', ['approvedBy: must be another one than authoredBy']],
    ['a clause left out', 'clauses.2', undefined, ['clauses: C03 is missing']],
    ['a clause given twice', 'clauses.23.id', 'C25', ['clauses[24].id: is given twice', 'clauses: C24 is missing']],
    [
      'a code that does not exist',
      'clauses.23.rules',
      ['NO_SUCH_CODE'],
      ['clauses[23].rules[0]: is not a refusal code'],
    ],
    [
      'a code that an object has by nature',
      'clauses.23.rules',
      ['__PROTO__'],
      ['clauses[23].rules[0]: is not a refusal code'],
    ],
    [
      'a code that cites another clause',
      'clauses.23.rules',
      ['DATA_ERASED'],
      ['clauses[23].rules[0]: DATA_ERASED does not cite C24'],
    ],
    ['a code left out', 'clauses.27.rules', [], ['clauses[27].rules: EXPLANATION_MISSING cites C28 and is missing']],
    [
      'an unknown control',
      'clauses.0.isoControls.0',
      '5.99',
      ['clauses[0].isoControls[0]: is no control of the table'],
    ],
    ['a date that does not exist', 'policy.effectiveFrom', '2018-02-30', ['policy.effectiveFrom: is not a date']],
    [
      'a period that is none',
      'purposes.0.retention.0.period',
      'P6X',
      ['purposes[0].retention[0].period: is not an ISO 8601 duration'],
    ],
    [
      'a review period that is none',
      'purposes.0.reviewPeriod',
      'P',
      ['purposes[0].reviewPeriod: is not an ISO 8601 duration'],
    ],
    [
      'a recognised interest without its condition and necessity',
      'purposes.0.basis',
      'recognisedLegitimateInterest',
      ['purposes[0].rliCondition: is missing', 'purposes[0].rliNecessity: is missing'],
    ],
    [
      'a check interval that is none',
      'purposes.0.fields.0.checkInterval',
      'P',
      ['purposes[0].fields[0].checkInterval: is not an ISO 8601 duration'],
    ],
    [
      'a purpose given twice',
      'purposes.0.id',
      'corporate-contact',
      expect.arrayContaining(['purposes[1].id: is given twice']),
    ],
    [
      'a field given twice',
      'purposes.0.fields.3.category',
      'contact.name',
      expect.arrayContaining(['purposes[0].fields[3].category: is given twice']),
    ],
    [
      'a notice about an unknown purpose',
      'notices.0.purposes.0',
      'brokerage',
      expect.arrayContaining(['notices[0].purposes[0]: no purpose of that id']),
    ],
    [
      'a notice without the postal address',
      'controller.postalAddress',
      '2 Example Quay',
      ['notices[0].content: does not state controller.postalAddress'],
    ],
    [
      'a statement about a purpose that the notice does not cover',
      'notices.0.statements.3.purposes.0',
      'brokerage',
      ['notices[0].statements[3].purposes[0]: is no purpose of the notice'],
    ],
    [
      'a collection point for an unknown purpose',
      'collectionPoints.1.purposes',
      ['support-ticket', 'brokerage'],
      ['collectionPoints[1].purposes[1]: no purpose of that id'],
    ],
    [
      'a collection point with an unknown notice',
      'collectionPoints.1.noticeId',
      'none',
      ['collectionPoints[1].noticeId: no notice of that id'],
    ],
    [
      'a collection point whose notice is silent',
      'notices.0.purposes',
      ['service-account'],
      expect.arrayContaining(['collectionPoints[1].purposes[0]: is not explained by the notice shown there']),
    ],
    [
      'a collection point that asks too much',
      'collectionPoints.1.fields.0',
      'contact.religion',
      ['collectionPoints[1].fields[0]: is a field of none of its purposes'],
    ],
    [
      'a controller outside the group',
      'group.controller',
      'example-mail-host',
      ['group.controller: no recipient of the kind GROUP of that id'],
    ],
    [
      'a membership that ends before it starts',
      'group.members.1.to',
      '2019-04-01',
      ['group.members[1].to: is not after from'],
    ],
    [
      'an agreement with nobody',
      'agreements.0.recipientId',
      'nobody',
      ['agreements[0].recipientId: no recipient of that id'],
    ],
    [
      'an agreement for an unknown purpose',
      'agreements.1.purposes.0',
      'brokerage',
      ['agreements[1].purposes[0]: no purpose of that id'],
    ],
  ])('refuse %s', (_what, path, value, problems) => {
    expect(problemsOf(planted(path, value))).toEqual(problems);
  });

  it('are many lines for many problems', () => {
    const text = planted('clauses.2', undefined).replace('approvedBy: policy-approver', 'approvedBy: policy-author');
    expect(problemsOf(text)).toEqual(['approvedBy: must be another one than authoredBy', 'clauses: C03 is missing']);
  });
});

describeWithData('own words', COMPANY_POLICY, (original) => {
  const RUN = 12;
  const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs = (text: string) => {
    const all = words(text);
    return all.slice(0, Math.max(0, all.length - RUN + 1)).map((_word, at) => all.slice(at, at + RUN).join(' '));
  };
  const taken = new Set(runs(original));

  it(`share no run of ${RUN} words with the company's text`, () => {
    const texts: string[] = [];
    visit(parseDocument(TEXT), { Scalar: (_key, { value }) => void texts.push(String(value)) });
    expect(texts.length).toBeGreaterThan(500);
    expect([...texts, TEXT].flatMap(runs).filter((run) => taken.has(run))).toEqual([]);
  });

  it('would be found out', () => {
    const sentence = words(original).slice(40, 60).join(' ');
    expect(runs(`We say: ${sentence}.`).some((run) => taken.has(run))).toBe(true);
  });
});
