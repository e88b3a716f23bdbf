import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from "kafkajs";
import { connectAsync, type IClientOptions } from "mqtt";
import { expect, test } from "vitest";
import { KAFKA_PASSWORD, KAFKA_USER } from "../support/kafka-broker.ts";
import { MQTT_PASSWORD, MQTT_USER } from "../support/mosquitto-broker.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";

function pem(file: string): string {
  return readFileSync(join(brokerAddress("ISTHMUS_TEST_CERTS"), file), "utf8");
}

async function listTopics(broker: string, over: Partial<KafkaConfig>): Promise<string[]> {
  const quiet = { logLevel: logLevel.NOTHING, retry: { retries: 0 } };
  const admin = new Kafka({ brokers: [broker], ...quiet, ...over }).admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

function sasl(mechanism: string, password = KAFKA_PASSWORD): SASLOptions {
  return { mechanism, username: KAFKA_USER, password } as SASLOptions;
}

const base64url = (text: object): string => Buffer.from(JSON.stringify(text)).toString("base64url");

/** An unsecured JSON Web Token, as the broker's default validator takes it. */
function unsignedToken(subject: string, lifetimeSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: subject, iat: now, exp: now + lifetimeSeconds };
  return `${base64url({ alg: "none" })}.${base64url(claims)}.`;
}

function oauth(lifetimeSeconds: number): SASLOptions {
  const value = unsignedToken(KAFKA_USER, lifetimeSeconds);
  return { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value }) };
}

describeReal("the Kafka broker of the tests", ["ISTHMUS_TEST_KAFKA"], () => {
  test("takes anyone at its plain listener", async () => {
    expect(await listTopics(brokerAddress("ISTHMUS_TEST_KAFKA"), {})).toBeInstanceOf(Array);
  });
});

describeReal("the SASL listeners of the tests' Kafka", ["ISTHMUS_TEST_KAFKA_SASL"], () => {
  test.each(["plain", "scram-sha-256", "scram-sha-512"])("take a user by %s", async (mechanism) => {
    const broker = brokerAddress("ISTHMUS_TEST_KAFKA_SASL");
    expect(await listTopics(broker, { sasl: sasl(mechanism) })).toBeInstanceOf(Array);
    await expect(listTopics(broker, { sasl: sasl(mechanism, "wrong") })).rejects.toThrow(
      /authentication failed/i,
    );
  });
});

describeReal("the OAUTHBEARER listener of the tests' Kafka", ["ISTHMUS_TEST_KAFKA_OAUTH"], () => {
  test("takes a token that is valid and refuses one that has ended", async () => {
    const broker = brokerAddress("ISTHMUS_TEST_KAFKA_OAUTH");
    expect(await listTopics(broker, { sasl: oauth(600) })).toBeInstanceOf(Array);
    await expect(listTopics(broker, { sasl: oauth(-600) })).rejects.toThrow();
  });
});

const KAFKA_TLS = [
  "ISTHMUS_TEST_CERTS",
  "ISTHMUS_TEST_KAFKA_SASL_SSL",
  "ISTHMUS_TEST_KAFKA_MTLS",
] as const;

describeReal("the TLS listeners of the tests' Kafka", KAFKA_TLS, () => {
  test("SASL_SSL shows a certificate of the tests' authority", async () => {
    const broker = brokerAddress("ISTHMUS_TEST_KAFKA_SASL_SSL");
    const login = sasl("scram-sha-512");
    const trusted = { ssl: { ca: [pem("ca.crt")] }, sasl: login };
    expect(await listTopics(broker, trusted)).toBeInstanceOf(Array);
    await expect(listTopics(broker, { ssl: true, sasl: login })).rejects.toThrow(/certificate/);
  });

  test("mutual TLS takes the client's certificate and no other", async () => {
    const broker = brokerAddress("ISTHMUS_TEST_KAFKA_MTLS");
    const client = (name: string): Partial<KafkaConfig> => ({
      ssl: { ca: [pem("ca.crt")], cert: pem(`${name}.crt`), key: pem(`${name}.key`) },
    });
    expect(await listTopics(broker, client("client"))).toBeInstanceOf(Array);
    await expect(listTopics(broker, client("stranger"))).rejects.toThrow();
  });
});

async function canConnect(url: string, options: IClientOptions): Promise<boolean> {
  const once = { protocolVersion: 5, reconnectPeriod: 0, manualConnect: false } as const;
  const client = await connectAsync(url, { ...once, ...options }, false);
  await client.endAsync();
  return true;
}

describeReal("the MQTT broker of the tests", ["ISTHMUS_TEST_MQTT"], () => {
  test("takes anyone at its plain listener", async () => {
    expect(await canConnect(brokerAddress("ISTHMUS_TEST_MQTT"), {})).toBe(true);
  });
});

const MQTT_REST = ["ISTHMUS_TEST_MQTT_AUTH", "ISTHMUS_TEST_MQTT_WS"] as const;

describeReal("the other plain listeners of the tests' MQTT broker", MQTT_REST, () => {
  test("one asks for the password", async () => {
    const url = brokerAddress("ISTHMUS_TEST_MQTT_AUTH");
    expect(await canConnect(url, { username: MQTT_USER, password: MQTT_PASSWORD })).toBe(true);
    await expect(canConnect(url, { username: MQTT_USER, password: "wrong" })).rejects.toThrow(
      /not authorized/i,
    );
  });

  test("one speaks WebSocket", async () => {
    expect(await canConnect(brokerAddress("ISTHMUS_TEST_MQTT_WS"), {})).toBe(true);
  });
});

const MQTT_TLS = ["ISTHMUS_TEST_CERTS", "ISTHMUS_TEST_MQTT_TLS", "ISTHMUS_TEST_MQTT_MTLS"] as const;

describeReal("the TLS listeners of the tests' MQTT broker", MQTT_TLS, () => {
  test("one shows a certificate of the tests' authority", async () => {
    const url = brokerAddress("ISTHMUS_TEST_MQTT_TLS");
    expect(await canConnect(url, { ca: pem("ca.crt") })).toBe(true);
    await expect(canConnect(url, {})).rejects.toThrow(/certificate/);
  });

  test("one asks for the client's certificate", async () => {
    const url = brokerAddress("ISTHMUS_TEST_MQTT_MTLS");
    const ca = pem("ca.crt");
    expect(await canConnect(url, { ca, cert: pem("client.crt"), key: pem("client.key") })).toBe(
      true,
    );
    await expect(canConnect(url, { ca })).rejects.toThrow();
  });
});
