import {
  Injectable,
  SetMetadata,
  createParamDecorator,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { REFUSALS, type Actor, type RefusalCode } from '#kernel';
import { permits, type Role } from '#slice';
import { Authentication, type Credentials } from './authentication.js';

/** Where the roles of a route stand among its metadata. */
export const OPEN_TO = 'custos:roles';

/**
 * Who a route is open to: roles; `actor`, whoever has a credential, where it is decided further in what each may do;
 * or `anyone` at all.
 */
export type OpenToWhom = Role | 'actor' | 'anyone';

/**
 * Opens a route to these roles. A route without it is closed to everybody (C08). A subject and an agent pass only
 * where `:subjectId` is the person of their credential.
 */
export const OpenTo = (...roles: readonly OpenToWhom[]): CustomDecorator => SetMetadata(OPEN_TO, roles);

/** The request was turned away before anything was decided: nobody known sent it, or without the right to. */
export class AccessRefused extends Error {
  override readonly name = 'AccessRefused';
  readonly answer: {
    readonly accepted: false;
    readonly code: RefusalCode;
    readonly clauses: readonly string[];
    readonly legalRef: string;
    readonly remedy: string;
  };

  constructor(readonly code: 'UNAUTHENTICATED_ACTOR' | 'FORBIDDEN') {
    super(code);
    const { clauses, law, remedy } = REFUSALS[code];
    this.answer = { accepted: false, code, clauses, legalRef: law, remedy };
  }
}

interface Request extends Credentials {
  actor?: Actor;
  readonly params?: Readonly<Record<string, string>>;
}

/** Who sends the request, as the guard has found it. */
export const SentBy = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<Request>();
  if (!actor) throw new AccessRefused('UNAUTHENTICATED_ACTOR');
  return actor;
});

/** Authenticates every request and checks the roles of the route. Denies by default. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: Authentication,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const roles = this.reflector.getAllAndOverride<readonly OpenToWhom[] | undefined>(OPEN_TO, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (roles?.includes('anyone')) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const found = await this.authentication.of(request);
    if (!found.actor) throw new AccessRefused(found.reason === 'forged' ? 'FORBIDDEN' : 'UNAUTHENTICATED_ACTOR');
    const { actor } = found;
    const known = roles?.filter((role) => role !== 'actor' && role !== 'anyone') ?? [];
    if (!roles?.includes('actor') && !permits(known, actor, request.params?.['subjectId']))
      throw new AccessRefused('FORBIDDEN');
    request.actor = actor;
    return true;
  }
}
