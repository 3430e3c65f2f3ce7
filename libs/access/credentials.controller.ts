import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  ValidateNested,
} from 'class-validator';
import { parseInstant, type Actor } from '#kernel';
import {
  CommandDoor,
  EMPLOYED_ROLES,
  InvalidCommand,
  IsId,
  IsInstant,
  IsRegisterId,
  PERSONAL_ROLES,
  readBody,
  type Role,
  ROLES,
  systemClock,
} from '#slice';
import { OpenTo, SentBy } from './guard.js';
import { AccessStore } from './store.js';
import { LONGEST_TOKEN_LIFE, type IssuedToken, type TokenEntry } from './tokens.js';

const ISSUABLE = ROLES.filter((role) => role !== 'system');
const isPersonal = (role: Role): boolean => PERSONAL_ROLES.includes(role);

class NewToken {
  @IsString()
  @IsRegisterId()
  readonly actorId!: string;

  /** `app_user` for a subject or who acts for one. */
  @IsIn(['user', 'service_account', 'app_user'])
  readonly actorType!: 'user' | 'service_account' | 'app_user';

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(ISSUABLE.length)
  @ArrayUnique()
  @IsIn(ISSUABLE, { each: true })
  readonly roles!: readonly Role[];

  /** The person that a subject, or who acts for one, may act about; for these roles and no other. */
  @IsOptional()
  @IsId()
  readonly subjectId?: string;

  /** In 90 days when absent; at most a year ahead. */
  @IsOptional()
  @IsInstant()
  readonly expiresAt?: string;
}

class NewTokens {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => NewToken)
  readonly tokens!: readonly NewToken[];
}

class NewAccount {
  /** What its holder signs in with, and what stands in the log: an opaque id, never a name or an address. */
  @IsString()
  @IsRegisterId()
  readonly actorId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(ISSUABLE.length)
  @ArrayUnique()
  @IsIn(EMPLOYED_ROLES, { each: true })
  readonly roles!: readonly string[];
}

/** Tokens and accounts, for operators. What opens a door is shown once, to whoever asked for it. */
@Controller('v1')
@OpenTo('operator')
export class CredentialsController {
  constructor(
    private readonly store: AccessStore,
    private readonly door: CommandDoor,
  ) {}

  /** Issues tokens. Each is shown in this answer and never again. */
  @Post('tokens')
  async issue(@Body() body: unknown): Promise<{ tokens: readonly (IssuedToken & { actorId: string })[] }> {
    const { tokens } = await readBody(NewTokens, body);
    const at = systemClock.now();
    const ends = tokens.map(({ expiresAt }) => (expiresAt === undefined ? undefined : parseInstant(expiresAt)));
    ends.forEach((end, index) => {
      if (end !== undefined && (end <= at || Date.parse(end) > Date.parse(at) + LONGEST_TOKEN_LIFE))
        throw new InvalidCommand([{ field: `tokens.${index}.expiresAt`, rule: 'isWithinAYear' }]);
    });
    tokens.forEach(({ actorType, roles, subjectId }, index) => {
      const personal = roles.some(isPersonal);
      if (personal && (roles.length > 1 || actorType !== 'app_user'))
        throw new InvalidCommand([{ field: `tokens.${index}.roles`, rule: 'isAlone' }]);
      if (personal !== (subjectId !== undefined))
        throw new InvalidCommand([{ field: `tokens.${index}.subjectId`, rule: 'isGivenForOnePerson' }]);
    });
    const issued = tokens.map(async ({ actorId, actorType, roles, subjectId }, index) => {
      const actor: Actor = { id: actorId, type: actorType, roles, ...(subjectId !== undefined && { subjectId }) };
      return { actorId, ...(await this.store.tokens.issue(actor, at, ends[index])) };
    });
    return { tokens: await Promise.all(issued) };
  }

  /** The tokens that were issued and to whom, without what opens a door. */
  @Get('tokens')
  async list(): Promise<{ tokens: readonly TokenEntry[] }> {
    return { tokens: await this.store.tokens.list() };
  }

  /** Makes a token that takes the place of another one, which is good for one more day. */
  @Post('tokens/:tokenId/rotate')
  async rotate(@Param('tokenId') tokenId: string): Promise<IssuedToken> {
    const issued = await this.store.tokens.rotate(tokenId, systemClock.now());
    if (!issued) throw new NotFoundException();
    return issued;
  }

  /** Revokes a token: it opens nothing any more. */
  @Delete('tokens/:tokenId')
  @HttpCode(204)
  async revoke(@Param('tokenId') tokenId: string): Promise<void> {
    if (!(await this.store.tokens.revoke(tokenId, systemClock.now()))) throw new NotFoundException();
  }

  /**
   * Opens an account, or gives its holder a way to a new password. Its sessions end.
   *
   * @returns the token, good once, with which the holder sets the password at `POST /v1/session/enrol`.
   */
  @Post('accounts')
  async invite(@Body() body: unknown): Promise<{ actorId: string; token: string; expiresAt: string }> {
    const { actorId, roles } = await readBody(NewAccount, body);
    const invitation = await this.store.accounts.invite(actorId, roles, systemClock.now());
    await this.store.sessions.endAll(actorId);
    return { actorId, ...invitation };
  }

  /**
   * Takes everything from somebody who leaves: what they may look at, on record; account, sessions, tokens, and the
   * name behind an id. No token of the identity provider counts for them any more. May be repeated, and goes on where
   * it broke off.
   */
  @Delete('actors/:actorId')
  @HttpCode(204)
  async leave(@Param('actorId') actorId: string, @SentBy() actor: Actor): Promise<void> {
    const at = systemClock.now();
    await this.door.submit('RevokeAllAccess', { commandId: randomUUID(), granteeId: actorId, reason: 'left' }, actor);
    await this.store.directory.bar(actorId, at);
    await this.store.accounts.disable(actorId, at);
    await this.store.sessions.endAll(actorId);
    await this.store.tokens.revokeAll(actorId, at);
    await this.store.directory.forget(actorId);
  }

  /** Lets tokens of the identity provider count again for somebody who had left. What was taken away stays so. */
  @Post('actors/:actorId/return')
  @HttpCode(204)
  async comeBack(@Param('actorId') actorId: string): Promise<void> {
    if (!(await this.store.directory.readmit(actorId))) throw new NotFoundException();
  }
}
