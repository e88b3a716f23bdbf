import { BridgeError } from "../errors.ts";
import type { TlsSettings, X509Credential } from "../model/connection.ts";
import type { TlsMaterial } from "../model/endpoint.ts";
import type { SecretStore } from "../model/secret-store.ts";
import {
  type ClientCertificate,
  clientCertificate,
  type PemText,
  trustedCertificates,
} from "./pem.ts";

/** What TLS needs, or undefined where it is off. @throws BridgeError SECRET_MISSING or SECRET_INVALID */
export async function tlsMaterial(
  tls: TlsSettings,
  client: X509Credential | undefined,
  store: SecretStore,
  now: number,
): Promise<TlsMaterial | undefined> {
  if (!tls.enabled) {
    if (client === undefined) return undefined;
    throw new BridgeError(
      "SECRET_INVALID",
      "Cannot use a client certificate without TLS: enable TLS",
    );
  }
  const ca = tls.trustedCa === undefined ? undefined : await trusted(tls.trustedCa.name, store);
  const own = client === undefined ? undefined : await clientMaterial(client, store, now);
  return { ...(ca === undefined ? {} : { ca }), ...own };
}

async function trusted(name: string, store: SecretStore): Promise<string[]> {
  const values = await store.configMap(name);
  if (values === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      `Cannot find ConfigMap "${name}": it is in no manifest, no mounted folder and not in the environment`,
    );
  }
  const texts = [...values].map(([key, text]) => ({ name: key, text }));
  return trustedCertificates(`ConfigMap "${name}"`, texts);
}

async function clientMaterial(
  credential: X509Credential,
  store: SecretStore,
  now: number,
): Promise<ClientCertificate> {
  if (credential.secretName !== undefined)
    return await fromSecret(credential.secretName, store, now);
  const { certificate, caChain } = credential;
  const main = certificate ?? caChain;
  if (main === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      "Cannot find the client certificate: the manifest names none",
    );
  }
  const text = pemFromVault(main.name, await store.value(main));
  const chain =
    certificate === undefined || caChain === undefined
      ? undefined
      : { name: caChain.name, text: pemFromVault(caChain.name, await store.value(caChain)) };
  const pem = { name: main.name, text };
  return clientCertificate(
    `Key Vault object "${main.name}"`,
    { certificate: pem, key: pem, chain },
    now,
  );
}

function pemFromVault(name: string, bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (text.includes("-----BEGIN ")) return text;
  throw new BridgeError(
    "SECRET_INVALID",
    `Cannot read Key Vault object "${name}": it is not PEM: import the certificate with content type application/x-pem-file`,
  );
}

/** The two ways of naming the parts: a kubernetes.io/tls Secret, and the portal's. */
const layouts = [
  { certificate: "tls.crt", key: "tls.key", chain: "ca.crt" },
  { certificate: "client_cert.pem", key: "client_key.pem", chain: "client_intermediate_certs.pem" },
] as const;

async function fromSecret(
  name: string,
  store: SecretStore,
  now: number,
): Promise<ClientCertificate> {
  const values = await store.secret(name);
  if (values === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      `Cannot find Secret "${name}": it is in no manifest, no mounted folder and not in the environment`,
    );
  }
  const textOf = (key: string): PemText | undefined => {
    const bytes = values.get(key);
    return bytes === undefined ? undefined : { name: key, text: new TextDecoder().decode(bytes) };
  };
  for (const layout of layouts) {
    const certificate = textOf(layout.certificate);
    const key = textOf(layout.key);
    if (certificate === undefined || key === undefined) continue;
    // ca.crt of a TLS Secret is the root, which a client does not send.
    const chain = layout.chain === "ca.crt" ? undefined : textOf(layout.chain);
    return clientCertificate(`Secret "${name}"`, { certificate, key, chain }, now);
  }
  const keys = [...values.keys()].map((key) => `"${key}"`).join(", ");
  throw new BridgeError(
    "SECRET_INVALID",
    `Cannot use Secret "${name}" as a client certificate: it needs "tls.crt" and "tls.key", or "client_cert.pem" and "client_key.pem", and has ${keys}`,
  );
}
