import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parseDocument } from 'yaml';
import type { ControllerDescription } from '#accountability';
import { isPeriod } from '#calendar';
import { parseInstant, REFUSALS, type CivilDate, type RefusalCode } from '#kernel';
import { standsIn, type NoticeStatement, type PublishNotice } from '#notice';
import { isReviewPeriod } from '#purpose';
import type {
  CollectionPointDefinition,
  LawfulBasis,
  LiaContent,
  PurposeField,
  RetentionRule,
  RliCondition,
  ServiceLine,
} from '#purpose';
import type { AgreementRecorded, LegalForm, Membership, RecipientKind } from '#sharing';
import type { TelemetryStreamDefinition } from '#telemetry';
import { ISO_CONTROLS } from './iso-controls.js';

/** A policy file as it was read: its shape and its cross references hold. */
export interface Policy {
  readonly policy: {
    readonly id: string;
    readonly title: string;
    readonly version: number;
    /** From when purposes and notices apply in their first version, in London. */
    readonly effectiveFrom: CivilDate;
    readonly authority: { readonly name: string };
  };
  /** Actor ids; never the same (four eyes). */
  readonly authoredBy: string;
  readonly approvedBy: string;
  /** `C01` to `C30`, each exactly once. */
  readonly clauses: readonly Clause[];
  readonly purposes: readonly PolicyPurpose[];
  readonly lias: readonly PolicyLia[];
  readonly notices: readonly PolicyNotice[];
  readonly collectionPoints: readonly PolicyCollectionPoint[];
  readonly telemetryStreams: readonly PolicyTelemetryStream[];
  readonly recipients: readonly PolicyRecipient[];
  /** Of the company that is the controller, beside its name among the recipients. */
  readonly controller?: Omit<ControllerDescription, 'name' | 'authority'>;
  readonly group: { readonly controller: string; readonly members: readonly PolicyMembership[] };
  readonly agreements: readonly PolicyAgreement[];
}

export type ClauseStatus = 'enforced' | 'partial' | 'planned';

export interface Clause {
  readonly id: string;
  readonly title: string;
  readonly promise: string;
  readonly law: string;
  readonly status: ClauseStatus;
  /** What is not built yet; absent exactly when the clause is enforced. */
  readonly outstanding?: string;
  /** All codes that cite the clause, and no other. */
  readonly rules: readonly RefusalCode[];
  /** Tables of read models. */
  readonly readModels: readonly string[];
  readonly tests: readonly TestReference[];
  /** Numbers of ISO/IEC 27001:2022, Annex A. */
  readonly isoControls: readonly string[];
}

export interface TestReference {
  /** From the root of the repository. */
  readonly file: string;
  readonly title: string;
}

export interface PolicyPurpose {
  readonly id: string;
  readonly title: string;
  readonly plainWords: string;
  readonly serviceLine: ServiceLine;
  readonly commercial: boolean;
  readonly basis: LawfulBasis;
  readonly rliCondition?: RliCondition;
  readonly rliNecessity?: string;
  readonly liaRef?: string;
  readonly dpiaRequired?: boolean;
  readonly dpiaRef?: string;
  readonly dpvIri: string;
  /** Categories of the people it is about, for the record of processing activities. */
  readonly dataSubjects?: readonly string[];
  readonly fields: readonly PurposeField[];
  readonly specialCategoryCondition?: string;
  readonly retention: readonly RetentionRule[];
  readonly recipientKindsAllowed: readonly RecipientKind[];
  /** The policy's date for a first version, on approval for a later one, when absent. */
  readonly effectiveFrom?: CivilDate;
  /** ISO 8601 duration between reviews. */
  readonly reviewPeriod?: string;
}

/** Covers the version of its purpose that the file brings about. */
export interface PolicyLia extends Omit<LiaContent, 'purposeVersion' | 'reviewPeriod'> {
  readonly id: string;
  /** Twelve months when absent. */
  readonly reviewPeriod?: string;
}

export interface PolicyNotice {
  readonly id: string;
  readonly language: string;
  readonly title: string;
  readonly purposes: readonly string[];
  readonly content: string;
  /** Where in the text the parts of UK GDPR Art 13 stand. */
  readonly statements?: readonly NoticeStatement[];
  readonly claims?: NonNullable<PublishNotice['claims']>;
  /** The policy's date for a first version, on publication for a later one, when absent. */
  readonly effectiveFrom?: CivilDate;
}

export interface PolicyCollectionPoint extends CollectionPointDefinition {
  readonly id: string;
}

export interface PolicyTelemetryStream extends TelemetryStreamDefinition {
  readonly id: string;
}

export interface PolicyRecipient {
  readonly id: string;
  readonly kind: RecipientKind;
  readonly name?: string;
  readonly legalForm?: LegalForm;
  readonly country?: string;
}

export interface PolicyMembership extends Membership {
  readonly recipientId: string;
}

export type PolicyAgreement = Omit<AgreementRecorded['data'], 'agreementId'> & { readonly id: string };

/** What is wrong at one place of the file: a path of keys and a rule, never a value. */
export interface PolicyProblem {
  readonly path: string;
  readonly rule: string;
}

/** The text is not a policy file. Its message has one line per problem. */
export class InvalidPolicy extends Error {
  override readonly name = 'InvalidPolicy';
  constructor(readonly problems: readonly PolicyProblem[]) {
    super(problems.map(({ path, rule }) => `${path}: ${rule}`).join('\n'));
  }
}

/** The policy that comes with the engine. */
export const SHIPPED_POLICY = new URL('./chersoft.policy.yaml', import.meta.url);

/**
 * Reads a policy file: YAML 1.2 (no key twice, no tags of its own), checked against `policy.schema.json`, then
 * against itself and the catalogue of refusals.
 *
 * @throws InvalidPolicy with everything that is wrong at the first of these stages that finds anything.
 */
export function readPolicy(text: string): Policy {
  const read = readYaml(text);
  const validate = schema();
  if (!validate(read)) throw new InvalidPolicy(distinct((validate.errors ?? []).flatMap(schemaProblem)));
  const policy = read as Policy;
  const problems = crossProblems(policy);
  if (problems.length > 0) throw new InvalidPolicy(problems);
  return policy;
}

function readYaml(text: string): unknown {
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, merge: false });
  // A tag that is not known is only a warning to the parser.
  const problems = [...document.errors, ...document.warnings].map(({ code, linePos }) => ({
    path: linePos ? `line ${linePos[0].line}, column ${linePos[0].col}` : '(file)',
    rule: `is not YAML as it is read here (${code.toLowerCase().replaceAll('_', ' ')})`,
  }));
  if (problems.length > 0) throw new InvalidPolicy(problems);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) throw new InvalidPolicy([{ path: '(file)', rule: 'has too many aliases' }]);
    throw error;
  }
}

let compiled: ValidateFunction | undefined;

function schema(): ValidateFunction {
  compiled ??= new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(
    JSON.parse(readFileSync(new URL('./policy.schema.json', import.meta.url), 'utf8')),
  );
  return compiled;
}

function schemaProblem({ instancePath, keyword, message, params }: ErrorObject): readonly PolicyProblem[] {
  const path = keyPath(instancePath);
  const at = (key: string): string => (path === '(file)' ? key : `${path}.${key}`);
  switch (keyword) {
    // What `then` and `else` ask for is reported by the keyword that failed within them.
    case 'if':
      return [];
    case 'additionalProperties':
      return [{ path: at(String(params.additionalProperty)), rule: 'is not a key of the schema' }];
    case 'required':
      return [{ path: at(String(params.missingProperty)), rule: 'is missing' }];
    case 'false schema':
      return [{ path, rule: 'has no place here' }];
    case 'uniqueItems':
      return [{ path, rule: 'has an entry twice' }];
    case 'enum':
      return [{ path, rule: `must be one of ${(params.allowedValues as readonly string[]).join(', ')}` }];
    default:
      return [{ path, rule: message ?? keyword }];
  }
}

/** `purposes[0].fields[2].category`. */
function keyPath(pointer: string): string {
  const path = pointer
    .split('/')
    .slice(1)
    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key.replaceAll('~1', '/').replaceAll('~0', '~')}`))
    .join('');
  return path === '' ? '(file)' : path.replace(/^\./, '');
}

function distinct(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}: ${problem.rule}`, problem])).values()];
}

const CLAUSE_IDS = Array.from({ length: 30 }, (_clause, index) => `C${String(index + 1).padStart(2, '0')}`);

function crossProblems(policy: Policy): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const wrong = (path: string, rule: string) => problems.push({ path, rule });
  const known = (ids: ReadonlySet<string>, kind: string, id: string, path: string) => {
    if (!ids.has(id)) wrong(path, `no ${kind} of that id`);
  };
  const ids = (entries: readonly { readonly id: string }[], path: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    entries.forEach(({ id }, index) => {
      if (seen.has(id)) wrong(`${path}[${index}].id`, 'is given twice');
      seen.add(id);
    });
    return seen;
  };
  const date = (value: string | undefined, path: string) => {
    if (value !== undefined && parseInstant(`${value}T00:00:00Z`) === undefined) wrong(path, 'is not a date');
  };
  const interval = ({ from, to }: { readonly from: string; readonly to?: string }, path: string) => {
    date(from, `${path}.from`);
    date(to, `${path}.to`);
    if (to !== undefined && to <= from) wrong(`${path}.to`, 'is not after from');
  };

  if (policy.authoredBy === policy.approvedBy) wrong('approvedBy', 'must be another one than authoredBy');
  date(policy.policy.effectiveFrom, 'policy.effectiveFrom');

  const clauses = ids(policy.clauses, 'clauses');
  for (const id of CLAUSE_IDS) if (!clauses.has(id)) wrong('clauses', `${id} is missing`);
  policy.clauses.forEach((clause, index) => {
    clause.rules.forEach((code, at) => {
      const path = `clauses[${index}].rules[${at}]`;
      if (!Object.hasOwn(REFUSALS, code)) wrong(path, 'is not a refusal code');
      else if (!cites(code, clause.id)) wrong(path, `${code} does not cite ${clause.id}`);
    });
    clause.isoControls.forEach((id, at) => {
      if (!Object.hasOwn(ISO_CONTROLS, id)) wrong(`clauses[${index}].isoControls[${at}]`, 'is no control of the table');
    });
    for (const code of Object.keys(REFUSALS) as RefusalCode[])
      if (cites(code, clause.id) && !clause.rules.includes(code))
        wrong(`clauses[${index}].rules`, `${code} cites ${clause.id} and is missing`);
  });

  const purposes = ids(policy.purposes, 'purposes');
  policy.purposes.forEach((purpose, index) => {
    const path = `purposes[${index}]`;
    date(purpose.effectiveFrom, `${path}.effectiveFrom`);
    if (purpose.reviewPeriod !== undefined && !isPeriod(purpose.reviewPeriod))
      wrong(`${path}.reviewPeriod`, 'is not an ISO 8601 duration');
    if (purpose.basis === 'recognisedLegitimateInterest')
      for (const key of ['rliCondition', 'rliNecessity'] as const)
        if (purpose[key] === undefined) wrong(`${path}.${key}`, 'is missing');
    once(purpose.fields, `${path}.fields`, wrong);
    once(purpose.retention, `${path}.retention`, wrong);
    purpose.fields.forEach(({ checkInterval }, at) => {
      if (checkInterval !== undefined && !isPeriod(checkInterval))
        wrong(`${path}.fields[${at}].checkInterval`, 'is not an ISO 8601 duration');
    });
    purpose.retention.forEach(({ period }, at) => {
      if (!isPeriod(period)) wrong(`${path}.retention[${at}].period`, 'is not an ISO 8601 duration');
    });
  });

  ids(policy.lias, 'lias');
  policy.lias.forEach(({ purposeId, reviewPeriod }, index) => {
    const path = `lias[${index}]`;
    known(purposes, 'purpose', purposeId, `${path}.purposeId`);
    const assessed = policy.purposes.find(({ id }) => id === purposeId);
    if (assessed && assessed.basis !== 'legitimateInterests')
      wrong(`${path}.purposeId`, 'is a purpose on another basis');
    if (reviewPeriod !== undefined && !isReviewPeriod(reviewPeriod))
      wrong(`${path}.reviewPeriod`, 'is not an ISO 8601 duration of twelve months at most');
  });

  const notices = ids(policy.notices, 'notices');
  policy.notices.forEach((notice, index) => {
    date(notice.effectiveFrom, `notices[${index}].effectiveFrom`);
    notice.purposes.forEach((id, at) => known(purposes, 'purpose', id, `notices[${index}].purposes[${at}]`));
    if (policy.controller && !standsIn(policy.controller.postalAddress, notice.content))
      wrong(`notices[${index}].content`, 'does not state controller.postalAddress');
    (notice.statements ?? []).forEach((statement, at) =>
      (statement.purposes ?? []).forEach((id, place) => {
        if (!notice.purposes.includes(id))
          wrong(`notices[${index}].statements[${at}].purposes[${place}]`, 'is no purpose of the notice');
      }),
    );
  });

  ids(policy.collectionPoints, 'collectionPoints');
  policy.collectionPoints.forEach((point, index) => {
    const path = `collectionPoints[${index}]`;
    known(notices, 'notice', point.noticeId, `${path}.noticeId`);
    const notice = policy.notices.find(({ id }) => id === point.noticeId);
    point.purposes.forEach((id, at) => {
      known(purposes, 'purpose', id, `${path}.purposes[${at}]`);
      if (notice && purposes.has(id) && !notice.purposes.includes(id))
        wrong(`${path}.purposes[${at}]`, 'is not explained by the notice shown there');
    });
    const bound = policy.purposes.filter(({ id }) => point.purposes.includes(id));
    const listed = new Set(bound.flatMap(({ fields }) => fields.map(({ category }) => category)));
    point.fields.forEach((category, at) => {
      if (!listed.has(category)) wrong(`${path}.fields[${at}]`, 'is a field of none of its purposes');
    });
  });

  ids(policy.telemetryStreams, 'telemetryStreams');
  policy.telemetryStreams.forEach((stream, index) => {
    const path = `telemetryStreams[${index}]`;
    known(purposes, 'purpose', stream.purposeId, `${path}.purposeId`);
    known(notices, 'notice', stream.noticeId, `${path}.noticeId`);
    const notice = policy.notices.find(({ id }) => id === stream.noticeId);
    if (notice && purposes.has(stream.purposeId) && !notice.purposes.includes(stream.purposeId))
      wrong(`${path}.purposeId`, 'is not explained by the notice of the stream');
    const names = new Set<string>();
    stream.fields.forEach(({ name }, at) => {
      if (names.has(name)) wrong(`${path}.fields[${at}].name`, 'is given twice');
      names.add(name);
    });
  });

  const recipients = ids(policy.recipients, 'recipients');
  const group = new Set(policy.recipients.filter(({ kind }) => kind === 'GROUP').map(({ id }) => id));
  known(group, 'recipient of the kind GROUP', policy.group.controller, 'group.controller');
  policy.group.members.forEach((member, index) => {
    known(group, 'recipient of the kind GROUP', member.recipientId, `group.members[${index}].recipientId`);
    interval(member, `group.members[${index}]`);
  });

  ids(policy.agreements, 'agreements');
  policy.agreements.forEach((agreement, index) => {
    const path = `agreements[${index}]`;
    known(recipients, 'recipient', agreement.recipientId, `${path}.recipientId`);
    agreement.purposes.forEach((id, at) => known(purposes, 'purpose', id, `${path}.purposes[${at}]`));
    interval(agreement, path);
  });
  return problems;
}

function cites(code: RefusalCode, clause: string): boolean {
  const clauses: readonly string[] = REFUSALS[code].clauses;
  return clauses.includes(clause);
}

function once(
  entries: readonly { readonly category: string }[],
  path: string,
  wrong: (path: string, rule: string) => void,
): void {
  const seen = new Set<string>();
  entries.forEach(({ category }, index) => {
    if (seen.has(category)) wrong(`${path}[${index}].category`, 'is given twice');
    seen.add(category);
  });
}
