// A relay as the runtime alone makes it: one loop for each direction, no limits, nobody looking.
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const client of listener) relay(client);

async function relay(client: Deno.TcpConn): Promise<void> {
  using from = client;
  using to = await Deno.connect({ hostname: "127.0.0.1", port });
  from.setNoDelay();
  to.setNoDelay();
  await Promise.allSettled([pass(from, to), pass(to, from)]);
}

async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
    for (let written = 0; written < n;) written += await to.write(buffer.subarray(written, n));
  }
  await to.closeWrite();
}
