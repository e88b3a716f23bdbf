import { createHmac } from "node:crypto";

/** A policy of the namespace: who holds the key may do what it says. */
export interface Policy {
  readonly name: string;
  readonly key: string;
  readonly claims: readonly Claim[];
}

export type Claim = "Send" | "Listen";

/** What a token lets its connection do, on which audience. */
export interface Grant {
  readonly audience: string;
  readonly claims: readonly Claim[];
}

/** Why a token is not taken, as the service words it. */
export interface Refusal {
  readonly status: number;
  readonly description: string;
}

export interface TokenRules {
  readonly policies: readonly Policy[];
  /** Access tokens that are taken, with what their bearer may do. */
  readonly tokens: ReadonlyMap<string, readonly Claim[]>;
}

/** What a put-token of AMQP Claims-Based Security amounts to. */
export function judge(
  type: string,
  token: string,
  audience: string,
  rules: TokenRules,
): Grant | Refusal {
  if (type === "jwt") {
    const claims = rules.tokens.get(token);
    return claims === undefined ? refused("The token is not known") : { audience, claims };
  }
  const fields = new URLSearchParams(token.replace(/^SharedAccessSignature /, ""));
  const policy = rules.policies.find(({ name }) => name === fields.get("skn"));
  if (policy === undefined) return refused("The policy is not known");
  const resource = fields.get("sr") ?? "";
  const expiry = fields.get("se") ?? "";
  if (Number(expiry) * 1000 < Date.now()) return refused("The token has expired");
  const signed = createHmac("sha256", policy.key)
    .update(`${encodeURIComponent(resource)}\n${expiry}`)
    .digest("base64");
  if (signed !== fields.get("sig")) return refused("The signature does not fit");
  return { audience: resource, claims: policy.claims };
}

function refused(reason: string): Refusal {
  return { status: 401, description: `${reason}. status-code: 401` };
}

/** Whether one of the grants covers `address`, an entity's path without its namespace. */
export function allows(grants: readonly Grant[], address: string, claim: Claim): boolean {
  return grants.some(({ audience, claims }) => {
    const path = new URL(audience.replace(/^(sb|amqps?):/, "http:")).pathname.slice(1);
    const covers = path === "" || address.toLowerCase().startsWith(path.toLowerCase());
    return covers && claims.includes(claim);
  });
}
