/** What programs share: arguments, suggestions, endings. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  type Fields,
  operands,
  parseArguments,
  parserOf,
  setting,
  toggle,
  UsageError,
} from "../../terminal/arguments.ts";
import { type AddressValues, readAddress } from "../../terminal/address.ts";
import * as relay from "../../apps/relay/mod.ts";
import { FRAMING_NAMES } from "../../terminal/framing_option.ts";
import { nearest } from "../../terminal/nearest.ts";
import { defineProgram } from "../../terminal/program.ts";
import { seconds, text } from "../../terminal/values.ts";

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
    assertEquals(nearest(word, OPTIONS, "--"), meant && `, did you mean --${meant}?`, word);
  }
});

Deno.test("an option with a value takes it in every usual form, and is wrong without one", () => {
  const parser = parserOf({
    output: setting("-o, --output", text("FILE"), "where it goes"),
    timeout: setting("-w, --timeout", text("SECONDS"), "how long"),
    verbose: toggle("-v, --verbose", "more words"),
    include: toggle("-i, --include", "more data"),
    rest: operands(text("NAME"), "names"),
  });
  const read = (...args: string[]) => {
    const { output, verbose, rest } = parseArguments(parser, args);
    return [output, verbose, rest];
  };
  assertEquals(read("-o", "file", "x"), ["file", false, ["x"]]);
  assertEquals(read("-o", "-"), ["-", false, []]);
  assertEquals(read("-ofile", "x"), ["file", false, ["x"]]);
  assertEquals(read("-vo", "file"), ["file", true, []]);
  assertEquals(read("-vofile"), ["file", true, []]);
  assertEquals(read("-o=file"), ["file", false, []]);
  assertEquals(read("--output", "-x"), ["-x", false, []]);
  assertEquals(read("--output=x", "-o", "y", "-v", "-v"), ["y", true, []]); // the last one holds
  assertEquals(read("-v", "--", "-o"), [undefined, true, ["-o"]]);
  for (
    const args of [["-o"], ["-vo"], ["x", "-o"], ["-o", "-v"], ["-o", "--verbose"], ["--output"]]
  ) {
    const error = assertThrows(() => read(...args), UsageError);
    assertMatch(error.message, /^Option -\S+ needs a value$/);
  }
});

Deno.test("seconds may be decimal, or in milliseconds, and are never 0", () => {
  const parser = parserOf({ wait: setting("--wait", seconds(), "how long") });
  const read = (value: string) => parseArguments(parser, ["--wait", value]).wait;
  for (const [value, time] of [["5", 5_000], ["0.5", 500], [".25", 250], ["500ms", 500]] as const) {
    assertEquals(read(value), time);
  }
  for (const value of ["0", "soon", "-1", "", "5 s", "1e9"]) {
    const error = assertThrows(() => read(value), UsageError);
    assertEquals(error.message, `Option --wait must be seconds, current value is "${value}"`);
  }
});

Deno.test("an address is said in every usual form, and only once", () => {
  const read = (values: Partial<AddressValues>) => {
    const given = { hostname: undefined, port: undefined, ...values };
    const { hostname, port } = readAddress(given, 9999, 0);
    return `${hostname} ${port}`;
  };
  assertEquals(read({}), "127.0.0.1 9999");
  assertEquals(read({ where: ["80"] }), "127.0.0.1 80");
  assertEquals(read({ where: [":80"] }), "127.0.0.1 80");
  assertEquals(read({ where: ["host", "80"] }), "host 80");
  assertEquals(read({ where: ["host:80"] }), "host 80");
  assertEquals(read({ where: ["[::1]:80"] }), "[::1] 80");
  assertEquals(read({ hostname: "[::1]:80" }), "[::1] 80");
  assertEquals(read({ hostname: "::1", port: 80 }), "::1 80");
  assertEquals(read({ hostname: "host" }), "host 9999");
  for (
    const values of [
      { where: ["host"] },
      { where: ["80"], port: 81 },
      { where: ["host:80"], hostname: "host" },
      { hostname: "host:80", port: 81 },
      { where: ["host", "70000"] },
    ]
  ) {
    assertThrows(() => read(values), UsageError);
  }
});

Deno.test("the help has a line for each option, in groups, with examples and exit codes", async () => {
  const fields: Fields = { wait: setting("-w, --wait", seconds(), "how long it waits") };
  const program = defineProgram({
    name: "wait.ts",
    summary: "Waits.",
    usage: ["[options]"],
    fields,
    examples: ["$0 -w 5"],
    main: () => Promise.resolve(),
  });
  assertEquals(
    await program.help("tool wait"),
    `Waits.

Usage: tool wait [options]

  -w, --wait SECONDS  how long it waits

Help:
  -h, --help          show this text

Exit codes: 0 done; 1 failed; 2 wrong usage; 130 interrupted.

Examples:
  tool wait -w 5
`,
  );
});

Deno.test("--framing knows every framing that there is", () => {
  assertEquals([...FRAMING_NAMES].sort(), [...relay.FRAMING_NAMES].sort());
});
