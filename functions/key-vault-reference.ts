import { BridgeError } from "../shared/errors.ts";
import type { KeyVaultRef } from "../shared/model/secret-store.ts";
import { secretSetting } from "../shared/plan/connection-settings.ts";

/**
 * A value of Key Vault as the platform hands it over: in the app setting that refers to it, already looked up with the app's identity.
 * @throws BridgeError SECRET_MISSING when the setting is not there or its reference was not resolved.
 */
export function resolvedReference(
  ref: KeyVaultRef,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  const { name, value: reference } = secretSetting(ref, "");
  const value = env[name];
  const missing = (what: string): Promise<never> =>
    Promise.reject(
      new BridgeError(
        "SECRET_MISSING",
        `Cannot read ${ref.kind} "${ref.name}" of Key Vault "${ref.vault}": app setting "${name}" ${what}`,
      ),
    );
  if (value === undefined || value === "") return missing(`is not set: give it "${reference}"`);
  if (value.startsWith("@Microsoft.KeyVault(")) {
    return missing(
      "was not resolved: the app's identity needs Key Vault Secrets User on that vault, and the secret has to exist",
    );
  }
  return Promise.resolve(new TextEncoder().encode(value));
}
