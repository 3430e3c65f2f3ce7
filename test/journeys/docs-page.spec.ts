import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OpenApiDocument } from '../../apps/engine/openapi.js';
import { Browser, describeWithBrowser } from '../browser.js';
import { Installation } from '../installation.js';

/** `/docs` as a developer sees it, in a real browser. */
describeWithBrowser('the page about the API', () => {
  let custos: Installation;
  let browser: Browser;
  let document: OpenApiDocument;

  beforeAll(async () => {
    custos = await Installation.start();
    document = (await custos.get('operator', '/docs/openapi.json')).body as OpenApiDocument;
    browser = await Browser.launch();
    await browser.open(`${custos.url}/docs`, `document.querySelectorAll('#operations details').length > 0`);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await custos?.remove();
  });

  const operations = () => Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const texts = (selector: string): Promise<unknown> =>
    browser.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.textContent)`);
  const shown = async (): Promise<readonly string[]> =>
    (await browser.evaluate(
      `[...document.querySelectorAll('#operations section > details')].filter((each) => each.checkVisibility()).map((each) => each.id)`,
    )) as string[];
  const find = (text: string): Promise<unknown> =>
    browser.evaluate(
      `document.getElementById('filter').value = ${JSON.stringify(text)}; document.getElementById('filter').dispatchEvent(new Event('input'))`,
    );
  /** Errors of every kind: on the console, thrown, and of what was loaded. */
  const errors = () =>
    browser.reported.filter(
      ({ method, params }) =>
        method === 'Runtime.exceptionThrown' ||
        (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params['type']))) ||
        (method === 'Log.entryAdded' && (params['entry'] as { level: string }).level === 'error') ||
        method === 'Network.loadingFailed',
    );

  it('lists every operation of the document, by capability', async () => {
    expect(operations().length).toBeGreaterThan(200);
    expect([...(await shown())].sort()).toEqual(
      operations()
        .map(({ operationId }) => operationId)
        .sort(),
    );
    const tags = [...new Set(operations().flatMap((each) => each['tags'] as string[]))];
    expect(await texts('#operations h2')).toEqual(tags);
    expect((await texts('#groups a')) as string[]).toHaveLength(tags.length);
    expect(await texts('#count')).toEqual([`${operations().length} operations`]);
  });

  it('finds operations by name, path, role and refusal', async () => {
    const having = (code: string): readonly string[] =>
      operations()
        .filter((each) => ((each['x-refusals'] as string[] | undefined) ?? []).includes(code))
        .map(({ operationId }) => operationId);
    await find('consent_withdrawn');
    expect(having('CONSENT_WITHDRAWN')).toContain('AuthoriseUse');
    expect([...(await shown())].sort()).toEqual([...having('CONSENT_WITHDRAWN')].sort());
    await find('post collectdata service');
    expect(await shown()).toEqual(['CollectData']);
    await find('no such thing');
    expect(await shown()).toEqual([]);
    await find('');
    expect(await shown()).toHaveLength(operations().length);
  });

  it('says of an operation what it takes, what it may be refused with, and how it is asked', async () => {
    await browser.evaluate(`location.hash = '#CollectData'`);
    await browser.until(`document.querySelectorAll('#CollectData .fields tr').length > 5`);
    const rows = (await texts('#CollectData .fields tr')) as string[];
    expect(rows).toEqual(
      expect.arrayContaining([expect.stringMatching(/^items\[\]\.valuerequiredstring, 1 to 20000/)]),
    );
    const refusals = (await texts('#CollectData table:not(.fields) td:first-child')) as string[];
    expect(refusals).toEqual(expect.arrayContaining(['NOTICE_NOT_PRESENTED', 'DATA_EXCESSIVE']));
    const said = String(await browser.evaluate(`document.getElementById('CollectData').innerText`));
    expect(said).toContain('present the notice to the person first');
    expect(said).toMatch(/open to .*service/);
    const [example] = (await texts('#CollectData .example')) as [string];
    expect(example).toMatch(/^curl -X POST "\$URL\/v1\/commands\/CollectData"/);
    const body = JSON.parse(/-d '(.*)'$/s.exec(example)?.[1] ?? '') as Record<string, unknown>;
    expect(Object.keys(body)).toEqual(expect.arrayContaining(['commandId', 'subjectId', 'purposeId', 'items']));
  });

  it('sends what is tried with the token, and keeps the token to itself', async () => {
    const token = custos.token('crm');
    await browser.evaluate(`location.hash = '#RegisterSubject'`);
    await browser.until(`document.querySelector('#RegisterSubject form textarea') !== null`);
    const body = JSON.stringify({ commandId: randomUUID(), subjectId: randomUUID(), capacity: 'individual' });
    await browser.evaluate(`
      document.getElementById('token').value = ${JSON.stringify(token)};
      document.querySelector('#RegisterSubject form textarea').value = ${JSON.stringify(body)};
      document.querySelector('#RegisterSubject form button').click()`);
    await browser.until(`document.querySelector('#RegisterSubject form > pre').textContent.startsWith('200')`);
    expect(await texts('#RegisterSubject form > pre')).toEqual([expect.stringContaining('"accepted": true')]);
    const kept = await browser.evaluate(
      `location.href + document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }) + document.body.innerText`,
    );
    expect(kept).not.toContain(token);
  });

  it('loads from nowhere else, and complains of nothing', () => {
    const asked = browser.reported
      .filter(({ method }) => method === 'Network.requestWillBeSent')
      .map(({ params }) => (params['request'] as { url: string }).url);
    expect(asked).toEqual(
      expect.arrayContaining(
        ['/docs', '/docs/page.js', '/docs/page.css', '/docs/icon.svg', '/docs/openapi.json'].map(
          (path) => custos.url + path,
        ),
      ),
    );
    expect(asked.filter((url) => new URL(url).origin !== custos.url)).toEqual([]);
    expect(errors()).toEqual([]);
  });

  it('could not load from elsewhere, nor run what somebody wrote into it', async () => {
    await browser.evaluate(`
      window.refused = [];
      addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective));
      fetch('http://127.0.0.1:9/').catch(() => undefined);
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      const image = document.createElement('img');
      image.src = 'http://127.0.0.1:9/x.png';
      document.body.append(script, image)`);
    await browser.until('window.refused.length >= 3');
    expect([...((await browser.evaluate('window.refused')) as string[])].sort()).toEqual([
      ...['connect-src', 'img-src', 'script-src-elem'],
    ]);
    expect(await browser.evaluate('window.wasRun === undefined')).toBe(true);
    // What was refused shows among the errors: so it is seen that there were none before.
    expect(errors().length).toBeGreaterThan(0);
  });
});
