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
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { isUuid, parseInstant } from '#kernel';
import { InvalidCommand, IsInstant, readBody, REGISTER_ID, systemClock } from '#slice';
import { OpenTo } from './guard.js';
import { AccessStore } from './store.js';
import { LONGEST_TOKEN_LIFE, type IssuedToken, type TokenEntry } from './tokens.js';

const ISSUABLE = ['service', 'staff', 'privacyOfficer', 'legal', 'auditor', 'operator', 'subject'] as const;

class NewToken {
  @IsString()
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly actorId!: string;

  @IsIn(['user', 'service_account'])
  readonly actorType!: 'user' | 'service_account';

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(ISSUABLE.length)
  @ArrayUnique()
  @IsIn(ISSUABLE, { each: true })
  readonly roles!: readonly (typeof ISSUABLE)[number][];

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
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly actorId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(ISSUABLE.length)
  @ArrayUnique()
  @IsIn(ISSUABLE.filter((role) => role !== 'service'), { each: true })
  readonly roles!: readonly string[];
}

/**
 * A person about whom data is held comes in under the id they are held by, as nothing else.
 *
 * @throws InvalidCommand naming the field.
 */
function assertSubjectAlone(actorId: string, roles: readonly string[], path = ''): void {
  if (!roles.includes('subject')) return;
  if (roles.length > 1) throw new InvalidCommand([{ field: `${path}roles`, rule: 'isSubjectAlone' }]);
  if (!isUuid(actorId)) throw new InvalidCommand([{ field: `${path}actorId`, rule: 'isUuid' }]);
}

/** Tokens and accounts, for operators. What opens a door is shown once, to whoever asked for it. */
@Controller('v1')
@OpenTo('operator')
export class CredentialsController {
  constructor(private readonly store: AccessStore) {}

  @Post('tokens')
  async issue(@Body() body: unknown): Promise<{ tokens: readonly (IssuedToken & { actorId: string })[] }> {
    const { tokens } = await readBody(NewTokens, body);
    tokens.forEach(({ actorId, roles }, index) => assertSubjectAlone(actorId, roles, `tokens.${index}.`));
    const at = systemClock.now();
    const ends = tokens.map(({ expiresAt }) => (expiresAt === undefined ? undefined : parseInstant(expiresAt)));
    ends.forEach((end, index) => {
      if (end !== undefined && (end <= at || Date.parse(end) > Date.parse(at) + LONGEST_TOKEN_LIFE))
        throw new InvalidCommand([{ field: `tokens.${index}.expiresAt`, rule: 'isWithinAYear' }]);
    });
    const issued = tokens.map(async ({ actorId, actorType, roles }, index) => ({
      actorId,
      ...(await this.store.tokens.issue({ id: actorId, type: actorType, roles }, at, ends[index])),
    }));
    return { tokens: await Promise.all(issued) };
  }

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
    assertSubjectAlone(actorId, roles);
    const invitation = await this.store.accounts.invite(actorId, roles, systemClock.now());
    await this.store.sessions.endAll(actorId);
    return { actorId, ...invitation };
  }

  /** Ends everything by which an actor gets in: account, sessions, tokens, and the name behind an id. */
  @Delete('actors/:actorId')
  @HttpCode(204)
  async leave(@Param('actorId') actorId: string): Promise<void> {
    const at = systemClock.now();
    await this.store.accounts.disable(actorId, at);
    await this.store.sessions.endAll(actorId);
    await this.store.tokens.revokeAll(actorId, at);
    await this.store.directory.forget(actorId);
  }
}
