/**
 * Listening on a unix socket.
 *
 * @module
 */

/**
 * Listens on `path`.
 *
 * When the listener is closed, the runtime removes the file of that name, whichever it is by then. A
 * server that was replaced while it finished its conversations would take away the socket of its
 * successor; here such a file is put back. No one of this process notices; another process may meet an
 * empty place for a moment.
 */
export function listenUnixSocket(path: string): Deno.UnixListener {
  const listener = Deno.listen({ transport: "unix", path });
  const own = identify(path);
  const accept = listener.accept.bind(listener);
  const close = listener.close.bind(listener);
  let isAccepting = false;
  let kept: string | undefined;
  listener.accept = async () => {
    isAccepting = true;
    try {
      return await accept();
    } finally {
      isAccepting = false;
      if (kept !== undefined) putBack(kept, path); // the runtime closes after the last accept only
    }
  };
  listener.close = () => {
    const now = identify(path);
    if (now !== undefined && now !== own) kept = keep(path);
    close();
    if (kept !== undefined && !isAccepting) putBack(kept, path);
  };
  return listener;
}

/** Which file it is, `undefined` if that cannot be found out. */
function identify(path: string): string | undefined {
  try {
    const { dev, ino, birthtime, mtime } = Deno.lstatSync(path);
    // A successor's file often gets the number that was freed with the old one.
    return `${dev}:${ino}:${(birthtime ?? mtime)?.getTime()}`;
  } catch {
    return undefined;
  }
}

/** Gives a file a second name; `undefined` without the permission for that. */
function keep(path: string): string | undefined {
  const kept = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    Deno.linkSync(path, kept);
    return kept;
  } catch {
    return undefined;
  }
}

function putBack(kept: string, path: string): void {
  try {
    Deno.linkSync(kept, path); // unlike renaming, it replaces nothing
  } catch {
    // Another process listens there already.
  }
  Deno.removeSync(kept);
}
