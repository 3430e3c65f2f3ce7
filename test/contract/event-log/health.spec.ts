import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { startChild } from '../../faults/event-log.js';
import { chunk, connect } from './rpc.js';
import { events, refusal } from './store.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'event-log-health-'));
let server: EmbeddedEventStore;
let client: EventStoreDBClient;

beforeAll(async () => {
  server = await startEmbeddedEventStore({ dataDir: join(scratch, 'data'), healthPort: 0 });
  client = EventStoreDBClient.connectionString(server.connectionString);
});
afterEach(() => void jest.restoreAllMocks());
afterAll(async () => {
  await client.dispose();
  await server.stop();
  fs.rmSync(scratch, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}
const ask = (path: string, method = 'GET', port = server.healthPort, host = '127.0.0.1'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body: body.trimEnd() }));
    });
    asked.on('error', reject);
    asked.end();
  });
const failure = (code: string, syscall: string) => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });

describe('a healthy server', () => {
  it('is alive and ready', async () => {
    expect(await ask('/health/live')).toEqual({ status: 200, body: '{"live":true}' });
    expect(await ask('/health/ready?verbose')).toEqual({ status: 200, body: '{"ready":true}' });
    expect(await ask('/health/ready', 'HEAD')).toEqual({ status: 200, body: '' });
  });

  it('answers nothing else on that port', async () => {
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/health')).status).toBe(404);
    expect((await ask('/health/ready', 'POST')).status).toBe(405);
  });

  it('answers on loopback only', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address, family, internal } of addresses) {
      if (internal || family !== 'IPv4') continue;
      await expect(ask('/health/live', 'GET', server.healthPort, address)).rejects.toThrow('ECONNREFUSED');
    }
    await expect(ask('/health/live', 'GET', server.healthPort, '127.0.0.2')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a disk that fails', () => {
  it('by being full leaves the server ready, and is told until an append gets through', async () => {
    jest.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw failure('ENOSPC', 'write');
    });
    await refusal(client.appendToStream('s', events(1)));
    expect(await ask('/health/ready')).toEqual({ status: 200, body: '{"ready":true,"lastAppend":"ENOSPC: write"}' });
    await client.appendToStream('s', events(1));
    expect(await ask('/health/ready')).toEqual({ status: 200, body: '{"ready":true}' });
  });

  it('in a sync leaves it alive and not ready', async () => {
    jest.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
      throw failure('EIO', 'fdatasync');
    });
    await refusal(client.appendToStream('s', events(1)));
    const reason = 'the disk failed: EIO: fdatasync; restart the event store';
    expect(await ask('/health/ready')).toEqual({ status: 503, body: JSON.stringify({ ready: false, reason }) });
    expect((await ask('/health/live')).status).toBe(200);
  });
});

describe('a server that stops', () => {
  it('is not ready before it is gone', async () => {
    const dataDir = join(scratch, 'stopping');
    const stopping = await startEmbeddedEventStore({ dataDir, healthPort: 0, sync: 'threadpool' });
    const synced = new Promise<() => void>((resolve) =>
      jest
        .spyOn(fs, 'fdatasync')
        .mockImplementationOnce(((_fd: number, done: (error: null) => void) =>
          resolve(() => done(null))) as typeof fs.fdatasync),
    );
    const rpc = connect(stopping.connectionString);
    const call = rpc.streams.batchAppend().on('error', () => undefined);
    const list = [{ id: randomUUID(), type: 'T' }];
    call.write(chunk({ correlationId: randomUUID(), stream: 's', events: list, isFinal: true }));
    const finish = await synced;
    const stopped = stopping.stop();
    const answer = await ask('/health/ready', 'GET', stopping.healthPort);
    finish();
    expect(answer).toEqual({ status: 503, body: '{"ready":false,"reason":"the event store is stopping"}' });
    await stopped;
    rpc.close();
    await expect(ask('/health/live', 'GET', stopping.healthPort)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the health port', () => {
  it('is nowhere unless it is asked for', async () => {
    const quiet = await startEmbeddedEventStore({ dataDir: join(scratch, 'quiet') });
    expect(quiet.healthPort).toBeUndefined();
    await quiet.stop();
  });

  it('that is taken ends the start, which gives folder and port back', async () => {
    const options = { dataDir: join(scratch, 'taken') };
    await expect(startEmbeddedEventStore({ ...options, healthPort: server.healthPort })).rejects.toThrow('EADDRINUSE');
    await (await startEmbeddedEventStore(options)).stop();
  });

  it('of the process is in its line of readiness', async () => {
    const child = await startChild({ dir: join(scratch, 'process'), args: ['--health-port', '0'] });
    const { stdout, code } = await child.end('SIGTERM');
    const { ready, healthPort, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect([code, ready, typeof healthPort, rest]).toEqual([0, true, 'number', { port: child.port }]);
  });
});
