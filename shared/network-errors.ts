import type { Verdict } from "./errors.ts";

/** What some of Node's error codes of sockets and TLS mean to every connection. */
export interface NetworkErrors {
  readonly codes: readonly string[];
  /** `stop`: a start ends, a running route goes on trying. */
  readonly verdict: Exclude<Verdict, "dead-letter">;
  /** What somebody does about it, as a sentence. */
  readonly operator: string;
}

/** Every code that an adapter has to expect; any other is taken for one that passes. docs/operations.md shows this table. */
export const NETWORK_ERRORS: readonly NetworkErrors[] = [
  {
    codes: ["ECONNREFUSED"],
    verdict: "retry",
    operator: "Check the port, and that the broker runs.",
  },
  {
    codes: ["ENOTFOUND", "EAI_AGAIN"],
    verdict: "retry",
    operator: "Check the host name in the manifest and the DNS of this machine.",
  },
  {
    codes: ["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "ENETRESET"],
    verdict: "retry",
    operator: "Wait; look at firewalls, proxies and the broker's log when it lasts.",
  },
  {
    codes: ["EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "ENONET", "EADDRNOTAVAIL"],
    verdict: "retry",
    operator: "Check this machine's network and its routes to the broker.",
  },
  {
    codes: ["EACCES", "EPERM"],
    verdict: "retry",
    operator: "Permit this process to open connections: a local firewall or sandbox forbids it.",
  },
  {
    codes: ["EBUSY", "EMFILE", "ENFILE", "ENOBUFS"],
    verdict: "retry",
    operator: "Raise the limit of open files, or see what uses them up on this machine.",
  },
  {
    codes: [
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "CRL_HAS_EXPIRED",
      "CRL_NOT_YET_VALID",
      "CERT_REVOKED",
    ],
    verdict: "stop",
    operator: "Renew the certificate that the message names, or set the clock of this machine.",
  },
  {
    codes: [
      "SELF_SIGNED_CERT_IN_CHAIN",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_CRL",
      "CERT_UNTRUSTED",
      "CERT_REJECTED",
      "INVALID_CA",
    ],
    verdict: "stop",
    operator: "Give the endpoint the CA certificate that signed the broker's.",
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"],
    verdict: "stop",
    operator: "Use the host name that is in the broker's certificate.",
  },
  {
    codes: [
      "CERT_SIGNATURE_FAILURE",
      "CRL_SIGNATURE_FAILURE",
      "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
      "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
      "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
      "ERROR_IN_CERT_NOT_BEFORE_FIELD",
      "ERROR_IN_CERT_NOT_AFTER_FIELD",
      "ERROR_IN_CRL_LAST_UPDATE_FIELD",
      "ERROR_IN_CRL_NEXT_UPDATE_FIELD",
      "CERT_CHAIN_TOO_LONG",
      "PATH_LENGTH_EXCEEDED",
      "INVALID_PURPOSE",
    ],
    verdict: "stop",
    operator: "Have the broker's certificate made anew: it is damaged or not meant for a server.",
  },
  {
    codes: ["EPROTO"],
    verdict: "stop",
    operator: "Check that the port speaks TLS, and which versions and certificates it asks for.",
  },
];

const BY_CODE: ReadonlyMap<string, NetworkErrors> = new Map(
  NETWORK_ERRORS.flatMap((row) => row.codes.map((code) => [code, row] as const)),
);

/** What a code of Node means; undefined of any that may pass. Those that OpenSSL and Node's TLS make up as they go are all refusals. */
export function networkVerdict(code: string): NetworkErrors["verdict"] | undefined {
  const row = BY_CODE.get(code);
  if (row !== undefined) return row.verdict;
  return /^ERR_(TLS|SSL)_/u.test(code) ? "stop" : undefined;
}

/** What the alerts of TLS mean by which a broker refuses, in the names of OpenSSL's codes (RFC 8446, 6.2). */
const ALERTS: readonly (readonly [RegExp, string])[] = [
  [
    /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_REQUIRED|ACCESS_DENIED)$/u,
    "the broker asks for a client certificate that it trusts",
  ],
  [/ALERT_(?:HANDSHAKE_FAILURE|DECRYPT_ERROR)$/u, "the broker refuses the TLS handshake"],
  [
    /ALERT_(?:PROTOCOL_VERSION|INSUFFICIENT_SECURITY)$|UNSUPPORTED_PROTOCOL$|VERSION_TOO_LOW$/u,
    "the broker offers no TLS of version 1.2 or newer",
  ],
  [/WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$/u, "this port does not speak TLS"],
];

/**
 * What a refusal by TLS says, for people: the words of OpenSSL with the place in its sources are for its makers. `text` is what Node says,
 * and stays where nothing better is known.
 */
export function tlsProblem(code: string, text: string): string {
  const row = BY_CODE.get(code);
  if (row?.verdict === "stop" && code !== "EPROTO") return `TLS failed: ${text}. ${row.operator}`;
  const alert = /SSL routines:[^:]*:([^:]+)/u.exec(text)?.[1]?.trim();
  const name = code === "EPROTO" ? openSslCode(alert ?? "") : code;
  const known = ALERTS.find(([pattern]) => pattern.test(name))?.[1];
  const said = alert ?? text;
  return known === undefined ? `TLS failed: ${said}` : `TLS failed: ${known} (${said})`;
}

/** Some streams hand on the words alone. */
function openSslCode(words: string): string {
  return words.toUpperCase().replaceAll(" ", "_");
}
