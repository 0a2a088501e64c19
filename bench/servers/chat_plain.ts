// The shortest chat that works: what one sends goes to all others as it is. No names, no limits.
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
/** Everybody, with the write under way: a second one at the same time is refused. */
const all = new Map<Deno.TcpConn, Promise<void>>();

for await (const conn of listener) {
  conn.setNoDelay(true);
  all.set(conn, Promise.resolve());
  serve(conn).catch(() => {}).finally(() => all.delete(conn));
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    const chunk = buffer.slice(0, n);
    for (const [other, writing] of all) {
      if (other !== conn) all.set(other, writing.then(() => write(other, chunk)).catch(() => {}));
    }
  }
}

async function write(conn: Deno.TcpConn, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += await conn.write(chunk.subarray(written));
  }
}
