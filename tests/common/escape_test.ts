/** Bytes of others are shown exactly, and nothing of them reaches a terminal as a command. */
import { assertEquals, assertNotMatch } from "@std/assert";
import { escapeJson, escapeLines, escapeText, jsonLine } from "../../common/escape.ts";
import { appendEscaped, escapeBytes } from "../../common/escape_bytes.ts";
import { OutputBuffer } from "../../framing/output_buffer.ts";

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

/** Every character there is, in rows of 4,096. */
function* allCharacters(): Generator<string> {
  for (let row = 0; row < 0x11_0000; row += 4_096) {
    if (row >= 0xd000 && row < 0xe000) continue; // with the surrogates, which are no characters
    yield Array.from({ length: 4_096 }, (_, index) => String.fromCodePoint(row + index)).join("");
  }
}

Deno.test("bytes and text are escaped in the same form, whatever the character", () => {
  for (const text of allCharacters()) {
    const escaped = escapeText(text);
    assertEquals(escapeBytes(new TextEncoder().encode(text)), escaped);
    assertNotMatch(escaped, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u);
    assertNotMatch(escapeLines(text), /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  }
});

Deno.test("bytes that are no UTF-8 are shown each by itself", () => {
  const cases: [number[], string][] = [
    [[0xc0, 0xaf], "\\xc0\\xaf"], // longer than needed
    [[0xe0, 0x80, 0xaf], "\\xe0\\x80\\xaf"],
    [[0xf0, 0x80, 0x80, 0xaf], "\\xf0\\x80\\x80\\xaf"],
    [[0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"], // a surrogate
    [[0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"], // beyond Unicode
    [[0xf5, 0x80, 0x80, 0x80], "\\xf5\\x80\\x80\\x80"],
    [[0xe2, 0x82, 0x41], "\\xe2\\x82A"],
    [[0xe2, 0x82, 0xc3, 0xa9], "\\xe2\\x82\u00e9"],
    [[0xf0, 0x9f, 0x98], "\\xf0\\x9f\\x98"],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80], "\u{1f600}\\x80"],
  ];
  for (const [bytes, shown] of cases) assertEquals(escapeBytes(Uint8Array.from(bytes)), shown);
});

Deno.test("line breaks are put after line feeds, the last byte's excepted", () => {
  const output = new OutputBuffer();
  appendEscaped(output, new TextEncoder().encode("a\n\nb\r\n"), "\n  ");
  assertEquals(new TextDecoder().decode(output.take()), "a\\n\n  \\n\n  b\\r\\n");
});

Deno.test("text for people keeps its lines, tabs and backslashes", () => {
  assertEquals(escapeLines("a\r\nb\tc\\n\x1b[2J\u202e\r"), "a\nb\tc\\n\\x1b[2J\\u{202e}\\r");
});

Deno.test("JSON stays the same JSON when it is escaped", () => {
  const json = '{ "a\\n" :\r\n\t[1.0, "\u009b\u{e0001}"] }';
  const escaped = escapeJson(json);
  assertEquals(escaped, '{ "a\\n" :   [1.0, "\\u009b\\udb40\\udc01"] }');
  assertEquals(JSON.parse(escaped), JSON.parse(json));
});
