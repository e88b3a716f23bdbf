/** Every way to connect to MQTT brokers that the documents name: with the right credential messages cross, a wrong one is one clear error. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type SandboxKafka, startSandboxKafka } from "../../local/sandbox/kafka/sandbox-kafka.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { AccessToken } from "../../shared/model/endpoint.ts";
import { expiryOf } from "../../shared/secrets/service-account-token.ts";
import { failureOf, jsonWebToken, named } from "../support/connection-rows.ts";
import {
  type Crossing,
  type CrossingParts,
  type Journal,
  type Mounted,
  openCrossing,
  roundTrip,
} from "../support/crossing.ts";
import {
  type EnhancedAuthenticationGate,
  startGate,
} from "../support/enhanced-authentication-gate.ts";
import { type Forwarder, forwardTo } from "../support/forwarder.ts";
import { expectNoSecret } from "../support/leaks.ts";
import { MQTT_PASSWORD, MQTT_USER } from "../support/mosquitto-broker.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";
import type { BrokerVariable } from "../support/test-brokers.ts";

const STRANGE = "not-the-secret-4711";
const SUBJECT = "system:serviceaccount:plant:bridge";

let kafka: SandboxKafka;
let folder = "";
let elsewhere: Forwarder | undefined;
const gates = new Map<string, EnhancedAuthenticationGate>();
let crossing: Crossing | undefined;

beforeAll(async () => {
  kafka = await startSandboxKafka();
  folder = await mkdtemp(join(tmpdir(), "isthmus-tokens-"));
});
afterAll(async () => {
  await Promise.all([...gates.values()].map((gate) => gate.stop()));
  await elsewhere?.stop();
  await kafka.stop();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await crossing?.stop();
  crossing = undefined;
  for (const gate of gates.values()) await gate.stop();
  gates.clear();
});

const hostAt = (variable: BrokerVariable): string => new URL(brokerAddress(variable)).host;
const pem = (file: string): string =>
  readFileSync(join(brokerAddress("ISTHMUS_TEST_CERTS"), file), "utf8");

interface Row {
  readonly name: string;
  /** A listener of Mosquitto, or the gate before it that asks for this method of enhanced authentication. */
  readonly at: BrokerVariable | "K8S-SAT" | "OAUTH2-JWT";
  readonly host?: (address: string) => Promise<string>;
  readonly protocol?: "WebSockets";
  readonly tls?: string;
  readonly authentication?: string;
  readonly mounted?: () => Mounted;
  /** Of the app's identity, or in the file of the service account. */
  readonly token?: () => string | BridgeError;
}

interface Wrong extends Row {
  readonly code: string;
  readonly says: RegExp;
}

const x509 = "{ method: X509Certificate, x509CertificateSettings: { secretRef: certificate } }";
const identity = "{ method: SystemAssignedManagedIdentity }";
const serviceAccount = "{ method: ServiceAccountToken }";
const custom = "{ mode: Enabled, trustedCaCertificateConfigMapRef: authority }";
const login = (password = MQTT_PASSWORD): Mounted => ({ login: { username: MQTT_USER, password } });
const authority = (file = "ca"): Mounted => ({ authority: { "ca.crt": pem(`${file}.crt`) } });
const certificate = (file: string): Mounted => ({
  certificate: { "tls.crt": pem(`${file}.crt`), "tls.key": pem(`${file}.key`) },
});
const both = (password?: string): Mounted => ({ ...login(password), ...authority() });
const secure: Partial<Row> = { tls: custom, mounted: () => authority() };

const right: Row[] = [
  { name: "anonymous, without TLS", at: "ISTHMUS_TEST_MQTT" },
  { name: "anonymous over TLS with a custom CA", at: "ISTHMUS_TEST_MQTT_TLS", ...secure },
  { name: "anonymous over WebSocket", at: "ISTHMUS_TEST_MQTT_WS", protocol: "WebSockets" },
  {
    name: "anonymous over WebSocket and TLS with a custom CA",
    at: "ISTHMUS_TEST_MQTT_WSS",
    protocol: "WebSockets",
    ...secure,
  },
  { name: "user and password, without TLS", at: "ISTHMUS_TEST_MQTT_AUTH", mounted: () => login() },
  {
    name: "user and password over TLS with a custom CA",
    at: "ISTHMUS_TEST_MQTT_TLS",
    tls: custom,
    mounted: () => both(),
  },
  {
    name: "user and password over WebSocket and TLS with a custom CA",
    at: "ISTHMUS_TEST_MQTT_WSS",
    protocol: "WebSockets",
    tls: custom,
    mounted: () => both(),
  },
  {
    name: "X.509, mutual TLS with a custom CA",
    at: "ISTHMUS_TEST_MQTT_MTLS",
    tls: custom,
    authentication: x509,
    mounted: () => ({ ...certificate("client"), ...authority() }),
  },
  {
    name: "K8S-SAT, the token of a Kubernetes service account",
    at: "K8S-SAT",
    authentication: serviceAccount,
    token: () => jsonWebToken(SUBJECT),
  },
  {
    name: "OAUTH2-JWT, a token of the app's identity",
    at: "OAUTH2-JWT",
    authentication: identity,
    token: () => jsonWebToken(SUBJECT),
  },
];

const refused = { code: "MQTT_NOT_AUTHORIZED", says: /Not authorized/u };
const untrusted = {
  code: "MQTT_AUTHENTICATION_FAILED",
  says: /TLS failed: self.signed certificate .* Give the endpoint the CA certificate/u,
};
const uncertified = {
  code: "MQTT_AUTHENTICATION_FAILED",
  says: /TLS failed: the broker asks for a client certificate that it trusts/u,
};

const wrong: Wrong[] = [
  { name: "anonymous where a login is asked for", at: "ISTHMUS_TEST_MQTT_AUTH", ...refused },
  {
    name: "a wrong password",
    at: "ISTHMUS_TEST_MQTT_AUTH",
    mounted: () => login(STRANGE),
    ...refused,
  },
  {
    name: "a wrong password over TLS",
    at: "ISTHMUS_TEST_MQTT_TLS",
    tls: custom,
    mounted: () => both(STRANGE),
    ...refused,
  },
  {
    name: "a wrong password over WebSocket and TLS",
    at: "ISTHMUS_TEST_MQTT_WSS",
    protocol: "WebSockets",
    tls: custom,
    mounted: () => both(STRANGE),
    ...refused,
  },
  {
    name: "X.509 with a certificate of an authority that the broker does not trust",
    at: "ISTHMUS_TEST_MQTT_MTLS",
    tls: custom,
    authentication: x509,
    mounted: () => ({ ...certificate("stranger"), ...authority() }),
    ...uncertified,
  },
  {
    name: "X.509 without a certificate",
    at: "ISTHMUS_TEST_MQTT_MTLS",
    ...secure,
    ...uncertified,
  },
  {
    name: "K8S-SAT with a token that has ended",
    at: "K8S-SAT",
    authentication: serviceAccount,
    token: () => jsonWebToken(SUBJECT, -60),
    ...refused,
  },
  {
    name: "K8S-SAT with a token of another account",
    at: "K8S-SAT",
    authentication: serviceAccount,
    token: () => jsonWebToken("system:serviceaccount:plant:other"),
    ...refused,
  },
  {
    name: "K8S-SAT outside a cluster, where no token is",
    at: "K8S-SAT",
    authentication: serviceAccount,
    code: "SECRET_MISSING",
    says: /Cannot read the service account token .* Outside a cluster, use another/u,
  },
  {
    name: "K8S-SAT where the broker asks for OAUTH2-JWT",
    at: "OAUTH2-JWT",
    authentication: serviceAccount,
    token: () => jsonWebToken(SUBJECT),
    code: "MQTT_AUTHENTICATION_FAILED",
    says: /Bad authentication method/u,
  },
  {
    name: "OAUTH2-JWT with a token that has ended",
    at: "OAUTH2-JWT",
    authentication: identity,
    token: () => jsonWebToken(SUBJECT, -60),
    ...refused,
  },
  {
    name: "OAUTH2-JWT with what is no token",
    at: "OAUTH2-JWT",
    authentication: identity,
    token: () => STRANGE,
    ...refused,
  },
  {
    name: "OAUTH2-JWT where the machine has no identity",
    at: "OAUTH2-JWT",
    authentication: identity,
    token: () => new BridgeError("IDENTITY_UNAVAILABLE", "Cannot get a token: no identity here"),
    code: "IDENTITY_UNAVAILABLE",
    says: /no identity here/u,
  },
  {
    name: "TLS with another CA",
    at: "ISTHMUS_TEST_MQTT_TLS",
    tls: custom,
    mounted: () => authority("stranger"),
    ...untrusted,
  },
  {
    name: "TLS with no CA but the system's",
    at: "ISTHMUS_TEST_MQTT_TLS",
    tls: "{ mode: Enabled }",
    ...untrusted,
  },
  {
    name: "WebSocket and TLS with another CA",
    at: "ISTHMUS_TEST_MQTT_WSS",
    protocol: "WebSockets",
    tls: custom,
    mounted: () => authority("stranger"),
    ...untrusted,
  },
  ...(["ISTHMUS_TEST_MQTT_TLS", "ISTHMUS_TEST_MQTT_WSS"] as const).map(
    (at): Wrong => ({
      name: `${at.endsWith("WSS") ? "WebSocket and TLS" : "TLS"} with a certificate of another host name`,
      at,
      ...(at.endsWith("WSS") ? { protocol: "WebSockets" } : {}),
      ...secure,
      host: async (address) => {
        await elsewhere?.stop();
        elsewhere = await forwardTo(Number(address.split(":")[1]));
        return elsewhere.address;
      },
      code: "MQTT_AUTHENTICATION_FAILED",
      says: /TLS failed: Hostname\/IP does not match .* Use the host name that is in the broker's/u,
    }),
  ),
  {
    name: "TLS to a port without it",
    at: "ISTHMUS_TEST_MQTT",
    ...secure,
    code: "MQTT_UNAVAILABLE",
    says: /the listener may not speak TLS/u,
  },
  {
    name: "no TLS to a port with it",
    at: "ISTHMUS_TEST_MQTT_TLS",
    code: "MQTT_UNAVAILABLE",
    says: /the listener may ask for TLS/u,
  },
  {
    name: "WebSocket to a port without it",
    at: "ISTHMUS_TEST_MQTT",
    protocol: "WebSockets",
    code: "MQTT_UNAVAILABLE",
    says: /the listener may ask for TLS or not speak WebSocket/u,
  },
];

async function gateFor(method: string): Promise<EnhancedAuthenticationGate> {
  const gate = await startGate({
    port: Number(new URL(brokerAddress("ISTHMUS_TEST_MQTT")).port),
    method,
    endOf(data) {
      const until = expiryOf(data);
      const { sub } = (until === undefined ? {} : claimsOf(data)) as { sub?: string };
      return sub === SUBJECT && until !== undefined && until > Date.now() ? until : undefined;
    },
  });
  gates.set(method, gate);
  return gate;
}

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

function accessToken(token: string | BridgeError): AccessToken {
  if (token instanceof BridgeError) throw token;
  return { value: token, expiresAt: expiryOf(token) ?? Date.now() + 3_600_000 };
}

async function partsOf(row: Row): Promise<CrossingParts> {
  const at = row.at.startsWith("ISTHMUS_")
    ? hostAt(row.at as BrokerVariable)
    : (await gateFor(row.at)).address;
  const mounted = row.mounted?.() ?? {};
  const file = join(folder, `${gates.size}-token`);
  const answer = row.token?.();
  if (row.authentication === serviceAccount) {
    await rm(file, { force: true });
    if (typeof answer === "string") await writeFile(file, answer);
  }
  return {
    kafka: { host: kafka.bootstrapServers.join(",") },
    mqtt: {
      host: (await row.host?.(at)) ?? at,
      ...(row.protocol === undefined ? {} : { protocol: row.protocol }),
      ...(row.tls === undefined ? {} : { tls: row.tls }),
      ...(row.authentication === undefined ? {} : { authentication: row.authentication }),
      ...("login" in mounted ? { annotations: "isthmus.dev/mqtt-secret: login" } : {}),
    },
    mounted,
    createTopic: async (topic) => kafka.createTopic(topic, 1),
    serviceAccountTokenFile: file,
    ...(answer === undefined ? {} : { token: async () => accessToken(answer) }),
  };
}

const needs: BrokerVariable[] = [
  "ISTHMUS_TEST_MQTT",
  "ISTHMUS_TEST_MQTT_AUTH",
  "ISTHMUS_TEST_MQTT_WS",
  "ISTHMUS_TEST_MQTT_TLS",
  "ISTHMUS_TEST_MQTT_WSS",
  "ISTHMUS_TEST_MQTT_MTLS",
  "ISTHMUS_TEST_CERTS",
];

function secretOf(row: Row): string {
  const token = row.token?.();
  return typeof token === "string" ? token : "";
}

describeReal("MQTT, the right credential: messages cross both ways", needs, () => {
  test.each(named(right))("%s", async (_name, row) => {
    crossing = await openCrossing(await partsOf(row));
    expect(await roundTrip(crossing, brokerAddress("ISTHMUS_TEST_MQTT"))).toEqual(["0", "1", "2"]);
    expectNoSecret(crossing.journal, row.mounted?.(), secretOf(row));
  });
});

describeReal("MQTT, a wrong credential: one clear error", needs, () => {
  test.each(named(wrong))("%s", async (_name, row) => {
    const journal: Journal[] = [];
    const parts = { ...(await partsOf(row)), startTimeoutMs: 2000 };
    const failure = await failureOf(openCrossing(parts, journal));
    expect(failure).toMatchObject({ code: row.code, message: expect.stringMatching(row.says) });
    expectNoSecret([journal, failure], row.mounted?.(), secretOf(row));
  });
});

describeReal("MQTT, a token that ends while the bridge runs", needs, () => {
  test.each([
    ["K8S-SAT", serviceAccount],
    ["OAUTH2-JWT", identity],
  ] as const)(
    "%s: is replaced by AUTH before its end, on the same connections, and messages go on",
    async (method, authentication) => {
      const first = jsonWebToken(SUBJECT, 2);
      const next = jsonWebToken(SUBJECT);
      let current = first;
      const parts = await partsOf({ name: "", at: method, authentication, token: () => first });
      const gate = gates.get(method) as EnhancedAuthenticationGate;
      crossing = await openCrossing({ ...parts, token: async () => accessToken(current) });
      current = next;
      await writeFile(parts.serviceAccountTokenFile as string, next);
      await gate.until("reauthenticated", 2);
      expect(Date.now()).toBeLessThan(expiryOf(first) as number);
      await new Promise((resolve) =>
        setTimeout(resolve, (expiryOf(first) as number) - Date.now() + 100),
      );
      const url = brokerAddress("ISTHMUS_TEST_MQTT");
      expect(await roundTrip(crossing, url)).toEqual(["0", "1", "2"]);
      const happened = gate.events.map(({ what }) => what).sort();
      expect(happened).toEqual(["connected", "connected", "reauthenticated", "reauthenticated"]);
      expectNoSecret(crossing.journal, {}, first, next);
    },
  );
});
