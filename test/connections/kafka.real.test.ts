/** Every way to connect to Kafka that the documents name: with the right credential messages cross, a wrong one is one clear error. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type SandboxMqtt, startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { failureOf, jsonWebToken, named } from "../support/connection-rows.ts";
import {
  type Crossing,
  type CrossingParts,
  type Journal,
  type Mounted,
  openCrossing,
  roundTrip,
} from "../support/crossing.ts";
import { type Forwarder, forwardTo } from "../support/forwarder.ts";
import { KAFKA_PASSWORD, KAFKA_USER } from "../support/kafka-broker.ts";
import { noLog, plainEndpoint } from "../support/kafka-ends.ts";
import { expectNoSecret } from "../support/leaks.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";
import type { BrokerVariable } from "../support/test-brokers.ts";

let broker: SandboxMqtt;
let elsewhere: Forwarder | undefined;
let crossing: Crossing | undefined;
beforeAll(async () => {
  broker = await startSandboxMqtt();
});
afterAll(async () => {
  await elsewhere?.stop();
  await broker.stop();
});
afterEach(async () => {
  await crossing?.stop();
  crossing = undefined;
});

const pem = (file: string): string =>
  readFileSync(join(brokerAddress("ISTHMUS_TEST_CERTS"), file), "utf8");

interface Row {
  readonly name: string;
  readonly listener: BrokerVariable;
  readonly host?: (address: string) => string | Promise<string>;
  readonly tls?: string;
  readonly authentication?: string;
  readonly mounted?: () => Mounted;
  readonly token?: () => string;
}

interface Wrong extends Row {
  readonly code: string;
  readonly says: RegExp;
}

const sasl = (type: string): string =>
  `{ method: Sasl, saslSettings: { saslType: ${type}, secretRef: login } }`;
const login = (password: string): Mounted => ({ login: { username: KAFKA_USER, password } });
const x509 = "{ method: X509Certificate, x509CertificateSettings: { secretRef: certificate } }";
const identity = "{ method: SystemAssignedManagedIdentity }";
const custom = "{ mode: Enabled, trustedCaCertificateConfigMapRef: authority }";
const authority = (file = "ca"): Mounted => ({ authority: { "ca.crt": pem(`${file}.crt`) } });
const certificate = (file: string): Mounted => ({
  certificate: { "tls.crt": pem(`${file}.crt`), "tls.key": pem(`${file}.key`) },
});

const right: Row[] = [
  { name: "anonymous, without TLS", listener: "ISTHMUS_TEST_KAFKA" },
  {
    name: "anonymous, several bootstrap hosts of which the first are down",
    listener: "ISTHMUS_TEST_KAFKA",
    host: (address) => `127.0.0.1:1,127.0.0.1:2,${address}`,
  },
  ...["Plain", "ScramSha256", "ScramSha512"].flatMap((type): Row[] => [
    {
      name: `SASL ${type}, without TLS`,
      listener: "ISTHMUS_TEST_KAFKA_SASL",
      authentication: sasl(type),
      mounted: () => login(KAFKA_PASSWORD),
    },
    {
      name: `SASL ${type} over TLS with a custom CA`,
      listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
      tls: custom,
      authentication: sasl(type),
      mounted: () => ({ ...login(KAFKA_PASSWORD), ...authority() }),
    },
  ]),
  {
    name: "X.509, mutual TLS with a custom CA",
    listener: "ISTHMUS_TEST_KAFKA_MTLS",
    tls: custom,
    authentication: x509,
    mounted: () => ({ ...certificate("client"), ...authority() }),
  },
  {
    name: "OAUTHBEARER with a token of the app's identity",
    listener: "ISTHMUS_TEST_KAFKA_OAUTH",
    authentication: identity,
    token: () => jsonWebToken(KAFKA_USER),
  },
];

const wrong: Wrong[] = [
  {
    name: "anonymous where a login is asked for",
    listener: "ISTHMUS_TEST_KAFKA_SASL",
    code: "KAFKA_UNAVAILABLE",
    says: /the listener may ask for TLS or ask for a login/u,
  },
  ...["Plain", "ScramSha256", "ScramSha512"].flatMap((type): Wrong[] => [
    {
      name: `SASL ${type} with a wrong password`,
      listener: "ISTHMUS_TEST_KAFKA_SASL",
      authentication: sasl(type),
      mounted: () => login("not-the-secret-4711"),
      code: "KAFKA_AUTHENTICATION_FAILED",
      says: /authentication failed/u,
    },
    {
      name: `SASL ${type} over TLS with a wrong password`,
      listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
      tls: custom,
      authentication: sasl(type),
      mounted: () => ({ ...login("not-the-secret-4711"), ...authority() }),
      code: "KAFKA_AUTHENTICATION_FAILED",
      says: /authentication failed/u,
    },
  ]),
  {
    name: "SASL with a mechanism that the broker has not",
    listener: "ISTHMUS_TEST_KAFKA_OAUTH",
    authentication: sasl("ScramSha256"),
    mounted: () => login(KAFKA_PASSWORD),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /does not support the requested SASL mechanism/u,
  },
  {
    name: "X.509 with a certificate of an authority that the broker does not trust",
    listener: "ISTHMUS_TEST_KAFKA_MTLS",
    tls: custom,
    authentication: x509,
    mounted: () => ({ ...certificate("stranger"), ...authority() }),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /TLS failed: the broker asks for a client certificate that it trusts/u,
  },
  {
    name: "X.509 without a certificate",
    listener: "ISTHMUS_TEST_KAFKA_MTLS",
    tls: custom,
    mounted: () => authority(),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /TLS failed: the broker asks for a client certificate that it trusts/u,
  },
  {
    name: "OAUTHBEARER with a token that has expired",
    listener: "ISTHMUS_TEST_KAFKA_OAUTH",
    authentication: identity,
    token: () => jsonWebToken(KAFKA_USER, -3600),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /does not accept the access token: invalid_token/u,
  },
  {
    name: "OAUTHBEARER with what is no token",
    listener: "ISTHMUS_TEST_KAFKA_OAUTH",
    authentication: identity,
    token: () => "not-the-secret-4711",
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /does not accept the access token: invalid_token/u,
  },
  {
    name: "TLS with another CA",
    listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
    tls: custom,
    authentication: sasl("Plain"),
    mounted: () => ({ ...login(KAFKA_PASSWORD), ...authority("stranger") }),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /TLS failed: self.signed certificate .* Give the endpoint the CA certificate/u,
  },
  {
    name: "TLS with no CA but the system's",
    listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
    tls: "{ mode: Enabled }",
    authentication: sasl("Plain"),
    mounted: () => login(KAFKA_PASSWORD),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /TLS failed: self.signed certificate .* Give the endpoint the CA certificate/u,
  },
  {
    name: "TLS with a certificate of another host name",
    listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
    host: async (address) => {
      elsewhere ??= await forwardTo(Number(address.split(":")[1]));
      return elsewhere.address;
    },
    tls: custom,
    authentication: sasl("Plain"),
    mounted: () => ({ ...login(KAFKA_PASSWORD), ...authority() }),
    code: "KAFKA_AUTHENTICATION_FAILED",
    says: /TLS failed: Hostname\/IP does not match .* Use the host name that is in the broker's/u,
  },
  {
    name: "TLS to a port without it",
    listener: "ISTHMUS_TEST_KAFKA",
    tls: custom,
    mounted: () => authority(),
    code: "KAFKA_UNAVAILABLE",
    says: /the listener may not speak TLS/u,
  },
  {
    name: "no TLS to a port with it",
    listener: "ISTHMUS_TEST_KAFKA_SASL_SSL",
    authentication: sasl("Plain"),
    mounted: () => login(KAFKA_PASSWORD),
    code: "KAFKA_UNAVAILABLE",
    says: /the listener may ask for TLS/u,
  },
];

async function partsOf(row: Row): Promise<CrossingParts> {
  const address = brokerAddress(row.listener);
  const answer = row.token?.();
  return {
    kafka: {
      host: (await row.host?.(address)) ?? address,
      ...(row.tls === undefined ? {} : { tls: row.tls }),
      ...(row.authentication === undefined ? {} : { authentication: row.authentication }),
    },
    mqtt: { host: `127.0.0.1:${broker.port}` },
    mounted: row.mounted?.() ?? {},
    ...(answer === undefined
      ? {}
      : { token: async () => ({ value: answer, expiresAt: Date.now() + 3_600_000 }) }),
    createTopic: (topic) =>
      kafkaAdmin(plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA")), "test", noLog).createTopics([
        { topic, partitions: 1 },
      ]),
  };
}

const needs: BrokerVariable[] = [
  "ISTHMUS_TEST_KAFKA",
  "ISTHMUS_TEST_KAFKA_SASL",
  "ISTHMUS_TEST_KAFKA_SASL_SSL",
  "ISTHMUS_TEST_KAFKA_MTLS",
  "ISTHMUS_TEST_KAFKA_OAUTH",
  "ISTHMUS_TEST_CERTS",
];

describeReal("Kafka, the right credential: messages cross both ways", needs, () => {
  test.each(named(right))("%s", async (_name, row) => {
    crossing = await openCrossing(await partsOf(row));
    expect(await roundTrip(crossing, broker.url)).toEqual(["0", "1", "2"]);
    expectNoSecret(crossing.journal, row.mounted?.(), row.token?.());
  });
});

describeReal("Kafka, a wrong credential: one clear error", needs, () => {
  test.each(named(wrong))("%s", async (_name, row) => {
    const journal: Journal[] = [];
    const parts = { ...(await partsOf(row)), startTimeoutMs: 2000 };
    const failure = await failureOf(openCrossing(parts, journal));
    expect(failure).toMatchObject({ code: row.code, message: expect.stringMatching(row.says) });
    expectNoSecret([journal, failure], row.mounted?.(), row.token?.());
  });
});
