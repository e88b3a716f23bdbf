import { describe, expect, test } from "vitest";
import { expectNoSecret } from "./leaks.ts";

const SECRET = 'pass "wörd" & 4711';
const KEY =
  "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\nCCqGSM49\n-----END PRIVATE KEY-----";
const mounted = {
  login: { username: "bridge", password: SECRET },
  certificate: { "tls.key": KEY },
};

describe("expectNoSecret() sees a secret", () => {
  test.each([
    ["in the clear", `login failed: ${SECRET}`],
    ["in JSON", JSON.stringify({ password: SECRET })],
    ["in a URL", `mqtt://bridge:${encodeURIComponent(SECRET)}@broker`],
    ["in HTML", "<td>pass &quot;wörd&quot; &amp; 4711</td>"],
    ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
    ["in Base64", Buffer.from(SECRET).toString("base64")],
    ["in Base64 of more, after one byte", Buffer.from(`:${SECRET}.`).toString("base64")],
    ["in Base64 of more, after two bytes", Buffer.from(`a:${SECRET}.`).toString("base64")],
    ["as a private key", `bad key ${KEY}`],
    ["in the cause of a cause", new Error("a", { cause: new Error("b", { cause: SECRET }) })],
    ["in the field of a log line", [{ fields: { deep: { deeper: [SECRET] } } }]],
  ])("%s", (_name, said) => {
    expect(() => expectNoSecret(said, mounted)).toThrow();
  });

  test("and nothing else: user names and certificates are none", () => {
    const said = ["bridge", "-----BEGIN CERTIFICATE-----", "pass", "-----BEGIN PRIVATE KEY-----"];
    expect(() => expectNoSecret(said, mounted, undefined, "")).not.toThrow();
  });
});
