/** What programs share: arguments, suggestions, notes about peers, endings. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { PeerNotes } from "../../apps/peer_notes.ts";
import { readArguments, UsageError } from "../../apps/program.ts";
import { escapeControls } from "../../apps/escape_controls.ts";
import { nearest } from "../../apps/suggest.ts";

const OPTIONS = ["hostname", "port", "tls", "timeout", "output", "server-name", "keep-open", "hex"];

Deno.test("a suggestion is close to what was given, or there is none", () => {
  const cases: [string, string][] = [
    ["s", ""],
    ["cert", ""],
    ["ca", ""],
    ["tl", ""],
    ["tsl", "tls"],
    ["prot", "port"],
    ["Port", "port"],
    ["timout", "timeout"],
    ["serve", "server-name"],
    ["keepopen", "keep-open"],
    ["outupt", "output"],
    ["p", "port"],
    ["w", "timeout"],
    ["k", "keep-open"],
    ["x", "hex"],
    ["help-me", ""],
  ];
  for (const [word, meant] of cases) {
    assertEquals(nearest(word, OPTIONS), meant && `, did you mean --${meant}?`, word);
  }
});

Deno.test("an option with a value takes it in every usual form, and is wrong without one", () => {
  const options = {
    help: "",
    string: ["output", "timeout"],
    boolean: ["verbose", "include"],
    alias: { output: "o", timeout: "w", verbose: "v", include: "i" },
  };
  const read = (...args: string[]) => {
    const parsed = readArguments(args, options);
    return parsed && [parsed.text("output"), parsed.flag("verbose"), parsed.rest];
  };
  assertEquals(read("-o", "file", "x"), ["file", false, ["x"]]);
  assertEquals(read("-o", "-"), ["-", false, []]);
  assertEquals(read("-ofile", "x"), ["file", false, ["x"]]);
  assertEquals(read("-vo", "file"), ["file", true, []]);
  assertEquals(read("-vofile"), ["file", true, []]);
  assertEquals(read("-o=file"), ["file", false, []]);
  assertEquals(read("--output", "-x"), ["-x", false, []]);
  assertEquals(read("-v", "--", "-o"), [undefined, true, ["-o"]]);
  for (
    const args of [["-o"], ["-vo"], ["x", "-o"], ["-o", "-v"], ["-o", "--verbose"], ["--output"]]
  ) {
    const error = assertThrows(() => read(...args), UsageError);
    assertMatch(error.message, /^Option -\S+ needs a value$/);
  }
});

Deno.test("what a peer has said is escaped once, and nothing is changed the second time", () => {
  const text = 'Unexpected "\x1b[2J\u009b\u202e" \\x1b \u4f60\n';
  const once = escapeControls(text);
  assertEquals(once, 'Unexpected "\\u{1b}[2J\\u{9b}\\u{202e}" \\x1b \u4f60\\u{a}');
  assertEquals(escapeControls(once), once);
});

Deno.test("notes about peers are one line each, with the address, and at most ten a second", () => {
  const lines: string[] = [];
  let now = 0;
  const notes = new PeerNotes((line) => lines.push(line), () => now);
  const addr = { transport: "tcp", hostname: "::1", port: 5 } as const;
  notes.tell(new Error("it is\n  broken"), addr);
  notes.tell("Cannot read from [::1]:5: reset", addr);
  assertEquals(lines.splice(0), ["[::1]:5: it is broken", "Cannot read from [::1]:5: reset"]);
  for (let index = 0; index < 1_000; index++) notes.tell("again", addr);
  assertEquals(lines.splice(0).length, 8);
  now = 1_500;
  notes.tell("x".repeat(100_000), addr);
  const [leftOut, long = ""] = lines.splice(0);
  assertEquals(leftOut, "992 more such lines were left out");
  assert(long.length < 1_000);
  notes.flush();
  assertEquals(lines, []);
});
