/** What one run of all benchmarks has found, as it is kept in `docs/benchmarks/run.json`. */

/** What one comparison has found. */
export interface Table {
  title: string;
  /** What the columns are; the first one holds names, the second one what is plotted. */
  head: string[];
  /** The first row is the control. */
  rows: string[][];
  lessIsBetter: boolean;
}

/** One of the programs in `bench/`. */
export interface Bench {
  /** The file is `bench/NAME_bench.ts`. */
  name: string;
  /** The arguments it was run with. */
  args: string[];
  /** The comment it begins with, without the command. */
  about: string;
  tables: Table[];
}

/** One run of all of them. */
export interface Run {
  /** The day, as in `2026-01-31`. */
  date: string;
  /** Whether it was only to see that everything works. */
  quick: boolean;
  /** How long it took, in minutes. */
  minutes: number;
  /** What it ran on: the name of a property, and its value. */
  machine: Record<string, string>;
  benches: Bench[];
}

/** A figure with commas between its thousands, from five digits on; anything else as it is. */
export function grouped(text: string): string {
  return /^\d{5,}$/.test(text) ? Number(text).toLocaleString("en-US") : text;
}
