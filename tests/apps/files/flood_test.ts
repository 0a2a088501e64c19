/** Floods: while some send as fast as they can, the server program serves the others. */
import { assert, assertEquals } from "@std/assert";
import { listFiles, putFile } from "../../../apps/files/mod.ts";
import { python, testWith } from "../../_util/peers.ts";
import { startExample } from "../../examples/_run.ts";
import { Folder, noise } from "./_harness.ts";

const pythonTest = testWith("python3");

const PROGRAM = "file_transfer.ts";
const MiB = 1024 * 1024;

/** Uploads of zeros, as fast as they are taken; tells when they have begun, and when one is complete. */
const UPLOADERS = `
import socket, sys, threading
port, count, size = map(int, sys.argv[1:])
begun = threading.Barrier(count + 1)
def upload(index):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(b"PUT %d new none up%d\\n" % (size, index))
    sock.recv(100)
    zeros = bytes(1 << 20)
    for sent in range(0, size, len(zeros)):
        sock.sendall(zeros)
        if sent == len(zeros):
            begun.wait()
    sock.sendall(b"OK -\\n")
    sock.recv(100)
    print("complete", flush=True)
for index in range(count):
    threading.Thread(target=upload, args=[index], daemon=True).start()
begun.wait()
print("begun", flush=True)
sys.stdin.read()
`;

pythonTest("three uploads at full speed do not keep a fourth client waiting", async () => {
  await using folder = await Folder.make();
  await using here = await Folder.make();
  const path = await here.write("small", noise(MiB));
  const options = ["serve", folder.path, "--allow-upload", "--quota", "20G", "--quiet"];
  await using server = await startExample(PROGRAM, options);
  const { port } = server;
  // So much takes seconds; and each request would have waited until it was over.
  await using uploaders = python(UPLOADERS, port, 3, 1024 * MiB);
  assertEquals(await uploaders.line(), "begun");
  let isComplete = false;
  const completed = uploaders.line().then(() => {
    isComplete = true;
  }, () => {});
  for (let round = 0; round < 5; round++) {
    await listFiles({ port });
    await putFile(path, { port, name: `small${round}` });
  }
  assert(!isComplete);
  uploaders.kill();
  await completed;
});

/** Connections that send the same bytes as fast as they are taken, and begin anew when they are closed. */
const FLOODERS = `
import socket, sys, threading
port, count, junk = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode().decode("unicode_escape").encode("latin-1")
begun = threading.Semaphore(0)
def flood():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.settimeout(1)
                begun.release()
                while True:
                    sock.sendall(junk)
        except OSError:
            pass
for index in range(count):
    threading.Thread(target=flood, daemon=True).start()
for index in range(min(count, 16)):
    begun.acquire()
print("begun", flush=True)
sys.stdin.read()
`;

/** Lists the files from 127.0.0.2, a few times; uploads that have begun are no files yet. */
const OTHERS = `
import socket, sys
for _ in range(3):
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60, ("127.0.0.2", 0))
    sock.sendall(b"LIST\\n")
    first, *entries, last = sock.makefile().read().splitlines()
    print(first[:2], *[entry.split(" ")[2] for entry in entries], last[:2], flush=True)
`;

/** What a flood is made of. */
const FLOODS: readonly [string, string, number][] = [
  ["empty lines", "\\n".repeat(4_096), 1],
  ["empty lines", "\\n".repeat(4_096), 10],
  ["requests", "LIST\\n", 10],
  ["requests for a file", "GET 0 - sha256 big\\n", 10],
  ["bytes that are no line", "\\0".repeat(4_096), 100],
  ["uploads of single bytes", "PUT 1000000000 new none up\\n", 10],
];

for (const [what, junk, count] of FLOODS) {
  pythonTest(`${count} clients that flood with ${what} do not stop the others`, async () => {
    await using folder = await Folder.make();
    await folder.write("big", noise(8 * MiB));
    const options = ["serve", folder.path, "--allow-upload", "--quota", "20G", "--quiet"];
    await using server = await startExample(PROGRAM, options);
    await using flooders = python(FLOODERS, server.port, count, junk);
    assertEquals(await flooders.line(), "begun");
    // From another address, whose places the flood cannot take.
    await using others = python(OTHERS, server.port);
    for (let round = 0; round < 3; round++) assertEquals(await others.line(), "OK big OK");
    flooders.kill();
    assertEquals(await server.stop("SIGTERM"), 0); // signals arrive, too
  });
}
