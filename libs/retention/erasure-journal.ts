/*
 * The erasure journal: what was destroyed, to be repeated on a vault that is restored from before it.
 *
 * A text file, one JSON object a line, appended and synced. Each line is a tombstone of the vault:
 *
 *   sequence      its number in the vault that wrote it
 *   kind, id      `item` and the id of a key, or `subject` and the id of a person
 *   destroyedAt   RFC 3339
 *   cause         a code
 *
 * It holds opaque ids and no keys. Lines may come twice. A last line without its end was not finished, and is
 * written again.
 */
import { closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { KeyVault, Tombstone } from '#key-vault';

export type JournalEntry = Pick<Tombstone, 'kind' | 'id' | 'destroyedAt' | 'cause'> & { readonly sequence: number };

const ENTRIES_AT_ONCE = 1_000;
const TAIL_BYTES = 4_096;

/** Appends the vault's tombstones to a file, each as soon as it is asked to. One writer per file. */
export class ErasureJournal {
  /** The last tombstone that stands in the file; unknown until it was looked for. */
  #written: number | undefined;

  constructor(private readonly file: string) {}

  /** Writes what is new; durable when it returns. */
  async write(vault: KeyVault): Promise<void> {
    this.#written ??= await this.#lastOf(vault);
    for (;;) {
      const entries = await vault.tombstonesAfter(this.#written, ENTRIES_AT_ONCE);
      const last = entries.at(-1);
      if (!last) return;
      append(this.file, entries.map(lineOf).join(''));
      this.#written = last.sequence;
      if (entries.length < ENTRIES_AT_ONCE) return;
    }
  }

  /** A vault that does not know the last line of the file is another one, or an older one: all of it is written anew. */
  async #lastOf(vault: KeyVault): Promise<number> {
    const last = lastEntryOf(this.file);
    if (!last) return 0;
    const [known] = await vault.tombstonesAfter(last.sequence - 1, 1);
    return known?.sequence === last.sequence && known.kind === last.kind && known.id === last.id ? last.sequence : 0;
  }
}

const lineOf = ({ sequence, kind, id, destroyedAt, cause }: JournalEntry): string =>
  `${JSON.stringify({ sequence, kind, id, destroyedAt, cause })}\n`;

function append(file: string, text: string): void {
  const fd = openSync(file, 'a+', 0o600);
  try {
    cutUnfinishedLine(fd);
    writeSync(fd, text);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a process that died has begun to write. */
function cutUnfinishedLine(fd: number): void {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  readSync(fd, tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf('\n') + 1;
  if (end < tail.length) ftruncateSync(fd, size - tail.length + end);
}

function lastEntryOf(file: string): JournalEntry | undefined {
  if (!existsSync(file)) return undefined;
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString('utf8').split('\n').slice(0, -1);
    return lines.length === 0 ? undefined : (JSON.parse(lines.at(-1)!) as JournalEntry);
  } finally {
    closeSync(fd);
  }
}

/**
 * The entries of a journal.
 *
 * @throws Error naming the line that is none.
 */
export function journalOf(text: string): readonly JournalEntry[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      let entry: JournalEntry | undefined;
      try {
        entry = JSON.parse(line) as JournalEntry;
      } catch {
        // Said below.
      }
      if ((entry?.kind !== 'item' && entry?.kind !== 'subject') || typeof entry.id !== 'string' || entry.id === '')
        throw new Error(`line ${index + 1} of the erasure journal is no entry`);
      return entry;
    });
}
