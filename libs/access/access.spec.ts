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
import { instant, type Actor } from '#kernel';
import { AccessGuard, AccessRefused, AccessStore, Authentication, OpenTo, SentBy } from './index.js';

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
