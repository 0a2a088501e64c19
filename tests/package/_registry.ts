/**
 * A package registry on this machine, that answers as JSR does: a list of versions, the manifest of a
 * version with the checksums of its files, and the files. Deno asks it when `JSR_URL` says so.
 */
import { createHash } from "node:crypto";
import { type Packed, readPacked } from "./_pack.ts";

/** A registry that has one package. */
export interface Registry extends AsyncDisposable {
  /** What `JSR_URL` has to be. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: readonly string[];
}

/** Serves the package, exactly the files that it ships. */
export async function startRegistry(packed: Packed): Promise<Registry> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const path of packed.files) {
    const contents = await readPacked(packed, path);
    files.set(`/${path}`, contents);
    const digest = createHash("sha256").update(contents).digest("hex");
    manifest[`/${path}`] = { size: contents.length, checksum: `sha256-${digest}` };
  }
  const { name, version, exports } = packed;
  const [scope, bare] = name.slice(1).split("/");
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    if (pathname === `/${name}/meta.json`) {
      return Response.json({ scope, name: bare, latest: version, versions: { [version]: {} } });
    }
    if (pathname === `/${name}/${version}_meta.json`) return Response.json({ manifest, exports });
    const contents = files.get(pathname.replace(`/${name}/${version}`, ""));
    if (contents === undefined) return new Response("Not found", { status: 404 });
    const type = pathname.endsWith(".ts") ? "text/typescript" : "application/octet-stream";
    return new Response(contents, { headers: { "content-type": type } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
