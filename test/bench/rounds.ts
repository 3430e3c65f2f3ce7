/** How a comparison is measured and said: see the rules in each benchmark's own comment. */

export interface Comparison {
  readonly name: string;
  /** Of the per-round ratios subject / baseline. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
  /** Medians of the two sides, in `unit`. */
  readonly subject: number;
  readonly baseline: number;
  readonly unit: string;
  /** The baseline itself spread by more than twofold, so nothing has been measured. */
  readonly isVoid: boolean;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * Measures two sides in turns, each first in every other round, after one round that does not count.
 *
 * @param subject and `baseline` give a figure in `unit`, and throw when what they did was not right
 */
export async function compare(
  name: string,
  unit: string,
  rounds: number,
  subject: (round: number) => Promise<number>,
  baseline: (round: number) => Promise<number>,
): Promise<Comparison> {
  const subjects: number[] = [];
  const baselines: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const subjectFirst = round % 2 === 0;
    const one = subjectFirst ? await subject(round) : await baseline(round);
    const other = subjectFirst ? await baseline(round) : await subject(round);
    if (round < 0) continue;
    subjects.push(subjectFirst ? one : other);
    baselines.push(subjectFirst ? other : one);
  }
  return comparisonOf(name, unit, subjects, baselines);
}

/** What was measured of two sides, round by round. */
export function comparisonOf(
  name: string,
  unit: string,
  subjects: readonly number[],
  baselines: readonly number[],
): Comparison {
  const ratios = subjects.map((value, i) => value / baselines[i]!);
  return {
    name,
    unit,
    rounds: subjects.length,
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    subject: median(subjects),
    baseline: median(baselines),
    isVoid: Math.max(...baselines) > 2 * Math.min(...baselines),
  };
}

const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

export function row({ name, median, min, max, subject, baseline, unit, isVoid }: Comparison): string[] {
  const ratio = `${figure(median)} [${figure(min)}..${figure(max)}]${isVoid ? ' VOID' : ''}`;
  return [name, figure(subject), figure(baseline), unit, ratio];
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
