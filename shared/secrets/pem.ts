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

function parseCertificate(where: string, text: string): { x509: X509Certificate; text: string } {
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
  const until = Date.parse(own.x509.validTo);
  if (until < now)
    throw invalid(
      `Cannot use ${source}: its certificate has expired on ${new Date(until).toISOString()}`,
    );
  const rest = all.filter((other) => other !== own);
  return { certificate: [own, ...rest].map(({ text }) => text).join("\n"), key: key.text };
}

function certificateBlocks(source: string, { name, text }: PemText): Block[] {
  const found = blocksOf(text).filter(isCertificate);
  if (found.length > 0) return found;
  const instead = blocksOf(text).some(isKey)
    ? "it holds a private key: certificate and key are swapped"
    : 'it holds no "-----BEGIN CERTIFICATE-----"';
  throw invalid(`Cannot read ${source}, key "${name}": ${instead}`);
}

function keyBlock(source: string, { name, text }: PemText): Block {
  const found = blocksOf(text).find(isKey);
  if (found !== undefined) return found;
  const instead = blocksOf(text).some(isCertificate)
    ? "it holds a certificate: certificate and key are swapped"
    : 'it holds no "-----BEGIN PRIVATE KEY-----"';
  throw invalid(`Cannot read ${source}, key "${name}": ${instead}`);
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
