import type { SecretRef } from "./connection.ts";

export type KeyVaultRef = Extract<SecretRef, { from: "keyVault" }>;

/**
 * Reads an object of Azure Key Vault. `secretNamed` finds the Secret with a service principal's credentials, where the reference names one.
 * @throws BridgeError
 */
export type KeyVaultReader = (
  ref: KeyVaultRef,
  secretNamed: SecretStore["secret"],
) => Promise<Uint8Array>;

/** Finds secrets and ConfigMaps by the order of S-3. Values never appear in errors. */
export interface SecretStore {
  /** All keys of a Secret with their values, or undefined when there is no such Secret. */
  secret(name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined>;
  /** All keys of a ConfigMap with their values, or undefined when there is none. */
  configMap(name: string): Promise<ReadonlyMap<string, string> | undefined>;
  /** One value, wherever the reference says it is. @throws BridgeError SECRET_MISSING that names where it was looked for. */
  value(ref: SecretRef): Promise<Uint8Array>;
}
