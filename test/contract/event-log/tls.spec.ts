import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { addUser, startEmbeddedEventStore, type EmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { spawnStore, startChild } from '../../faults/event-log.js';
import { describeWithOpenssl, type Certificate } from './certificate.js';
import { collect, events, refusal, revisions, streamName, until } from './store.js';

describeWithOpenssl('a server with a certificate', (make) => {
  const scratch = mkdtempSync(join(tmpdir(), 'event-log-tls-'));
  let certificate: Certificate;
  let server: EmbeddedEventStore;

  beforeAll(async () => {
    certificate = make();
    server = await startEmbeddedEventStore({
      dataDir: join(scratch, 'data'),
      tls: certificate,
      timings: { ping: 300 },
    });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  const trusting = (file: string): string => `${server.connectionString}&tlsCAFile=${encodeURIComponent(file)}`;
  const withClient = async <T>(url: string, use: (client: EventStoreDBClient) => Promise<T>): Promise<T> => {
    const client = EventStoreDBClient.connectionString(url);
    try {
      return await use(client);
    } finally {
      await client.dispose();
    }
  };

  it('serves a client that trusts it: appends, reads, subscriptions, large messages', async () => {
    expect(server.connectionString).toBe(`esdb://127.0.0.1:${server.port}?tls=true`);
    await withClient(trusting(certificate.certFile), async (client) => {
      const stream = streamName();
      await client.appendToStream(stream, events(3));
      expect(revisions(await collect(client.readStream(stream)))).toEqual([0, 1, 2]);
      const seen: number[] = [];
      const subscription = client
        .subscribeToStream(stream)
        .on('data', ({ event }) => seen.push(Number(event?.revision)));
      await until(() => seen.length === 3, 'the stored events');
      const large = events(400).map((event) => ({ ...event, data: { n: 0, text: 'x'.repeat(2000) } }));
      await client.appendToStream(stream, large);
      await until(() => seen.length === 403, 'the new events');
      expect(seen).toEqual(Array.from({ length: 403 }, (_, i) => i));
      await subscription.unsubscribe();
    });
  });

  it('is refused by a client that does not know its certificate', async () => {
    const stranger = make();
    const { type } = await withClient(trusting(stranger.certFile), (client) => refusal(collect(client.readAll())));
    expect(type).toBe('unavailable');
  });

  it('gives nothing to a client without TLS', async () => {
    const url = `esdb://127.0.0.1:${server.port}?tls=false`;
    const { type } = await withClient(url, (client) => refusal(collect(client.readAll())));
    expect(type).toBe('unavailable');
  });

  /** How a handshake ends: the protocol that was agreed on, or `refused`. */
  const handshake = (options: ConnectionOptions): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: certificate.ca, ...options });
      socket.on('secureConnect', () => {
        resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
        socket.destroy();
      });
      socket.on('error', () => resolve('refused'));
    });

  it('speaks TLS 1.2 and 1.3 with HTTP/2, and nothing older', async () => {
    const ALPNProtocols = ['h2'];
    expect(await handshake({ ALPNProtocols })).toBe('TLSv1.3 h2');
    expect(await handshake({ ALPNProtocols, maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 h2');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await handshake({ ALPNProtocols, ...old })).toBe('refused');
    expect(await handshake({ ALPNProtocols: ['http/1.1'] })).toBe('refused');
  });

  it('cuts a connection that does not finish its handshake', async () => {
    const started = Date.now();
    const socket = connectPlain(server.port, '127.0.0.1');
    socket.resume();
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Date.now() - started).toBeLessThan(3000);
  });

  it('is started as a process by options, which go together', async () => {
    const { certFile, keyFile } = certificate;
    const dir = join(scratch, 'process');
    const users = join(scratch, 'users.json');
    await addUser(users, 'ann', 'secret', []);
    const refused = async (...args: string[]) => (await (await spawnStore({ dir, args })).exit).stderr;
    expect(await refused('--tls-cert', certFile)).toBe('event store: --tls-cert and --tls-key go together\n');
    expect(await refused('--users', users)).toMatch(/^event store: users need a certificate.*\n$/);
    expect(await refused('--host', '0.0.0.0')).toMatch(/^event store: without users .* loopback only.*\n$/);
    const args = ['--tls-cert', certFile, '--tls-key', keyFile, '--users', users];
    const child = await startChild({ dir, args: [...args, '--host', '0.0.0.0'] });
    const url = (credentials: string) =>
      `esdb://${credentials}127.0.0.1:${child.port}?tls=true&tlsCAFile=${encodeURIComponent(certFile)}`;
    const stream = streamName();
    await withClient(url('ann:secret@'), (client) => client.appendToStream(stream, events(1)));
    const { type } = await withClient(url(''), (client) => refusal(collect(client.readStream(stream))));
    expect(type).toBe('access-denied');
    expect((await child.end('SIGTERM')).code).toBe(0);
  });

  it('does not start with a certificate it cannot use, and gives the folder back', async () => {
    const dataDir = join(scratch, 'other');
    const foreign = make();
    const unreadable = join(scratch, 'unreadable.key');
    writeFileSync(unreadable, 'no key');
    const start = (certFile: string, keyFile: string) =>
      startEmbeddedEventStore({ dataDir, tls: { certFile, keyFile } });
    for (const keyFile of [foreign.keyFile, unreadable, join(scratch, 'absent')]) {
      await expect(start(certificate.certFile, keyFile)).rejects.toThrow(
        `the certificate ${certificate.certFile} with the key ${keyFile} is of no use`,
      );
    }
    await (await start(foreign.certFile, foreign.keyFile)).stop();
  });
});
