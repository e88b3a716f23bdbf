import type { ClientSecretCredentialOptions, TokenCredential } from "@azure/identity";
import { BridgeError } from "../../errors.ts";
import type { TokenRequest, TokenSource } from "../../model/token-source.ts";
import { identityReason } from "./identity-reason.ts";

/**
 * Tokens by @azure/identity: the managed identity on Azure, what DefaultAzureCredential finds on a developer's machine, and service
 * principals with a secret. The SDK is loaded at the first token, for a bridge without identities should not pay for it at start.
 */
export function azureTokenSource(
  create: (request: TokenRequest) => Promise<TokenCredential> = azureCredential,
): TokenSource {
  const credentials = new Map<string, Promise<TokenCredential>>();
  return {
    async token(request) {
      const { clientId, tenantId, clientSecret, scope } = request;
      const key = [clientId, tenantId, clientSecret].join(" ");
      let credential = credentials.get(key);
      if (credential === undefined) {
        credential = create(request);
        credentials.set(key, credential);
      }
      try {
        const token = await (await credential).getToken(scope);
        if (token === null) throw new Error("no identity answered");
        return { value: token.token, expiresAt: token.expiresOnTimestamp };
      } catch (cause) {
        credentials.delete(key);
        throw new BridgeError(
          "IDENTITY_UNAVAILABLE",
          `Cannot get an access token${whoseOf(request)} for "${scope}": ${identityReason(cause)}`,
          { cause, retryable: true },
        );
      }
    },
  };
}

function whoseOf({ clientId, clientSecret }: TokenRequest): string {
  if (clientId === undefined) return "";
  return ` of ${clientSecret === undefined ? "identity" : "service principal"} ${clientId}`;
}

/** The SDK's credential for whom a request names. `options` are those of a service principal. */
export async function azureCredential(
  { clientId, tenantId, clientSecret }: TokenRequest,
  options: ClientSecretCredentialOptions = {},
): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential } = await import("@azure/identity");
  if (clientSecret !== undefined) {
    return new ClientSecretCredential(tenantId ?? "", clientId ?? "", clientSecret, options);
  }
  return new DefaultAzureCredential({
    ...(clientId === undefined ? {} : { managedIdentityClientId: clientId }),
    ...(tenantId === undefined ? {} : { tenantId }),
  });
}
