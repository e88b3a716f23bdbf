import type { TokenCredential } from "@azure/identity";
import { BridgeError } from "../../errors.ts";
import type { TokenRequest, TokenSource } from "../../model/token-source.ts";

/**
 * Tokens by @azure/identity: the managed identity on Azure, what DefaultAzureCredential finds on a developer's machine.
 * The SDK is loaded at the first token, for a bridge without identities should not pay for it at start.
 */
export function azureTokenSource(
  create: (request: TokenRequest) => Promise<TokenCredential> = defaultCredential,
): TokenSource {
  const credentials = new Map<string, Promise<TokenCredential>>();
  return {
    async token(request) {
      const key = `${request.clientId ?? ""} ${request.tenantId ?? ""}`;
      let credential = credentials.get(key);
      if (credential === undefined) {
        credential = create(request);
        credentials.set(key, credential);
      }
      try {
        const token = await (await credential).getToken(request.scope);
        if (token === null) throw new Error("no identity answered");
        return { value: token.token, expiresAt: token.expiresOnTimestamp };
      } catch (cause) {
        credentials.delete(key);
        const who = request.clientId === undefined ? "" : ` of identity ${request.clientId}`;
        const text = cause instanceof Error ? firstLine(cause.message) : "unknown reason";
        throw new BridgeError(
          "IDENTITY_UNAVAILABLE",
          `Cannot get an access token${who} for "${request.scope}": ${text}`,
          { cause, retryable: true },
        );
      }
    },
  };
}

async function defaultCredential(request: TokenRequest): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential({
    ...(request.clientId === undefined ? {} : { managedIdentityClientId: request.clientId }),
    ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
  });
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
