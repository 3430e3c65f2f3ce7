import { expect, it } from '@jest/globals';
import { CodecRegistry, EventLog } from '#event-log';
import type { KeyVault } from '#key-vault';

it('a process opens one event log at a time: the client has one table of pending appends for all', async () => {
  const open = () => new EventLog('esdb://127.0.0.1:1?tls=false', new CodecRegistry([]), {} as KeyVault);
  const first = open();
  expect(open).toThrow('this process already has an open event log');
  await first.close();
  const second = open();
  expect(open).toThrow('this process already has an open event log');
  await second.close();
});
