import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Res } from '@nestjs/common';
import { stringifySetCookie } from 'cookie';
import { IsString, MaxLength, MinLength } from 'class-validator';
import type { Actor } from '#kernel';
import { EMPLOYED_ROLES, InvalidCommand, IsRegisterId, readBody, systemClock } from '#slice';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './accounts.js';
import { SESSION_COOKIE, sessionOf } from './authentication.js';
import { AccessRefused, OpenTo, SentBy } from './guard.js';
import { csrfOf, LONGEST_SESSION } from './sessions.js';
import { AccessStore } from './store.js';

class SignIn {
  @IsString()
  @IsRegisterId()
  readonly actorId!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PASSWORD)
  readonly password!: string;
}

class Enrolment {
  /** The one that came with the account; good once. */
  @IsString()
  @MaxLength(64)
  readonly token!: string;

  @IsString()
  @MinLength(SHORTEST_PASSWORD)
  @MaxLength(LONGEST_PASSWORD)
  readonly password!: string;
}

interface Session {
  readonly actorId: string;
  readonly roles: readonly string[];
  /** To be sent as `x-csrf-token` with every request that changes something. */
  readonly csrfToken: string;
}

interface Reply {
  header(name: string, value: string): unknown;
}

/** How a person signs in to the console and out of it. */
@Controller('v1/session')
export class SessionController {
  constructor(private readonly store: AccessStore) {}

  /** Sets the password of an account with the token it came with, which is good once. All sessions of it end. */
  @Post('enrol')
  @HttpCode(204)
  @OpenTo('anyone')
  async enrol(@Body() body: unknown): Promise<void> {
    const { token, password } = await readBody(Enrolment, body);
    const actorId = await this.store.accounts.enrol(token, password, systemClock.now());
    if (actorId === undefined) throw new AccessRefused('UNAUTHENTICATED_ACTOR');
    await this.store.sessions.endAll(actorId);
  }

  /** Signs in with a password. The session comes as a cookie, its mark against forgery in the answer. */
  @Post()
  @HttpCode(200)
  @OpenTo('anyone')
  async signIn(@Body() body: unknown, @Res({ passthrough: true }) reply: Reply): Promise<Session> {
    const { actorId, password } = await readBody(SignIn, body);
    const at = systemClock.now();
    const actor = await this.store.accounts.check(actorId, password, at);
    if (!actor) throw new AccessRefused('UNAUTHENTICATED_ACTOR');
    const session = await this.store.sessions.start(actor.id, at);
    setCookie(reply, session, LONGEST_SESSION / 1000);
    return sessionFor(actor, session);
  }

  /** Who is signed in: what a page asks when it is loaded. */
  @Get()
  @OpenTo(...EMPLOYED_ROLES)
  current(@SentBy() actor: Actor, @Headers('cookie') cookie: string | undefined): Session {
    const session = sessionOf(cookie);
    if (session === undefined) throw new InvalidCommand([{ field: 'cookie', rule: 'isSession' }]);
    return sessionFor(actor, session);
  }

  /** Signs out: the session ends, the cookie goes. */
  @Delete()
  @HttpCode(204)
  @OpenTo(...EMPLOYED_ROLES)
  async signOut(
    @Headers('cookie') cookie: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<void> {
    const session = sessionOf(cookie);
    if (session !== undefined) await this.store.sessions.end(session);
    setCookie(reply, '', 0);
  }
}

const sessionFor = ({ id, roles }: Actor, session: string): Session => ({
  actorId: id,
  roles,
  csrfToken: csrfOf(session),
});

/** @param life in seconds. */
function setCookie(reply: Reply, value: string, life: number): void {
  reply.header(
    'set-cookie',
    stringifySetCookie({
      name: SESSION_COOKIE,
      value,
      maxAge: life,
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite: 'strict',
    }),
  );
}
