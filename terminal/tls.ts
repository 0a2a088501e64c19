/** TLS on the command line. @module */
import { readPem } from "./pem.ts";
import type { TlsClientOptions, TlsServerOptions } from "../tcp/mod.ts";
import { setting, toggle, UsageError, type Values } from "./arguments.ts";
import { refuseTogether } from "./usage_error.ts";
import { file, text } from "./values.ts";

/** The options of both sides. */
export const tlsServerOptions = {
  tls: toggle("--tls", "speak TLS"),
  cert: setting("--cert", file(), "our certificate (PEM); servers need one"),
  key: setting("--key", file(), "its private key (PEM)"),
};

/** The options of clients. */
export const tlsClientOptions = {
  ca: setting("--ca", file(), "trust the certificates in FILE (PEM), too"),
  insecure: toggle("--insecure", "accept any certificate: the server may be anyone"),
  serverName: setting("--server-name", text("NAME"), "the name that its certificate must be for"),
};

/** What TLS takes, on either side. */
export type TlsValues =
  & Values<typeof tlsServerOptions>
  & Partial<Values<typeof tlsClientOptions>>;

/** The TLS options of a server; `undefined` without `--tls`. */
export async function readServerTls(values: TlsValues): Promise<TlsServerOptions | undefined> {
  requireTls(values);
  if (!values.tls) return undefined;
  const certificate = await readCertificate(values);
  if (certificate === undefined) throw new UsageError("Option --tls needs --cert and --key");
  return certificate;
}

/** The TLS options of a client; `false` without `--tls`. */
export async function readClientTls(values: TlsValues): Promise<TlsClientOptions | false> {
  requireTls(values);
  const { tls, ca, insecure = false, serverName } = values;
  if (!tls) return false;
  refuseTogether({ insecure, ca, "server-name": serverName });
  return {
    serverName,
    caCerts: ca === undefined ? undefined : [await readPem(ca)],
    ...await readCertificate(values),
    unsafelyIgnoreCertificateErrors: insecure,
  };
}

function requireTls({ tls, cert, key, ca, insecure, serverName }: TlsValues): void {
  if (tls) return;
  const given = Object.entries({ "server-name": serverName, ca, insecure, cert, key })
    .find(([, value]) => value !== undefined && value !== false);
  if (given !== undefined) throw new UsageError(`Option --${given[0]} needs --tls`);
}

async function readCertificate(
  { cert, key }: TlsValues,
): Promise<{ cert: string; key: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new UsageError("Option --key needs --cert");
  if (key === undefined) throw new UsageError("Option --cert needs --key");
  return { cert: await readPem(cert), key: await readPem(key) };
}
