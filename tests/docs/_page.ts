/**
 * What stands in the fenced blocks of a page, and what becomes of each:
 *
 * | block | what becomes of it |
 * |---|---|
 * | `ts` | a test of its own, type-checked, with the sanitizers on |
 * | `sh` | a script that must succeed |
 * | `python` | a program that must succeed |
 * | any block whose first line is a comment with a file name | that file, beside the others |
 * | `sh terminal=NAME` | is started at a terminal; what runs in the other ones goes on. A comment `# says: …` at its end is what it shows first |
 * | `text terminal=NAME` | what that terminal shows next; a line that ends with `⏎` is typed, also `^C` and `^D` |
 * | anything with `name=NAME` | another test takes it with `blockOf(page, "NAME")` |
 * | anything with `not-run="REASON"` | nothing, for that reason |
 * | `text` | nothing: it is no code |
 *
 * `_path.ts` is what runs them.
 */
import { assert } from "@std/assert";

/** The folder with deno.json. */
export const ROOT = new URL("../../", import.meta.url);

/** What is code: a block in one of these languages is run, in one way or another. */
const RUNS = ["ts", "sh", "python"];
/** What else may stand in a page; but for `text`, it has to be a file, or somebody's by name. */
const OTHERS = ["text", "json", "ini", "dockerfile", "haproxy"];

/** What becomes of a block. */
export type Fate = "run" | "file" | "terminal" | "named" | "not run" | "shown";

/** One fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** Where its first line stands in the page. */
  readonly line: number;
  readonly fate: Fate;
  /** The name of the file, of the terminal, of the block; why it is not run; otherwise empty. */
  readonly label: string;
  /** How many headings stand before it. */
  readonly section: number;
}

/** A page and its blocks. */
export interface Page {
  /** Its path from the root, such as `docs/chat.md`. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** The pages that people read: those at the root, and those in docs/. */
export async function pagePaths(): Promise<string[]> {
  const paths: string[] = [];
  for (const folder of ["", "docs/"]) {
    for await (const { name } of Deno.readDir(new URL(folder || ".", ROOT))) {
      if (name.endsWith(".md")) paths.push(folder + name);
    }
  }
  return paths.sort();
}

/** Reads a page. */
export async function readPage(path: string): Promise<Page> {
  return parsePage(path, await Deno.readTextFile(new URL(path, ROOT)));
}

/** Finds the blocks of a page, and says what is wrong with them. */
export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const fence = /^( *)```(\w*)([^\n]*)\n(.*?)^\1```$/gms;
  for (const match of text.matchAll(fence)) {
    const [, indent = "", language = "", attributes = "", body = ""] = match;
    const before = text.slice(0, match.index);
    const line = before.split("\n").length + 1;
    const code = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const place = `${path}, line ${line}`;
    assert(
      RUNS.includes(language) || OTHERS.includes(language),
      `${place}: language "${language}"`,
    );
    const section = before.match(/^#+ /gm)?.length ?? 0;
    blocks.push({ language, code, line, section, ...fateOf(language, attributes, code, place) });
  }
  const fences = text.match(/^ *```/gm)?.length ?? 0;
  assert(fences === 2 * blocks.length, `${path}: a block does not begin or does not end`);
  return { path, text, blocks };
}

function fateOf(
  language: string,
  attributes: string,
  code: string,
  place: string,
): Pick<Block, "fate" | "label"> {
  const [, key, word, quoted] = /^ ([\w-]+)=(?:([\w.-]+)|"([^"]+)")$/.exec(attributes) ?? [];
  assert(key !== undefined || attributes === "", `${place}: what is "${attributes.trim()}"?`);
  const label = word ?? quoted ?? "";
  if (key === "not-run") {
    assert(label.length >= 10, `${place}: say why it is not run`);
    return { fate: "not run", label };
  }
  if (key === "name") return { fate: "named", label };
  if (key === "terminal") {
    assert(language === "sh" || language === "text", `${place}: terminals take sh and text`);
    return { fate: "terminal", label };
  }
  assert(key === undefined, `${place}: what is "${attributes}"?`);
  const file = /^(?:\/\/|#|;) ([\w-]+\.\w+)\n/.exec(code)?.[1];
  if (file !== undefined) return { fate: "file", label: file };
  if (language === "text") return { fate: "shown", label: "" };
  assert(RUNS.includes(language), `${place}: ${language} that is no file and has no name`);
  return { fate: "run", label: "" };
}

/** The code of a block with a name: for the test that runs it. */
export function blockOf(page: Page, name: string): string {
  const found = page.blocks.filter(({ fate, label }) => fate === "named" && label === name);
  assert(found.length === 1, `${page.path} has ${found.length} blocks named ${name}`);
  return found[0]?.code ?? "";
}

/** The contents of a file of a page. */
export function fileOf(page: Page, name: string): string {
  const found = page.blocks.filter(({ fate, label }) => fate === "file" && label === name);
  assert(found.length === 1, `${page.path} has ${found.length} files ${name}`);
  return found[0]?.code ?? "";
}
