import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { codecsOf, CommandCatalogue, InvalidCommand, readCommand } from '#slice';
import { asyncApiOf, commandSchemas, integrationEventOf, sdkTypes, sealedFieldsOf, typeOf } from '#command-bus';
import { REFUSALS, type Recorded } from '#kernel';
import { capabilities } from '../apps/capabilities.js';
import { integrationEvents } from '../apps/engine/integration-events.js';

const catalogue = new CommandCatalogue(capabilities);
const require = createRequire(import.meta.url);
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

describe('what the bus says of itself', () => {
  const document = asyncApiOf(catalogue, integrationEvents);

  it('is an AsyncAPI 3 document', () => {
    const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
    const valid = ajv.compile(schema);
    expect({ valid: valid(document), errors: valid.errors }).toEqual({ valid: true, errors: null });
    expect(valid({ ...document, operations: { x: { action: 'shout' } } })).toBe(false);
  });

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '');
    const missing = refs.filter(
      (path) =>
        path.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document) ===
        undefined,
    );
    expect(refs.length).toBeGreaterThan(100);
    expect(missing).toEqual([]);
  });

  it('has every command, and its schema lets pass what the door lets pass', async () => {
    const schemas = commandSchemas(catalogue);
    expect(Object.keys(schemas)).toEqual(catalogue.all().map(({ type }) => type));
    const body = {
      commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
      subjectId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a88',
      purposeId: 'support-ticket',
      collectionPointId: 'support-form',
      noticeId: 'customer-privacy',
      noticeVersion: 1,
      items: [{ category: 'contact.email', value: 'a@example.test' }],
    };
    const valid = ajv.compile(schemas['CollectData'] ?? {});
    const { command } = catalogue.get('CollectData') ?? { command: undefined as never };
    const doorTakes = (given: unknown): Promise<boolean> =>
      readCommand(command, given).then(
        () => true,
        (error: unknown) => {
          if (error instanceof InvalidCommand) return false;
          throw error;
        },
      );
    const bodies: readonly (readonly [object, boolean])[] = [
      [body, true],
      [{ ...body, source: 'derived' }, true],
      [{ ...body, source: 'stars' }, false],
      [{ ...body, noticeVersion: 0 }, false],
      [{ ...body, noticeVersion: 1.5 }, false],
      [{ ...body, items: [] }, false],
      [{ ...body, items: [{ category: 'Not One', value: 'a' }] }, false],
      [{ ...body, items: [{ category: 'contact.email', value: '' }] }, false],
      [{ ...body, unknown: 1 }, false],
      [{ ...body, caseRef: 'a b' }, false],
    ];
    for (const [given, taken] of bodies) {
      expect([given, valid(given)]).toEqual([given, taken]);
      expect([given, await doorTakes(given)]).toEqual([given, taken]);
    }
  });

  it('is what the types of the SDK say; otherwise run `npm run sdk`', () => {
    const bare = (text: string): string => text.replaceAll(/\s+/g, '').replaceAll(/([:=(])\|/g, '$1');
    const written = readFileSync(join(import.meta.dirname, '..', 'libs/command-bus/sdk/commands.ts'), 'utf8');
    expect(bare(written)).toBe(bare(sdkTypes(commandSchemas(catalogue), Object.keys(REFUSALS).sort())));
    expect(typeOf({ type: 'array', items: { enum: ['a', 'b'] } })).toBe("readonly ('a' | 'b')[]");
  });

  it('seals every text that nothing closes, and what is marked as personal', () => {
    const sealed = sealedFieldsOf(catalogue);
    expect(sealed).toMatchObject({
      CollectData: ['items.*.value'],
      CorrectData: ['value'],
      GiveConsent: ['statedAge'],
    });
    expect(sealed['RegisterSubject']).toBeUndefined();
    expect(sealed['PublishNotice']).toEqual(expect.arrayContaining(['content']));
  });
});

/** One stored example of each event, as the capabilities keep them. */
const examples = ['subject', 'consent', 'use', 'purpose', 'notice'].flatMap(
  (name) =>
    JSON.parse(readFileSync(join(import.meta.dirname, '..', `libs/${name}/${name}.golden.json`), 'utf8')) as {
      type: string;
      data: object;
    }[],
);

describe('an integration event', () => {
  const registry = codecsOf(capabilities);
  const recorded = (stored: string, data: object): Recorded => ({
    type: registry.resolve(stored)?.type ?? '',
    data: data as never,
    id: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
    stream: 'subject-1',
    revision: 0,
    position: 7,
    occurredAt: '2026-11-23T10:00:00.000Z' as never,
    recordedAt: '2026-11-23T10:00:00.000Z' as never,
    commandId: 'c',
    actorId: 'crm',
    fingerprint: 'f',
    storedType: stored,
  });

  it.each(Object.entries(integrationEvents))(
    '%s is stored under its name and keeps to its schema',
    (type, { stored, schema }) => {
      expect(registry.resolve(stored)?.type).toBe(type);
      const example = examples.find((each) => each.type === stored);
      if (!example) throw new Error(`there is no stored example of ${stored}`);
      const event = integrationEventOf(recorded(stored, example.data), integrationEvents);
      const valid = ajv.compile(schema);
      expect({ valid: valid(event?.data), errors: valid.errors }).toEqual({ valid: true, errors: null });
      const names = [...JSON.stringify(schema).matchAll(/"([A-Za-z]+)":\{/g)].map((match) => match[1]);
      for (const path of registry.storedAs(type).personal ?? []) expect(names).not.toContain(path.split('.').at(-1));
      expect(JSON.stringify(event)).not.toMatch(/"(enc|ct|tag|iv|keyId)"/);
    },
  );

  it('is never one about a disclosure, nor one that nobody has listed', () => {
    expect(integrationEventOf(recorded('data-shared.v1', {}), integrationEvents)).toBeUndefined();
    expect(integrationEventOf(recorded('command-refused.v1', {}), integrationEvents)).toBeUndefined();
  });
});
