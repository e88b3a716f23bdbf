import type { ManagedIdentity } from "../model/connection.ts";

/** Microsoft Entra asks for scopes: an audience with `/.default` behind it. */
function scopeOf(audience: string): string {
  const trimmed = audience.replace(/\/+$/, "");
  return trimmed.endsWith("/.default") ? trimmed : `${trimmed}/.default`;
}

/** The app's own identity, for an audience or the default of the service. */
export function systemIdentity(audience: string | undefined, fallback: string): ManagedIdentity {
  return { scope: scopeOf(audience ?? fallback) };
}

export interface UserIdentitySettings {
  readonly clientId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

/** A user-assigned identity; without clientId, the only one that the app has. */
export function userIdentity(
  settings: UserIdentitySettings = {},
  fallback: string = "",
): ManagedIdentity {
  const { clientId, tenantId, scope, audience } = settings;
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(tenantId === undefined ? {} : { tenantId }),
    scope: scopeOf(scope ?? audience ?? fallback),
  };
}
