import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeUnless } from './requirements.js';

/** Public test data stands beside the repository, in `../shared/data`; its README names sources and licences. */
const ROOT = new URL('../../shared/data/', import.meta.url);

/** The company's own policy, as it stands on its website: the text that the product executes. */
export const COMPANY_POLICY = '../policy/customer-privacy-policy.txt';

/** Where a file or folder of the shared data stands, for example `jcs/input`; `undefined` when it is not there. */
export function sharedPath(path: string): string | undefined {
  const file = fileURLToPath(new URL(path, ROOT));
  return existsSync(file) ? file : undefined;
}

/** The text of a file of the shared data; `undefined` when it is not there. */
export function sharedData(path: string): string | undefined {
  const file = sharedPath(path);
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}

/** A `describe` over a file of the shared data. */
export function describeWithData(name: string, path: string, tests: (text: string) => void): void {
  const text = sharedData(path);
  describeUnless(text === undefined ? `../shared/data/${path} is missing` : undefined, name, () => tests(text ?? ''));
}
