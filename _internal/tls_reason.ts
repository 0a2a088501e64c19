/**
 * Why TLS failed, in words.
 *
 * @module
 */

/** The runtime's words about a peer's certificate, and what they mean. */
const CERTIFICATE: readonly [RegExp, string][] = [
  [/CaUsedAsEndEntity/, "it is an authority's, which must not be used as a server's own"],
  [/UnknownIssuer/, "it is not signed by an authority that is trusted here"],
  [/NotValidYet/, "it is not valid yet"],
  [/Expired|certificate expired/, "it has expired"],
  [/NotValidForName|not valid for name/, "it is for another name"],
  [/Revoked/, "it was revoked"],
  [/BadSignature/, "its signature is wrong"],
  [/BadEncoding/, "it cannot be read"],
  [/InvalidPurpose/, "it is for another purpose"],
];

/** The runtime's words about the rest of a handshake. */
const HANDSHAKE: readonly [RegExp, string][] = [
  [/corrupt message of type InvalidContentType/, "the peer does not speak TLS"],
  [/fatal alert: ProtocolVersion/, "the peer speaks only versions of TLS that are not safe"],
  [/fatal alert: (?:CertificateRequired|CertificateUnknown)/, "the peer asks for a certificate"],
  [/fatal alert: HandshakeFailure/, "there is no way of TLS that both sides accept"],
  [/No keys found in key data/, "there is no private key in what was given as the key"],
];

/**
 * Why TLS failed, in words.
 *
 * @param message The runtime's message.
 * @param isHandshake Whether the peer's certificate was looked at, and not one that was given here.
 * @returns `undefined` for what has no words here.
 */
export function tlsReason(message: string, isHandshake: boolean): string | undefined {
  const [, about] = /^invalid peer certificate: (.*)$/s.exec(message) ?? [];
  if (about === undefined) return HANDSHAKE.find(([pattern]) => pattern.test(message))?.[1];
  if (!isHandshake) return "a certificate that was given cannot be used";
  const reason = CERTIFICATE.find(([pattern]) => pattern.test(about))?.[1];
  const names = [...about.matchAll(/(?:DnsName|IpAddress)\("?([^")]+)"?\)/g)].map((one) => one[1]);
  const only = names.length === 0 ? "" : `, only for ${names.slice(0, 3).join(", ")}`;
  return `the peer's certificate is not valid: ${reason ?? about}${only}`;
}
