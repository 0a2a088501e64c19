/** Writes docs/benchmarks.md from what a run has found. */
import { type Bench, grouped, type Run, type Table } from "./_record.ts";

/** What the sections are called; others by their own names. Their order is that of the page. */
const TITLES: Readonly<Record<string, string>> = {
  tcp: "TCP echo",
  framing: "Framing",
  framed: "Messages over TCP",
  flood: "One client floods",
  udp: "UDP echo",
  chat: "Chat",
  files: "Files",
  http: "Web fetch",
  scan: "Port scan",
  relay: "Relay",
  pipe: "Pipes",
};

/** Puts names of benchmarks into the order of the page. */
export function sortNames(names: readonly string[]): string[] {
  const known = Object.keys(TITLES);
  const rank = (name: string) => known.includes(name) ? known.indexOf(name) : known.length;
  return names.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The page, in Markdown; `deno fmt` has the last word about its looks. */
export function renderPage(run: Run): string {
  const toc = run.benches.map(({ name }) => `[${titleOf(name)}](#${anchorOf(name)})`).join(" · ");
  return `# Benchmarks

Everything on this page comes from one run of \`deno task bench\`, which wrote the page as well: the
figures in [run.json](benchmarks/run.json), the plots and the tables.

${
    run.quick
      ? "**This run was a quick one, to see that everything works: its figures are rough.**\n"
      : ""
  }
${toc}

## How to read it

- **Only ratios mean anything elsewhere.** The load, its target and what is measured share one
  machine; another machine has other figures. Every table begins with its control, measured in the
  same run, in turns with the others.
- Figures are medians of interleaved rounds. Where a column says what part of the control it is, the
  ratio was taken round by round.
- In the plots the control is grey, and the dashed line is its length.

| the run | |
| --- | --- |
| date | ${run.date} |
| it took | ${run.minutes} minutes |
${Object.entries(run.machine).map(([name, value]) => `| ${name} | ${cell(value)} |`).join("\n")}

To run it again, on a machine that does nothing else meanwhile (it needs a C compiler, the peers
above, and root for the port scan's network):

\`\`\`sh not-run="it takes ${run.minutes} minutes; a test renders the page from what it records"
deno task bench
\`\`\`

\`deno task bench --quick\` takes about three minutes and is only good for seeing that everything works.
Each benchmark can be run by itself, with the command that stands under its heading.

${run.benches.map(section).join("\n")}`;
}

function section(bench: Bench): string {
  const { name, about, args, tables } = bench;
  const command = ["deno run -A", `bench/${name}_bench.ts`, ...args].join(" ");
  return `## ${titleOf(name)}

\`${command}\`

${about}

![${titleOf(name)}: the tables below as bars.](benchmarks/${name}.svg)

${tables.map(renderTable).join("\n")}
`;
}

function renderTable({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = head.map((_, index) => index === 0 ? "---" : "---:");
  return `**${cell(title)}**

${[line(head), line(rule), ...rows.map(line)].join("\n")}
`;
}

/** Text that neither ends a cell nor begins anything. */
function cell(text: string): string {
  return grouped(text).replaceAll(/[\\|*<>`]/g, "\\$&");
}

function titleOf(name: string): string {
  return TITLES[name] ?? name;
}

function anchorOf(name: string): string {
  return titleOf(name).toLowerCase().replaceAll(" ", "-");
}
