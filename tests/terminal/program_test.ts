/** What programs share: arguments, suggestions, endings. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readArguments, UsageError } from "../../terminal/program.ts";
import { nearest } from "../../terminal/suggest.ts";

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
