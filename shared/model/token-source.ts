import type { AccessToken } from "./endpoint.ts";

export interface TokenRequest {
  /** The user-assigned identity, or the service principal; absent for the system-assigned one. */
  readonly clientId?: string;
  readonly tenantId?: string;
  /** Makes `clientId` a service principal of the tenant, that signs in with it. */
  readonly clientSecret?: string;
  /** `https://<resource>/.default` */
  readonly scope: string;
}

/** Where access tokens come from: of the app's own identity, or of a service principal. Caches; a token it returns has some minutes left. */
export interface TokenSource {
  /** @throws BridgeError when no identity can be had. */
  token(request: TokenRequest): Promise<AccessToken>;
}
