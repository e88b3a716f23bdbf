import type { AccessToken } from "./endpoint.ts";

export interface TokenRequest {
  /** The user-assigned identity; absent for the system-assigned one. */
  readonly clientId?: string;
  readonly tenantId?: string;
  /** `https://<resource>/.default` */
  readonly scope: string;
}

/** Where access tokens of the app's own identity come from. Caches; a token it returns has some minutes left. */
export interface TokenSource {
  /** @throws BridgeError when no identity can be had. */
  token(request: TokenRequest): Promise<AccessToken>;
}
