import type { SecretClient, SecretClientOptions } from "@azure/keyvault-secrets";
import { BridgeError } from "../../errors.ts";
import type { KeyVaultReader, KeyVaultRef } from "../../model/secret-store.ts";
import type { TokenRequest, TokenSource } from "../../model/token-source.ts";
import { keyVaultError } from "./key-vault-errors.ts";

export interface AzureKeyVaultOptions {
  /** Tokens of the app's own identity, and of the service principals that manifests name. */
  readonly identity: TokenSource;
  /** What else the SDK's clients are made with. */
  readonly client?: SecretClientOptions;
}

/** The clouds' domains: a token for a vault goes to no other host, whatever a manifest says. */
const DOMAINS = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net"];
const RETRIES = { maxRetries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 5000 };

/**
 * Objects of Key Vault by @azure/keyvault-secrets, which is loaded at the first. A certificate is read as the secret of its name: there
 * the service keeps it together with its key.
 */
export function azureKeyVault(options: AzureKeyVaultOptions): KeyVaultReader {
  const clients = new Map<string, Promise<SecretClient>>();
  return async (ref, secretNamed) => {
    const url = urlOf(ref);
    const request = await requestOf(ref, secretNamed);
    const key = [url, request.tenantId, request.clientId, request.clientSecret].join(" ");
    let client = clients.get(key);
    if (client === undefined) {
      client = newClient(url, request, options);
      clients.set(key, client);
    }
    const { version } = ref;
    try {
      const sdk = await client;
      const { value } = await sdk.getSecret(ref.name, version === undefined ? {} : { version });
      return new TextEncoder().encode(value ?? "");
    } catch (cause) {
      // its next use signs in anew: access may have been granted meanwhile
      clients.delete(key);
      throw keyVaultError(cause, ref);
    }
  };
}

async function newClient(
  url: string,
  request: Omit<TokenRequest, "scope">,
  { identity, client }: AzureKeyVaultOptions,
): Promise<SecretClient> {
  const { SecretClient: Client } = await import("@azure/keyvault-secrets");
  const credential = {
    async getToken(scopes: string | string[]) {
      const scope = Array.isArray(scopes) ? (scopes[0] ?? "") : scopes;
      const { value, expiresAt } = await identity.token({ ...request, scope });
      return { token: value, expiresOnTimestamp: expiresAt };
    },
  };
  return new Client(url, credential, { retryOptions: RETRIES, ...client });
}

/** Where the vault is: by its name, or by its whole host name in another cloud. */
function urlOf({ vault, kind, name }: KeyVaultRef): string {
  const host = vault.includes(".") ? vault.toLowerCase() : `${vault}.${DOMAINS[0]}`;
  const [own = "", ...domain] = host.split(".");
  if (/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/iu.test(own) && DOMAINS.includes(domain.join("."))) {
    return `https://${host}`;
  }
  throw new BridgeError(
    "SECRET_INVALID",
    `Cannot read ${kind} "${name}": "${vault}" is no name of a Key Vault, nor a host of ${DOMAINS.join(", ")}`,
  );
}

/** Who signs in: the app itself, or the service principal whose credentials a Secret holds. */
async function requestOf(
  { vault, directoryId, servicePrincipalSecretName: secret }: KeyVaultRef,
  secretNamed: (name: string) => Promise<ReadonlyMap<string, Uint8Array> | undefined>,
): Promise<Omit<TokenRequest, "scope">> {
  if (secret === undefined) return directoryId === undefined ? {} : { tenantId: directoryId };
  const signIn = `Cannot sign in to Key Vault "${vault}"`;
  if (directoryId === undefined) {
    throw new BridgeError(
      "SECRET_INVALID",
      `${signIn}: a service principal needs the vault's "directoryId" too`,
    );
  }
  const values = await secretNamed(secret);
  if (values === undefined) {
    throw new BridgeError(
      "SECRET_MISSING",
      `${signIn}: there is no Secret "${secret}" with "clientid" and "clientsecret"`,
    );
  }
  const clientId = textOf(values, "clientid");
  const clientSecret = textOf(values, "clientsecret");
  if (clientId !== "" && clientSecret !== "") {
    return { tenantId: directoryId, clientId, clientSecret };
  }
  const keys = [...values.keys()].map((key) => `"${key}"`).join(", ");
  throw new BridgeError(
    "SECRET_INVALID",
    `${signIn}: Secret "${secret}" needs "clientid" and "clientsecret", and has ${keys}`,
  );
}

/** Files and manifests spell keys in several ways, `client_id` among them. */
function textOf(values: ReadonlyMap<string, Uint8Array>, key: string): string {
  for (const [name, value] of values) {
    if (name.toLowerCase().replace(/[-_.]/gu, "") !== key) continue;
    return new TextDecoder().decode(value).trim();
  }
  return "";
}
