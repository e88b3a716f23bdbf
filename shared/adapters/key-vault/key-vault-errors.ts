import { BridgeError, type ErrorCode } from "../../errors.ts";
import type { KeyVaultRef } from "../../model/secret-store.ts";

/** As far as it is used: RestError of the SDK. Its message may hold what the service answered, and is not shown. */
interface VendorError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: { readonly error?: ServiceError };
}

interface ServiceError {
  readonly code?: string;
  readonly innerError?: { readonly code?: string };
}

interface Verdict {
  readonly code: ErrorCode;
  readonly why: string;
  readonly retryable?: boolean;
}

/** What a fault of Key Vault means, in words without anything of the answer but its code. */
export function keyVaultError(cause: unknown, ref: KeyVaultRef): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const { code, why, retryable = false } = verdictOf(cause as VendorError, ref);
  const version = ref.version === undefined ? "" : `, version ${ref.version},`;
  return new BridgeError(
    code,
    `Cannot read ${ref.kind} "${ref.name}"${version} of Key Vault "${ref.vault}": ${why}`,
    { cause, retryable },
  );
}

function verdictOf({ statusCode, code, details }: VendorError, ref: KeyVaultRef): Verdict {
  const { error } = details ?? {};
  const said = error?.innerError?.code ?? error?.code ?? code ?? `status ${statusCode ?? "none"}`;
  switch (statusCode) {
    case 404:
      return {
        code: "SECRET_MISSING",
        why: `the vault has ${ref.version === undefined ? "no such secret" : "no such version"} (${said})`,
      };
    case 401:
      return {
        code: "KEY_VAULT_REFUSED",
        why: `it does not accept the access token (${said}): see that the identity is of the vault's own tenant`,
      };
    case 403:
      return { code: "KEY_VAULT_REFUSED", why: forbidden(said) };
    default:
      return {
        code: "KEY_VAULT_UNAVAILABLE",
        why: `it cannot be reached (${said})`,
        retryable: true,
      };
  }
}

function forbidden(said: string): string {
  switch (said) {
    case "SecretDisabled":
      return "that is disabled there: enable it";
    case "ForbiddenByFirewall":
      return "its firewall lets nobody in from here (ForbiddenByFirewall)";
    default:
      return `access is refused (${said}): grant the role Key Vault Secrets User`;
  }
}
