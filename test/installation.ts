import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { OpenApiDocument } from '../apps/engine/openapi.js';
import { Conformance } from './openapi/conformance.js';
import { readPolicy, SHIPPED_POLICY } from '#policy';
import { CATEGORY, REGISTER_ID } from '#slice';

/** An answer of the engine as it comes over HTTP. */
export interface Reply {
  readonly status: number;
  // Bodies are checked by the tests that read them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** Actors of the journeys, each with a token of its own. */
export const ACTORS = {
  crm: { actorType: 'service_account', roles: ['service'] },
  support: { actorType: 'user', roles: ['staff'] },
  newcomer: { actorType: 'user', roles: ['staff'] },
  mailer: { actorType: 'service_account', roles: ['service'] },
  dpo: { actorType: 'user', roles: ['privacyOfficer'] },
  'second-dpo': { actorType: 'user', roles: ['privacyOfficer'] },
  counsel: { actorType: 'user', roles: ['legal'] },
  security: { actorType: 'user', roles: ['securityOfficer'] },
  auditor: { actorType: 'user', roles: ['auditor'] },
  operator: { actorType: 'user', roles: ['operator'] },
} as const;
export type ActorName = keyof typeof ACTORS;
const SERVICES: readonly ActorName[] = ['crm', 'mailer'];

/**
 * What `support` and `dpo` may look at, as in a company at work: everything, for each of these purposes of the shipped
 * policy. Nobody else has been granted anything.
 */
const GRANTED = {
  actors: { support: 'staff', dpo: 'privacyOfficer' },
  purposes: ['service-account', 'support-ticket', 'billing', 'service-usage', 'rights-and-complaints'],
  categories: [
    ...['contact.name', 'contact.email', 'contact.phone', 'contact.address', 'contact.role', 'contact.organisation'],
    ...['billing.name', 'billing.address', 'billing.email', 'billing.invoice', 'billing.payment'],
    ...['account.number', 'ticket.text', 'request.text', 'complaint.text', 'usage'],
  ],
} as const;
const NEARLY_A_YEAR = 360 * 24 * 60 * 60 * 1000;

const MAIN = join(import.meta.dirname, '..', 'dist', 'apps', 'standalone', 'main.js');
const START_TIMEOUT = 60_000;

/**
 * The built product as a newcomer starts it: a process of its own with its own data folder, reached over HTTP only.
 */
export class Installation {
  #process: ChildProcess | undefined;
  #output = '';
  #tokens = new Map<ActorName, string>();
  #url = '';
  #conformance: Promise<Conformance> | undefined;
  /** Position of what was answered last since the process was started. */
  #answered = 0;
  readonly #contracts = new Contracts();

  private constructor(
    readonly dataDir: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /**
   * @param clock RFC 3339 time at which a simulated clock starts; the system's clock when absent.
   */
  static async start(clock?: string, environment: NodeJS.ProcessEnv = {}): Promise<Installation> {
    if (!existsSync(MAIN)) throw new Error('the product is not built: run `npm run build`');
    const installation = new Installation(mkdtempSync(join(tmpdir(), 'custos-')), {
      ...environment,
      ...(clock !== undefined && { CLOCK: `simulated:${clock}` }),
    });
    await installation.launch();
    // It is printed last, and may come in a piece of its own.
    const token = (): string | undefined => /^ {2}(custos_\S+)$/m.exec(installation.#output)?.[1];
    for (const deadline = Date.now() + 5_000; token() === undefined && Date.now() < deadline;) await wait(25);
    const operator = token();
    if (operator === undefined) throw new Error(`no first token was printed:\n${installation.#output}`);
    const names = Object.keys(ACTORS) as ActorName[];
    const issued = await installation.#request('POST', '/v1/tokens', operator, {
      tokens: names.map((actorId) => ({ actorId, ...ACTORS[actorId] })),
    });
    if (issued.status !== 201) throw new Error(`tokens were not issued: ${JSON.stringify(issued)}`);
    for (const { actorId, token } of issued.body.tokens as { actorId: ActorName; token: string }[])
      installation.#tokens.set(actorId, token);
    await installation.contract();
    await installation.renewAccess();
    return installation;
  }

  /** Grants `support` and `dpo` what they may look at, for nearly a year from now on: grants end when years pass. */
  async renewAccess(): Promise<void> {
    const { now } = (await this.get('operator', '/v1/clock')).body as { now: string };
    const to = new Date(Date.parse(now) + NEARLY_A_YEAR).toISOString();
    const grants = Object.entries(GRANTED.actors).flatMap(([granteeId, role]) =>
      GRANTED.purposes.map((purposeId) => ({ granteeId, role, purposeId, grantId: randomUUID() })),
    );
    await Promise.all(
      grants.map(async ({ granteeId, grantId, ...scope }) => {
        const asked = { granteeId, grantId, ...scope, categories: GRANTED.categories, to };
        await this.accepted('dpo', 'RequestAccess', asked);
        await this.accepted('second-dpo', 'GrantAccess', { granteeId, grantId });
      }),
    );
  }

  /** Starts the process over the data folder; resolves when it answers. */
  async launch(clock?: string): Promise<void> {
    this.#answered = 0;
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: this.dataDir,
        PORT: '0',
        ...this.environment,
        ...(clock !== undefined && { CLOCK: `simulated:${clock}` }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#output = '';
    const collect = (chunk: Buffer): void => void (this.#output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const deadline = Date.now() + START_TIMEOUT;
    while (!/^ {2}message bus .*$/m.test(this.#output)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Custos did not start:\n${this.#output}`);
      await wait(25);
    }
    this.#url = /API +(\S+)\/v1$/m.exec(this.#output)?.[1] ?? '';
  }

  get url(): string {
    return this.#url;
  }

  /** Whether the process has not ended by itself. */
  get running(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  /** Everything the process has written to its terminal since it was started. */
  get output(): string {
    return this.#output;
  }

  token(actor: ActorName): string {
    return this.#tokens.get(actor) ?? '';
  }

  /** Lets somebody in who is not among the actors of every journey. @returns the name to send and ask under. */
  async admit(
    actorId: string,
    who: { readonly actorType: string; readonly roles: readonly string[]; readonly subjectId?: string },
  ): Promise<ActorName> {
    const issued = await this.post('operator', '/v1/tokens', { tokens: [{ actorId, ...who }] });
    if (issued.status !== 201) throw new Error(`no token was issued: ${JSON.stringify(issued)}`);
    this.#tokens.set(actorId as ActorName, issued.body.tokens[0].token);
    return actorId as ActorName;
  }

  /** Asks in any way there is. */
  ask(actor: ActorName, method: string, path: string, body?: unknown): Promise<Reply> {
    return this.#request(method, path, this.token(actor), body);
  }

  /**
   * Lets the services ask for all that the shipped policy and the journey so far have named, so that journeys about
   * other rules reach them. Journeys about contracts use services of their own.
   */
  contract(): Promise<void> {
    return this.#contracts.bind(SERVICES, async (actor, type, body) => {
      const reply = await this.#request('POST', `/v1/commands/${type}`, this.token(actor), {
        commandId: randomUUID(),
        ...body,
      });
      if (reply.body.accepted !== true) throw new Error(`no contract: ${JSON.stringify(reply)}`);
    });
  }

  /** Sends a command; its id is fresh unless the body has one. */
  async send(actor: ActorName, type: string, body: object): Promise<Reply> {
    this.#contracts.note(body);
    if (SERVICES.includes(actor)) await this.contract();
    return this.#request('POST', `/v1/commands/${type}`, this.token(actor), { commandId: randomUUID(), ...body });
  }

  /** Sends the same command under the same id until it has an answer, whatever becomes of the process meanwhile. */
  async insist(actor: ActorName, type: string, body: object): Promise<Reply['body']> {
    const whole = { commandId: randomUUID(), ...body };
    for (;;) {
      const reply = await this.send(actor, type, whole).catch(() => undefined);
      if (reply && reply.status < 500) return reply.body;
      await wait(20);
    }
  }

  /** Sends a command that must be accepted. @returns its answer. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async accepted(actor: ActorName, type: string, body: object): Promise<any> {
    const reply = await this.send(actor, type, body);
    if (reply.body.accepted !== true) throw new Error(`${type} was not accepted: ${JSON.stringify(reply)}`);
    return reply.body;
  }

  /** Sends a command that must be refused. @returns the refusal. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async refused(actor: ActorName, type: string, body: object): Promise<any> {
    const reply = await this.send(actor, type, body);
    if (reply.body.accepted !== false) throw new Error(`${type} was not refused: ${JSON.stringify(reply)}`);
    return reply.body;
  }

  /** Asks a question once the read models include everything answered so far, or a given position. */
  async get(actor: ActorName, path: string, position = this.#answered): Promise<Reply> {
    const separator = path.includes('?') ? '&' : '?';
    const waits = position > 0 && path.startsWith('/v1/') && !path.includes('min-position=');
    return this.#request('GET', waits ? `${path}${separator}min-position=${position}` : path, this.token(actor));
  }

  post(actor: ActorName, path: string, body: unknown): Promise<Reply> {
    return this.#request('POST', path, this.token(actor), body);
  }

  async advanceTo(now: string): Promise<void> {
    const reply = await this.post('operator', '/v1/clock', { now });
    if (reply.status !== 200) throw new Error(`the clock did not move: ${JSON.stringify(reply)}`);
  }

  /** Asks again until the answer is as wanted; for what the steward does in its own time. */
  async eventually(ask: () => Promise<Reply>, wanted: (reply: Reply) => boolean, patience = 20_000): Promise<Reply> {
    const deadline = Date.now() + patience;
    for (;;) {
      const reply = await ask();
      if (wanted(reply)) return reply;
      if (Date.now() > deadline) throw new Error(`it did not come about: ${JSON.stringify(reply)}`);
      await wait(50);
    }
  }

  /**
   * The digest of the read models when they were last built anew, in the shape of `GET /v1/digest`, once it is on record.
   *
   * @param times how often that is to have happened.
   */
  async rebuilt(times = 1): Promise<Reply['body']> {
    const { body } = await this.eventually(
      () => this.get('auditor', '/v1/registers/projection-rebuilds'),
      (reply) => reply.body.rows.length >= times,
    );
    if (body.rows.length !== times) throw new Error(`they were built anew ${body.rows.length} times`);
    const { through, digest, projections } = body.rows[times - 1];
    const entries = JSON.parse(projections).map((each: { projection: string; digest: string }) => [
      each.projection,
      each.digest,
    ]);
    return { position: through, digest, projections: Object.fromEntries(entries) };
  }

  /** Ends the process as a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Ends the process as an operator would, and keeps the data. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  file(name: string): string {
    return readFileSync(join(this.dataDir, name), 'utf8');
  }

  async #request(method: string, path: string, token: string, body?: unknown): Promise<Reply> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const reply: Reply = { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    if (method === 'POST' && Number.isInteger(reply.body?.position))
      this.#answered = Math.max(this.#answered, reply.body.position as number);
    const contentType = response.headers.get('content-type') ?? '';
    const wrong = (await this.#promised()).wrong(method, path, { ...reply, contentType });
    if (wrong !== undefined) throw new Error(`the answer is not as the OpenAPI document says: ${wrong}`);
    return reply;
  }

  /** What this installation says of its own answers: each of them is held against it. */
  #promised(): Promise<Conformance> {
    this.#conformance ??= fetch(`${this.#url}/docs/openapi.json`).then(
      async (response) => new Conformance((await response.json()) as OpenApiDocument),
    );
    return this.#conformance;
  }
}

/** What the services of the journeys may ask for: it grows with what the journeys name. */
class Contracts {
  readonly #names = { purposes: new Set<string>(), categories: new Set<string>(), collectionPoints: new Set<string>() };
  #version = 0;
  #bound = 0;
  #drafts = 0;
  #binding: Promise<void> = Promise.resolve();

  constructor() {
    const { purposes, collectionPoints } = readPolicy(readFileSync(SHIPPED_POLICY, 'utf8'));
    purposes.forEach(({ id, fields }) => this.note({ purposeId: id, fields }));
    collectionPoints.forEach(({ id, fields }) => this.note({ collectionPointId: id, fields }));
  }

  /** Notes the names within a command, whoever sends it. */
  note(body: object): void {
    const { purposeId, collectionPointId, items, fields, categories } = body as Record<string, unknown>;
    const member = (list: unknown): unknown[] =>
      Array.isArray(list)
        ? list.map((each: unknown) =>
            typeof each === 'string' ? each : (each as { category?: unknown } | null)?.category,
          )
        : [];
    this.#add('purposes', [purposeId], REGISTER_ID);
    this.#add('collectionPoints', [collectionPointId], REGISTER_ID);
    this.#add('categories', [items, fields, categories].flatMap(member), CATEGORY);
  }

  #add(kind: 'purposes' | 'categories' | 'collectionPoints', names: readonly unknown[], shape: RegExp): void {
    for (const name of names)
      if (typeof name === 'string' && name.length <= 64 && shape.test(name) && !this.#names[kind].has(name)) {
        this.#names[kind].add(name);
        this.#version += 1;
      }
  }

  /** Has every service's contract drafted and approved anew when names were added since. */
  bind(
    services: readonly ActorName[],
    accepted: (actor: ActorName, type: string, body: object) => Promise<void>,
  ): Promise<void> {
    const before = this.#binding;
    this.#binding = (async () => {
      await before.catch(() => undefined);
      if (this.#bound === this.#version) return;
      const version = this.#version;
      const scope = Object.fromEntries(Object.entries(this.#names).map(([kind, names]) => [kind, [...names]]));
      this.#drafts += 1;
      for (const serviceId of services) {
        await accepted('dpo', 'DraftServiceContract', { serviceId, ...scope });
        await accepted('second-dpo', 'ApproveServiceContract', { serviceId, version: this.#drafts });
      }
      this.#bound = version;
    })();
    return this.#binding;
  }
}
