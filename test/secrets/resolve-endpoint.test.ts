import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type {
  KafkaAuthentication,
  KafkaConnection,
  MqttAuthentication,
  MqttConnection,
  TlsSettings,
  X509Credential,
} from "../../shared/model/connection.ts";
import type { AccessToken } from "../../shared/model/endpoint.ts";
import type { SecretStore } from "../../shared/model/secret-store.ts";
import type { TokenRequest, TokenSource } from "../../shared/model/token-source.ts";
import {
  resolveKafkaEndpoint,
  resolveMqttEndpoint,
} from "../../shared/secrets/resolve-endpoint.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { expiryOf, serviceAccountToken } from "../../shared/secrets/service-account-token.ts";

type Values = Readonly<Record<string, Readonly<Record<string, string>>>>;

const mapOf = (values: Values) =>
  new Map(
    Object.entries(values).map(([name, keys]) => [
      name,
      new Map(Object.entries(keys).map(([key, text]) => [key, new TextEncoder().encode(text)])),
    ]),
  );

const storeOf = (
  secrets: Values = {},
  configMaps: Values = {},
  vault: Readonly<Record<string, string>> = {},
): SecretStore =>
  secretStore({
    manifests: { secrets: mapOf(secrets), configMaps: mapOf(configMaps) },
    environment: {},
    keyVault: ({ name }) => Promise.resolve(new TextEncoder().encode(vault[name] ?? "")),
  });

const location = { file: "m.yaml", line: 1, column: 1 };
const plain: TlsSettings = { enabled: false };

const kafka = (authentication: KafkaAuthentication, tls: TlsSettings = plain): KafkaConnection => ({
  id: "k",
  location,
  bootstrapServers: ["kafka:9092"],
  tls,
  authentication,
  isEventHubs: false,
  protocol: "Kafka",
});

const mqtt = (authentication: MqttAuthentication, tls: TlsSettings = plain): MqttConnection => ({
  id: "m",
  location,
  host: "broker",
  port: 1883,
  protocol: "Mqtt",
  tls,
  authentication,
  keepAlive: 60,
  sessionExpiryInterval: 600,
  maxInflightMessages: 100,
});

function identityOf(token: AccessToken): TokenSource & { asked: TokenRequest[] } {
  const asked: TokenRequest[] = [];
  return {
    asked,
    token(request) {
      asked.push(request);
      return Promise.resolve(token);
    },
  };
}

const nobody = identityOf({ value: "t", expiresAt: 1 });
const sasl = (name: string): KafkaAuthentication => ({
  method: "Sasl",
  mechanism: "scram-sha-256",
  credential: { kind: "secret", name },
});

describe("a SASL credential", () => {
  test.each([
    ["username and password", { username: "u", password: "p" }, "u", "p"],
    ["files that end in a line end", { username: "u\n", password: "p\r\n" }, "u", "p"],
    [
      "username and password beside a token",
      { username: "u", password: "p", token: "x" },
      "u",
      "p",
    ],
    [
      "a token that is a connection string (S-4)",
      { token: "Endpoint=sb://a/;Key=b\n" },
      "$ConnectionString",
      "Endpoint=sb://a/;Key=b",
    ],
  ])("of %s", async (_, values, username, password) => {
    const endpoint = await resolveKafkaEndpoint(
      kafka(sasl("s")),
      storeOf({ s: values as Record<string, string> }),
      nobody,
    );
    expect(endpoint).toEqual({
      bootstrapServers: ["kafka:9092"],
      isEventHubs: false,
      sasl: { mechanism: "scram-sha-256", username, password },
    });
  });

  test.each([
    ["no Secret at all", {}, "SECRET_MISSING", 'Cannot find Secret "s"'],
    [
      "a token that is none (S-4)",
      { s: { token: "hunter2" } },
      "SECRET_INVALID",
      'its "token" is no connection string of Event Hubs (Endpoint=sb://…): give username and password instead',
    ],
    ["no password", { s: { username: "hunter2" } }, "SECRET_INVALID", 'it has no "password"'],
    ["no username", { s: { password: "hunter2" } }, "SECRET_INVALID", 'it has no "username"'],
    [
      "a token and half a user",
      { s: { token: "Endpoint=sb://hunter2", password: "p" } },
      "SECRET_INVALID",
      'it has no "username"',
    ],
    ["something else", { s: { key: "hunter2" } }, "SECRET_INVALID", 'it has no "username"'],
  ])("of %s is refused without its value", async (_, secrets, code, message) => {
    const failure = await resolveKafkaEndpoint(
      kafka(sasl("s")),
      storeOf(secrets as Values),
      nobody,
    ).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ code });
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message).not.toContain("hunter2");
  });

  test("in Key Vault takes its user name from the manifest", async () => {
    const password = { from: "keyVault", vault: "v", kind: "vaultSecret", name: "cs" } as const;
    const literal: KafkaAuthentication = {
      method: "Sasl",
      mechanism: "plain",
      credential: {
        kind: "usernamePassword",
        username: { from: "literal", value: "$ConnectionString" },
        password,
      },
    };
    const both: KafkaAuthentication = {
      method: "Sasl",
      mechanism: "plain",
      credential: { kind: "usernamePassword", username: { ...password, name: "user" }, password },
    };
    const store = storeOf({}, {}, { cs: "Endpoint=sb://x", user: "u" });
    const first = await resolveKafkaEndpoint(kafka(literal), store, nobody);
    expect(first.sasl).toEqual({
      mechanism: "plain",
      username: "$ConnectionString",
      password: "Endpoint=sb://x",
    });
    const second = await resolveKafkaEndpoint(kafka(both), store, nobody);
    expect(second.sasl).toMatchObject({ username: "u" });
  });
});

describe("identities", () => {
  test.each(["SystemAssignedManagedIdentity", "UserAssignedManagedIdentity"] as const)(
    "%s asks anew for each token",
    async (method) => {
      const identity = identityOf({ value: "jwt", expiresAt: 5 });
      const request = { clientId: "c", tenantId: "t", scope: "https://a/.default" };
      const { sasl: oauth } = await resolveKafkaEndpoint(
        kafka({ method, identity: request }),
        storeOf(),
        identity,
      );
      expect(identity.asked).toEqual([]);
      if (oauth?.mechanism !== "oauthbearer") throw new Error("not oauthbearer");
      expect(await oauth.token()).toEqual({ value: "jwt", expiresAt: 5 });
      expect(identity.asked).toEqual([request]);
    },
  );

  test("MQTT sends the token as OAUTH2-JWT with its end", async () => {
    const identity = identityOf({ value: "jwt", expiresAt: 5 });
    const method = "SystemAssignedManagedIdentity";
    const { credential } = await resolveMqttEndpoint(
      mqtt({ method, identity: { scope: "s" } }),
      storeOf(),
      identity,
    );
    if (credential.kind !== "enhanced") throw new Error("not enhanced");
    expect(credential.method).toBe("OAUTH2-JWT");
    expect(await credential.data()).toEqual({
      data: new TextEncoder().encode("jwt"),
      expiresAt: 5,
    });
    expect(identity.asked).toEqual([{ scope: "s" }]);
  });
});

describe("MQTT", () => {
  test("anonymous", async () => {
    expect(await resolveMqttEndpoint(mqtt({ method: "Anonymous" }), storeOf(), nobody)).toEqual({
      host: "broker",
      port: 1883,
      protocol: "Mqtt",
      credential: { kind: "none" },
      keepAlive: 60,
      sessionExpiryInterval: 600,
      maxInflightMessages: 100,
    });
  });

  test("user and password", async () => {
    const store = storeOf({ s: { username: "u", password: "p" } });
    const endpoint = await resolveMqttEndpoint(
      mqtt({ method: "UsernamePassword", secretName: "s" }),
      store,
      nobody,
    );
    expect(endpoint.credential).toEqual({ kind: "usernamePassword", username: "u", password: "p" });
  });

  test("a service account token is read anew each time, with its end", async () => {
    const jwt = (exp: number) =>
      `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
    let token = jwt(10);
    const credential = serviceAccountToken("/t", () =>
      Promise.resolve(new TextEncoder().encode(`${token}\n`)),
    );
    if (credential.kind !== "enhanced") throw new Error("not enhanced");
    expect(credential.method).toBe("K8S-SAT");
    expect(await credential.data()).toEqual({
      data: new TextEncoder().encode(token),
      expiresAt: 10_000,
    });
    token = jwt(20);
    expect(await credential.data()).toMatchObject({ expiresAt: 20_000 });
  });

  test("a service account token that is not there is told of by its path", async () => {
    const connection = mqtt({ method: "ServiceAccountToken", audience: "a" });
    const options = { serviceAccountTokenFile: "/nowhere/token" };
    const { credential } = await resolveMqttEndpoint(connection, storeOf(), nobody, options);
    if (credential.kind !== "enhanced") throw new Error("not enhanced");
    await expect(credential.data()).rejects.toThrow(
      'Cannot read the service account token "/nowhere/token": ENOENT',
    );
  });

  test.each(["", "x", "a.b.c", "a.e30.c"])("the token %o has no known end", (token) => {
    expect(expiryOf(token)).toBeUndefined();
  });
});

/** Makes the certificates of these tests, for Node makes none. */
const program = "openssl";

function hasOpenssl(): boolean {
  try {
    execFileSync(program, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("client certificates: skipped, for openssl is not installed");
    return false;
  }
}

const openssl = hasOpenssl();

describe.skipIf(!openssl)("certificates", () => {
  const home = mkdtempSync(join(tmpdir(), "isthmus-pem-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  function make(name: string, ...more: string[]): { certificate: string; key: string } {
    const key = join(home, `${name}.key`);
    const out = join(home, `${name}.crt`);
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync(
      "openssl",
      ["req", "-x509", ...curve, "-keyout", key, "-out", out, "-subj", `/CN=${name}`, ...more],
      { stdio: "ignore" },
    );
    return { certificate: readFileSync(out, "utf8").trim(), key: readFileSync(key, "utf8").trim() };
  }

  const one = openssl ? make("one", "-days", "2") : { certificate: "", key: "" };
  const two = openssl ? make("two", "-days", "2") : { certificate: "", key: "" };
  const on: TlsSettings = { enabled: true };
  const now = Date.now();
  const secret: X509Credential = { secretName: "s" };
  const resolve = (values: Record<string, string>, at = now) =>
    resolveKafkaEndpoint(
      kafka({ method: "X509Certificate", credential: secret }, on),
      storeOf({ s: values }),
      nobody,
      { now: at },
    );

  test.each([
    [
      "a TLS Secret",
      { "tls.crt": one.certificate, "tls.key": one.key, "ca.crt": two.certificate },
      one.certificate,
    ],
    [
      "a Secret of the portal",
      {
        "client_cert.pem": one.certificate,
        "client_key.pem": one.key,
        "client_intermediate_certs.pem": two.certificate,
      },
      `${one.certificate}\n${two.certificate}`,
    ],
    [
      "a chain in the wrong order",
      { "tls.crt": `${two.certificate}\n${one.certificate}`, "tls.key": one.key },
      `${one.certificate}\n${two.certificate}`,
    ],
  ])("of %s", async (_, values, certificate) => {
    const { tls, sasl: none } = await resolve(values);
    expect(tls).toEqual({ certificate, key: one.key });
    expect(none).toBeUndefined();
  });

  test.each([
    [
      "no key",
      { "tls.crt": one.certificate },
      'it needs "tls.crt" and "tls.key", or "client_cert.pem" and "client_key.pem", and has "tls.crt"',
    ],
    [
      "swapped parts",
      { "tls.crt": one.key, "tls.key": one.certificate },
      'key "tls.crt": it holds a private key: certificate and key are swapped',
    ],
    [
      "a certificate as key",
      { "tls.crt": one.certificate, "tls.key": one.certificate },
      'key "tls.key": it holds a certificate',
    ],
    [
      "no PEM",
      { "tls.crt": "hunter2", "tls.key": one.key },
      'it holds no "-----BEGIN CERTIFICATE-----"',
    ],
    [
      "no PEM as key",
      { "tls.crt": one.certificate, "tls.key": "hunter2" },
      'it holds no "-----BEGIN PRIVATE KEY-----"',
    ],
    [
      "another's key",
      { "tls.crt": one.certificate, "tls.key": two.key },
      'the private key "tls.key" does not belong to the certificate "tls.crt"',
    ],
    [
      "a damaged certificate",
      {
        "tls.crt": "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----",
        "tls.key": one.key,
      },
      "the certificate is damaged",
    ],
    [
      "a damaged key",
      {
        "tls.crt": one.certificate,
        "tls.key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
      },
      "the private key is damaged",
    ],
    [
      "a key with a passphrase",
      {
        "tls.crt": one.certificate,
        "tls.key":
          "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2\n-----END ENCRYPTED PRIVATE KEY-----",
      },
      "has a passphrase, which is not supported",
    ],
  ])("of %s: one clear error without the value", async (_, values, message) => {
    const failure = await resolve(values as Record<string, string>).catch(
      (cause: unknown) => cause,
    );
    expect(failure).toMatchObject({ code: "SECRET_INVALID" });
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message).not.toContain("hunter2");
  });

  test("that has expired", async () => {
    const values = { "tls.crt": one.certificate, "tls.key": one.key };
    await expect(resolve(values, now + 3 * 86_400_000)).rejects.toThrow(
      "its certificate has expired on 20",
    );
  });

  test("of a Secret that is not there", async () => {
    const connection = mqtt({ method: "X509Certificate", credential: secret }, on);
    await expect(resolveMqttEndpoint(connection, storeOf(), nobody)).rejects.toThrow(
      'Cannot find Secret "s"',
    );
  });

  test("without TLS are refused", async () => {
    const connection = mqtt({ method: "X509Certificate", credential: secret });
    await expect(resolveMqttEndpoint(connection, storeOf(), nobody)).rejects.toThrow(
      "Cannot use a client certificate without TLS",
    );
  });

  test("in Key Vault, with and without a chain", async () => {
    const vaultRef = (name: string) =>
      ({ from: "keyVault", vault: "v", kind: "vaultCert", name }) as const;
    const bundle = `${one.certificate}\n${one.key}`;
    const store = storeOf({}, {}, { cert: bundle, chain: two.certificate, pfx: "MIIK" });
    const of = (credential: X509Credential) =>
      resolveMqttEndpoint(mqtt({ method: "X509Certificate", credential }, on), store, nobody);
    expect((await of({ certificate: vaultRef("cert"), caChain: vaultRef("chain") })).tls).toEqual({
      certificate: `${one.certificate}\n${two.certificate}`,
      key: one.key,
    });
    expect((await of({ caChain: vaultRef("cert") })).tls).toEqual({
      certificate: one.certificate,
      key: one.key,
    });
    await expect(of({ certificate: vaultRef("pfx") })).rejects.toThrow("it is not PEM");
    await expect(of({})).rejects.toThrow("the manifest names none");
  });

  test("to trust are all of a ConfigMap", async () => {
    const tls: TlsSettings = { enabled: true, trustedCa: { name: "ca" } };
    const store = storeOf(
      {},
      { ca: { "a.crt": `# comment\n${one.certificate}\n${two.certificate}`, README: "see above" } },
    );
    const endpoint = await resolveKafkaEndpoint(kafka({ method: "Anonymous" }, tls), store, nobody);
    expect(endpoint.tls).toEqual({ ca: [one.certificate, two.certificate] });
  });

  test.each([
    [{}, "SECRET_MISSING", 'Cannot find ConfigMap "ca"'],
    [
      { ca: { "a.crt": "nothing" } },
      "SECRET_INVALID",
      'none of its values holds "-----BEGIN CERTIFICATE-----"',
    ],
    [
      { ca: { "a.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" } },
      "SECRET_INVALID",
      "the certificate is damaged",
    ],
  ])("to trust that are wrong: %#", async (configMaps, code, message) => {
    const tls: TlsSettings = { enabled: true, trustedCa: { name: "ca" } };
    const failure = await resolveKafkaEndpoint(
      kafka({ method: "Anonymous" }, tls),
      storeOf({}, configMaps as Values),
      nobody,
    ).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("TLS without any of ours is empty material", async () => {
    const endpoint = await resolveKafkaEndpoint(
      kafka({ method: "Anonymous" }, on),
      storeOf(),
      nobody,
    );
    expect(endpoint.tls).toEqual({});
  });
});
