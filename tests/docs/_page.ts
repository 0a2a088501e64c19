/**
 * Takes the code out of the pages in docs/, and runs it.
 *
 * | block | what becomes of it |
 * |---|---|
 * | `ts` | a test of its own, type-checked, with the sanitizers on |
 * | any block whose first line is a comment with a file name | a file of that name beside the others |
 * | `sh` | a shell script that must succeed; its folder has the files of the page, `$TINCAN` is the clone |
 * | `python` | a program that must succeed |
 * | anything with `ignore` behind the language | nothing |
 */

/** The folder with the pages. */
export const DOCS = new URL("../../docs/", import.meta.url);
/** The folder with deno.json. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** One fenced block of a page. */
export interface Block {
  readonly language: string;
  /** The file it is, or `null` for one that runs by itself. */
  readonly file: string | null;
  readonly code: string;
  /** Where its first line stands in the page. */
  readonly line: number;
  readonly ignored: boolean;
}

/** A page and its blocks. */
export interface Page {
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** Reads a page of docs/. */
export async function readPage(name: string): Promise<Page> {
  const text = await Deno.readTextFile(new URL(name, DOCS));
  const blocks: Block[] = [];
  for (const match of text.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms)) {
    const [, language = "", attributes = "", code = ""] = match;
    const file = /^(?:\/\/|#|;) ([\w-]+\.\w+)\n/.exec(code)?.[1] ?? null;
    const line = text.slice(0, match.index).split("\n").length + 1;
    blocks.push({ language, file, code, line, ignored: attributes.includes("ignore") });
  }
  return { name, text, blocks };
}

/** Writes the files of a page into a new folder, and a test for each `ts` block without a name. */
export async function unpack(page: Page): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_docs_" });
  for (const block of page.blocks) {
    if (block.ignored) continue;
    if (block.file !== null) {
      await Deno.writeTextFile(`${folder}/${block.file}`, block.code);
    } else if (block.language === "ts") {
      const name = `line_${String(block.line).padStart(4, "0")}_test.ts`;
      await Deno.writeTextFile(`${folder}/${name}`, toTest(page, block));
    }
  }
  return folder;
}

/** What a program did. */
export interface Outcome {
  readonly code: number;
  /** Everything it printed, errors included. */
  readonly output: string;
}

/** Runs the tests that `unpack` has written; permissions, unstable features and names are the project's. */
export function runTests(folder: string): Promise<Outcome> {
  const config = `--config=${ROOT}deno.json`;
  return run([Deno.execPath(), "test", "--no-lock", "--allow-all", config, "."], folder);
}

/** The arguments that run a file of a page as a program. */
export function programArgs(folder: string, file: string): string[] {
  return ["run", "--no-lock", "--check", "-A", `--config=${ROOT}deno.json`, `${folder}/${file}`];
}

/** Runs a command to its end. */
export async function run(command: readonly string[], cwd: string): Promise<Outcome> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    // What an example leaves behind goes with the folder.
    env: { NO_COLOR: "1", TINCAN: ROOT.slice(0, -1), DENO: Deno.execPath(), TMPDIR: cwd },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Whether a program can be had on this machine. */
export async function isInstalled(program: string): Promise<boolean> {
  return (await run(["sh", "-c", `command -v ${program}`], ".")).code === 0;
}

/** A block as a test: its imports in front, the rest inside. */
function toTest(page: Page, block: Block): string {
  const imports: string[] = [];
  const body = block.code.replaceAll(/^import\b[^;]*;\n/gm, (found) => {
    imports.push(found);
    return "";
  });
  const title = JSON.stringify(`docs/${page.name}, line ${block.line}`);
  return `${imports.join("")}\nDeno.test(${title}, async () => {\nawait undefined;\n${body}});\n`;
}
