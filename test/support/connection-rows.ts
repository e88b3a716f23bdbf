import type { BridgeError } from "../../shared/errors.ts";

/** Their names whole: `$name` of a title is cut. */
export function named<T extends { readonly name: string }>(rows: readonly T[]): [string, T][] {
  return rows.map((row) => [row.name, row]);
}

export async function failureOf(starting: Promise<unknown>): Promise<BridgeError | undefined> {
  return await starting.then(
    () => undefined,
    (cause: BridgeError) => cause,
  );
}

/** An unsecured JSON Web Token; `alg` is what Kafka looks at first. By default it lives for an hour, which began an hour ago. */
export function jsonWebToken(subject: string, seconds = 3600): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.ceil(Date.now() / 1000) + seconds;
  return `${part({ alg: "none" })}.${part({ sub: subject, iat: exp - 7200, exp })}.`;
}
