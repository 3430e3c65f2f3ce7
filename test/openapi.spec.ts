import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validator } from '@seriousme/openapi-schema-validator';
import { pino } from 'pino';
import { AccessStore } from '#access';
import { openDatabase } from '#database';
import { EventLog } from '#event-log';
import { REFUSALS } from '#kernel';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import { Projector, ReadModels } from '#read-model';
import { codecsOf, CommandCatalogue, systemClock } from '#slice';
import { BlindIndex } from '#viewing';
import { capabilities } from '../apps/capabilities.js';
import { OPENAPI } from '../apps/engine/docs.controller.js';
import { EngineModule } from '../apps/engine/engine.module.js';
import { guardDoor, httpAdapter } from '../apps/engine/http-door.js';
import { shippedFacts, type OpenApiDocument } from '../apps/engine/openapi.js';
import { at, Conformance } from './openapi/conformance.js';
import { factsOfSource } from './openapi/source.js';

const ROOT = join(import.meta.dirname, '..');
const catalogue = new CommandCatalogue(capabilities);

/** As it comes over HTTP. */
const plain = (document: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(document)) as Record<string, unknown>;

/** Every operation of the document. */
const operationsOf = (document: OpenApiDocument) =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the OpenAPI document', () => {
  let folder: string;
  let app: NestFastifyApplication;
  let document: OpenApiDocument;
  const closing: (() => unknown)[] = [];
  /** `method path` of everything that Fastify answers, in the spelling of OpenAPI. */
  const routes: string[] = [];

  /** The engine as it is, over stores of its own; its event log is nowhere, and nothing is asked of it. */
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openapi-'));
    const vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${folder}/master.key`),
      clock: () => systemClock.now(),
    });
    const access = await AccessStore.open(`file:${folder}/access.db`);
    const searchIndex = await BlindIndex.open(`file:${folder}/search-index.db`, vault);
    const projections = capabilities.flatMap((each) => each.projections);
    const writable = openDatabase(`file:${folder}/read-models.db`, { name: 'read models' });
    new Projector(writable, projections);
    const log = new EventLog('esdb://127.0.0.1:1?tls=false', codecsOf(capabilities), vault);
    closing.push(
      () => vault.close(),
      () => access.close(),
      () => searchIndex.close(),
      () => log.close(),
      () => writable.close(),
    );
    const settings = { limits: { perCredential: 10, perAddress: 10 }, corsOrigins: [], trustedProxies: [] };
    const adapter = httpAdapter(settings);
    adapter.getInstance().addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push(`${each.toLowerCase()} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    });
    app = await NestFactory.create<NestFastifyApplication>(
      EngineModule.with({
        ...{ log, vault, access, searchIndex, clock: systemClock, logger: pino({ level: 'silent' }) },
        readModels: new ReadModels(writable, projections),
      }),
      adapter,
      { logger: false, abortOnError: false, bodyParser: false },
    );
    closing.push(await guardDoor(app, { ...settings, nameOf: (text) => text }));
    await app.init();
    document = app.get<OpenApiDocument>(OPENAPI);
  }, 120_000);

  afterAll(async () => {
    await app.close();
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  });

  it('is an OpenAPI 3.1 document', async () => {
    const validator = new Validator();
    const found = await validator.validate(plain(document));
    expect(found).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
    const path = Object.keys(document.paths)[0]!;
    for (const broken of [
      { ...document, info: { title: 'x' } },
      { ...document, paths: { ...document.paths, [path]: { get: { responses: { 200: {} } } } } },
    ])
      expect(await new Validator().validate(plain(broken))).toMatchObject({
        valid: false,
      });
  });

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"(#\/[^"]+)"/g)].map((match) => match[1] ?? '');
    expect(refs.length).toBeGreaterThan(1_000);
    expect(refs.filter((pointer) => at(document, pointer) === undefined)).toEqual([]);
  });

  it('asks for days as dates, and for what a command cannot do without', () => {
    const { components } = plain(document) as { components: { schemas: Record<string, Record<string, unknown>> } };
    const schema = (type: string) => components.schemas[type] as { properties: object; required: string[] };
    expect(schema('EndGroupMembership').properties).toMatchObject({ to: { type: 'string', format: 'date' } });
    // A case may be named with every command; this one is about a case.
    expect(schema('OpenDeferral').required).toContain('caseRef');
    expect(schema('CloseDeferral').required).not.toContain('caseRef');
    expect(schema('ViewPersonalData').required).toContain('occurredAt');
  });

  it('has every schema in a form that can be checked', () => {
    const conformance = new Conformance(document);
    for (const { path, method, operation } of operationsOf(document))
      for (const status of Object.keys(operation['responses'] as object)) {
        const concrete = path.replaceAll(/\{\w+\}/g, 'x');
        const contentType = Number(status) < 400 || status === '422' ? 'application/json' : 'application/problem+json';
        // Whatever it says of this body: it could be asked.
        expect(() =>
          conformance.wrong(method, concrete, { status: Number(status), contentType, body: 7 }),
        ).not.toThrow();
      }
  });

  it('describes the routes that there are, and no others', () => {
    const described = operationsOf(document).map(
      ({ path, method, operation }) => `${method} ${(operation['x-route'] as string | undefined) ?? path}`,
    );
    expect(routes.length).toBeGreaterThan(35);
    expect([...new Set(described)].sort()).toEqual([...new Set(routes)].sort());
  });

  it('has a path for every command and every view', () => {
    const under = (prefix: string): readonly string[] =>
      operationsOf(document)
        .filter(({ operation }) => operation['x-route'] === prefix)
        .map(({ path }) => path.split('/').at(-1) ?? '')
        .sort();
    const views = (scope: string): readonly string[] =>
      capabilities.flatMap((each) => each.views.filter((view) => view.scope === scope).map(({ name }) => name)).sort();
    expect(under('/v1/commands/{type}')).toEqual(
      catalogue
        .all()
        .map(({ type }) => type)
        .sort(),
    );
    expect(under('/v1/registers/{name}')).toEqual(views('register'));
    expect(under('/v1/subjects/{subjectId}/{name}')).toEqual(views('subject'));
  });

  it('gives every operation its own name, a schema for every answer, and says who may use it', () => {
    const operations = operationsOf(document);
    const names = operations.map(({ operation }) => operation.operationId);
    expect(names.length).toBe(new Set(names).size);
    for (const { operation } of operations) {
      const responses = operation['responses'] as Record<string, { $ref?: string; content?: object }>;
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '429', '500', '503']));
      for (const [status, response] of Object.entries(responses))
        if (status !== '204')
          expect([operation.operationId, status, response.content ?? response.$ref]).not.toContain(undefined);
      const open = JSON.stringify(operation['security']) === '[]';
      expect([operation.operationId, open || (operation['x-roles'] as string[]).length > 0]).toEqual([
        operation.operationId,
        true,
      ]);
      expect(Object.hasOwn(responses, '403') || open).toBe(true);
    }
  });

  it('names at every command what it may be refused with, and every code somewhere', () => {
    const commands = operationsOf(document).filter(({ operation }) => operation['x-route'] === '/v1/commands/{type}');
    const named = new Set<string>();
    for (const { operation } of commands) {
      const codes = operation['x-refusals'] as readonly string[];
      for (const code of codes) named.add(code);
      expect(codes).toEqual(expect.arrayContaining(['COMMAND_ID_REUSED', 'FORBIDDEN', 'OCCURRED_IN_FUTURE']));
      // Those about who asks are answered with 403, the others with 422.
      const enums = ['403', '422'].flatMap(
        (status) =>
          JSON.stringify((operation['responses'] as Record<string, object>)[status])
            .match(/"enum":\[([^\]]*)\]/)?.[1]
            ?.split(',')
            .map((code) => JSON.parse(code) as string) ?? [],
      );
      expect([...enums].sort()).toEqual([...codes].sort());
    }
    const elsewhere = ['UNAUTHENTICATED_ACTOR'];
    expect([...named, ...elsewhere].sort()).toEqual(Object.keys(REFUSALS).sort());
  });

  it('says what the source says; otherwise run `npm run openapi`', () => {
    expect(shippedFacts()).toEqual(JSON.parse(JSON.stringify(factsOfSource(ROOT))));
  }, 120_000);
});

describe('what is read from the source', () => {
  let root: string;
  const FILES = {
    'tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: true, strict: true }, files: [] }),
    'libs/kernel/refusal.ts': `export const REFUSALS = { FORBIDDEN: 1 };`,
    'libs/slice/door.ts': `export class CommandDoor { submit(): string { return this.#refuse(); } #refuse() { return 'FORBIDDEN'; } }`,
    'libs/x/x.rules.ts': `
      type DoorRule = (sent: unknown) => string | undefined;
      export const withinX: DoorRule = () => 'OUTSIDE_SERVICE_CONTRACT';
      const BY_STATUS = { unknown: 'PURPOSE_UNKNOWN', retired: 'PURPOSE_SUSPENDED' } as const;
      export const purpose = (status: keyof typeof BY_STATUS) => BY_STATUS[status];
      export function both(command: { type: 'Take' | 'Give' }) {
        switch (command.type) { case 'Take': return 'DATA_EXCESSIVE'; case 'Give': return 'ITEM_UNKNOWN'; }
      }
      export const never = () => 'NOTICE_UNKNOWN';`,
    'libs/x/x.decider.ts': `
      import { both, purpose } from './x.rules.js';
      type Code = 'LIA_MISSING';
      interface C { readonly type: 'Open' | 'Take' | 'Give' | 'Close' }
      const refuse = (code: string) => code;
      export const xDecider = {
        evolve: () => 'CONSENT_AGE',
        decide(command: C, was: string) {
          if (command.type === 'Open') return refuse('SUBJECT_EXISTS');
          if (was === 'CONSENT_BUNDLED') return refuse('SUBJECT_UNKNOWN');
          switch (command.type) {
            case 'Take':
              return was === '' ? refuse(purpose('unknown')) : both(command as never);
            case 'Give':
              return both(command as never) as Code;
            case 'Close':
          }
          return refuse('VERSION_CONFLICT');
        },
      };`,
    'libs/x/x.capability.ts': `
      import { xDecider } from './x.decider.js';
      const slice = (x: unknown) => x;
      abstract class Command { readonly commandId!: string }
      /** Opens it. */
      export class Open extends Command {
        /** Whose it is. */
        readonly subjectId!: string
      }
      export class Take extends Command {}
      export class Give extends Command {}
      export class Close extends Command {}
      export const x = slice({
        decider: xDecider,
        commands: [{ command: Open }, ...[Take, Give, Close].map((command) => ({ command }))],
        lookUp: () => 'NOTICE_INCOMPLETE',
      });`,
    'apps/engine/engine.module.ts': `
      import '../../libs/x/x.capability.js';
      import '../../libs/slice/door.js';
      const Controller = () => (target: unknown) => undefined;
      const Get = () => (target: unknown, key: string) => undefined;
      class NotFoundException {}
      interface Refused { readonly accepted: false }
      /** What is known of one. */
      interface Known {
        readonly id: string;
        /** How many. */
        readonly count?: number | null;
        readonly kind: 'a' | 'b';
        readonly of: readonly Known[];
      }
      /** Asked and answered. */
      @Controller()
      export class XController {
        /** All of them. */
        @Get()
        async all(door: { submit(name: string): void }): Promise<Known | Refused> {
          door.submit('Take');
          return this.#find();
        }
        #find(): Known { throw new NotFoundException(); }
      }`,
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'source-'));
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('are the refusals on the way of each command, answers, and comments', () => {
    const facts = factsOfSource(root);
    const refusals = Object.fromEntries(Object.entries(facts.commands).map(([name, each]) => [name, each.refusals]));
    expect(refusals).toEqual({
      Open: ['NOTICE_INCOMPLETE', 'SUBJECT_EXISTS'],
      Take: [
        'DATA_EXCESSIVE',
        'NOTICE_INCOMPLETE',
        'PURPOSE_SUSPENDED',
        'PURPOSE_UNKNOWN',
        'SUBJECT_UNKNOWN',
        'VERSION_CONFLICT',
      ],
      Give: ['ITEM_UNKNOWN', 'NOTICE_INCOMPLETE', 'SUBJECT_UNKNOWN', 'VERSION_CONFLICT'],
      Close: ['NOTICE_INCOMPLETE', 'SUBJECT_UNKNOWN', 'VERSION_CONFLICT'],
    });
    expect(facts.commands['Open']).toMatchObject({ comment: 'Opens it.', fields: { subjectId: 'Whose it is.' } });
    expect(facts.everyCommand).toEqual(['FORBIDDEN', 'OUTSIDE_SERVICE_CONTRACT']);
    expect(facts.routes).toEqual({
      'XController.all': {
        capability: 'engine',
        comment: 'All of them.',
        answer: { $ref: '#/components/schemas/engine.Known' },
        submits: ['Take'],
        throws: ['NotFoundException'],
      },
    });
    expect(facts.schemas).toEqual({
      'engine.Known': {
        type: 'object',
        properties: {
          id: { type: 'string' },
          count: { anyOf: [{ type: 'null' }, { type: 'number' }], description: 'How many.' },
          kind: { type: 'string', enum: ['a', 'b'] },
          of: { type: 'array', items: { $ref: '#/components/schemas/engine.Known' } },
        },
        required: ['id', 'kind', 'of'],
      },
    });
  });
});
