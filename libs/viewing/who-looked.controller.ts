import { Controller, Get, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { OpenTo } from '#access';
import { purposeRegister } from '#purpose';
import { ReadModels } from '#read-model';
import { InvalidCommand, instantIn, limitOf, RegisterHost, wholeNumber } from '#slice';
import { accessLogProjection } from './access-log.projection.js';

interface LogRow {
  readonly kind: string;
  readonly role: string | null;
  readonly categories: string;
  readonly purpose_id: string | null;
  readonly viewed_at: string;
}

/** A look at the person's data, as the person is told of it: who it was by role, and never by name or id. */
interface Look {
  readonly viewedAt: string;
  /** view, emergency, bulk or search. */
  readonly kind: string;
  readonly role: string | null;
  readonly purposeId: string | null;
  /** What the purpose is, in plain words. */
  readonly purpose: string | null;
  readonly categories: readonly string[];
}

interface WhoLooked {
  readonly looks: readonly Look[];
  /** Where the next page begins; absent at the end. */
  readonly next?: number;
}

const PARAMETERS: readonly string[] = ['after', 'limit', 'asOf', 'min-position'];

/** The person's own door: who looked at what is held about them (C15). */
@Controller('v1/subjects')
export class WhoLookedController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly registers: RegisterHost,
  ) {}

  /** Opens to the person of the credential only, and to who acts for them. */
  @Get(':subjectId/who-looked')
  @OpenTo('subject', 'agent')
  views(
    @Param('subjectId', ParseUUIDPipe) subjectId: string,
    @Query() query: Readonly<Record<string, string | undefined>>,
  ): WhoLooked {
    if (Object.keys(query).some((name) => !PARAMETERS.includes(name)))
      throw new InvalidCommand([{ field: 'query', rule: 'isKnownParameter' }]);
    const { after, limit, asOf } = query;
    const page = this.readModels.page(
      accessLogProjection,
      'access_log',
      { subject_id: subjectId },
      wholeNumber('after', after),
      limitOf(limit),
      asOf === undefined ? undefined : instantIn('asOf', asOf),
    );
    const rows = page.rows as unknown as readonly LogRow[];
    return {
      looks: rows.filter(({ kind }) => kind !== 'denied').map((row) => this.#told(row)),
      ...(page.next !== undefined && { next: page.next }),
    };
  }

  #told({ kind, role, categories, purpose_id, viewed_at }: LogRow): Look {
    const versions = purpose_id === null ? [] : (this.registers.get(purposeRegister).get(purpose_id)?.approved ?? []);
    const purpose = versions.findLast(({ effectiveFrom }) => effectiveFrom <= viewed_at) ?? versions.at(-1);
    return {
      viewedAt: viewed_at,
      kind,
      role,
      purposeId: purpose_id,
      purpose: purpose?.plainWords ?? null,
      categories: categories === '' ? [] : categories.split(' '),
    };
  }
}
