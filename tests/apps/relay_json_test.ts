import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  framingByName,
  JsonText,
  readCapture,
  RelayDump,
  type RelayEvent,
} from "../../apps/relay/mod.ts";
import { memberText } from "../../apps/relay/_member_text.ts";
import { FrameError } from "../../mod.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** JSON that is not the same any more after it was parsed and written again. */
const TEXTS = [
  "9007199254740993",
  "1.0",
  "-0.0",
  "1e2",
  "123456789012345678901234567890.5",
  '{"a":1,"a":2}',
  '{"2":1,"1":2}',
  '{ "a" : [ 1 , 2 ] }',
  '"\\u0041\\/"',
  '"\\ud800"',
  "1E400",
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
];

Deno.test("JSON passes through its framing as it was written", () => {
  const codec = framingByName("json", { jsonText: true });
  for (const text of TEXTS) {
    const seen: unknown[] = [];
    codec.decoder().push(utf8(`${text}\n`), (message) => void seen.push(message));
    const [json] = seen;
    assert(json instanceof JsonText);
    assertEquals(json.text, text);
    assertEquals(utf16(codec.encode(json)), `${text}\n`);
  }
  assertEquals(utf16(codec.encode(JsonText.parse("[1.0,\r\n2]"))), "[1.0,  2]\n");
  assertEquals(utf16(codec.encode({ a: 1 })), '{"a":1}\n');
  assertThrows(() => codec.encode(undefined), FrameError);
  assertThrows(() => JsonText.parse("{a: 1}"), SyntaxError);
  assertThrows(() => codec.decoder().push(utf8("1.0.0\n"), () => {}), FrameError);
});

Deno.test("without the option, JSON is decoded to values", () => {
  const seen: unknown[] = [];
  framingByName("json").decoder().push(utf8('{"a":1}\n'), (message) => void seen.push(message));
  assertEquals(seen, [{ a: 1 }]);
});

/** A message, as the relay tells it. */
function message(value: unknown): RelayEvent {
  const base = { id: 1, time: 0, elapsed: 0, from: "client", number: 1 } as const;
  return { ...base, type: "message", offset: 0, length: 1, reads: 1, value };
}

async function dumped(view: "json" | "quiet", value: unknown): Promise<string> {
  let written = "";
  const dump = new RelayDump((bytes) => {
    written += utf16(bytes);
    return Promise.resolve();
  }, { view });
  await dump.observe(message(value));
  await dump.flush();
  return written;
}

Deno.test("dumps and captures hold JSON as it was written", async () => {
  for (const text of TEXTS) {
    const value = JsonText.parse(text);
    const line = await dumped("json", value);
    assert(line.endsWith(`,"value":${text}}\n`), line);
    const [event] = await Array.fromAsync(readCapture([utf8(line)], { jsonText: true }));
    assert(event?.type === "message" && event.value instanceof JsonText);
    assertEquals(event.value.text, text);
    if (text.length < 2_000) {
      assert((await dumped("quiet", value)).endsWith(`: ${text}\n`));
      const [plain] = await Array.fromAsync(readCapture([utf8(line)]));
      assertEquals(plain?.type === "message" && plain.value, JSON.parse(text));
    }
  }
});

Deno.test("JSON that a terminal would obey is escaped, and still the same JSON", async () => {
  const text = '{"a":\r\n\t"\u009b2J\u202e\u{e0001}\x7f"}';
  const line = await dumped("json", JsonText.parse(text));
  assertEquals(JSON.parse(line).value, JSON.parse(text));
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(line), null);
  assert(line.endsWith(',"value":{"a":   "\\u009b2J\\u202e\\udb40\\udc01\\u007f"}}\n'), line);
});

Deno.test("what a codec decodes to may be anything", async () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const value of [undefined, 7n, cycle, () => 1, Symbol("x")]) {
    const written = JSON.parse(await dumped("json", value));
    assertEquals(written.value, String(value));
    assert((await dumped("quiet", value)).includes(": "));
  }
});

Deno.test("memberText finds a member as it was written", () => {
  assertEquals(memberText('{"value":1.0}', "value"), "1.0");
  assertEquals(
    memberText('{"a":{"value":1},"value": [ {"value":2}, "," ] ,"b":3}', "value"),
    '[ {"value":2}, "," ]',
  );
  assertEquals(memberText('{"a":"\\"value\\":1","value":"}\\"" }', "value"), '"}\\""');
  assertEquals(memberText('{"value":1,"value":2.0}', "value"), "2.0");
  assertEquals(memberText('{"\\u0076alue":{}}', "value"), "{}");
  assertEquals(memberText('{"a":"value"}', "value"), undefined);
  assertEquals(memberText("{}", "value"), undefined);
  assertEquals(memberText("[1]", "value"), undefined);
  const long = JSON.stringify("x\\".repeat(1_000_000));
  assertEquals(memberText(`{"value":${long}}`, "value"), long);
});
