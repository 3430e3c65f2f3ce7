import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Catch,
  Controller,
  Get,
  Module,
  Post,
  type ArgumentsHost,
  type DynamicModule,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { instant, type Actor, type Recorded } from '#kernel';
import { factsAt, scenario } from '#kernel/testing';
import { InvalidCommand, readCommand } from '#slice';
import {
  accessCapability,
  AccessGuard,
  accessLogProjection,
  AccessRefused,
  AccessStore,
  Authentication,
  OpenTo,
  SentBy,
} from './index.js';
import { accessStream, viewDecider, ViewPersonalData, type PersonalDataViewed } from './view.js';

const AT = instant('2026-11-23T09:00:00Z');
const ADA: Actor = { id: 'ada', type: 'user', roles: ['staff', 'privacyOfficer'] };
const CRM: Actor = { id: 'crm', type: 'service_account', roles: ['service'] };

let folder: string;
let store: AccessStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
  store = await AccessStore.open(`file:${folder}/access.db`);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

@Controller('closed')
class ClosedController {
  @Get()
  nothingSaid(): string {
    return 'reached';
  }
  @Post()
  @OpenTo('staff')
  staffOnly(@SentBy() actor: Actor): Actor {
    return actor;
  }
}

@Controller('open')
@OpenTo('anyone')
class OpenController {
  @Get()
  all(): string {
    return 'reached';
  }
  @Get('own')
  @OpenTo('operator')
  operators(): string {
    return 'reached';
  }
  @Get('who')
  who(@SentBy() actor: Actor): Actor {
    return actor;
  }
}

@Catch(AccessRefused)
class AsAnswer implements ExceptionFilter {
  catch(error: AccessRefused, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<{ status(code: number): { send(body: object): void } }>();
    reply.status(error.code === 'FORBIDDEN' ? 403 : 401).send(error.answer);
  }
}

@Module({})
class DoorModule {
  static with(known: AccessStore): DynamicModule {
    return {
      module: DoorModule,
      controllers: [ClosedController, OpenController],
      providers: [
        { provide: Authentication, useValue: new Authentication(known, undefined, { now: () => AT }) },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: AsAnswer },
      ],
    };
  }
}

describe('a route', () => {
  let app: NestFastifyApplication;
  let url: string;
  const held: Record<string, string> = {};

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(DoorModule.with(store), new FastifyAdapter(), {
      abortOnError: false,
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    held['ada'] = `Bearer ${(await store.tokens.issue(ADA, AT)).token}`;
    held['crm'] = `Bearer ${(await store.tokens.issue(CRM, AT)).token}`;
    held['nobody'] = `Bearer custos_${'A'.repeat(43)}`;
    held['basic'] = `Basic ${held['ada'].slice('Bearer '.length)}`;
    held['empty'] = 'Bearer';
  });
  afterAll(() => app.close());

  const send = async (method: 'GET' | 'POST', path: string, who?: string) => {
    const headers: Record<string, string> = who === undefined ? {} : { authorization: held[who] ?? '' };
    const response = await fetch(`${url}${path}`, { method, headers });
    return { status: response.status, body: await response.text() };
  };

  it('about which nothing was said is closed to everybody', async () => {
    expect((await send('GET', '/closed')).status).toBe(401);
    for (const who of ['ada', 'crm']) {
      const { status, body } = await send('GET', '/closed', who);
      expect(status).toBe(403);
      expect(body).not.toContain('reached');
    }
  });

  it('is open to the roles it names', async () => {
    const { status, body } = await send('POST', '/closed', 'ada');
    expect(status).toBe(201);
    expect(JSON.parse(body)).toEqual({ ...ADA, authentication: { method: 'token' } });
  });

  it.each([
    [undefined, 401, 'UNAUTHENTICATED_ACTOR'],
    ['nobody', 401, 'UNAUTHENTICATED_ACTOR'],
    ['basic', 401, 'UNAUTHENTICATED_ACTOR'],
    ['empty', 401, 'UNAUTHENTICATED_ACTOR'],
    ['crm', 403, 'FORBIDDEN'],
  ])('turns %s away with a refusal that cites its rule', async (who, status, code) => {
    const answer = await send('POST', '/closed', who);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      accepted: false,
      code,
      clauses: expect.arrayContaining([expect.stringMatching(/^C\d\d$/)]) as unknown,
      legalRef: 'UK GDPR Art 32',
      remedy: expect.stringMatching(/\w/) as unknown,
    });
  });

  it('for anyone asks for no token, unless it narrows its own door or wants to know who asks', async () => {
    expect(await send('GET', '/open')).toEqual({ status: 200, body: 'reached' });
    expect((await send('GET', '/open/own')).status).toBe(401);
    expect((await send('GET', '/open/own', 'ada')).status).toBe(403);
    expect((await send('GET', '/open/who', 'ada')).status).toBe(401);
  });
});

describe('a view of personal data', () => {
  const facts = (actor: Actor) => factsAt('2026-11-23T09:00:00Z', { actor });
  const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
  const body = {
    commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
    occurredAt: '2026-11-23T09:00:00Z',
    subjectId,
    categories: ['contact.email', 'name'],
    purposeId: 'answer-support-tickets',
    caseRef: 'TICKET-1',
  };
  const view = (fields: object = {}, actor = ADA): ViewPersonalData =>
    Object.assign(new ViewPersonalData(), { ...body, ...fields, actor });
  const viewed: PersonalDataViewed = {
    type: 'PersonalDataViewed',
    data: {
      subjectId,
      viewId: facts(ADA).id('view'),
      categories: body.categories,
      purposeId: body.purposeId,
      caseRef: body.caseRef,
    },
  };

  it('is on record: who, whom, which categories, why', () =>
    scenario(viewDecider, facts(ADA)).when(view()).then(viewed));

  it('is on record once', () => {
    scenario(viewDecider, facts(ADA)).given(viewed).when(view()).thenNothing();
    scenario(viewDecider, facts(ADA)).when(view()).thenRepeatedNothing();
  });

  it.each([
    ['a purpose', { purposeId: undefined }, ['purpose']],
    ['a case', { caseRef: undefined }, ['caseRef']],
    ['either', { purposeId: undefined, caseRef: undefined }, ['purpose', 'caseRef']],
  ])('without %s is refused', (_name, fields, missing) =>
    scenario(viewDecider, facts(ADA)).when(view(fields)).thenRefused('PURPOSE_NOT_STATED', { fields: missing }),
  );

  it.each([[['auditor']], [['auditor', 'staff']]])('by %j is refused: auditors see no values', (roles) => {
    const auditor: Actor = { id: 'olga', type: 'user', roles };
    scenario(viewDecider, facts(auditor)).when(view({}, auditor)).thenRefused('AUDITOR_NO_PLAINTEXT');
    scenario(viewDecider, facts(auditor))
      .when(view({ caseRef: undefined }, auditor))
      .thenRefused('AUDITOR_NO_PLAINTEXT');
  });

  it('remembers the newest hundred views of a month, and no more', () => {
    const event = (n: number): PersonalDataViewed => ({ ...viewed, data: { ...viewed.data, viewId: `view-${n}` } });
    const state = Array.from({ length: 150 }, (_, n) => event(n)).reduce(
      (folded, each) => viewDecider.evolve(folded, each, AT),
      viewDecider.initialState,
    );
    expect(state.views).toHaveLength(100);
    expect(state.views.at(-1)).toBe('view-149');
  });

  it('stands in the stream of its person and month', () => {
    const [slice] = accessCapability.slices;
    expect(slice?.stream(view())).toBe(`access-${subjectId}-2026-11`);
    expect(accessStream(subjectId, '2026-12-01T00:00:00Z')).toBe(`access-${subjectId}-2026-12`);
    expect(slice?.stream(view())).toMatch(new RegExp(`^${slice?.streamPrefix}`));
  });

  it('is read from a body', async () => expect(await readCommand(ViewPersonalData, body)).toMatchObject(body));

  it.each<[string, unknown]>([
    ['subjectId', subjectId.toUpperCase()],
    ['occurredAt', '2026-W48-1T09:00:00Z'],
    ['occurredAt', undefined],
    ['categories', ['asha@example.org']],
    ['categories', ['Asha Ó Briain']],
    ['categories', 'name'],
    ['categories', [7]],
    ['purposeId', 'Support'],
    ['caseRef', 'asha@example.org'],
  ])('is not read when %s is %j: nothing personal comes on record that way', async (field, value) => {
    const read = readCommand(ViewPersonalData, { ...body, [field]: value });
    await expect(read).rejects.toThrow(InvalidCommand);
    await expect(read).rejects.toThrow(field);
  });

  it('with null for its reasons states none', async () => {
    const command = await readCommand(ViewPersonalData, { ...body, purposeId: null, caseRef: null });
    scenario(viewDecider, facts(ADA))
      .when(Object.assign(command, { actor: ADA }))
      .thenRefused('PURPOSE_NOT_STATED', { fields: ['purpose', 'caseRef'] });
  });

  it('is one row of the log of views', () => {
    const recorded = { ...viewed, actorId: 'ada', occurredAt: AT, position: 9 } as Recorded<PersonalDataViewed>;
    expect(accessLogProjection.handles.PersonalDataViewed(recorded)).toEqual([
      {
        change: 'insert',
        table: 'access_log',
        row: {
          view_id: viewed.data.viewId,
          subject_id: subjectId,
          actor_id: 'ada',
          categories: 'contact.email name',
          purpose_id: 'answer-support-tickets',
          case_ref: 'TICKET-1',
          viewed_at: AT,
          position: 9,
        },
      },
    ]);
  });
});
