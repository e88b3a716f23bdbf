import type { SecretRef, X509Credential } from "../model/connection.ts";
import { environmentName } from "./environment-name.ts";
import { hasPlaceholder } from "./hosts.ts";
import { nearest } from "./nearest.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import type { ConnectorX509 } from "./schema/kafka-connector.ts";
import type { Vault, VaultObject } from "./schema/key-vault.ts";

type KeyValueKind = "Secret" | "ConfigMap";

/** Notes which Secrets and ConfigMaps are referred to, and says of those in no manifest where they will be looked for. */
export class References {
  readonly #known: Readonly<Record<KeyValueKind, ReadonlySet<string>>>;
  readonly #told: Set<string> = new Set();

  constructor(known: Readonly<Record<KeyValueKind, ReadonlySet<string>>>) {
    this.#known = known;
  }

  use(kind: KeyValueKind, name: string, resource: Resource, path: FieldPath): void {
    const names = this.#known[kind];
    if (names.has(name) || hasPlaceholder(name) || this.#told.has(`${kind}/${name}`)) return;
    this.#told.add(`${kind}/${name}`);
    const candidate = nearest(name, names);
    const hint = candidate === undefined ? "" : `; the manifests have ${quote(candidate)}`;
    const folder = `the folder of mounted secrets (${name}/<key>)`;
    resource.report(
      "note",
      path,
      `${kind} ${quote(name)} is in no manifest: it will be looked up in ${folder} and in the environment (${environmentName(kind, name)}_<KEY>)${hint}`,
    );
  }
}

/** Names an object in Key Vault. */
export function vaultReference(
  vault: Vault,
  kind: "vaultSecret" | "vaultCert" | "vaultCaChainSecret",
  object: VaultObject,
): SecretRef {
  const principal = vault.credentials?.servicePrincipalLocalSecretName;
  return {
    from: "keyVault",
    vault: vault.name,
    kind,
    name: object.name,
    ...(object.version === undefined ? {} : { version: object.version }),
    ...(vault.directoryId === undefined ? {} : { directoryId: vault.directoryId }),
    ...(principal === undefined ? {} : { servicePrincipalSecretName: principal }),
  };
}

/** The client certificate of a connector's `x509`, or undefined when it names none. */
export function connectorX509(
  spec: ConnectorX509,
  resource: Resource,
  path: FieldPath,
  references: References,
): X509Credential | undefined {
  if (spec.secretName !== undefined) {
    references.use("Secret", spec.secretName, resource, [...path, "secretName"]);
    return { secretName: spec.secretName };
  }
  const { vault, vaultCert, vaultCaChainSecret } = spec.keyVault ?? {};
  if (vault === undefined || (vaultCert === undefined && vaultCaChainSecret === undefined)) {
    resource.report(
      "error",
      path,
      'no certificate is named: give "secretName", or "keyVault" with "vaultCert" or "vaultCaChainSecret"',
    );
    return undefined;
  }
  return {
    ...(vaultCert === undefined
      ? {}
      : { certificate: vaultReference(vault, "vaultCert", vaultCert) }),
    ...(vaultCaChainSecret === undefined
      ? {}
      : { caChain: vaultReference(vault, "vaultCaChainSecret", vaultCaChainSecret) }),
  };
}
