// Lines with nothing but the runtime, as they are usually written: split each read, join the answers.
const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
console.log(listener.addr.port);
for await (const conn of listener) serve(conn);

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  conn.setNoDelay(true);
  let rest = "";
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length === 0) continue;
      const answer = encoder.encode(lines.map((line) => `${line}\n`).join(""));
      for (let sent = 0; sent < answer.length;) sent += await conn.write(answer.subarray(sent));
    }
  } catch {
    // The client broke the connection off.
  }
  conn.close();
}
