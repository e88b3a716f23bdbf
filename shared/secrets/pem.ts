import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { BridgeError } from "../errors.ts";

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

interface Block {
  readonly label: string;
  readonly text: string;
}

function blocksOf(pem: string): Block[] {
  return [...pem.matchAll(block)].map((match) => ({ label: match[1] ?? "", text: match[0] }));
}

const isKey = ({ label }: Block): boolean => label.endsWith("PRIVATE KEY");
const isCertificate = ({ label }: Block): boolean => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label);

/** A text of PEM with the name people know it by, for messages. */
export interface PemText {
  readonly name: string;
  readonly text: string;
}

export interface ClientCertificate {
  /** The certificate of the client first, then those between it and the root. */
  readonly certificate: string;
  readonly key: string;
}

function invalid(message: string, cause?: unknown): BridgeError {
  return new BridgeError("SECRET_INVALID", message, cause === undefined ? {} : { cause });
}

/** Every certificate of the texts. @throws BridgeError SECRET_INVALID when one is broken, or there is none. */
export function trustedCertificates(source: string, texts: readonly PemText[]): string[] {
  const certificates = texts.flatMap(({ name, text }) =>
    blocksOf(text)
      .filter(isCertificate)
      .map((found) => parseCertificate(`${source}, key "${name}"`, found.text).text),
  );
  if (certificates.length === 0) {
    throw invalid(`Cannot trust ${source}: none of its values holds "-----BEGIN CERTIFICATE-----"`);
  }
  return certificates;
}

function parseCertificate(where: string, text: string): Certificate {
  try {
    return { x509: new X509Certificate(text), text };
  } catch (cause) {
    throw invalid(`Cannot read ${where}: the certificate is damaged`, cause);
  }
}

/**
 * Checks a client certificate with its key as a TLS library would, but says what is wrong.
 * `now` is in milliseconds since the Unix epoch. @throws BridgeError SECRET_INVALID
 */
export function clientCertificate(
  source: string,
  pem: {
    readonly certificate: PemText;
    readonly key: PemText;
    readonly chain?: PemText | undefined;
  },
  now: number,
): ClientCertificate {
  const certificates = certificateBlocks(source, pem.certificate);
  const key = keyBlock(source, pem.key);
  const chain = pem.chain === undefined ? [] : certificateBlocks(source, pem.chain);
  const all = [...certificates, ...chain].map(({ text }) =>
    parseCertificate(`${source}, key "${pem.certificate.name}"`, text),
  );
  const privateKey = parseKey(source, pem.key.name, key.text);
  const own = all.find(({ x509 }) => x509.checkPrivateKey(privateKey));
  if (own === undefined) {
    throw invalid(
      `Cannot use ${source}: the private key "${pem.key.name}" does not belong to the certificate "${pem.certificate.name}"`,
    );
  }
  checkValidity(source, own.x509, now);
  return { certificate: inOrder(own, all).join("\n"), key: key.text };
}

function checkValidity(source: string, { validFrom, validTo }: X509Certificate, now: number): void {
  const from = Date.parse(validFrom);
  const until = Date.parse(validTo);
  const problem =
    until < now
      ? `has expired on ${new Date(until).toISOString()}`
      : from > now
        ? `is not valid before ${new Date(from).toISOString()}: wait, or set the clock of this machine`
        : undefined;
  if (problem !== undefined) throw invalid(`Cannot use ${source}: its certificate ${problem}`);
}

interface Certificate {
  readonly x509: X509Certificate;
  readonly text: string;
}

/** Each certificate before that of its issuer, as TLS 1.2 wants them; those that belong to none follow. */
function inOrder(own: Certificate, all: readonly Certificate[]): string[] {
  const chain = [own];
  const rest = new Set(all.filter((other) => other !== own));
  let issuer: Certificate | undefined = own;
  while (issuer !== undefined) {
    const { x509 }: Certificate = issuer;
    issuer = [...rest].find((other) => x509.checkIssued(other.x509));
    if (issuer !== undefined && rest.delete(issuer)) chain.push(issuer);
  }
  return [...chain, ...rest].map(({ text }) => text);
}

function certificateBlocks(source: string, { name, text }: PemText): Block[] {
  const found = blocksOf(text).filter(isCertificate);
  if (found.length > 0) return found;
  const instead = blocksOf(text).some(isKey)
    ? "it holds a private key: certificate and key are swapped"
    : notPem(text, "CERTIFICATE");
  throw invalid(`Cannot read ${source}, key "${name}": ${instead}`);
}

function keyBlock(source: string, { name, text }: PemText): Block {
  const found = blocksOf(text).find(isKey);
  if (found !== undefined) return found;
  const instead = blocksOf(text).some(isCertificate)
    ? "it holds a certificate: certificate and key are swapped"
    : notPem(text, "PRIVATE KEY");
  throw invalid(`Cannot read ${source}, key "${name}": ${instead}`);
}

/** DER and PKCS#12 are ASN.1: a SEQUENCE, and near its begin an INTEGER, the version or the serial number. */
function notPem(text: string, label: string): string {
  const integer = text.slice(0, 16).includes("\u0002");
  if (!text.startsWith("0") || !integer) return `it holds no "-----BEGIN ${label}-----"`;
  return "it is DER or PKCS#12, not PEM: convert it with openssl x509, openssl pkey or openssl pkcs12";
}

function parseKey(source: string, name: string, text: string): KeyObject {
  if (/ENCRYPTED/.test(text)) {
    throw invalid(
      `Cannot read ${source}, key "${name}": the private key has a passphrase, which is not supported: store it without one`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw invalid(`Cannot read ${source}, key "${name}": the private key is damaged`, cause);
  }
}
