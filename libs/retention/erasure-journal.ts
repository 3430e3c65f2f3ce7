/*
 * The erasure journal: what a vault that is restored from before it must not know any more, and what it has to know.
 *
 * A text file, one JSON object a line, appended and synced. A line is a tombstone of the vault:
 *
 *   sequence      its number in the vault that wrote it
 *   kind, id      `item` and the id of a key, or `subject` and the id of a person
 *   destroyedAt   RFC 3339
 *   cause         a code
 *
 * or a change of the suppressed addresses, which outlive every erasure (UK GDPR Art 21(3)):
 *
 *   sequence      its number among those
 *   kind, id      `suppressed` or `lifted`, and the id of the suppression
 *   hash          of `suppressed`: the address under a keyed hash, whose key is in the vault
 *
 * It holds opaque ids and keyed hashes, and no keys. Lines may come twice. A last line without its end was not
 * finished, and is written again.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { KeyVault, SuppressionChange, Tombstone } from '#key-vault';

export type TombstoneEntry = Pick<Tombstone, 'kind' | 'id' | 'destroyedAt' | 'cause'> & { readonly sequence: number };
export interface SuppressionEntry {
  readonly sequence: number;
  readonly kind: 'suppressed' | 'lifted';
  readonly id: string;
  readonly hash?: string;
}
export type JournalEntry = TombstoneEntry | SuppressionEntry;

export const isTombstone = (entry: JournalEntry): entry is TombstoneEntry =>
  entry.kind === 'item' || entry.kind === 'subject';

const ENTRIES_AT_ONCE = 1_000;
const TAIL_BYTES = 64 * 1_024;

interface Written {
  tombstone: number;
  suppression: number;
}

/** Appends the vault's tombstones and suppressions to a file, each as soon as it is asked to. One writer per file. */
export class ErasureJournal {
  /** The last of each kind that stands in the file; unknown until it was looked for. */
  #written: Written | undefined;

  constructor(private readonly file: string) {}

  /** Writes what is new; durable when it returns. */
  async write(vault: KeyVault): Promise<void> {
    const written = (this.#written ??= await this.#lastOf(vault));
    for (;;) {
      const entries = await vault.tombstonesAfter(written.tombstone, ENTRIES_AT_ONCE);
      if (entries.length === 0) break;
      append(this.file, entries.map(lineOf).join(''));
      written.tombstone = entries.at(-1)!.sequence;
    }
    for (;;) {
      const changes = vault.suppression.changesAfter(written.suppression, ENTRIES_AT_ONCE);
      if (changes.length === 0) return;
      append(this.file, changes.map(suppressionLineOf).join(''));
      written.suppression = changes.at(-1)!.number;
    }
  }

  /** A vault that does not know the last line of the file is another one, or an older one: all of it is written anew. */
  async #lastOf(vault: KeyVault): Promise<Written> {
    const { tombstone, suppression } = lastEntriesOf(this.file);
    const [destroyed] = tombstone ? await vault.tombstonesAfter(tombstone.sequence - 1, 1) : [];
    const [changed] = suppression ? vault.suppression.changesAfter(suppression.sequence - 1, 1) : [];
    const knowsTombstone =
      destroyed?.sequence === tombstone?.sequence &&
      destroyed?.kind === tombstone?.kind &&
      destroyed?.id === tombstone?.id;
    const knowsChange =
      changed?.number === suppression?.sequence &&
      changed?.suppressionId === suppression?.id &&
      changed?.hash === suppression?.hash;
    return {
      tombstone: knowsTombstone ? (tombstone?.sequence ?? 0) : 0,
      suppression: knowsChange ? (suppression?.sequence ?? 0) : 0,
    };
  }
}

const lineOf = ({ sequence, kind, id, destroyedAt, cause }: TombstoneEntry): string =>
  `${JSON.stringify({ sequence, kind, id, destroyedAt, cause })}\n`;

const suppressionLineOf = ({ number, suppressionId, hash }: SuppressionChange): string =>
  `${JSON.stringify({ sequence: number, kind: hash === undefined ? 'lifted' : 'suppressed', id: suppressionId, hash })}\n`;

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

interface LastEntries {
  readonly tombstone?: TombstoneEntry | undefined;
  readonly suppression?: SuppressionEntry | undefined;
}

/** The last of each kind: near the end as a rule, else wherever it stands. */
function lastEntriesOf(file: string): LastEntries {
  if (!existsSync(file)) return {};
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const whole = tail.length === size;
    const text = tail.toString('utf8');
    const found = lastEntriesIn(whole ? text : text.slice(text.indexOf('\n') + 1));
    return whole || (found.tombstone && found.suppression) ? found : lastEntriesIn(readFileSync(file, 'utf8'));
  } finally {
    closeSync(fd);
  }
}

function lastEntriesIn(text: string): LastEntries {
  const entries = journalOf(text);
  return {
    tombstone: entries.findLast(isTombstone),
    suppression: entries.findLast((entry): entry is SuppressionEntry => !isTombstone(entry)),
  };
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
      const whole =
        entry !== undefined &&
        ['item', 'subject', 'suppressed', 'lifted'].includes(entry.kind) &&
        typeof entry.id === 'string' &&
        entry.id !== '' &&
        (entry.kind !== 'suppressed' || typeof entry.hash === 'string');
      if (!whole) throw new Error(`line ${index + 1} of the erasure journal is no entry`);
      return entry!;
    });
}
