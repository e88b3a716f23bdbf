import { inspect } from "node:util";
import { expect } from "vitest";
import { escapeHtml } from "../../shared/pages/escape-html.ts";
import type { Mounted } from "./crossing.ts";

/** What of a PEM text is secret: the first line of a private key's body. Certificates are not. */
function secretPart(value: string): string | undefined {
  if (!value.includes("-----BEGIN ")) return value;
  return /PRIVATE KEY-----\s+(\S+)/u.exec(value)?.[1];
}

/** The forms in which a secret may show itself. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 of a text within a text begins at any of three bits: the inner part is the same but for its ends
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    escapeHtml(secret),
    bytes.toString("hex"),
    ...shifted,
  ];
}

/** The whole of a value as text: everything that is nested, causes and stacks of errors included. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return inspect(value, {
    depth: 20,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
  });
}

/** Fails when any of the secrets shows in what was said, in the clear or encoded. User names are no secrets. */
export function expectNoSecret(
  said: unknown,
  mounted: Mounted = {},
  ...more: (string | undefined)[]
): void {
  const secrets = [
    ...Object.values(mounted).flatMap((keys) =>
      Object.entries(keys).flatMap(([key, value]) =>
        key === "username" ? [] : [secretPart(value)],
      ),
    ),
    ...more,
  ].filter((secret) => secret !== undefined && secret !== "");
  const text = textOf(said);
  for (const secret of secrets) {
    for (const form of formsOf(secret as string)) expect(text).not.toContain(form);
  }
}
