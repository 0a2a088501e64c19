import { assertEquals } from "@std/assert";
import { tlsReason } from "../../_internal/tls_reason.ts";

Deno.test("what the runtime says about TLS is put into words", () => {
  const of = "the peer's certificate is not valid";
  const cases: [said: string, reason: string | undefined][] = [
    [
      "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
      `${of}: it is an authority's, which must not be used as a server's own`,
    ],
    [
      "invalid peer certificate: UnknownIssuer",
      `${of}: it is not signed by an authority that is trusted here`,
    ],
    ["invalid peer certificate: Expired", `${of}: it has expired`],
    [
      'invalid peer certificate: certificate not valid for name "a.example"; certificate is only valid for DnsName("b.example")',
      `${of}: it is for another name, only for b.example`,
    ],
    ["invalid peer certificate: Unheard", `${of}: Unheard`],
    ["received corrupt message of type InvalidContentType", "the peer does not speak TLS"],
    [
      "received fatal alert: ProtocolVersion",
      "the peer speaks only versions of TLS that are not safe",
    ],
    ["something else", undefined],
  ];
  for (const [said, reason] of cases) assertEquals(tlsReason(said, true), reason);
  assertEquals(
    tlsReason("invalid peer certificate: BadEncoding", false),
    "a certificate that was given cannot be used",
  );
});
