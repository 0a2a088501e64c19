/** Draws the tables of a benchmark as bars, for light and dark backgrounds. */
import { type Bench, grouped, type Table } from "./_record.ts";

const WIDTH = 820;
/** Where the bars begin: names of about 36 characters fit in front of them. */
const LEFT = 250;
/** What is left for the figures behind the longest bar. */
const RIGHT = 90;
const ROW = 22;
const HEADING = 34;
const MARGIN = 14;

/** GitHub's own greys, a blue for what is measured and a grey for the control; the same in the dark. */
const STYLE = `
  text { font: 13px sans-serif; fill: #1f2328; }
  .title { font-weight: bold; }
  .unit { fill: #59636e; }
  .measured { fill: #4184e4; }
  .control { fill: #9198a1; }
  .line { stroke: #59636e; stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .unit { fill: #9198a1; }
    .measured { fill: #4184e4; }
    .control { fill: #656c76; }
    .line { stroke: #9198a1; }
  }
`;

/** An SVG with a group of bars for each table whose second column has figures. */
export function plot(bench: Bench): string {
  const tables = bench.tables.filter((table) => figuresOf(table).some((value) => value > 0));
  const parts: string[] = [];
  let top = MARGIN;
  for (const table of tables) {
    parts.push(group(table, top));
    top += HEADING + table.rows.length * ROW + MARGIN;
  }
  const spoken = tables.map(({ title, head, rows }) =>
    `${title}, ${head[1]}: ${rows.map(([name, value]) => `${name} ${value}`).join(", ")}`
  ).join(". ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" ` +
    `height="${top}" role="img" aria-labelledby="title desc">
<title id="title">${escapeXml(bench.name)} benchmark</title>
<desc id="desc">${escapeXml(spoken)}</desc>
<style>${STYLE}</style>
${parts.join("\n")}
</svg>
`;
}

function group(table: Table, top: number): string {
  const figures = figuresOf(table);
  const most = Math.max(...figures.filter(Number.isFinite));
  const scale = (WIDTH - LEFT - RIGHT) / most;
  const unit = `${table.head[1]}, ${table.lessIsBetter ? "less" : "more"} is better`;
  const parts: string[] = [
    `<text class="title" x="${MARGIN}" y="${top + 14}">${escapeXml(table.title)}</text>`,
    `<text class="unit" x="${WIDTH - MARGIN}" y="${top + 14}" text-anchor="end">${
      escapeXml(unit)
    }</text>`,
  ];
  const first = top + HEADING - 6;
  const control = LEFT + (figures[0] || 0) * scale;
  for (const [index, row] of table.rows.entries()) {
    const [name = "", value = ""] = row;
    const y = first + index * ROW;
    const length = Math.max(1, (figures[index] || 0) * scale);
    const kind = index === 0 ? "control" : "measured";
    const figure = grouped(value);
    const end = LEFT + length;
    parts.push(
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escapeXml(name)}</text>`,
      `<rect class="${kind}" x="${LEFT}" y="${y + 1}" width="${length.toFixed(1)}" height="16" />`,
      `<text x="${(end + 6).toFixed(1)}" y="${y + 13}">${escapeXml(figure)}</text>`,
    );
    // Not through the figure behind a bar.
    if (control < end || control > end + 12 + figure.length * 8) {
      const x = control.toFixed(1);
      parts.push(`<line class="line" x1="${x}" y1="${y - 2}" x2="${x}" y2="${y + 20}" />`);
    }
  }
  return parts.join("\n");
}

function figuresOf(table: Table): number[] {
  return table.rows.map(([, value = ""]) => Number.parseFloat(value));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
