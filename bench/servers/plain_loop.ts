// The control: what a careful person writes with nothing but the runtime. Argument: bytes of the read buffer.
const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
const size = Number(Deno.args[0] ?? 65_536);
console.log(listener.addr.port);
for await (const conn of listener) serve(conn);

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(size);
  conn.setNoDelay(true);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      for (let sent = 0; sent < n;) sent += await conn.write(buffer.subarray(sent, n));
    }
  } catch {
    // The client broke the connection off.
  }
  conn.close();
}
