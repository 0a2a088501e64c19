/**
 * Serves the files of a folder, and fetches them: verified, and resumed where a download broke off.
 *
 *     deno run -A examples/file_transfer.ts serve DIR           # serves DIR on 127.0.0.1:9998
 *     deno run -A examples/file_transfer.ts list
 *     deno run -A examples/file_transfer.ts get movie.mkv       # again, if it breaks: it resumes
 *     deno run -A examples/file_transfer.ts serve DIR --allow-upload
 *     deno run -A examples/file_transfer.ts put notes.txt
 *
 * Needs --allow-net, --allow-read, and --allow-write for what it writes. The shortest form is
 * examples/minimal/file_download.ts.
 */
import { getFile, listFiles, putFile, serveFiles } from "../apps/files/mod.ts";
import { addressOf } from "../terminal/address.ts";
import {
  clientOptions,
  FILE_PORT,
  fileProgram,
  type FileValues,
  listOf,
  nameOf,
  teller,
  tellOfServer,
  tellOmitted,
  transfer,
} from "../terminal/file_program.ts";
import {
  defineProgram,
  onInterrupt,
  printData,
  runProgram,
  serveUntilInterrupted,
  UsageError,
} from "../terminal/program.ts";
import { readServerTls } from "../terminal/tls.ts";

async function serve(values: FileValues): Promise<void> {
  const folder = nameOf(values, "serve needs a folder: serve DIR");
  const { allowUpload, allowReplace, quota = 1024 ** 3, hidden, quiet, maxEntries } = values;
  const tls = await readServerTls(values);
  await serveUntilInterrupted(() =>
    serveFiles(folder, {
      ...addressOf(values, FILE_PORT),
      tls,
      hidden,
      limits: { maxEntries },
      upload: allowUpload || allowReplace ? { quota, replace: allowReplace } : undefined,
      onTransfer: quiet ? undefined : teller(),
      onError: quiet ? undefined : tellOfServer,
    })
  );
}

async function list(values: FileValues): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  const options = { ...await clientOptions(values), folder: values.name, onOmitted: tellOmitted };
  await printData(listOf(await listFiles(options), values));
}

async function get(values: FileValues): Promise<void> {
  const name = nameOf(values, "get needs a name: get NAME");
  const { output, force, restart } = values;
  if (output === "-") {
    throw new UsageError("Option --output must be a file: it is verified before it gets its name");
  }
  const server = await clientOptions(values);
  await transfer(
    values,
    (options) => getFile(name, { ...server, ...options, output, force, resume: !restart }),
  );
}

async function put(values: FileValues): Promise<void> {
  const path = nameOf(values, "put needs a file: put FILE");
  const { as, force } = values;
  const server = await clientOptions(values);
  await transfer(values, (options) => putFile(path, { ...server, ...options, name: as, force }));
}

/** What it is called, takes and does. */
export const program = defineProgram({
  ...fileProgram,
  main: (values) => ({ serve, list, get, put })[values.command](values),
});

if (import.meta.main) await runProgram(program);
