/** Bytes of others are shown exactly, and nothing of them reaches a terminal as a command. */
import { assertEquals, assertNotMatch } from "@std/assert";
import { escapeBytes, jsonLine } from "../../apps/escape.ts";

Deno.test("escapeBytes makes every control and every invalid byte harmless", () => {
  const hostile = new TextEncoder().encode(
    "\x1b]0;owned\x07\x9b2J \u202eevil\u2066 \u0085 tab\t \\ e\u0301 \u{1f600}\r\n",
  );
  const shown = escapeBytes(hostile);
  // deno-lint-ignore no-control-regex
  assertNotMatch(shown, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
  assertEquals(
    shown,
    "\\x1b]0;owned\\x07\\u{9b}2J \\u{202e}evil\\u{2066} \\u{85} tab\\t \\\\ e\u0301 \u{1f600}\\r\\n",
  );
  assertEquals(
    escapeBytes(Uint8Array.of(0x41, 0xff, 0xc3, 0xa9, 0xe2, 0x82)),
    "A\\xff\u00e9\\xe2\\x82",
  );
  assertEquals(escapeBytes(Uint8Array.of(0x85)), "\\x85"); // the byte, not the character above
  assertEquals(escapeBytes(Uint8Array.of(0xef, 0xbf, 0xbd, 0xff)), "\\u{fffd}\\xff");
  const line = jsonLine({ banner: "\u009b2J\u202e\x7f\n" });
  assertEquals(line, '{"banner":"\\u009b2J\\u202e\\u007f\\n"}\n');
  assertEquals(JSON.parse(line), { banner: "\u009b2J\u202e\x7f\n" });
});
