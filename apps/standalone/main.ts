import { shownRedisUrl } from '#command-bus/sdk';
import { BadSetting, readConfiguration } from '../configuration.js';
import { startStandalone } from './standalone.js';

const line = (text = ''): void => void process.stdout.write(`${text}\n`);

/** How long stopping may take, in milliseconds: what stands in the way is left as it is. Nothing accepted is lost. */
const LONGEST_STOP = 6_000;

function endWith(error: unknown): never {
  process.stderr.write(`custos: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exit(error instanceof BadSetting ? 2 : 1);
}

try {
  const configuration = readConfiguration(process.env);
  const custos = await startStandalone(configuration, endWith);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(endWith, LONGEST_STOP, new Error('stopping took too long; the process ends as it is')).unref();
    custos.stop().then(() => process.exit(0), endWith);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  line('Custos is running.');
  line(`  API          ${custos.url}/v1`);
  line(`  health       ${custos.url}/health/ready`);
  line(`  event log    ${custos.eventStoreUrl ?? 'the server of EVENTSTORE_URL'}`);
  line(`  data         ${configuration.dataDir}`);
  line(
    `  policy       ${custos.policy.id} version ${custos.policy.version} (${custos.policy.commands} commands applied)`,
  );
  line(`  clock        ${configuration.clock.kind}`);
  line(`  message bus  ${configuration.bus ? shownRedisUrl(configuration.bus.url) : 'off: HTTP only'}`);
  if (custos.firstToken !== undefined) {
    line();
    line('First token, for an operator. It is shown this once; keep it:');
    line(`  ${custos.firstToken}`);
  }
} catch (error) {
  endWith(error);
}
