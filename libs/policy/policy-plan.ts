import { controllerRegister, descriptionOf, type ControllerRegisterState } from '#accountability';
import { startOfLondonDay } from '#calendar';
import { canonicalJson } from '#kernel';
import { contentHash, noticeRegister, type NoticeRegisterState } from '#notice';
import {
  collectionPointRegister,
  isSpecialCategory,
  LIA_REVIEW_PERIOD,
  liaRegister,
  purposeRegister,
  type CollectionPointRegisterState,
  type LiaContent,
  type LiaRegisterState,
  type PurposeDefinition,
  type PurposeRegisterState,
} from '#purpose';
import {
  agreementRegister,
  recipientRegister,
  type Agreement,
  type AgreementRegisterState,
  type Recipient,
  type RecipientRegisterState,
} from '#sharing';
import type { Registers } from '#slice';
import { telemetryStreamRegister, type TelemetryRegisterState } from '#telemetry';
import type {
  Policy,
  PolicyAgreement,
  PolicyCollectionPoint,
  PolicyLia,
  PolicyMembership,
  PolicyNotice,
  PolicyPurpose,
  PolicyRecipient,
  PolicyTelemetryStream,
} from './policy-file.js';

/** The registers a policy file speaks about. */
export interface PolicyRegisters {
  readonly purposes: PurposeRegisterState;
  readonly lias: LiaRegisterState;
  readonly notices: NoticeRegisterState;
  readonly collectionPoints: CollectionPointRegisterState;
  readonly telemetryStreams: TelemetryRegisterState;
  readonly recipients: RecipientRegisterState;
  readonly agreements: AgreementRegisterState;
  readonly controllers: ControllerRegisterState;
}

export function policyRegisters(registers: Registers): PolicyRegisters {
  return {
    purposes: registers.get(purposeRegister),
    lias: registers.get(liaRegister),
    notices: registers.get(noticeRegister),
    collectionPoints: registers.get(collectionPointRegister),
    telemetryStreams: registers.get(telemetryStreamRegister),
    recipients: registers.get(recipientRegister),
    agreements: registers.get(agreementRegister),
    controllers: registers.get(controllerRegister),
  };
}

/** A command that brings a register nearer to the file. */
export interface PlannedCommand {
  readonly type: string;
  /** Without `commandId`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly as: 'author' | 'approver';
  /** One line for people. */
  readonly summary: string;
  /** How many versions the entry had when this was planned: a definition that comes back is another command. */
  readonly onto: number;
}

export interface PolicyPlan {
  /** In an order in which each finds what it rests on; empty when the registers say what the file says. */
  readonly commands: readonly PlannedCommand[];
  /** What no command brings about, one line each: entries the file leaves out, and entries that cannot change. */
  readonly notes: readonly string[];
}

/**
 * Compares the file with the registers.
 *
 * A date from which an entry applies is no difference of its own: what was approved or published keeps its date.
 */
export function planPolicy(policy: Policy, current: PolicyRegisters): PolicyPlan {
  const parts = [
    ...policy.purposes.map((purpose) => planPurpose(purpose, policy, current.purposes)),
    ...policy.lias.map((lia) => planLia(lia, policy, current)),
    ...policy.notices.map((notice) => planNotice(notice, policy, current.notices)),
    ...policy.collectionPoints.map((point) => planCollectionPoint(point, current.collectionPoints)),
    ...policy.telemetryStreams.map((stream) => planTelemetryStream(stream, current.telemetryStreams)),
    ...policy.recipients.map((recipient) => planRecipient(recipient, current.recipients)),
    planController(policy, current.controllers),
    ...policy.group.members.map((member, index) => planMembership(member, index, policy, current.recipients)),
    ...policy.agreements.map((agreement) => planAgreement(agreement, current.agreements)),
  ];
  return {
    commands: parts.flatMap(({ commands }) => commands ?? []),
    notes: [...parts.flatMap(({ notes }) => notes ?? []), ...leftOut(policy, current)],
  };
}

interface Part {
  readonly commands?: readonly PlannedCommand[];
  readonly notes?: readonly string[];
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

function planPurpose(purpose: PolicyPurpose, policy: Policy, purposes: PurposeRegisterState): Part {
  const { id } = purpose;
  const entry = purposes.get(id);
  const newest = Math.max(0, ...(entry?.defined.keys() ?? []));
  const approved = entry?.approved.at(-1);
  const effectiveFrom = purpose.effectiveFrom ?? (approved ? undefined : policy.policy.effectiveFrom);
  const wanted = definition(purpose, effectiveFrom);

  if (approved && same(undated(approved), undated(wanted))) return {};
  if (entry?.retiredAt !== undefined) return { notes: [`cannot change: purpose ${id} is retired`] };
  const approve = (version: number): PlannedCommand => ({
    type: 'ApprovePurpose',
    body: { purposeId: id, version },
    as: 'approver',
    summary: `approve purpose ${id}, version ${version}`,
    onto: version,
  });
  const draft = approved?.version === newest ? undefined : entry?.defined.get(newest);
  if (draft && same(draft, wanted)) return { commands: [approve(newest)] };
  const version = newest + 1;
  const define: PlannedCommand = {
    type: 'DefinePurpose',
    body: { purposeId: id, version, ...wanted },
    as: 'author',
    summary: `define purpose ${id}, version ${version}`,
    onto: newest,
  };
  return { commands: [define, approve(version)] };
}

/**
 * An assessment is made anew for another version of its purpose and for other words, never because its review is due:
 * a review is the work of people, and an engine that starts must not do it for them by applying the same file again.
 */
function planLia(lia: PolicyLia, policy: Policy, { lias, purposes }: PolicyRegisters): Part {
  const { id, purposeId, subjectClasses, reviewPeriod, ...rest } = lia;
  const purpose = policy.purposes.find((each) => each.id === purposeId);
  const wanted: LiaContent = {
    ...rest,
    purposeId,
    purposeVersion: purpose ? versionAfter(purpose, policy, purposes) : 1,
    subjectClasses: [...subjectClasses].sort(),
    reviewPeriod: reviewPeriod ?? LIA_REVIEW_PERIOD,
  };
  const versions = lias.get(id) ?? [];
  const newest = versions.at(-1);
  const says = newest !== undefined && same(liaContent(newest), wanted);
  if (says && newest.approvedAt !== undefined) return {};
  const approve = (version: number): PlannedCommand => ({
    type: 'ApproveLia',
    body: { liaId: id, version },
    as: 'approver',
    summary: `approve assessment ${id}, version ${version}`,
    onto: version,
  });
  if (says && newest.approvedAt === undefined && !newest.rejected) return { commands: [approve(newest.version)] };
  const draft: PlannedCommand = {
    type: 'DraftLia',
    body: { liaId: id, ...wanted },
    as: 'author',
    summary: `draft assessment ${id}, version ${versions.length + 1}`,
    onto: versions.length,
  };
  return { commands: [draft, approve(versions.length + 1)] };
}

/** The version that a purpose has once the file is applied. */
function versionAfter(purpose: PolicyPurpose, policy: Policy, purposes: PurposeRegisterState): number {
  const approval = planPurpose(purpose, policy, purposes).commands?.at(-1);
  return Number(approval?.body['version'] ?? purposes.get(purpose.id)?.approved.at(-1)?.version ?? 1);
}

function liaContent(version: LiaContent): LiaContent {
  const { purposeId, purposeVersion, subjectClasses, purposeTest, necessityTest } = version;
  const { balance, safeguards, outcome, reviewPeriod } = version;
  return {
    purposeId,
    purposeVersion,
    subjectClasses,
    purposeTest,
    necessityTest,
    balance,
    safeguards,
    outcome,
    reviewPeriod,
  };
}

/** The definition as the register spells it. */
function definition(purpose: PolicyPurpose, effectiveFrom: string | undefined): PurposeDefinition {
  const { id: _id, effectiveFrom: _date, dpiaRequired, fields, ...rest } = purpose;
  return {
    ...rest,
    dpiaRequired: dpiaRequired ?? false,
    fields: fields.map(({ special, ...field }) =>
      special === true || isSpecialCategory(field.category) ? { ...field, special: true } : field,
    ),
    ...(effectiveFrom !== undefined && { effectiveFrom: startOfLondonDay(effectiveFrom) }),
  };
}

function undated(purpose: PurposeDefinition & { readonly purposeId?: string; readonly version?: number }) {
  const { effectiveFrom: _date, purposeId: _id, version: _version, ...said } = purpose;
  return said;
}

function planNotice(notice: PolicyNotice, policy: Policy, notices: NoticeRegisterState): Part {
  const { id, language, title, purposes, content, statements, claims } = notice;
  const newest = notices.get(id)?.at(-1);
  if (
    newest &&
    same(
      [newest.language, newest.title, newest.purposes, newest.contentHash],
      [language, title, purposes, contentHash(content)],
    )
  )
    return {};
  const onto = newest?.version ?? 0;
  const version = onto + 1;
  const effectiveFrom = notice.effectiveFrom ?? (newest ? undefined : policy.policy.effectiveFrom);
  const publish: PlannedCommand = {
    type: 'PublishNotice',
    body: {
      noticeId: id,
      version,
      language,
      title,
      content,
      purposes,
      ...(statements && { statements }),
      ...(claims && { claims }),
      ...(effectiveFrom !== undefined && { effectiveFrom: startOfLondonDay(effectiveFrom) }),
    },
    as: 'author',
    summary: `publish notice ${id}, version ${version}`,
    onto,
  };
  return { commands: [publish] };
}

function planCollectionPoint(point: PolicyCollectionPoint, points: CollectionPointRegisterState): Part {
  const { id, ...wanted } = point;
  const entry = points.get(id);
  const newest = entry?.versions.at(-1);
  if (entry?.retiredAt !== undefined) return { notes: [`cannot change: collection point ${id} is retired`] };
  if (newest) {
    const { collectionPointId: _id, version: _version, registeredAt: _at, ...said } = newest;
    if (same(said, wanted)) return {};
  }
  const onto = newest?.version ?? 0;
  const register: PlannedCommand = {
    type: 'RegisterCollectionPoint',
    body: { collectionPointId: id, ...wanted },
    as: 'author',
    summary: `register collection point ${id}, version ${onto + 1}`,
    onto,
  };
  return { commands: [register] };
}

/** The file proposes and approves; a review that has fallen due is left to people. */
function planTelemetryStream(stream: PolicyTelemetryStream, streams: TelemetryRegisterState): Part {
  const { id, ...wanted } = stream;
  const entry = streams.get(id);
  const newest = Math.max(0, ...(entry?.defined.keys() ?? []));
  const defined = entry?.defined.get(newest);
  const unaltered = defined !== undefined && same(defined, wanted);
  const approval = entry?.approvals.findLast(({ version, to }) => version === newest && to === undefined);

  if (unaltered && approval) return {};
  if (entry?.retiredAt !== undefined) return { notes: [`cannot change: telemetry stream ${id} is retired`] };
  if (unaltered && entry?.rejected.includes(newest))
    return { notes: [`cannot change: telemetry stream ${id}, version ${newest}, was found not essential`] };
  const approve = (version: number): PlannedCommand => ({
    type: 'ApproveEssentiality',
    body: { streamId: id, version },
    as: 'approver',
    summary: `approve telemetry stream ${id}, version ${version}`,
    onto: version,
  });
  if (unaltered) return { commands: [approve(newest)] };
  const version = newest + 1;
  const register: PlannedCommand = {
    type: 'RegisterTelemetryStream',
    body: { streamId: id, version, ...wanted },
    as: 'author',
    summary: `register telemetry stream ${id}, version ${version}`,
    onto: newest,
  };
  return { commands: [register, approve(version)] };
}

function planRecipient(recipient: PolicyRecipient, recipients: RecipientRegisterState): Part {
  const { id, ...wanted } = recipient;
  const body = { recipientId: id, ...wanted };
  const registered = recipients.get(id)?.registered;
  if (registered)
    return same(registered, body)
      ? {}
      : { notes: [`cannot change: recipient ${id} is registered otherwise; use another id`] };
  return {
    commands: [{ type: 'RegisterRecipient', body, as: 'author', summary: `register recipient ${id}`, onto: 0 }],
  };
}

function planMembership(
  member: PolicyMembership,
  index: number,
  policy: Policy,
  recipients: RecipientRegisterState,
): Part {
  const { recipientId, companyNumber, from, to } = member;
  const recipient = recipients.get(recipientId);
  const known = recipient && membership(recipient, member);
  // Memberships of one company that stand above in the file come before this one.
  const onto = policy.group.members.slice(0, index).filter((other) => other.recipientId === recipientId).length;
  const start: PlannedCommand = {
    type: 'StartGroupMembership',
    body: { recipientId, companyNumber, from },
    as: 'author',
    summary: `start the membership of ${recipientId} in the group on ${from}`,
    onto,
  };
  const end: PlannedCommand = {
    type: 'EndGroupMembership',
    body: { recipientId, to },
    as: 'author',
    summary: `end the membership of ${recipientId} in the group on ${to}`,
    onto,
  };
  if (!known) return { commands: to === undefined ? [start] : [start, end] };
  if (known.to === to) return {};
  return known.to === undefined
    ? { commands: [end] }
    : { notes: [`cannot change: the membership of ${recipientId} from ${from} ended on ${known.to}`] };
}

/** The name stands among the recipients and the authority with the policy: neither is written twice. */
function planController({ policy, controller, group, recipients }: Policy, controllers: ControllerRegisterState): Part {
  const name = recipients.find(({ id }) => id === group.controller)?.name;
  if (!controller || name === undefined) return {};
  const wanted = descriptionOf({ ...controller, name, authority: policy.authority.name });
  const newest = controllers.get(group.controller)?.at(-1);
  if (newest && same(descriptionOf(newest), wanted)) return {};
  const onto = newest?.version ?? 0;
  const describe: PlannedCommand = {
    type: 'DescribeController',
    body: {
      controllerId: group.controller,
      ...wanted,
      ...(newest === undefined && { effectiveFrom: startOfLondonDay(policy.effectiveFrom) }),
    },
    as: 'author',
    summary: `describe controller ${group.controller}, version ${onto + 1}`,
    onto,
  };
  return { commands: [describe] };
}

function membership({ memberships }: Recipient, { companyNumber, from }: PolicyMembership) {
  return memberships.find((each) => each.companyNumber === companyNumber && each.from === from);
}

function planAgreement(agreement: PolicyAgreement, agreements: AgreementRegisterState): Part {
  const { id, ...rest } = agreement;
  const wanted = { agreementId: id, ...rest, publicSummary: agreement.publicSummary.trim() };
  const known = agreements.get(id);
  if (!known)
    return {
      commands: [{ type: 'RecordAgreement', body: wanted, as: 'author', summary: `record agreement ${id}`, onto: 0 }],
    };
  const { to: _recorded, ...said } = known.recorded;
  const { to, ...text } = wanted;
  if (!same(said, text)) return { notes: [`cannot change: agreement ${id} is recorded otherwise; use another id`] };
  const until = endOf(known);
  if (until === to) return {};
  if (to === undefined || known.endedOn !== undefined || (until !== undefined && until < to))
    return { notes: [`cannot change: agreement ${id} ends on ${until}; use another id`] };
  const end: PlannedCommand = {
    type: 'EndAgreement',
    body: { agreementId: id, to },
    as: 'author',
    summary: `end agreement ${id} on ${to}`,
    onto: 1,
  };
  return { commands: [end] };
}

const endOf = ({ recorded, endedOn }: Agreement): string | undefined => endedOn ?? recorded.to;

function leftOut(policy: Policy, current: PolicyRegisters): readonly string[] {
  const missing = (kind: string, ids: Iterable<string>, entries: readonly { readonly id: string }[]) =>
    [...ids].filter((id) => !entries.some((entry) => entry.id === id)).map((id) => `not in the file: ${kind} ${id}`);
  const purposes = [...current.purposes].filter(([, { retiredAt }]) => retiredAt === undefined);
  const points = [...current.collectionPoints].filter(([, { retiredAt }]) => retiredAt === undefined);
  const streams = [...current.telemetryStreams].filter(([, { retiredAt }]) => retiredAt === undefined);
  const members = [...current.recipients].flatMap(([recipientId, { memberships }]) =>
    memberships
      .filter(
        ({ companyNumber, from }) =>
          !policy.group.members.some(
            (member) =>
              member.recipientId === recipientId && member.companyNumber === companyNumber && member.from === from,
          ),
      )
      .map(({ from }) => `not in the file: membership of ${recipientId} from ${from}`),
  );
  const ids = (entries: readonly (readonly [string, unknown])[]) => entries.map(([id]) => id);
  return [
    ...missing('purpose', ids(purposes), policy.purposes),
    ...missing('assessment', current.lias.keys(), policy.lias),
    ...missing('notice', current.notices.keys(), policy.notices),
    ...missing('collection point', ids(points), policy.collectionPoints),
    ...missing('telemetry stream', ids(streams), policy.telemetryStreams),
    ...missing('recipient', current.recipients.keys(), policy.recipients),
    ...members,
    ...missing('controller', current.controllers.keys(), policy.controller ? [{ id: policy.group.controller }] : []),
    ...missing('agreement', current.agreements.keys(), policy.agreements),
  ];
}
