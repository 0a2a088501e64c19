/** Servers that lie: each lie is a named error, bounded, and nothing stands under the final name. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileTransferError, getFile, listFiles } from "../../../apps/files/mod.ts";
import type { TcpConnection } from "../../../mod.ts";
import { Folder, serveLies } from "./_harness.ts";

const HASH = "0".repeat(64);

/** What the server sends, what the client says it is. */
const LIES: readonly [string, string, string][] = [
  ["nothing", "", "gone"],
  ["an empty line", "\n", "protocol"],
  ["HTTP", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "protocol"],
  ["a greeting", "220 smtp.example.com ESMTP\r\n", "protocol"],
  ["OK alone", "OK\n", "protocol"],
  ["half a header", "OK 5", "protocol"],
  ["no tag", "OK 5 0\nabcde", "protocol"],
  ["a word too many", "OK 5 0 - x\nabcde", "protocol"],
  ["a negative size", "OK -5 0 -\nabcde", "protocol"],
  ["a size with a sign", "OK +5 0 -\nabcde", "protocol"],
  ["a size in hexadecimal", "OK 0x5 0 -\nabcde", "protocol"],
  ["a fraction", "OK 5.0 0 -\nabcde", "protocol"],
  ["no number", "OK NaN 0 -\n", "protocol"],
  ["infinity", "OK Infinity 0 -\n", "protocol"],
  ["a size beyond numbers", "OK 99999999999999999999 0 -\nabc", "protocol"],
  ["a size beyond exact numbers", "OK 9007199254740993 0 -\nabc", "protocol"],
  ["an offset nobody asked for", "OK 5 2 -\ncde", "protocol"],
  ["an offset behind the end", "OK 5 6 -\n", "protocol"],
  ["a tag that is a path", "OK 5 0 ../x\nabcde", "protocol"],
  ["a tag that does not end", `OK 5 0 ${"t".repeat(65)}\nabcde`, "protocol"],
  ["a tag that commands the terminal", "OK 5 0 \x1b[2J\nabcde", "protocol"],
  ["more than there is", "OK 9007199254740991 0 -\nabc", "gone"],
  ["less than it announces", `OK 5 0 -\nabc`, "gone"],
  ["more than it announces", `OK 5 0 -\nabcdefghOK ${HASH}\n`, "protocol"],
  ["no trailer", "OK 5 0 -\nabcde", "gone"],
  ["half a trailer", "OK 5 0 -\nabcdeOK", "protocol"],
  ["a wrong checksum", `OK 5 0 -\nabcdeOK ${HASH}\n`, "checksum"],
  ["no checksum", "OK 5 0 -\nabcdeOK -\n", "checksum"],
  ["another kind of checksum", "OK 5 0 -\nabcdeOK 8587d865\n", "checksum"],
  ["a change at the end", "OK 5 0 -\nabcdeNO changed x\n", "changed"],
  ["a refusal", "NO not_found \x1b[31mgotcha\n", "not_found"],
  ["an unknown refusal", "NO because \x1b]0;gotcha\x07\u202etxt\n", "failed"],
  ["a refusal without a code", "NO\n", "protocol"],
  ["a code that is none", "NO __proto__ x\n", "failed"],
  ["a code with capitals", "NO Not-Found x\n", "protocol"],
];

for (const [lie, said, code] of LIES) {
  Deno.test(`getFile is told ${lie}: ${code}`, async () => {
    await using folder = await Folder.make();
    await using server = serveLies((conn) => conn.write(said));
    const options = { port: server.port, output: folder.at("x") };
    const error = await assertRejects(() => getFile("file", options), FileTransferError);
    assertEquals(error.code, code, error.message);
    assert(!/[\p{Cc}\p{Bidi_Control}]/u.test(error.message), JSON.stringify(error.message));
    assertEquals(await folder.names(), []);
  });
}

/** What never ends, and how it goes on. */
const ENDLESS: readonly [string, string, string][] = [
  ["a header", "OK 5 0 ", "A"],
  ["a first word", "", "A"],
  ["a refusal", "NO not_found ", "A"],
  ["a trailer", "OK 5 0 -\nabcdeOK ", "A"],
];

for (const [what, begin, more] of ENDLESS) {
  Deno.test(`getFile gives up ${what} that does not end`, async () => {
    await using folder = await Folder.make();
    await using server = serveLies(async (conn) => {
      await conn.write(begin);
      await pour(conn, more.repeat(65_536));
    });
    const options = { port: server.port, output: folder.at("x") };
    const error = await assertRejects(() => getFile("file", options), FileTransferError);
    assertEquals(error.code, "protocol");
    assertEquals(await folder.names(), []);
    assert(server.stats().bytesSent < 64 * 1024 * 1024);
  });

  Deno.test(`getFile gives up ${what} that drips`, async () => {
    await using folder = await Folder.make();
    await using server = serveLies(async (conn) => {
      await conn.write(begin);
      await drip(conn, more);
    });
    const options = { port: server.port, output: folder.at("x"), timeouts: { answer: 100 } };
    const error = await assertRejects(() => getFile("file", options), FileTransferError);
    assertEquals(error.code, "too_slow");
    assertEquals(await folder.names(), []);
  });
}

Deno.test("getFile gives up a body that drips, and one that stops", async () => {
  for (const stops of [true, false]) {
    await using folder = await Folder.make();
    await using server = serveLies(async (conn) => {
      await conn.write("OK 1000000000 0 -\n12345");
      if (stops) await conn.read(new Uint8Array(1));
      else await drip(conn, "x");
    });
    const options = {
      port: server.port,
      output: folder.at("x"),
      timeouts: { stall: 200 },
      limits: { minRate: stops ? 0 : 10_000 },
    };
    const error = await assertRejects(() => getFile("file", options), FileTransferError);
    assertEquals(error.code, "too_slow");
    assertEquals(await folder.names(), []);
  }
});

Deno.test("getFile bears with a server that is slow but steady", async () => {
  await using folder = await Folder.make();
  await using server = serveLies(async (conn) => {
    await conn.write("OK 150 0 -\n");
    for (let round = 0; round < 30; round++) {
      await conn.write("12345");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await conn.write("OK -\n");
  });
  const { size } = await getFile("file", {
    port: server.port,
    output: folder.at("x"),
    checksum: "none",
    timeouts: { stall: 200 },
    limits: { minRate: 100 },
  });
  assertEquals(size, 150);
});

/** Lists that are none. */
const LISTS: readonly [string, string, string][] = [
  ["more than it announces to take", "OK 9007199254740991 0 -\n", "too_large"],
  ["a list that ends short", "OK 100 0 -\n5 - a\n", "gone"],
  ["a line without a name", "OK 4 0 -\n5 -\nOK -\n", "protocol"],
  ["a line with a path", "OK 10 0 -\n5 - ../ab\nOK -\n", "protocol"],
  ["a line with a bad size", "OK 7 0 -\nx - ab\nOK -\n", "protocol"],
  ["a line with a bad time", "OK 11 0 -\n5 never ab\nOK -\n", "protocol"],
  ["an empty line", "OK 1 0 -\n\nOK -\n", "protocol"],
  ["a line with the folder above", "OK 7 0 -\n5 - ..\nOK -\n", "protocol"],
  ["a line with the folder above, as a folder", "OK 8 0 -\n0 - ../\nOK -\n", "protocol"],
  ["a line with the folder itself", "OK 6 0 -\n0 - .\nOK -\n", "protocol"],
  ["a line with NUL", "OK 7 0 -\n5 - a\0\nOK -\n", "protocol"],
  ["a line that commands the terminal", "OK 10 0 -\n5 - \x1b[2Jx\nOK -\n", "protocol"],
  ["a line with a C1 control", "OK 7 0 -\n5 - \u009b\nOK -\n", "protocol"],
  ["a folder without a name", "OK 6 0 -\n0 - /\nOK -\n", "protocol"],
  ["a line with an absolute path", "OK 10 0 -\n5 - /etc/\nOK -\n", "protocol"],
  ["a time that is only a number", "OK 6 0 -\n5 5 a\nOK -\n", "protocol"],
  ["a line without an end", "OK 5 0 -\n5 - aOK -\n", "protocol"],
  ["a line that does not end", `OK 9000 0 -\n5 - ${"a".repeat(8_996)}OK -\n`, "protocol"],
];

for (const [lie, said, code] of LISTS) {
  Deno.test(`listFiles is told ${lie}: ${code}`, async () => {
    await using server = serveLies((conn) => conn.write(said));
    const error = await assertRejects(() => listFiles({ port: server.port }), FileTransferError);
    assertEquals(error.code, code, error.message);
  });
}

Deno.test("listFiles takes CR LF, fractions of seconds, and tags it does not know", async () => {
  await using server = serveLies((conn) =>
    conn.write("OK 32 0 what-ever\r\n5 2024-05-01T10:00:00.123Z a b\r\nOK -\r\n")
  );
  const [entry, ...more] = await listFiles({ port: server.port });
  assertEquals(entry, {
    name: "a b",
    size: 5,
    modified: new Date("2024-05-01T10:00:00.123Z"),
    isFolder: false,
  });
  assertEquals(more, []);
});

Deno.test("listFiles gives up a list longer than the caller takes", async () => {
  await using server = serveLies((conn) => conn.write("OK 101 0 -\n"));
  const listing = () => listFiles({ port: server.port, limits: { maxListSize: 100 } });
  assertEquals((await assertRejects(listing, FileTransferError)).code, "too_large");
});

/** Writes until the client has had enough. */
async function pour(conn: TcpConnection, text: string): Promise<void> {
  try {
    while (true) await conn.write(text);
  } catch {
    // It has had enough.
  }
}

/** Writes a little now and then until the client has had enough. */
async function drip(conn: TcpConnection, text: string): Promise<void> {
  try {
    while (true) {
      await conn.write(text);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch {
    // It has had enough.
  }
}
