/** TLS on the command line. @module */
import { readPem } from "./pem.ts";
import type { TlsClientOptions, TlsServerOptions } from "../tcp/mod.ts";
import { type Field, setting, toggle, UsageError } from "./arguments.ts";
import { file, text } from "./values.ts";

/** What TLS takes, on either side. */
export interface TlsValues {
  readonly tls: boolean;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly serverName?: string | undefined;
}

/** The fields of those that connect. */
export interface TlsClientFields {
  readonly ca: Field<string | undefined>;
  readonly insecure: Field<boolean>;
  readonly serverName: Field<string | undefined>;
}

/** The options of a server. */
export const tlsServerOptions: {
  readonly tls: Field<boolean>;
  readonly cert: Field<string | undefined>;
  readonly key: Field<string | undefined>;
} = {
  tls: toggle("--tls", "speak TLS"),
  cert: setting("--cert", file(), "the certificate (PEM); needed to serve, otherwise our own"),
  key: setting("--key", file(), "its private key (PEM)"),
};

/** The options of a client besides. */
export const tlsClientOptions: TlsClientFields = {
  ca: setting("--ca", file(), "trust the certificates in FILE (PEM), too"),
  insecure: toggle(
    "--insecure",
    "accept any certificate: no one else can listen, but the server may be anyone",
  ),
  serverName: setting("--server-name", text("NAME"), "the name that the certificate must be for"),
};

/** What `--tls`, `--cert` and `--key` say of a server. */
export async function readServerTls(values: TlsValues): Promise<TlsServerOptions | undefined> {
  requireTls(values);
  if (!values.tls) return undefined;
  const certificate = await readCertificate(values);
  if (certificate === undefined) throw new UsageError("Option --tls needs --cert and --key");
  return certificate;
}

/** What the options say of a client; `false` without `--tls`. */
export async function readClientTls(values: TlsValues): Promise<TlsClientOptions | false> {
  requireTls(values);
  const { tls, ca, insecure = false, serverName } = values;
  if (!tls) return false;
  if (insecure && ca !== undefined) throw new UsageError("Cannot use --ca with --insecure");
  if (insecure && serverName !== undefined) {
    throw new UsageError("Cannot use --server-name with --insecure");
  }
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
