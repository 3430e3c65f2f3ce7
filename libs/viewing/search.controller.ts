import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { OpenTo, SentBy } from '#access';
import { uuidV5, type Actor } from '#kernel';
import {
  CLOCK,
  type Clock,
  CommandDoor,
  InvalidCommand,
  IsRegisterId,
  readBody,
  REFERENCE,
  type Refused,
  RegisterHost,
  wholeNumber,
} from '#slice';
import { BlindIndex, type FoundSubject, type GenerationState } from './blind-index.js';
import { normalised, SEARCH_FIELDS, type SearchField } from './identifier.js';
import { inTheNameOf } from './view-door.js';
import { lookFacts } from './view-facts.js';
import { MOST_FOUND } from './viewer.commands.js';
import { openToSearch } from './viewer.decider.js';

/** What is searched for comes in a body: an address stands in logs of servers and proxies, and in histories. */
class SearchQuestion {
  @IsIn(SEARCH_FIELDS)
  readonly field!: SearchField;

  @IsString()
  @MinLength(1)
  @MaxLength(320)
  readonly term!: string;

  @IsOptional()
  @IsRegisterId()
  readonly purposeId?: string;

  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly caseRef?: string;
}

interface SearchAnswer {
  /** As `GET /v1/registers/searches` lists it. */
  readonly searchId: string;
  /** Whose it is; their values stay shut. */
  readonly found: readonly FoundSubject[];
}

/** What stands for an identifier that is none: names the field, never the value. */
const RULES: Readonly<Record<SearchField, string>> = {
  email: 'isEmail',
  phone: 'isPhoneNumber',
  customerNumber: 'isCustomerNumber',
};

/** Finds people by what they are known by. Every search is on record before it is answered (C15). */
@Controller('v1')
export class SearchController {
  constructor(
    private readonly index: BlindIndex,
    private readonly door: CommandDoor,
    private readonly registers: RegisterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post('searches')
  @HttpCode(200)
  @OpenTo('staff', 'privacyOfficer', 'legal', 'auditor')
  async search(
    @Body() body: unknown,
    @Query('min-position') position: string | undefined,
    @SentBy() actor: Actor,
  ): Promise<SearchAnswer | Refused> {
    const { field, term, purposeId, caseRef } = await readBody(SearchQuestion, body);
    if (normalised(field, term) === undefined) throw new InvalidCommand([{ field: 'term', rule: RULES[field] }]);
    if (position !== undefined) await this.index.reached(wholeNumber('min-position', position));
    const asked = { field, ...(purposeId !== undefined && { purposeId }), ...(caseRef !== undefined && { caseRef }) };
    const now = this.clock.now();
    const opened = openToSearch(asked, actor, { ...lookFacts(this.registers), now });
    // Who may not search is refused below, on record, and nothing was looked up.
    const found = 'kind' in opened ? [] : await this.index.find(field, term, opened.open, MOST_FOUND);
    const commandId = randomUUID();
    const recorded = await this.door.submit(
      'RecordSearch',
      { commandId, occurredAt: now, ...asked, found },
      inTheNameOf(actor),
    );
    return recorded.accepted ? { searchId: uuidV5(commandId, 'search'), found } : recorded;
  }

  /** How far the index has come, and which generations of its keys there are. */
  @Get('search-index')
  @OpenTo('operator', 'privacyOfficer', 'auditor')
  state(): { readonly generations: readonly GenerationState[] } {
    return { generations: this.index.state() };
  }

  /** Begins to key the index anew; the old entries answer until the new ones are complete. */
  @Post('search-index/rotations')
  @HttpCode(202)
  @OpenTo('operator')
  async rotate(): Promise<{ readonly generation: number }> {
    return { generation: await this.index.rotate() };
  }
}
