/** `npm run openapi`: writes what the OpenAPI document takes from the source. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factsOfSource } from './source.js';

const root = process.cwd();
writeFileSync(join(root, 'apps/engine/openapi.facts.json'), JSON.stringify(factsOfSource(root), undefined, 2));
