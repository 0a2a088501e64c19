/**
 * What is printed after the tests: seconds for each folder, failures again, and what was left out.
 *
 * @module
 */
import { dirname } from "node:path";

/** What came of one test. */
export interface Result {
  readonly file: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "left out";
}

const TEST_CASE =
  /<testcase name="([^"]*)" classname="([^"]*)" time="([\d.]+)"[^>]*>(.*?)<\/testcase>/gs;

/** Reads a report in JUnit's format, without the steps of tests. */
export function readReport(xml: string): Result[] {
  const results: Result[] = [];
  const seen = new Set<string>();
  for (const [, name = "", file = "", time, body = ""] of xml.matchAll(TEST_CASE)) {
    const [parent] = name.split(" &gt; ");
    if (parent !== name && seen.has(`${file} ${parent}`)) continue;
    seen.add(`${file} ${name}`);
    const isFailed = /<failure|<error/.test(body);
    const outcome = body.includes("<skipped") ? "left out" : isFailed ? "failed" : "passed";
    results.push({
      file: file.replace("./", ""),
      name: unescape(name),
      seconds: Number(time),
      outcome,
    });
  }
  return results;
}

function unescape(text: string): string {
  const signs: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(\w+);/g, (entity, name) => signs[name] ?? entity);
}

/** The seconds of each folder, which in parallel are more than they took together, and all failures. */
export function summary(results: readonly Result[], seconds: number): string {
  const lines = ["", "seconds  tests  folder"];
  const count = (some: readonly Result[], wanted: Result["outcome"]) =>
    some.filter(({ outcome }) => outcome === wanted).length;
  const row = (seconds: number, tests: number, name: string) =>
    `${seconds.toFixed(1).padStart(7)}  ${`${tests}`.padStart(5)}  ${name}`;
  const folders = Map.groupBy(results, ({ file }) => dirname(file));
  for (const folder of [...folders.keys()].sort()) {
    const inside = (folders.get(folder) ?? []).filter(({ outcome }) => outcome !== "left out");
    if (inside.length === 0) continue;
    const sum = inside.reduce((sum, { seconds }) => sum + seconds, 0);
    lines.push(row(sum, inside.length, folder));
  }
  const [passed, failed] = [count(results, "passed"), count(results, "failed")];
  lines.push(
    row(seconds, passed + failed, `from beginning to end: ${passed} passed, ${failed} failed`),
  );
  for (const { file, name, outcome } of results) {
    if (outcome === "failed") lines.push(`failed: ${name} => ${file}`);
  }
  return lines.join("\n");
}

/** Why tests were left out; `reasons` has a line for each. */
export function leftOut(reasons: string): string {
  const counts = Map.groupBy(reasons.split("\n").slice(0, -1), (reason) => reason);
  if (counts.size === 0) return "";
  const total = [...counts.values()].reduce((sum, { length }) => sum + length, 0);
  const rows = [...counts].sort().map(([reason, { length }]) =>
    `${`${length}`.padStart(7)}  ${reason}`
  );
  const head = total === 1 ? "1 test was left out:" : `${total} tests were left out:`;
  return ["", head, ...rows, BRINGS, ""].join("\n");
}

const BRINGS =
  `.ci/peers installs programs that are missing (on Debian and Ubuntu, as root); "network" and "root"
take root on Linux.`;
