import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt, randomUUID } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OpenApiDocument } from '../../apps/engine/openapi.js';
import { isUuid, parseInstant } from '#kernel';
import { Installation } from '../installation.js';
import { Conformance, NO_ROUTE } from '../openapi/conformance.js';
import { ODDITIES, Requests, type Request } from '../openapi/requests.js';
import { everyRole, isOfRegister, KNOWN, named, sendAll, sourceOf, type Outcome } from './odd-requests.js';

const REQUESTS = 10_000;
/** Set it to the seed that a run printed to send its requests again. */
const SEED = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));

describe(`${REQUESTS} requests over all routes`, () => {
  let custos: Installation;
  let document: OpenApiDocument;
  let made: Requests;
  let requests: readonly Request[];
  let outcomes: readonly Outcome[] = [];

  const operations = (): readonly string[] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );

  beforeAll(async () => {
    process.stdout.write(`FUZZ_SEED=${SEED}\n`);
    custos = await Installation.start(undefined, {
      ...{ LOG_LEVEL: 'debug', RATE_LIMIT: '999999999', RATE_LIMIT_ADDRESS: '999999999' },
    });
    const source = await sourceOf(custos, SEED, await everyRole(custos));
    document = source.document;
    made = new Requests(source);
    requests = Array.from({ length: REQUESTS }, () => made.next());
  }, 120_000);

  afterAll(async () => {
    await custos?.remove();
  });

  describe('that are made', () => {
    it('are for every operation of the document', () => {
      expect(operations().length).toBeGreaterThan(200);
      const counted = new Map(operations().map((operation) => [operation, 0]));
      for (const { operation } of requests) counted.set(operation, (counted.get(operation) ?? NaN) + 1);
      expect(Math.min(...counted.values())).toBeGreaterThanOrEqual(Math.floor(REQUESTS / operations().length));
    });

    it('are odd in every way there is, and some in none', () => {
      const share = (fits: (request: Request) => boolean): number => requests.filter(fits).length / REQUESTS;
      const odd = share((request) => request.odd.length > 0);
      expect(odd).toBeGreaterThan(0.7);
      expect(odd).toBeLessThan(0.9);
      const rare = ODDITIES.filter((oddity) => share((request) => request.odd.includes(oddity)) < 0.01);
      expect(rare).toEqual([]);
      expect(requests.filter(({ ahead }) => ahead).length).toBeLessThanOrEqual(20);
    });

    it('keep to the schema when nothing is odd, and mostly do not when the body is', () => {
      const ajv = new Ajv2020({
        strict: false,
        validateFormats: true,
        formats: {
          uuid: isUuid,
          'date-time': (text: string) => parseInstant(text) !== undefined,
          date: true,
          duration: true,
        },
      });
      ajv.addSchema({ $id: 'urn:custos:requests', ...document }, 'urn:custos:requests');
      const keeps = ({ operation, body }: Request): boolean => {
        const [method = '', path = ''] = operation.split(' ');
        const pointer = `/paths/${path.replaceAll('/', '~1')}/${method}/requestBody/content/application~1json/schema`;
        return ajv.getSchema(`urn:custos:requests#${encodeURI(pointer)}`)?.(body) === true;
      };
      const withBody = requests.filter(({ body }) => body !== undefined);
      const asWanted = withBody.filter(({ odd }) => odd.length === 0);
      expect(asWanted.length).toBeGreaterThan(500);
      expect(asWanted.filter((request) => !keeps(request)).map(named)).toEqual([]);
      const spoilt = withBody.filter(({ odd }) => odd.includes('another type') || odd.includes('an extra field'));
      expect(spoilt.filter((request) => !keeps(request)).length / spoilt.length).toBeGreaterThan(0.9);
    });

    it('hold a mark wherever a text stands', () => {
      const marked = requests.filter(({ bytes }) => made.marks.in(bytes.toString('latin1')).length > 0).length;
      expect(marked / REQUESTS).toBeGreaterThan(0.6);
    });

    it('are the same again under the same seed', () => {
      const again = (seed: number): string =>
        new Requests({ document, seed, tokens: {}, known: KNOWN }).next().bytes.toString('latin1');
      expect(again(7)).toBe(again(7));
      expect(again(7)).not.toBe(again(8));
    });
  });

  it('are answered, each with one answer', async () => {
    const sent = await sendAll(custos.url, requests);
    ({ outcomes } = sent);
    const { unanswered } = sent;
    expect(unanswered.slice(0, 20)).toEqual([]);
    const answered = new Set(outcomes.map(({ request }) => request.operation));
    expect(operations().filter((operation) => !answered.has(operation))).toEqual([]);
  }, 180_000);

  it('do not fail: no answer is 5xx, but for a position that is not there yet', () => {
    const failed = outcomes
      .filter(({ heard }) => heard.status >= 500)
      .filter(
        ({ request, heard }) =>
          !(request.ahead && heard.status === 503 && /"the read models are behind"/.test(heard.body)),
      );
    expect(failed.map(({ request, heard }) => `${named(request)} → ${heard.status}`)).toEqual([]);
    // Each of them, and nobody else, is told so.
    for (const { request, heard } of outcomes) if (request.ahead) expect([401, 403, 503]).toContain(heard.status);
  });

  it('reach the rules behind the door: some are accepted, some refused, some turned away', () => {
    const counted = new Map<number, number>();
    for (const { heard } of outcomes) counted.set(heard.status, (counted.get(heard.status) ?? 0) + 1);
    const accepted = outcomes.filter(({ heard }) => heard.body.includes('"accepted":true'));
    expect(accepted.length).toBeGreaterThan(50);
    expect(new Set(accepted.map(({ request }) => request.operation)).size).toBeGreaterThan(15);
    for (const status of [200, 201, 400, 401, 403, 404, 413, 415, 422, 431])
      expect(counted.get(status) ?? 0).toBeGreaterThan(0);
  });

  it('get answers as the document has them, and problems where no route was met', () => {
    const conformance = new Conformance(document);
    const wrong = outcomes.flatMap(({ request, heard }) => {
      const { status, contentType, body } = heard;
      const json = contentType.includes('json') && body !== '' ? (JSON.parse(body) as unknown) : undefined;
      const isProblem =
        contentType.startsWith('application/problem+json') &&
        typeof (json as { title?: unknown } | undefined)?.title === 'string' &&
        (json as { status?: unknown }).status === status;
      // What is no HTTP comes to no route, unless it is so in its body only.
      if ((request.last || status === 431) && isProblem) return [];
      const said = conformance.wrong(request.method, request.target, {
        status,
        contentType,
        body: contentType.includes('json') ? json : body || undefined,
      });
      // A name that is none of a register's has a route, and is not in the document.
      if (said === NO_ROUTE && isProblem) return [];
      if (said !== undefined) return [`${named(request)}: ${said}`];
      return status < 400 || isProblem || (json as { accepted?: unknown }).accepted === false
        ? []
        : [`${named(request)} → ${status} without a shape`];
    });
    expect(wrong.slice(0, 20)).toEqual([]);
  });

  it('come back in nothing', () => {
    const byNumber = new Map(outcomes.map((outcome) => [outcome.request.number, outcome]));
    const echoed = outcomes.flatMap(({ request, heard }) => {
      const isRead = heard.status < 300;
      const isRefusal = [403, 422].includes(heard.status) && heard.body.includes('"refusalId"');
      const found = [
        ...made.marks.in(heard.head).map((mark) => ({ ...mark, where: 'head' })),
        ...made.marks.in(heard.body).filter(({ kind, number }) => {
          // A field is named in whose name nobody hides.
          if (kind === 'name') return !(isRead || isRefusal || (heard.status === 400 && request.number === number));
          // What was taken into a register is read there: it is said about nobody.
          const origin = byNumber.get(number);
          return !(isRead && request.method === 'GET' && origin && isOfRegister(origin));
        }),
      ];
      return found.length > 0 ? [`${named(request)} → ${heard.status}: ${JSON.stringify(found.slice(0, 3))}`] : [];
    });
    expect(echoed.slice(0, 20)).toEqual([]);
  });

  it('leave an engine that answers on, and no trace in what it has written to its terminal', async () => {
    const registered = await custos.send('crm', 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
    expect(registered.body).toMatchObject({ accepted: true });
    expect((await custos.get('auditor', '/v1/refusals?limit=1', registered.body.position)).body.rows).toHaveLength(1);
    expect(custos.output.length).toBeGreaterThan(500);
    expect(made.marks.in(custos.output)).toEqual([]);
  });
});
