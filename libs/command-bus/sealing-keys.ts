import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { epochMilliseconds } from '#kernel';
import type { KeyVault } from '#key-vault';
import type { Clock } from '#slice';
import type { SealingKey } from './sdk/index.js';

/** How long a key is the newest one: thirty days. It opens messages for as long again, and is destroyed then. */
export const KEY_PERIOD = 30 * 24 * 60 * 60 * 1000;

const NAME = /^command-bus (\d+)$/;
const nameOf = (period: number): string => `command-bus ${period}`;
/** PKCS #8 of an X25519 private key, up to its 32 bytes (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * The engine's keys that senders seal to. They stand in the key vault, so all engines that share it have the same.
 * Two are valid at once: the newest, and the one before. Older ones are destroyed, not only withdrawn: a copy of
 * Redis's files must not open what has been erased since.
 */
export class SealingKeys {
  #period = -1;
  #keys: readonly { readonly published: SealingKey; readonly key: KeyObject }[] = [];
  #turning: Promise<void> | undefined;

  constructor(
    private readonly vault: KeyVault,
    private readonly clock: Clock,
  ) {}

  /** Valid public keys, newest first. */
  async published(): Promise<readonly SealingKey[]> {
    await this.#turn();
    return this.#keys.map(({ published }) => published);
  }

  /** Private keys that are valid now, by their ids. */
  async valid(): Promise<(kid: string) => KeyObject | undefined> {
    await this.#turn();
    const keys = this.#keys;
    return (kid) => keys.find(({ published }) => published.kid === kid)?.key;
  }

  async #turn(): Promise<void> {
    const period = Math.floor(epochMilliseconds(this.clock.now()) / KEY_PERIOD);
    if (period === this.#period) return;
    this.#turning ??= this.#change(period).finally(() => (this.#turning = undefined));
    await this.#turning;
  }

  async #change(period: number): Promise<void> {
    await this.vault.destroySecrets((name) => Number(NAME.exec(name)?.[1] ?? period) < period - 1);
    this.#keys = await Promise.all(
      [period, period - 1].map(async (each) => pairOf(await this.vault.ensureSecret(nameOf(each)))),
    );
    this.#period = period;
  }
}

function pairOf(secret: Buffer): { readonly published: SealingKey; readonly key: KeyObject } {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const kid = createHash('sha256').update(x).digest('base64url').slice(0, 16);
  return { published: { kty: 'OKP', crv: 'X25519', x, kid, use: 'enc' }, key };
}
