/** The other side of a round trip over the bus: blocks as a consumer of a group, answers and acknowledges. */
import { Redis } from 'ioredis';

const [url = ''] = process.argv.slice(2);
const [reader, writer] = [new Redis(url), new Redis(url)];
await writer.xgroup('CREATE', 'bench:there', 'echo', '0', 'MKSTREAM');
process.stdout.write('ready\n');
for (;;) {
  const answer = (await reader.xreadgroup(
    ...(['GROUP', 'echo', 'one', 'COUNT', 64, 'BLOCK', 1000, 'STREAMS', 'bench:there', '>'] as const),
  )) as [string, [string, string[]][]][] | null;
  const entries = answer?.[0]?.[1] ?? [];
  if (entries.length === 0) continue;
  const answers = writer.pipeline();
  for (const [, fields] of entries)
    answers.xadd('bench:back', 'MAXLEN', '~', 1000, '*', 'id', fields[1] ?? '', 'event', fields[3] ?? '');
  answers.xack('bench:there', 'echo', ...entries.map(([id]) => id));
  answers.xtrim('bench:there', 'MINID', '=', entries.at(-1)?.[0] as never);
  await answers.exec();
}
