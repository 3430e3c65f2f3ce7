import {
  Catch,
  HttpException,
  Injectable,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { tap, type Observable } from 'rxjs';
import { AccessRefused, IdentityProviderUnavailable, SignInBusy } from '#access';
import { DatabaseUnavailable } from '#database';
import { LogUnavailable } from '#event-log';
import { ReadModelBehind, ReadModels } from '#read-model';
import { InvalidCommand, NotPermitted, TooContended } from '#slice';
import { SearchUnavailable } from '#viewing';

/** Waits for the position that a query asks for (`min-position`), so that senders read their own writes. */
@Injectable()
export class MinPosition implements NestInterceptor {
  constructor(private readonly readModels: ReadModels) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const asked = (request.query as Record<string, unknown> | undefined)?.['min-position'];
    if (asked !== undefined) {
      if (typeof asked !== 'string' || !/^\d{1,15}$/.test(asked))
        throw new InvalidCommand([{ field: 'min-position', rule: 'isPosition' }]);
      await this.readModels.reached(Number(asked));
    }
    return next.handle();
  }
}

/** Refusals that are about who asks, and not about what is asked. */
const ABOUT_THE_SENDER: readonly unknown[] = [
  'FORBIDDEN',
  'OUTSIDE_SERVICE_CONTRACT',
  'AUDITOR_NO_PLAINTEXT',
  'ACCESS_NOT_GRANTED',
  'ACCESS_EXPIRED',
  'VIEW_BUDGET_EXCEEDED',
];

/** Status of a refusal: 422, or 403 where it is about who asks; `undefined` for what is no refusal. */
export function refusalStatus(body: unknown): 403 | 422 | undefined {
  if (typeof body !== 'object' || body === null || !('accepted' in body) || body.accepted !== false) return undefined;
  const code = 'code' in body ? body.code : undefined;
  return ABOUT_THE_SENDER.includes(code) ? 403 : 422;
}

/** A problem document (RFC 9457) about what was wrong with a request; the same over HTTP and over the bus. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly [member: string]: unknown;
}

/** The problem of a request that was turned away; `undefined` when the request is not to blame. */
export function problemOfRequest(error: unknown): Problem | undefined {
  const refused = error instanceof NotPermitted ? new AccessRefused('FORBIDDEN') : error;
  if (refused instanceof AccessRefused)
    return { title: 'access refused', status: refused.code === 'FORBIDDEN' ? 403 : 401, ...refused.answer };
  if (error instanceof InvalidCommand) return { title: 'the request is not valid', status: 400, fields: error.fields };
  return undefined;
}

/** A refusal is an answer: 422, or 403 where it is about who asks. */
@Injectable()
export class RefusalStatus implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      tap((body: unknown) => {
        const status = refusalStatus(body);
        if (status !== undefined) reply.status(status);
      }),
    );
  }
}

/** Errors as problem documents (RFC 9457). No payload and no inner message leaves the process. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const send = (status: number, title: string, more: object = {}): void => {
      void reply
        .status(status)
        .type('application/problem+json')
        .send({ title, status, ...more });
    };
    const problem = problemOfRequest(error);
    if (problem) return send(problem.status, problem.title, problem);
    if (error instanceof ReadModelBehind)
      return send(503, 'the read models are behind', { asked: error.wanted, position: error.position });
    if (error instanceof LogUnavailable) {
      void reply.header('retry-after', '1');
      return send(503, 'the event log does not answer; send the same command again');
    }
    if (error instanceof DatabaseUnavailable) {
      this.logger.error({ reason: error.message }, 'a store cannot be written');
      void reply.header('retry-after', '5');
      return send(503, `the ${error.database} cannot be written; send the same command again`);
    }
    if (error instanceof SearchUnavailable) return send(503, 'search is not available');
    if (error instanceof IdentityProviderUnavailable) {
      void reply.header('retry-after', '5');
      return send(503, 'the identity provider does not answer');
    }
    if (error instanceof SignInBusy) {
      void reply.header('retry-after', '1');
      return send(429, 'too many sign in at once');
    }
    if (error instanceof TooContended) {
      void reply.header('retry-after', '1');
      return send(503, 'the stream is busy; send the same command again');
    }
    const status = statusOf(error);
    if (status === 413) return send(413, 'the body is too large');
    if (status !== undefined && status < 500)
      return send(
        status,
        TITLES[status] ?? 'the request is not valid',
        status === 400 ? { fields: [{ field: '(body)', rule: 'isJson' }] } : {},
      );
    this.logger.error(
      { error: error instanceof Error ? error.name : typeof error, at: placeOf(error) },
      'request failed',
    );
    return send(500, 'the request failed');
  }
}

const TITLES: Readonly<Record<number, string>> = {
  404: 'not found',
  405: 'method not allowed',
  410: 'gone',
  415: 'send application/json',
  429: 'too many requests',
};

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** Where an unexpected error came from: the frames of its stack, without its message, which may hold values. */
export function placeOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 5)
    .map((line) => line.trim());
}
