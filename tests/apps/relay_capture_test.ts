/** Captures that were cut off, are continued, are long, or were written by others. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openCapture } from "../../terminal/capture_file.ts";
import {
  endOfCapture,
  framingByName,
  readCapture,
  RelayDump,
  type RelayEvent,
  type RelayView,
} from "../../apps/relay/mod.ts";
import { FrameError } from "../../mod.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const base = { id: 7, time: 1_000, elapsed: 2 } as const;
const DATA: RelayEvent = { ...base, type: "data", from: "client", offset: 0, data: utf8("hi") };
const END: RelayEvent = { ...base, type: "end", from: "client" };

/** What a dump writes about some events: to its sink, and as notes. */
async function dumped(view: RelayView, ...events: RelayEvent[]): Promise<string> {
  let written = "";
  const dump = new RelayDump((bytes) => {
    written += textOf(bytes);
    return Promise.resolve();
  }, { view, note: (line) => written += `${line}\n` });
  for (const event of events) await dump.observe(event);
  await dump.flush();
  return written;
}

/** The events of a capture, and the lines that were left out. */
async function read(capture: string): Promise<{ events: RelayEvent[]; torn: number[] }> {
  const torn: number[] = [];
  const onTorn = (line: number) => void torn.push(line);
  return { events: await Array.fromAsync(readCapture([utf8(capture)], { onTorn })), torn };
}

Deno.test("a record that was cut off is left out, wherever it was cut", async () => {
  const [data, end] = [await dumped("json", DATA), await dumped("json", END)];
  for (let length = 1; length < data.length - 1; length++) {
    const cut = data.slice(0, length);
    assertEquals(await read(end + cut), { events: [END], torn: [2] });
    assertEquals(await read(`${cut}\n${end}`), { events: [END], torn: [1] });
  }
  assertEquals(await read(end + data.slice(0, -1)), { events: [END, DATA], torn: [] });
});

Deno.test("a record that was glued to one that was cut off is found", async () => {
  const [data, end] = [await dumped("json", DATA), await dumped("json", END)];
  for (let length = 10; length < data.length - 1; length++) {
    assertEquals(await read(data.slice(0, length) + end), { events: [END], torn: [1] });
  }
});

Deno.test("a character that was cut off is no broken capture", async () => {
  const line = await dumped("json", {
    ...base,
    type: "unframed",
    from: "client",
    reason: "\u00e9",
    lost: true,
  });
  const bytes = utf8(line);
  const cut = bytes.subarray(0, bytes.indexOf(0xc3) + 1);
  const torn: number[] = [];
  const onTorn = (line: number) => void torn.push(line);
  const events = await Array.fromAsync(readCapture([cut, utf8("\n"), bytes], { onTorn }));
  assertEquals([events.length, torn], [1, [1]]);
});

Deno.test("many records that were cut off are no capture", async () => {
  const error = await assertRejects(() => read('{"type":\n'.repeat(2_000)), FrameError);
  assertEquals(error.code, "corrupt");
});

Deno.test("the end of a capture is found however it is cut into chunks", async () => {
  const lines = await Promise.all([3, 12, 5].map((id) => dumped("json", { ...DATA, id })));
  const long = await dumped("json", {
    ...base,
    id: 40,
    type: "data",
    from: "client",
    offset: 0,
    data: new Uint8Array(1_000),
  });
  const cases: [string, number, boolean][] = [
    ["", 0, false],
    ["\n", 0, false],
    [lines.join(""), 12, false],
    [lines.join("").slice(0, -1), 12, true],
    [lines.join("") + long.slice(0, 900), 40, true],
    [long + lines.join(""), 40, false],
    ["something else\n", 0, false],
  ];
  for (const [capture, lastId, isTorn] of cases) {
    assertEquals(await endOfCapture([utf8(capture)]), { lastId, isTorn });
    const bytes = Array.from(utf8(capture), (byte) => Uint8Array.of(byte));
    assertEquals(await endOfCapture(bytes), { lastId, isTorn });
  }
});

Deno.test("a capture in a file is continued on a new line and by one program at a time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/capture.jsonl`;
    const end = await dumped("json", END);
    {
      const first = await openCapture(path);
      assertEquals(first.lastId, 0);
      await first.write(utf8(end + end.slice(0, 20)));
      await assertRejects(() => openCapture(path), Error, "another program is writing it");
      first.close();
    }
    const second = await openCapture(path);
    assertEquals(second.lastId, 7);
    await second.write(utf8(end));
    second.close();
    assertEquals(await Deno.readTextFile(path), `${end}${end.slice(0, 20)}\n${end}`);
    await assertRejects(() => openCapture(`${folder}/no/such`), Error, "Cannot write");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the longest messages and reads that a relay writes down can be read", async () => {
  const side = { ...base, from: "client" } as const;
  const size = 9_999_999;
  const [message] = await decoded(`fixed:${size}`, new Uint8Array(size).fill(0xff));
  const event: RelayEvent = {
    ...side,
    type: "message",
    number: 1,
    offset: 0,
    length: size,
    reads: 9,
    value: message,
  };
  const { events: [back] } = await read(await dumped("json", event));
  assert(back?.type === "message" && back.value instanceof Uint8Array);
  assertEquals(back.value.length, size);

  const longer = { ...event, value: new Uint8Array(13_000_000) };
  const written = await dumped("json", longer);
  const { events: [omitted] } = await read(written);
  assert(omitted?.type === "message" && omitted.omitted && omitted.value === undefined);
  assertEquals(await dumped("json", omitted), written);
  assert((await dumped("quiet", omitted)).endsWith("bytes, in 9 reads): \u2026\n"));

  const data = Uint8Array.from({ length: 13_000_000 }, (_, index) => index);
  const reads = await read(await dumped("json", { ...side, type: "data", offset: 5, data }));
  assertEquals(reads.events.map((event) => event.type === "data" && event.offset), [5, 12_579_845]);
  const parts = reads.events.map((event) => event.type === "data" ? event.data : new Uint8Array(0));
  assertEquals(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer(), data.buffer);
});

/** The messages of some bytes. */
function decoded(framing: string, bytes: Uint8Array): unknown[] {
  const messages: unknown[] = [];
  framingByName(framing).decoder().push(bytes, (message) => void messages.push(message));
  return messages;
}

/** What a terminal obeys, and what writes a line of its own. */
const HOSTILE = "\x1b[2J\u009b31m\u202e\r\nforged";
const at = '"id":1,"time":"2030-01-01T00:00:00Z","elapsed":1';
const hostile = JSON.stringify(HOSTILE);
const address = `{"transport":${hostile},"hostname":${hostile},"port":1,${hostile}:${hostile}}`;
const HOSTILE_LINES = [
  `{"type":"open",${at},"client":${address},"target":{"transport":"unix","path":${hostile}}}`,
  `{"type":"refused",${at},"client":${address},"reason":${hostile}}`,
  `{"type":"message",${at},"from":"client","number":1,"offset":0,"length":1,"reads":1,"value":{${hostile}:${hostile}}}`,
  `{"type":"message",${at},"from":"client","number":1,"offset":0,"length":1,"reads":1,"data":"${
    btoa("\x1b[2J\x9b\r\n")
  }"}`,
  `{"type":"unframed",${at},"from":"target","reason":${hostile},"lost":true}`,
  `{"type":"close",${at},"first":"client","reason":${hostile},"fromClient":1,"fromTarget":1}`,
  `{"type":"end",${at},"from":"client",${hostile}:${hostile}}`,
];
for (const line of HOSTILE_LINES) {
  for (const view of ["hex", "text", "quiet", "json"] as const) {
    const type = /"type":"(\w+)"/.exec(line)?.[1];
    Deno.test(`what a file says in ${type} (${line.length}) does nothing to a terminal, as ${view}`, async () => {
      const { events } = await read(`${line}\n`);
      const written = await dumped(view, ...events);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(written), null, written);
      assertEquals(written.split("\n").length, 2, written);
    });
  }
}

const WRONG_FIELDS = [
  `{"type":"close",${at},"first":${hostile},"fromClient":1,"fromTarget":1}`,
  `{"type":"close",${at},"first":"client","reason":1,"fromClient":1,"fromTarget":1}`,
  `{"type":"close",${at},"first":"client","fromClient":-1,"fromTarget":1}`,
  `{"type":"refused",${at},"client":{"hostname":1,"port":1},"reason":"x"}`,
  `{"type":"refused",${at},"client":{"hostname":"x","port":${hostile}},"reason":"x"}`,
  `{"type":"refused",${at},"client":{"path":1},"reason":"x"}`,
  `{"type":"end","id":1.5,"time":"2030-01-01T00:00:00Z","elapsed":1,"from":"client"}`,
  `{"type":"end","id":1e400,"time":"2030-01-01T00:00:00Z","elapsed":1,"from":"client"}`,
  `{"type":"end","id":1,"time":"2030-01-01T00:00:00Z","elapsed":1e400,"from":"client"}`,
];
for (const line of WRONG_FIELDS) {
  Deno.test(`${line.replaceAll(/[^ -~]/g, "?")} is no event`, async () => {
    const error = await assertRejects(() => read(`${line}\n`), FrameError);
    assertEquals(error.code, "corrupt");
  });
}
