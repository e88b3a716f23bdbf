import { type Answer, hostOf, type Service } from "./local-cloud.ts";

interface Version {
  readonly version: string;
  readonly value: string;
  readonly contentType?: string;
  readonly enabled?: boolean;
}

export const TENANT = "11111111-2222-3333-4444-555555555555";
const RESOURCE = "https://vault.azure.net";

/** A Key Vault: secrets with versions, for bearers of tokens that it knows. A certificate is the secret of its name, as in the service. */
export class KeyVault {
  /** By name, the newest last. */
  readonly secrets: Map<string, Version[]> = new Map();
  /** Tokens that are known, and whether their bearer may read secrets. */
  readonly tokens: Map<string, "reader" | "nobody"> = new Map();
  /** Paths that were asked for with a token that is known. */
  readonly asked: string[] = [];
  /** What is said to everybody, while it is not undefined. */
  trouble: Answer | undefined;

  readonly service: Service = (request) => {
    if (this.trouble !== undefined) return this.trouble;
    const token = /^Bearer (.+)$/u.exec(request.headers.authorization ?? "")?.[1];
    const right = token === undefined ? undefined : this.tokens.get(token);
    if (right === undefined) return challenge(token === undefined);
    const { pathname } = new URL(request.url ?? "", RESOURCE);
    if (right === "nobody") return refusal(403, "Forbidden", "ForbiddenByRbac");
    this.asked.push(pathname);
    const [, , name = "", version = ""] = pathname.split("/");
    const versions = this.secrets.get(name) ?? [];
    const found = version === "" ? versions.at(-1) : versions.find((v) => v.version === version);
    if (found === undefined) return refusal(404, "SecretNotFound");
    if (found.enabled === false) return refusal(403, "Forbidden", "SecretDisabled");
    const id = `https://${hostOf(request)}/secrets/${name}/${found.version}`;
    const { value, contentType } = found;
    return { status: 200, body: { value, contentType, id, attributes: { enabled: true } } };
  };
}

function challenge(first: boolean): Answer {
  const authenticate = `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="${RESOURCE}"`;
  const why = first ? "" : ', error="invalid_token"';
  const { status, body } = refusal(401, "Unauthorized");
  return { status, body, headers: { "www-authenticate": `${authenticate}${why}` } };
}

function refusal(status: number, code: string, inner?: string): Answer {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  return {
    status,
    body: { error: { code, message: "Caller: appid=of-the-caller", ...innererror } },
  };
}

/** Microsoft Entra's token endpoint of one tenant, for service principals with their secrets. */
export function entra(principals: ReadonlyMap<string, string>, token: string): Service {
  return (request, body) => {
    const path = new URL(request.url ?? "", RESOURCE).pathname;
    if (!path.startsWith(`/${TENANT}/`)) return { status: 404 };
    if (!path.endsWith("/oauth2/v2.0/token")) return { status: 200, body: METADATA };
    const form = new URLSearchParams(body);
    const secret = principals.get(form.get("client_id") ?? "");
    if (secret === undefined || secret !== form.get("client_secret")) {
      const description = "AADSTS7000215: Invalid client secret provided. Trace ID: 0 Timestamp: 0";
      return { status: 401, body: { error: "invalid_client", error_description: description } };
    }
    return { status: 200, body: { access_token: token, expires_in: 3600, token_type: "Bearer" } };
  };
}

const AUTHORITY = `https://login.microsoftonline.com/${TENANT}`;
const METADATA = {
  token_endpoint: `${AUTHORITY}/oauth2/v2.0/token`,
  authorization_endpoint: `${AUTHORITY}/oauth2/v2.0/authorize`,
  issuer: `${AUTHORITY}/v2.0`,
  jwks_uri: `${AUTHORITY}/discovery/v2.0/keys`,
};
