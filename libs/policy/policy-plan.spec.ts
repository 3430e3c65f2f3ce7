import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { accountabilityCapability, controllersAsOf } from '#accountability';
import { isUuid, type Actor, type DomainCommand, type DomainEvent, type Instant, type RefusalCode } from '#kernel';
import { factsAt, NOW } from '#kernel/testing';
import { assuranceCapability } from '#assurance';
import { assessNotice, gapsOf, noticeAsOf, noticeCapability } from '#notice';
import { collectionPointNow, liaFor, purposeAsOf, purposeCapability } from '#purpose';
import { membersAsOf, sharingCapability } from '#sharing';
import { telemetryCapability } from '#telemetry';
import { CommandCatalogue, readCommand, refused, RegisterHost, type AnySlice, type Answer } from '#slice';
import { applyPolicy, policyCommandId, type PolicyApplied, type PolicyTarget } from './policy-apply.js';
import { readPolicy, SHIPPED_POLICY, type Policy, type PolicyPurpose } from './policy-file.js';
import { planPolicy, policyRegisters, type PlannedCommand } from './policy-plan.js';

const SHIPPED = readPolicy(readFileSync(SHIPPED_POLICY, 'utf8'));
const CAPABILITIES = [
  accountabilityCapability,
  purposeCapability,
  assuranceCapability,
  noticeCapability,
  sharingCapability,
  telemetryCapability,
];

/** The rules of the registers without a log: real commands, roles, deciders and registers, state in memory. */
class Rules implements PolicyTarget {
  readonly registers = new RegisterHost(CAPABILITIES.flatMap(({ registers }) => registers));
  readonly sent: { readonly type: string; readonly commandId: string; readonly actor: Actor }[] = [];
  attempt?: string;
  now: string = NOW;
  readonly #catalogue = new CommandCatalogue(CAPABILITIES);
  readonly #streams = new Map<string, { state: unknown; revision: number }>();
  readonly #answers = new Map<string, Answer>();
  #position = 0;

  async submit(type: string, body: unknown, actor: Actor): Promise<Answer> {
    const known = this.#catalogue.get(type);
    if (!known) throw new Error(`no command ${type}`);
    const command = Object.assign(await readCommand(known.command, body), { actor });
    const { commandId } = command;
    this.sent.push({ type, commandId, actor });
    const before = this.#answers.get(commandId);
    if (before) return before;
    const answer = known.roles.some((role) => actor.roles.includes(role))
      ? this.#decide(known.slice, command as DomainCommand, commandId, actor)
      : this.#refuse(commandId, 'FORBIDDEN');
    this.#answers.set(commandId, answer);
    return answer;
  }

  #decide(slice: AnySlice, command: DomainCommand, commandId: string, actor: Actor): Answer {
    const stream = slice.stream(command);
    const kept = this.#streams.get(stream) ?? { state: slice.decider.initialState, revision: -1 };
    const at = this.now as Instant;
    const facts = { ...factsAt(at, { actor }), ...slice.facts(this.registers) };
    const outcome = slice.decider.decide(command, kept.state, facts);
    if (outcome.kind === 'refused') return this.#refuse(commandId, outcome.refusal.code);
    for (const event of outcome.events) {
      kept.state = slice.decider.evolve(kept.state, event, at);
      kept.revision += 1;
      this.#record(stream, kept.revision, event, at, commandId, actor);
    }
    this.#streams.set(stream, kept);
    const events = outcome.events.map(({ type }) => ({ id: commandId, type, revision: kept.revision }));
    return { accepted: true, commandId, events, stream, position: this.#position };
  }

  #record(stream: string, revision: number, event: DomainEvent, at: Instant, commandId: string, actor: Actor): void {
    this.#position += 1;
    this.registers.apply({
      ...event,
      id: commandId,
      stream,
      revision,
      position: this.#position,
      occurredAt: at,
      recordedAt: at,
      commandId,
      actorId: actor.id,
      fingerprint: '',
      storedType: event.type,
    });
  }

  #refuse(commandId: string, code: RefusalCode): Answer {
    return refused(commandId, code, {}, commandId, this.#position);
  }
}

let rules: Rules;
beforeEach(() => {
  rules = new Rules();
});

const current = () => policyRegisters(rules.registers);
const plan = (policy: Policy = SHIPPED) => planPolicy(policy, current());
const summaries = (commands: readonly PlannedCommand[]) => commands.map(({ summary }) => summary);

async function applied(policy: Policy = SHIPPED): Promise<Extract<PolicyApplied, { outcome: 'applied' }>> {
  const result = await applyPolicy(policy, rules);
  if (result.outcome === 'refused') throw new Error(`${result.command.summary}: ${result.refusal.code}`);
  return result;
}

/** The shipped policy with one of its purposes changed. */
function withPurpose(id: string, change: Partial<PolicyPurpose>): Policy {
  return {
    ...SHIPPED,
    purposes: SHIPPED.purposes.map((purpose) => (purpose.id === id ? { ...purpose, ...change } : purpose)),
  };
}

describe('planning', () => {
  it('names everything while the registers are empty, what others rest on first', () => {
    const { commands, notes } = plan();
    expect(notes).toEqual([]);
    expect(commands.filter(({ as }) => as === 'approver').map(({ type }) => type)).toEqual([
      ...SHIPPED.purposes.map(() => 'ApprovePurpose'),
      ...SHIPPED.lias.map(() => 'ApproveLia'),
      ...SHIPPED.telemetryStreams.map(() => 'ApproveEssentiality'),
    ]);
    const order = [
      'DefinePurpose',
      'ApprovePurpose',
      'DraftLia',
      'ApproveLia',
      'PublishNotice',
      'RegisterCollectionPoint',
      'RegisterTelemetryStream',
      'ApproveEssentiality',
      'RegisterRecipient',
      'DescribeController',
      'StartGroupMembership',
      'RecordAgreement',
    ];
    expect([...new Set(commands.map(({ type }) => type))]).toEqual(order);
    const ranks = commands.map(({ type }) => Math.max(1, order.indexOf(type)));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it('plans nothing once the policy is applied', async () => {
    const { remaining } = await applied();
    expect(remaining).toEqual({ commands: [], notes: [] });
    expect(plan()).toEqual({ commands: [], notes: [] });
  });

  describe('an assessment of an interest', () => {
    const [lia] = SHIPPED.lias;
    const anew = ['draft assessment corporate-contact, version 2', 'approve assessment corporate-contact, version 2'];

    it('covers the purpose that rests on it, from its approval on', async () => {
      await applied();
      const { lias, purposes } = current();
      const found = purposeAsOf(purposes, 'corporate-contact', NOW);
      if (found.status !== 'inForce') throw new Error(found.status);
      expect(liaFor(lias, found.purpose, 'corporateContact', NOW)).toEqual({
        status: 'prevails',
        liaId: 'corporate-contact',
        version: 1,
        reviewBy: '2027-11-23T09:00:00.000Z',
      });
      expect(liaFor(lias, found.purpose, 'individual', NOW)).toEqual({ status: 'missing' });
    });
    it('is made anew for other words', async () => {
      await applied();
      const lias = [{ ...lia!, balance: 'Weighed again.' }];
      expect(summaries(plan({ ...SHIPPED, lias }).commands)).toEqual(anew);
    });
    it('is made anew for another version of its purpose', async () => {
      await applied();
      expect(summaries(plan(withPurpose('corporate-contact', { title: 'Other people' })).commands)).toEqual([
        'define purpose corporate-contact, version 2',
        'approve purpose corporate-contact, version 2',
        ...anew,
      ]);
    });
    it('is not renewed by the same file once it has expired, but by people', async () => {
      await applied();
      rules.now = '2027-11-23T09:00:00.000Z';
      const steward: Actor = { id: 'steward', type: 'system', roles: ['system'] };
      const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
      await rules.submit('ExpireLia', { commandId, liaId: 'corporate-contact', version: 1 }, steward);
      expect(plan()).toEqual({ commands: [], notes: [] });
      const lias = [{ ...lia!, balance: 'Reviewed: it still holds.' }];
      expect(summaries(plan({ ...SHIPPED, lias }).commands)).toEqual(anew);
    });
  });

  it('plans a new version of what was changed, and nothing else', async () => {
    await applied();
    expect(summaries(plan(withPurpose('billing', { plainWords: 'We write invoices.' })).commands)).toEqual([
      'define purpose billing, version 2',
      'approve purpose billing, version 2',
    ]);
    const notices = SHIPPED.notices.map((notice) => ({ ...notice, content: `${notice.content}\nMore.` }));
    expect(summaries(plan({ ...SHIPPED, notices }).commands)).toEqual(['publish notice customer-privacy, version 2']);
    const telemetryStreams = SHIPPED.telemetryStreams.map((stream) => ({ ...stream, fields: stream.fields.slice(1) }));
    expect(summaries(plan({ ...SHIPPED, telemetryStreams }).commands)).toEqual([
      'register telemetry stream chart-cloud, version 2',
      'approve telemetry stream chart-cloud, version 2',
    ]);
    const collectionPoints = SHIPPED.collectionPoints.map((point) =>
      point.id === 'sales-phone' ? { ...point, title: 'Sales' } : point,
    );
    expect(summaries(plan({ ...SHIPPED, collectionPoints }).commands)).toEqual([
      'register collection point sales-phone, version 2',
    ]);
  });

  it('takes a date from which a later version applies for no difference', async () => {
    await applied();
    expect(plan({ ...SHIPPED, policy: { ...SHIPPED.policy, effectiveFrom: '2020-01-01' } }).commands).toEqual([]);
  });

  it('approves what was only defined', async () => {
    const [define] = plan().commands;
    await rules.submit(
      define!.type,
      { ...define!.body, commandId: policyCommandId(SHIPPED, define!) },
      { id: SHIPPED.authoredBy, type: 'user', roles: ['privacyOfficer'] },
    );
    expect(summaries(plan().commands).slice(0, 2)).toEqual([
      'approve purpose service-account, version 1',
      'define purpose corporate-contact, version 1',
    ]);
    await applied();
  });

  it('ends a membership and an agreement that the file gives an end', async () => {
    await applied();
    const members = SHIPPED.group.members.map((member) =>
      member.recipientId === 'example-pacific' ? { ...member, to: '2026-06-01' } : member,
    );
    const agreements = SHIPPED.agreements.map((agreement) =>
      agreement.id === 'example-mail-hosting' ? { ...agreement, to: '2027-01-01' } : agreement,
    );
    const ended = { ...SHIPPED, group: { ...SHIPPED.group, members }, agreements };
    expect(summaries(plan(ended).commands)).toEqual([
      'end the membership of example-pacific in the group on 2026-06-01',
      'end agreement example-mail-hosting on 2027-01-01',
    ]);
    await applied(ended);
    expect(plan(ended)).toEqual({ commands: [], notes: [] });
    expect(plan()).toEqual({
      commands: [],
      notes: [
        'cannot change: the membership of example-pacific from 2021-01-01 ended on 2026-06-01',
        'cannot change: agreement example-mail-hosting ends on 2027-01-01; use another id',
      ],
    });
  });

  it('reports what the file leaves out, and lets it stand', async () => {
    await applied();
    const without = {
      ...SHIPPED,
      purposes: SHIPPED.purposes.filter(({ id }) => id !== 'product-news'),
      notices: [],
      collectionPoints: SHIPPED.collectionPoints.filter(({ id }) => id !== 'newsletter-form'),
      telemetryStreams: [],
      recipients: SHIPPED.recipients.filter(({ id }) => id !== 'example-pacific'),
      group: { ...SHIPPED.group, members: SHIPPED.group.members.slice(0, 2) },
      agreements: SHIPPED.agreements.slice(0, 1),
    };
    expect(plan(without)).toEqual({
      commands: [],
      notes: [
        'not in the file: purpose product-news',
        'not in the file: notice customer-privacy',
        'not in the file: collection point newsletter-form',
        'not in the file: telemetry stream chart-cloud',
        'not in the file: recipient example-pacific',
        'not in the file: membership of example-pacific from 2021-01-01',
        'not in the file: agreement example-pacific-support',
      ],
    });
  });

  it('describes the controller anew when its entry, or its name elsewhere in the file, is changed', async () => {
    await applied();
    const moved = { ...SHIPPED, controller: { ...SHIPPED.controller!, postalAddress: '2 Example Quay (fictional)' } };
    expect(plan(moved).commands).toMatchObject([
      {
        type: 'DescribeController',
        as: 'author',
        body: { controllerId: 'chersoft', name: 'CherSoft Ltd', postalAddress: '2 Example Quay (fictional)' },
      },
    ]);
    const { authority: _old, ...rest } = SHIPPED.policy;
    const renamed = { ...SHIPPED, policy: { ...rest, authority: { name: 'Information Commission' } } };
    expect(plan(renamed).commands).toMatchObject([{ body: { authority: 'Information Commission' } }]);
    const { controller: _none, ...without } = SHIPPED;
    expect(plan(without)).toEqual({ commands: [], notes: ['not in the file: controller chersoft'] });
  });

  it('reports what no command can change', async () => {
    await applied();
    const officer: Actor = { id: 'dpo', type: 'user', roles: ['privacyOfficer'] };
    const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
    const other = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a88';
    await rules.submit('RetirePurpose', { commandId, purposeId: 'billing' }, officer);
    await rules.submit('RetireCollectionPoint', { commandId: other, collectionPointId: 'sales-phone' }, officer);
    const changed = {
      ...withPurpose('billing', { title: 'Bills' }),
      recipients: SHIPPED.recipients.map((each) =>
        each.id === 'example-mail-host' ? { ...each, name: 'Another' } : each,
      ),
      agreements: SHIPPED.agreements.map((each) => ({ ...each, publicSummary: 'Another one.' })),
    };
    expect(plan(changed)).toEqual({
      commands: [],
      notes: [
        'cannot change: purpose billing is retired',
        'cannot change: collection point sales-phone is retired',
        'cannot change: recipient example-mail-host is registered otherwise; use another id',
        'cannot change: agreement example-mail-hosting is recorded otherwise; use another id',
        'cannot change: agreement example-pacific-support is recorded otherwise; use another id',
      ],
    });
  });
});

describe('the shipped notice', () => {
  it('is complete: its declarations agree with its text and with the purposes, and the text alone is found whole', async () => {
    await applied();
    const at = '2018-05-25T00:00:00.000Z' as Instant;
    for (const { statements = [], ...notice } of SHIPPED.notices) {
      expect(gapsOf({ ...notice, statements, claims: [] }, current().purposes, at)).toEqual({
        gaps: [],
        purposeVersions: Object.fromEntries(notice.purposes.map((id) => [id, 1])),
      });
      expect(assessNotice(notice.content)).toMatchObject({ missing: [], conditional: [], claims: [] });
    }
  });

  it('may be published as a new version too', async () => {
    await applied();
    const notices = SHIPPED.notices.map((notice) => ({ ...notice, content: `${notice.content}\nMore.` }));
    await applied({ ...SHIPPED, notices });
    expect(current().notices.get('customer-privacy')).toHaveLength(2);
  });

  it('is refused as a new version that forgets a purpose it tells of', async () => {
    await applied();
    const notices = SHIPPED.notices.map((notice) => ({
      ...notice,
      content: `${notice.content}\nMore.`,
      statements: notice.statements?.filter(({ part, basis }) => part !== 'lawfulBases' || basis !== 'consent') ?? [],
    }));
    expect(await applyPolicy({ ...SHIPPED, notices }, rules)).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'NOTICE_INCOMPLETE' },
    });
  });
});

describe('applying', () => {
  it('brings the registers to the file, for the time before the installation too', async () => {
    await applied();
    const { purposes, notices, collectionPoints, recipients } = current();
    const at = '2018-05-25T00:00:00.000Z' as Instant;
    for (const { id } of SHIPPED.purposes) expect(purposeAsOf(purposes, id, at).status).toBe('inForce');
    expect(purposeAsOf(purposes, 'billing', '2018-05-24T22:59:59.999Z' as Instant).status).toBe('notApproved');
    expect(noticeAsOf(notices, 'customer-privacy', at)).toMatchObject({ version: 1 });
    expect(collectionPointNow(collectionPoints, 'support-form').status).toBe('active');
    expect(controllersAsOf(current().controllers, at)).toMatchObject([{ controllerId: 'chersoft', version: 1 }]);
    expect(membersAsOf(recipients, '2020-12-31').map(({ registered }) => registered.recipientId)).toEqual([
      'chersoft',
      'example-harbour-charts',
    ]);
  });

  it('sends what is drafted and what is approved as two people, under ids of its own', async () => {
    await applied();
    const actorOf = (type: string) => [
      ...new Set(rules.sent.filter((each) => each.type === type).map(({ actor }) => actor.id)),
    ];
    expect(actorOf('DefinePurpose')).toEqual(['policy-author']);
    expect(actorOf('ApprovePurpose')).toEqual(['policy-approver']);
    const ids = rules.sent.map(({ commandId }) => commandId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isUuid)).toBe(true);
  });

  it('sends nothing the second time', async () => {
    await applied();
    const first = rules.sent.length;
    expect(await applyPolicy(SHIPPED, rules)).toMatchObject({ outcome: 'applied', answers: [] });
    expect(rules.sent.length).toBe(first);
  });

  it('resumes after a crash under the same ids, and ends where an undisturbed run ends', async () => {
    await applied();
    const undisturbed = { registers: current(), ids: rules.sent.map(({ commandId }) => commandId) };
    for (const crashAfter of [0, 1, 7, 13, 20, 27]) {
      rules = new Rules();
      let left = crashAfter;
      const crashing: PolicyTarget = {
        registers: rules.registers,
        submit: async (type, body, actor) => {
          const answer = await rules.submit(type, body, actor);
          // The command took effect, the answer was lost.
          if (left === 0) throw new Error('crash');
          left -= 1;
          return answer;
        },
      };
      await expect(applyPolicy(SHIPPED, crashing)).rejects.toThrow('crash');
      await applied();
      expect(current()).toEqual(undisturbed.registers);
      expect(rules.sent.map(({ commandId }) => commandId)).toEqual(undisturbed.ids);
    }
  });

  it('sends the same command again where the registers do not know yet that it took effect', async () => {
    const stale = new Rules();
    const lagging: PolicyTarget = {
      registers: stale.registers,
      submit: (type, body, actor) => rules.submit(type, body, actor),
    };
    await applyPolicy(SHIPPED, lagging);
    const before = current();
    const sent = rules.sent.map(({ commandId }) => commandId);
    await applyPolicy(SHIPPED, lagging);
    expect(rules.sent.slice(sent.length).map(({ commandId }) => commandId)).toEqual(sent);
    expect(current()).toEqual(before);
  });

  it('applies A, then B, then A again', async () => {
    const other = withPurpose('billing', { plainWords: 'We write invoices.' });
    await applied();
    rules.now = '2026-11-24T09:00:00.000Z';
    await applied(other);
    rules.now = '2026-11-25T09:00:00.000Z';
    await applied();
    expect(plan().commands).toEqual([]);
    const { approved } = current().purposes.get('billing')!;
    expect(approved.map(({ version, effectiveFrom }) => [version, effectiveFrom])).toEqual([
      [1, '2018-05-24T23:00:00.000Z'],
      [2, '2026-11-24T09:00:00.000Z'],
      [3, '2026-11-25T09:00:00.000Z'],
    ]);
  });

  it('stops at the first refusal and says which command it was', async () => {
    const policy = withPurpose('corporate-contact', { dpiaRequired: true });
    const result = await applyPolicy(policy, rules);
    expect(result).toMatchObject({
      outcome: 'refused',
      command: { summary: 'approve purpose corporate-contact, version 1' },
      refusal: { code: 'DPIA_MISSING' },
    });
    expect(rules.sent.at(-1)?.type).toBe('ApprovePurpose');
    expect(current().notices.size).toBe(0);
    // The file is put right: the next run goes on from there.
    await applied(withPurpose('corporate-contact', { dpiaRequired: true, dpiaRef: 'dpia-7' }));
  });

  it('keeps a refusal under its id, and decides anew in another attempt', async () => {
    const misled: Rules['submit'] = rules.submit.bind(rules);
    rules.submit = (type, body, actor) => misled(type, body, { ...actor, roles: [] });
    expect(await applyPolicy(SHIPPED, rules)).toMatchObject({ outcome: 'refused', refusal: { code: 'FORBIDDEN' } });
    rules.submit = misled;
    expect(await applyPolicy(SHIPPED, rules)).toMatchObject({ outcome: 'refused', refusal: { code: 'FORBIDDEN' } });
    rules.attempt = 'second';
    await applied();
  });
});
