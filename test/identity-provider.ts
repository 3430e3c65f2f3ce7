import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTHeaderParameters } from 'jose';

/** An identity provider on loopback, as OpenID Connect Discovery describes one: its document, its keys, its tokens. */
export class IdentityProviderServer {
  private constructor(
    private readonly server: Server,
    readonly issuer: string,
    readonly publicKey: CryptoKey,
    readonly privateKey: CryptoKey,
  ) {}

  /** The id of its one key. */
  static readonly KEY_ID = 'one';

  static async start(): Promise<IdentityProviderServer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: IdentityProviderServer.KEY_ID, alg: 'RS256', use: 'sig' };
    let issuer = '';
    const server = createServer((request, response) =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new IdentityProviderServer(server, issuer, publicKey, privateKey);
  }

  /** A token for the audience `custos-test` that is good for five minutes, but for what is said otherwise. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    header: Partial<JWTHeaderParameters> = {},
    key: CryptoKey | Uint8Array = this.privateKey,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.issuer, aud: 'custos-test', iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: IdentityProviderServer.KEY_ID, ...header })
      .sign(key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
