/**
 * What `@default {value}` says is what the code does: each such tag of an interface is held to the place
 * where the code has the default. A default is written in one of three ways, as a literal or with
 * constants of the same file:
 *
 * ```text
 * const { backlog = 1_024 } = options;
 * options.backlog ?? 1_024
 * const DEFAULTS = { backlog: 1_024 };   // any constant with DEFAULT, LIMITS or TIMEOUTS in its name
 * ```
 *
 * It is looked for in the files of the interface's folder that name it, then in all of that folder.
 */
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const FOLDERS = ["apps", "cli", "common", "framing", "tcp", "terminal", "udp"];

/** Defaults that depend on something, and on what. */
const DEPENDS: Readonly<Record<string, string>> = {
  "MappedOptions.detached": "the codec below",
  "ReadOptions.timeout": "the connection's timeouts",
  "UdpChatOptions.hostname": "the contacts",
  "UdpChatOptions.port": "the contacts",
  "UdpConnectOptions.localHostname": "the other side's address",
  "UdpRequestOptions.anySource": "the address that is asked",
  "UdpSessionsOptions.maxUnconfirmed": "maxPeers",
  "UdpSessionsOptions.maxUnconfirmedPerSource": "maxUnconfirmed",
};

/** The name of a constant. */
const CONSTANT = /\b[A-Z][A-Z0-9_]+\b/g;

/** A source file. */
interface Source {
  readonly path: string;
  readonly text: string;
}

/** A value that a comment promises. */
interface Promised {
  readonly owner: string;
  readonly name: string;
  readonly value: string;
}

/** What is wrong with the defaults of the interfaces in `sources`. */
export function wrongDefaults(
  sources: readonly Source[],
  depends: Readonly<Record<string, string>>,
): string[] {
  const wrong: string[] = [];
  const unused = new Set(Object.keys(depends));
  for (const source of sources) {
    for (const promised of promisedIn(source.text)) {
      const label = `${promised.owner}.${promised.name}`;
      if (unused.delete(label) || label in depends) continue;
      const reason = faultOf(promised, source, sources);
      if (reason !== undefined) wrong.push(`${source.path}: ${label}: ${reason}`);
    }
  }
  for (const label of unused) wrong.push(`${label} is on the list of exceptions, and nowhere else`);
  return wrong;
}

function faultOf(
  { owner, name, value }: Promised,
  source: Source,
  sources: readonly Source[],
): string | undefined {
  const wanted = evaluate(value, source.text);
  const folder = source.path.slice(0, source.path.lastIndexOf("/") + 1);
  const mentions = new RegExp(`\\b${owner}\\b`);
  const inFolder = sources.filter(({ path }) => path.startsWith(folder));
  const tiers = [inFolder.filter(({ text }) => mentions.test(text)), inFolder];
  // Without a default, an option is undefined; what another function does about its own does not count.
  if (wanted === "undefined") tiers.splice(0, 2, [source]);
  for (const tier of tiers) {
    const found = tier.flatMap(({ text }) => defaultsOf(name, text));
    if (found.length === 0) continue;
    return found.includes(wanted) ? undefined : `says ${value}, the code ${found.join(" or ")}`;
  }
  const isNone = wanted === "undefined" || wanted === "false";
  return isNone ? undefined : `says ${value}, the code has no default for it`;
}

/** The `@default` tags of interfaces, with the interface and the field they belong to. */
function promisedIn(text: string): Promised[] {
  const promised: Promised[] = [];
  for (
    const { 0: block, 1: owner = "" } of text.matchAll(/^(?:export )?interface (\w+)[\s\S]*?^}/gm)
  ) {
    const fields = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??[:(]/g;
    for (const [, comment = "", name = ""] of block.matchAll(fields)) {
      const at = comment.indexOf("@default {");
      if (at < 0) continue;
      promised.push({ owner, name, value: upTo(comment.slice(at + "@default {".length), "}") });
    }
  }
  return promised;
}

/** The defaults that some code has for options of this name, evaluated. */
function defaultsOf(name: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<=\s)\/\/.*/g, "");
  const found: string[] = [];
  const take = (pattern: string, ends: string) => {
    for (const { index, 0: match } of code.matchAll(new RegExp(pattern, "g"))) {
      found.push(evaluate(upTo(code.slice(index + match.length), ends), text));
    }
  };
  take(`[{,]\\s*${name}(?:: [#\\w.]+)? = `, ",}");
  take(`[.\\s([]${name} \\?\\? `, ",;)}:");
  for (
    const { index, 0: match } of code.matchAll(
      /const \w*(?:DEFAULT|LIMITS|TIMEOUTS)\w*(?:: [^=]*)? = \{/g,
    )
  ) {
    const table = upTo(code.slice(index + match.length), "}");
    const entry = new RegExp(`(?:^|[{,])\\s*${name}: `).exec(table);
    if (entry === null) continue;
    found.push(evaluate(upTo(table.slice(entry.index + entry[0].length), ",}"), text));
  }
  return [...new Set(found)];
}

/** The beginning of `text` up to one of `ends` outside all brackets and strings. */
function upTo(text: string, ends: string): string {
  let depth = 0;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quote !== "") {
      if (character === "\\") at++;
      else if (character === quote) quote = "";
    } else if (depth === 0 && ends.includes(character)) {
      return text.slice(0, at);
    } else if ("\"'`".includes(character)) quote = character;
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character) && --depth < 0) return text.slice(0, at);
  }
  return text;
}

/** A value in one form: what can be computed is, with the constants of its file. */
function evaluate(expression: string, text: string): string {
  const plain = expression.replace(/\s*\n\s*\*?\s*/g, " ").trim().replace(/^\((\(.*)\)$/, "$1");
  const values: Record<string, string> = {};
  const constants: string[] = [];
  const collect = (code: string) => {
    for (const [name] of code.matchAll(CONSTANT)) {
      const value = new RegExp(`const ${name}(?:: [^=]*)? = ([^;]+);`).exec(text)?.[1];
      if (value === undefined || name in values) continue;
      values[name] = value;
      collect(value);
      constants.push(`const ${name} = ${value};`);
    }
  };
  collect(plain);
  try {
    const value: unknown = new Function(`${constants.join("")} return (${plain});`)();
    if (isNothing(value)) return "undefined";
    if (typeof value === "function") return plain.replace(CONSTANT, (name) => values[name] ?? name);
    return typeof value === "number" ? String(value) : JSON.stringify(value);
  } catch {
    return plain;
  }
}

/** A hook that does nothing and options without any are the same as none. */
function isNothing(value: unknown): boolean {
  if (typeof value === "function") return /^\(\) => \{\s*\}$/.test(String(value));
  return value === undefined ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

async function readSources(): Promise<Source[]> {
  const sources = [
    { path: "errors.ts", text: await Deno.readTextFile(new URL("errors.ts", ROOT)) },
  ];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      const path = folder + name;
      if (isDirectory) await walk(`${path}/`);
      else if (name.endsWith(".ts")) {
        sources.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
      }
    }
  };
  for (const folder of FOLDERS) await walk(`${folder}/`);
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

Deno.test("every @default says what the code does", async () => {
  assertEquals(wrongDefaults(await readSources(), DEPENDS), []);
});

const EXAMPLE = (value: string, code: string): Source[] => [{
  path: "tcp/example.ts",
  text: `
/** Options. */
export interface ExampleOptions {
  /**
   * How many.
   *
   * @default {${value}} with a reason
   */
  count?: number | undefined;
}
${code}
`,
}];

for (
  const [value, code] of [
    ["1_024", "const { count = 1024, other = 5 } = options;"],
    [
      "1_024",
      "const KIB = 1024;\nconst COUNT = KIB * 1;\nconst { other, count = COUNT } = options;",
    ],
    ["1_024", 'const count = check("count", options.count ?? 4 ** 5);'],
    ["1_024", "/** The defaults. */\nconst DEFAULTS: All = { other: f({ a: 1 }), count: 1_024 };"],
    ['"a, }"', 'const { count = "a, }" } = options;'],
    ["first + last", "const { count = first + last } = options;"],
    ["() => {}", "const { count = () => {} } = options;"],
    ["undefined", "const { count = () => {} } = options;"],
    ["() => Date.now()", "const count = (options.count ?? (() => Date.now()))();"],
    ["() => 130", "const ENDED = 130;\nconst { count = () => ENDED } = options;"],
    ["undefined", "const { count } = options;"],
    ["false", "const { count } = options;"],
  ] as const
) {
  Deno.test(`the default ${value} is found in ${JSON.stringify(code)}`, () => {
    assertEquals(wrongDefaults(EXAMPLE(value, code), {}), []);
  });
}

for (
  const [value, code, fault] of [
    ["5", "const { count = 6 } = options;", "says 5, the code 6"],
    ["5", "const DEFAULTS = { count: 6 };", "says 5, the code 6"],
    ["5", "check(options.count ?? 6);", "says 5, the code 6"],
    ["5", "const { count } = options;", "says 5, the code has no default for it"],
    [
      "5",
      'import { COUNT } from "./x.ts";\nconst { count = COUNT } = a;',
      "says 5, the code COUNT",
    ],
    ["undefined", "const { count = 6 } = options;", "says undefined, the code 6"],
    ["5", "// const { count = 5 } = options;", "says 5, the code has no default for it"],
  ] as const
) {
  Deno.test(`the wrong default ${value} is found in ${JSON.stringify(code)}`, () => {
    assertEquals(wrongDefaults(EXAMPLE(value, code), {}), [
      `tcp/example.ts: ExampleOptions.count: ${fault}`,
    ]);
  });
}

Deno.test("an exception is needed, or it is wrong itself", () => {
  const sources = EXAMPLE("what another option says", "const { count } = options;");
  assertEquals(wrongDefaults(sources, { "ExampleOptions.count": "another option" }), []);
  assertEquals(wrongDefaults([], { "ExampleOptions.count": "another option" }), [
    "ExampleOptions.count is on the list of exceptions, and nowhere else",
  ]);
});
