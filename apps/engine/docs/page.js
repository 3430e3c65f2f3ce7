/* Reads openapi.json and shows it. Nothing is loaded from elsewhere, and the token leaves the page with requests only. */

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const $ = (id) => document.getElementById(id);

/** Text is only ever set as text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, String(value));
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const response = await fetch('/docs/openapi.json');
const api = await response.json();
const at = (pointer) =>
  pointer
    .slice(2)
    .split('/')
    .reduce((found, part) => found?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], api);
const resolve = (thing) => (thing?.$ref === undefined ? thing : resolve(at(thing.$ref)));

/** A schema with what it refers to, as far as that ends. */
function whole(schema, open = []) {
  if (Array.isArray(schema)) return schema.map((each) => whole(each, open));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.$ref !== undefined)
    return open.includes(schema.$ref) ? schema : whole(at(schema.$ref), [...open, schema.$ref]);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value, open)]));
}

/** A body to begin with: what is required, with fresh ids, and the name of a field where only the reader knows. */
function begin(schema, named = '') {
  const given = resolve(schema) ?? {};
  if (given.const !== undefined) return given.const;
  if (given.enum) return given.enum[0];
  switch (given.type) {
    case 'object':
      return Object.fromEntries((given.required ?? []).map((name) => [name, begin(given.properties?.[name], name)]));
    case 'array':
      return given.minItems > 0 ? [begin(given.items, named)] : [];
    case 'integer':
    case 'number':
      return given.minimum ?? 0;
    case 'boolean':
      return false;
    case 'string':
      if (given.format === 'uuid') return freshUuid();
      if (given.format === 'date-time') return new Date().toISOString();
      if (given.format === 'date') return new Date().toISOString().slice(0, 10);
      return named === '' ? '' : `<${named}>`;
    default:
      return null;
  }
}

/** Browsers keep `crypto.randomUUID` for pages that came over TLS or from this machine. */
function freshUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const row = (...cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell)));
const code = (text) => element('code', {}, text);
const shown = (value) => element('pre', {}, JSON.stringify(value, undefined, 2));

/** What may stand in a field, in a few words. */
function kindOf(schema) {
  const given = resolve(schema) ?? {};
  if (given.const !== undefined) return JSON.stringify(given.const);
  if (given.enum) return given.enum.join(' | ');
  if (given.anyOf) return given.anyOf.map(kindOf).join(' or ');
  if (given.type === 'array') {
    const { minItems, maxItems } = given;
    return `list of ${kindOf(given.items)}${rangeOf(minItems, maxItems)}`;
  }
  const range = rangeOf(given.minimum ?? given.minLength, given.maximum ?? given.maxLength);
  const form =
    given.format ?? (given.pattern === undefined || given.pattern === '\\S' ? '' : `matching ${given.pattern}`);
  return `${[given.type ?? 'anything'].flat().join(' or ')}${range}${form === '' ? '' : ` ${form}`}`;
}

function rangeOf(least, most) {
  if (least === undefined) return most === undefined ? '' : `, at most ${most},`;
  return most === undefined ? `, at least ${least},` : `, ${least} to ${most},`;
}

/** Every field of a body, those within others after them: `items[].category`. */
function fieldsOf(schema, before = '', open = []) {
  const given = resolve(schema) ?? {};
  if (open.includes(given)) return [];
  return Object.entries(given.properties ?? {}).flatMap(([name, field]) => {
    const inner = resolve(field) ?? {};
    const path = `${before}${name}`;
    const [items, sign] = inner.type === 'array' ? [resolve(inner.items), '[]'] : [inner, ''];
    return [
      { path, required: given.required?.includes(name) ?? false, kind: kindOf(field), about: inner.description ?? '' },
      ...fieldsOf(items, `${path}${sign}.`, [...open, given]),
    ];
  });
}

function fields(schema) {
  const head = element('tr', {}, ...['field', '', 'takes', 'meaning'].map((text) => element('th', {}, text)));
  const rows = fieldsOf(schema).map(({ path, required, kind, about }) =>
    row(code(path), required ? 'required' : '', kind.replace(/,$/, ''), about),
  );
  const raw = element('details', {}, element('summary', {}, 'schema'));
  raw.addEventListener('toggle', () => raw.childElementCount === 1 && raw.append(shown(whole(schema))));
  return [element('h4', {}, 'body'), element('table', { class: 'fields' }, head, ...rows), raw];
}

/** The request as it is sent from a terminal. */
function example(method, path, operation) {
  const schema = operation.requestBody?.content['application/json'].schema;
  const needed = (operation.parameters ?? []).filter(({ in: where, required }) => where === 'query' && required);
  const query = needed.map(({ name, schema: given }) => `${name}=${encodeURIComponent(begin(given, name))}`).join('&');
  const lines = [
    `curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}"$URL${path}${query === '' ? '' : `?${query}`}"`,
    ...(operation['x-roles'] ? ['-H "authorization: Bearer $TOKEN"'] : []),
    ...(schema ? ["-H 'content-type: application/json'", `-d '${JSON.stringify(begin(schema))}'`] : []),
  ];
  return [element('h4', {}, 'example'), element('pre', { class: 'example' }, lines.join(' \\\n  '))];
}

function answers(operation) {
  return Object.entries(operation.responses).map(([status, given]) => {
    const { description, content } = resolve(given);
    const schemas = Object.entries(content ?? {});
    if (schemas.length === 0) return element('p', {}, element('strong', {}, status), ` ${description}`);
    const made = element('details', {}, element('summary', {}, element('strong', {}, status), ` ${description}`));
    made.addEventListener('toggle', () => {
      if (made.childElementCount === 1)
        made.append(...schemas.flatMap(([type, { schema }]) => [element('p', {}, code(type)), shown(whole(schema))]));
    });
    return made;
  });
}

function refusals(operation) {
  const codes = operation['x-refusals'] ?? [];
  if (codes.length === 0) return [];
  return [
    element('h4', {}, 'may be refused'),
    element(
      'table',
      {},
      ...codes.map((name) => {
        const { clauses, law, remedy } = api['x-refusals'][name];
        return row(code(name), [...clauses, law].join(', '), remedy);
      }),
    ),
  ];
}

/** A form that sends the request. */
function attempt(method, path, operation) {
  const parameters = operation.parameters ?? [];
  const inputs = parameters.map(({ name, required }) =>
    element('input', { name, placeholder: required ? 'required' : '', 'aria-label': name }),
  );
  const schema = operation.requestBody?.content['application/json'].schema;
  const body = schema && element('textarea', { 'aria-label': 'body', spellcheck: 'false' });
  if (body) body.value = JSON.stringify(begin(schema), undefined, 2);
  const output = element('pre', { hidden: '' });
  const form = element(
    'form',
    { autocomplete: 'off' },
    element('h4', {}, 'try it'),
    element(
      'table',
      {},
      ...parameters.map(({ name, in: where, description }, index) =>
        row(code(name), inputs[index], `${where}${description ? `: ${description}` : ''}`),
      ),
    ),
    body,
    element('p', {}, element('button', {}, 'send')),
    output,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    let target = path;
    const query = new URLSearchParams();
    parameters.forEach(({ name, in: where }, index) => {
      const value = inputs[index].value;
      if (where === 'path') target = target.replace(`{${name}}`, encodeURIComponent(value));
      else if (value !== '') query.append(name, value);
    });
    const token = $('token').value;
    output.hidden = false;
    output.textContent = '...';
    try {
      const answer = await fetch(query.size > 0 ? `${target}?${query}` : target, {
        method: method.toUpperCase(),
        headers: {
          ...(token !== '' && { authorization: `Bearer ${token}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: body.value }),
      });
      const text = await answer.text();
      output.textContent = `${answer.status}\n${pretty(text)}`;
    } catch (error) {
      output.textContent = String(error);
    }
  });
  return form;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function shownOperation(method, path, operation) {
  const made = element(
    'details',
    { id: operation.operationId },
    element(
      'summary',
      {},
      element('span', { class: `method ${method}` }, method),
      element('span', { class: 'path' }, path),
      ' ',
      element('span', { class: 'about' }, operation.summary ?? ''),
    ),
  );
  made.addEventListener('toggle', () => {
    if (!made.open || made.childElementCount > 1) return;
    const schema = operation.requestBody?.content['application/json'].schema;
    made.append(
      ...(operation.description === operation.summary ? [] : [element('p', {}, operation.description ?? '')]),
      element('p', {}, operation['x-roles'] ? `open to ${operation['x-roles'].join(', ')}` : 'open to anyone'),
      ...(schema ? fields(schema) : []),
      ...example(method, path, operation),
      ...refusals(operation),
      element('h4', {}, 'answers'),
      ...answers(operation),
      attempt(method, path, operation),
    );
  });
  made.dataset.words = [
    ...[method, path, operation.operationId, operation.description ?? ''],
    ...[...(operation['x-roles'] ?? ['anyone']), ...(operation['x-refusals'] ?? [])],
  ]
    .join(' ')
    .toLowerCase();
  return made;
}

$('about').textContent = api.info.description;
const groups = new Map(
  api.tags.map(({ name }) => [name, element('section', { id: `group-${name}` }, element('h2', {}, name))]),
);
for (const [path, operations] of Object.entries(api.paths))
  for (const method of METHODS)
    if (operations[method])
      groups.get(operations[method].tags[0])?.append(shownOperation(method, path, operations[method]));
$('operations').append(...groups.values());
const links = new Map(
  [...groups.keys()].map((name) => [name, element('a', { href: `#group-${name}` }, name, ' ', element('span', {}))]),
);
$('groups').append(...links.values());

/** Shows what has every word that was asked for, and how many operations that are. */
function find(text) {
  const wanted = text.toLowerCase().split(/\s+/);
  let found = 0;
  for (const [name, group] of groups) {
    const operations = [...group.querySelectorAll(':scope > details')];
    for (const operation of operations)
      operation.hidden = !wanted.every((word) => operation.dataset.words.includes(word));
    const left = operations.filter((operation) => !operation.hidden).length;
    group.hidden = left === 0;
    links.get(name).hidden = left === 0;
    links.get(name).lastChild.textContent = left;
    found += left;
  }
  $('count').textContent = `${found} operations`;
}
find('');

$('tools').addEventListener('submit', (event) => event.preventDefault());
$('filter').addEventListener('input', () => find($('filter').value.trim()));
/** A link to one operation opens it. */
function openLinked() {
  const linked = location.hash === '' ? undefined : $(decodeURIComponent(location.hash.slice(1)));
  if (!linked) return;
  if (linked.localName === 'details') linked.open = true;
  linked.scrollIntoView();
}
addEventListener('hashchange', openLinked);
openLinked();
