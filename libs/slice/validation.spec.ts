import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import { Command, InvalidCommand, readBody, readCommand } from './index.js';

const VALUE = 'asha@example.org';

class Item {
  @IsString()
  @MaxLength(20)
  readonly name!: string;
}

class Keep extends Command {
  get type() {
    return 'Keep' as const;
  }

  @IsInt()
  readonly amount!: number;

  @IsOptional()
  @IsString()
  readonly remark?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => Item)
  readonly items?: readonly Item[];
}

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const body = { commandId, amount: 7 };

/** The fields that are wrong, as `field rule`; the error must not hold a value. */
async function wrong(given: unknown): Promise<string[]> {
  const error: unknown = await readCommand(Keep, given).catch((thrown: unknown) => thrown);
  if (!(error instanceof InvalidCommand)) return [];
  expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(VALUE);
  return error.fields.map(({ field, rule }) => `${field} ${rule}`);
}

describe('a body', () => {
  it('becomes a command, whose name comes from the door and not from the body', async () => {
    const command = await readCommand(Keep, {
      ...body,
      type: 'Destroy',
      occurredAt: '2026-11-23T09:00:00+01:00',
      caseRef: 'TICKET-1/2',
      items: [{ name: 'a' }],
    });
    expect(command).toBeInstanceOf(Keep);
    expect(command).toMatchObject({ ...body, type: 'Keep', caseRef: 'TICKET-1/2', items: [{ name: 'a' }] });
    expect(command.items?.[0]).toBeInstanceOf(Item);
  });

  it.each([undefined, null, 7, VALUE, [], [[]]])('is an object: %j is none', async (given) =>
    expect(await wrong(given)).toEqual(['(body) isObject']),
  );

  it('names every field that is unknown or malformed', async () => {
    expect(await wrong({ commandId: VALUE, amount: VALUE, unknown: VALUE, actor: { roles: ['operator'] } })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^commandId /),
        'amount isInt',
        'unknown whitelistValidation',
        'actor whitelistValidation',
      ]),
    );
    expect(await wrong({ ...body, items: [{ name: 'a', [VALUE]: VALUE }, { name: VALUE.repeat(3) }] })).toEqual([
      'items.0.(unnamed) whitelistValidation',
      'items.1.name maxLength',
    ]);
    expect(await wrong({ ...body, [VALUE]: 1 })).toEqual(['(unnamed) whitelistValidation']);
  });

  it.each(['5B1F0C5E-7D8A-4C5B-9A3E-2F6D1C0B9A87', 'ffffffff-ffff-ffff-ffff-ffffffffffff', VALUE, 7])(
    'has a command id in its one spelling: %j is none',
    async (given) => expect(await wrong({ ...body, commandId: given })).toEqual([expect.stringMatching(/^commandId /)]),
  );

  it.each([
    '2026-11-23',
    '2026-11-23T09:00:00',
    '2026-W48-1T09:00:00Z',
    '2026-02-30T09:00:00Z',
    '9999-12-31T23:59:59-01:00',
    'now',
  ])('happened at an instant: %j is none', async (occurredAt) =>
    expect(await wrong({ ...body, occurredAt })).toEqual([expect.stringMatching(/^occurredAt /)]),
  );

  it.each(['asha@example.org', 'Asha Ó Briain', '', '-1', 'x'.repeat(65)])(
    'refers to a case by an opaque reference: %j is none',
    async (caseRef) => expect(await wrong({ ...body, caseRef })).toEqual([expect.stringMatching(/^caseRef /)]),
  );

  it('may say null for what it leaves out', async () => {
    const command = await readCommand(Keep, { ...body, remark: null, occurredAt: null, caseRef: null, items: null });
    expect(
      Object.keys(command)
        .filter((name) => command[name as keyof Keep] !== undefined)
        .sort(),
    ).toEqual(['amount', 'commandId']);
    expect(await wrong({ ...body, amount: null })).toEqual(['amount isInt']);
    expect(await wrong({ ...body, items: [{ name: null }] })).toEqual(
      expect.arrayContaining(['items.0.name isString']),
    );
    expect(await wrong({ ...body, items: [null] })).not.toEqual([]);
  });

  it.each([
    ['an empty list', [[]]],
    ['a list of items', [[{ name: 'a' }]]],
    ['a text', ['a']],
    ['a number', [1]],
  ])('has items where items belong, not %s', async (_name, items) =>
    expect(await wrong({ ...body, items })).toEqual([expect.stringMatching(/^items/)]),
  );

  it.each(['{"__proto__":{"roles":["operator"]}}', '{"constructor":{"prototype":{}}}', '{"items":[{"__proto__":1}]}'])(
    'reaches no prototype: %s',
    async (text) => {
      const given = Object.defineProperties({ ...body }, Object.getOwnPropertyDescriptors(JSON.parse(text)));
      expect(await wrong(given)).toEqual([expect.stringMatching(/ forbiddenName$/)]);
      expect(({} as { roles?: unknown }).roles).toBeUndefined();
    },
  );

  it('is not deeper than twelve levels', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? VALUE : { remark: nested(depth - 1) });
    expect(await wrong({ ...body, remark: nested(12) })).toEqual(['remark maxDepth']);
    expect(await wrong({ ...body, remark: nested(100_000 / 20) })).toEqual(['remark maxDepth']);
    expect(await wrong({ ...body, remark: nested(3) })).toEqual(['remark isString']);
  });

  it('is text that Unicode knows, in names too', async () => {
    expect(await wrong({ ...body, remark: 'a\ud800' })).toEqual(['remark isWellFormed']);
    expect(await wrong({ ...body, items: [{ name: '\udc00' }] })).toEqual(['items.0.name isWellFormed']);
    expect(await wrong({ ...body, remark: '😀' })).toEqual([]);
    expect(await wrong({ ...body, [`${VALUE}\ud800`]: 1 })).toEqual(['(unnamed) isWellFormed']);
  });

  it('whose names are values is answered without them', async () => {
    expect(await wrong({ ...body, [VALUE]: '\ud800' })).toEqual(['(unnamed) isWellFormed']);
    expect(await wrong({ ...body, [VALUE]: { __proto__x: 1, constructor: 1 } })).toEqual(['(unnamed) forbiddenName']);
    expect(await wrong({ ...body, [VALUE]: JSON.parse('['.repeat(20) + ']'.repeat(20)) as unknown })).toEqual([
      expect.stringMatching(/^\(unnamed\)/),
    ]);
  });

  it('of another shape is read by the same rules', async () => {
    expect(await readBody(Item, { name: 'a' })).toBeInstanceOf(Item);
    await expect(readBody(Item, { name: 'a', type: 'b' })).rejects.toThrow('type (whitelistValidation)');
  });
});
