/*
 * Works on a vault until it is killed: makes keys, seals, destroys items and subjects. Before and after each step
 * it writes one line of JSON to standard output, so that whoever kills it knows what it was promised.
 *
 * Arguments: the folder of the vault, a name no other run has, and after how many steps to stop (0: never).
 */
import { writeSync } from 'node:fs';
import { instant, type SealBinding } from '#kernel';
import { masterKeyFrom, openKeyVault, toStored, type StoredSeal } from '../index.js';

export type Promised =
  | { readonly sealed: string; readonly subject: string; readonly seal: StoredSeal; readonly binding: SealBinding }
  | { readonly destroying: readonly string[] }
  | { readonly destroyed: readonly string[] }
  | { readonly erasing: string }
  | { readonly erased: string }
  | { readonly shared: StoredSeal; readonly binding: SealBinding };

const say = (line: Promised): number => writeSync(1, `${JSON.stringify(line)}\n`);

const [folder, name, steps] = process.argv.slice(2);
if (folder === undefined || name === undefined) throw new Error('usage: worker <folder> <name> [steps]');

const vault = await openKeyVault({
  url: `file:${folder}/vault.db`,
  masterKey: masterKeyFrom(`file:${folder}/master.key`),
  clock: () => instant('2026-11-23T09:00:00Z'),
  cachedKeys: 20,
});
const binding: SealBinding = { eventId: name, type: 'worked.v1', stream: 'work', path: 'value' };

for (let step = 0; Number(steps) === 0 || step < Number(steps); step++) {
  const subjectId = `${name}-subject-${Math.floor(step / 12)}`;
  const keyIds = [`${name}-${step}-a`, `${name}-${step}-b`];
  const shared = { subjectId: 'shared', keyId: `shared-${step % 50}` };
  await vault.ensureKeys([...keyIds.map((keyId) => ({ subjectId, keyId })), shared]);
  for (const keyId of keyIds) {
    say({
      sealed: keyId,
      subject: subjectId,
      seal: toStored(vault.seal(keyId, { subjectId, keyId }, binding)),
      binding,
    });
  }
  say({ shared: toStored(vault.seal(shared.keyId, shared, binding)), binding });
  if (step % 2 === 0) vault.confirm(keyIds);
  if (step % 3 === 0) {
    const going = keyIds.slice(1);
    say({ destroying: going });
    await vault.destroyItemKeys(going, 'expired');
    say({ destroyed: going });
  }
  if (step % 24 === 23) {
    say({ erasing: subjectId });
    await vault.destroySubject(subjectId, 'erasure-request');
    say({ erased: subjectId });
  }
}
await vault.close();
