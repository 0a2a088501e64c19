/**
 * A relay that shows what passes: read by read, and message by message.
 *
 *     deno run -A examples/relay.ts --listen 9000 --to 127.0.0.1:9999                     # as a hexdump
 *     deno run -A examples/relay.ts --listen 9000 --to 127.0.0.1:9999 --framing lines     # with messages
 *     deno run -A examples/relay.ts --listen 9000 --to example.com:443 --tls --text
 *     deno run -A examples/relay.ts --listen 9000 --to db:5432 --quiet --capture today.jsonl
 *     deno run -A examples/relay.ts --read today.jsonl                                    # show it later
 *
 * Needs --allow-net; --allow-write for --capture, --allow-read for --capture and --read. With --allow-ffi
 * and --allow-read (on Linux), a connection that one side breaks off is broken off on the other side, too.
 */
import { readCapture, serveRelay } from "../apps/relay/mod.ts";
import {
  defineProgram,
  onInterrupt,
  runProgram,
  serveUntilInterrupted,
  UsageError,
} from "../terminal/program.ts";
import {
  dumpOf,
  openRecorder,
  openSource,
  relayOptions,
  relayProgram,
  type RelayValues,
  tellTorn,
} from "../terminal/relay_program.ts";

async function relay(values: RelayValues): Promise<void> {
  const options = await relayOptions(values);
  const { reads, firstId, observer, flush } = await openRecorder(values);
  await serveUntilInterrupted(() => {
    try {
      return serveRelay({ ...options, reads, firstId, observer });
    } catch (error) {
      throw error instanceof TypeError ? new UsageError(error.message) : error;
    }
  }, flush);
}

/** Shows a captured file as if it passed now. */
async function show(file: string, values: RelayValues): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  if (values.framing !== undefined) {
    throw new UsageError("Option --framing belongs to relaying: a capture has its messages in it");
  }
  const dump = dumpOf(values);
  const torn: number[] = [];
  const onTorn = (line: number) => void torn.push(line);
  const source = await openSource(file);
  try {
    for await (const event of readCapture(source, { jsonText: true, onTorn })) {
      await dump.observe(event);
    }
  } finally {
    await dump.flush();
    tellTorn(torn);
  }
}

/** What it is called, takes and does. */
export const program = defineProgram({
  ...relayProgram,
  main: (values) => values.read === undefined ? relay(values) : show(values.read, values),
});

if (import.meta.main) await runProgram(program);
