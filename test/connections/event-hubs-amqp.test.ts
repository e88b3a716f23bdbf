/** Event Hubs over AMQP, to read and to write: with the right credential messages cross, a wrong one is one clear error. */
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SandboxMqtt, startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { openPump } from "../../shared/compose.ts";
import type { MqttToKafkaRoute } from "../../shared/model/route.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { failureOf, named } from "../support/connection-rows.ts";
import {
  type Crossing,
  type CrossingParts,
  type Journal,
  openCrossing,
  roundTrip,
} from "../support/crossing.ts";
import type { Policy } from "../support/event-hubs/claims.ts";
import { EventHubsServer, POLICY } from "../support/event-hubs/event-hubs-server.ts";
import { noLog } from "../support/kafka-ends.ts";
import { expectNoSecret } from "../support/leaks.ts";

const STRANGE = "not-the-secret-4711";
const TOKEN = "token-of-the-app-4711";
const SENDER: Policy = { name: "sender", key: "of-the-sender-4711", claims: ["Send"] };
const certificates = makeCertificates();

interface Row {
  readonly name: string;
  /** The connection string, of the server as it stands. */
  readonly connectionString?: () => string;
  readonly token?: string;
  readonly ca?: "ca" | "stranger" | "system";
}

interface Wrong extends Row {
  readonly code: string;
  readonly says: RegExp;
}

describe.skipIf(certificates === undefined)("Event Hubs over AMQP", () => {
  const { ca, server: identity } = certificates as Certificates;
  const stranger = makeCertificates()?.ca ?? "";
  let broker: SandboxMqtt;
  let server: EventHubsServer;
  let crossing: Crossing | undefined;

  beforeAll(async () => {
    broker = await startSandboxMqtt();
  });
  afterAll(() => broker.stop());
  beforeEach(async () => {
    server = await EventHubsServer.start({ hubs: { "isthmus.dead-letter": 1 }, tls: identity });
    server.policies.push(SENDER);
    server.tokens.set(TOKEN, ["Send", "Listen"]).set(`${TOKEN}-2`, ["Send", "Listen"]);
  });
  afterEach(async () => {
    await crossing?.stop();
    crossing = undefined;
    await server.stop();
  });

  const right: Row[] = [
    {
      name: "a connection string of the namespace",
      connectionString: () => server.connectionString(),
    },
    { name: "a token of the app's identity", token: TOKEN },
  ];

  const wrong: Wrong[] = [
    {
      name: "a connection string with a wrong key",
      connectionString: () => server.connectionString({ key: STRANGE }),
      code: "EVENT_HUBS_REFUSED",
      says: /^Cannot (open|read) event hub "crossing-\w+" of 127\.0\.0\.1: The signature does not fit/u,
    },
    {
      name: "a connection string of another namespace",
      connectionString: () => server.connectionString().replace("127.0.0.1", "elsewhere.example"),
      code: "SECRET_INVALID",
      says: /it is for the namespace elsewhere\.example/u,
    },
    {
      name: "a connection string of another event hub",
      connectionString: () => server.connectionString({ entityPath: "other" }),
      code: "SECRET_INVALID",
      says: /its EntityPath says that it is for "other" alone/u,
    },
    {
      name: "a connection string that is none",
      connectionString: () => `Endpoint=sb://127.0.0.1/;SharedAccessKeyName=x`,
      code: "SECRET_INVALID",
      says: /it has no "SharedAccessKey"/u,
    },
    {
      name: "a connection string that may send and not listen",
      connectionString: () => server.connectionString({ policy: SENDER }),
      code: "KAFKA_NOT_AUTHORIZED",
      says: /'Listen' claim\(s\) are required/u,
    },
    {
      name: "a token that Event Hubs does not know",
      token: STRANGE,
      code: "EVENT_HUBS_REFUSED",
      says: /The token is not known/u,
    },
    {
      name: "TLS with another CA",
      token: TOKEN,
      ca: "stranger",
      code: "EVENT_HUBS_REFUSED",
      says: /TLS failed: .* Give the endpoint the CA certificate/u,
    },
    {
      name: "TLS with no CA but the system's",
      token: TOKEN,
      ca: "system",
      code: "EVENT_HUBS_REFUSED",
      says: /TLS failed: .* Give the endpoint the CA certificate/u,
    },
  ];

  function partsOf(row: Row): CrossingParts {
    const { token, connectionString, ca: trusted = "ca" } = row;
    const tls =
      trusted === "system"
        ? "{ mode: Enabled }"
        : "{ mode: Enabled, trustedCaCertificateConfigMapRef: authority }";
    return {
      kafka: {
        host: "plant.servicebus.windows.net:9093",
        reachedAt: `127.0.0.1:${server.port}`,
        annotations: "isthmus.dev/protocol: Amqp",
        tls,
        authentication:
          connectionString === undefined
            ? "{ method: SystemAssignedManagedIdentity }"
            : "{ method: Sasl, saslSettings: { saslType: Plain, secretRef: hub } }",
      },
      mqtt: { host: `127.0.0.1:${broker.port}` },
      mounted: {
        ...(trusted === "system"
          ? {}
          : { authority: { "ca.crt": trusted === "ca" ? ca : stranger } }),
        ...(connectionString === undefined ? {} : { hub: { token: connectionString() } }),
      },
      ...(token === undefined
        ? {}
        : { token: async () => ({ value: token, expiresAt: Date.now() + 3_600_000 }) }),
      createTopic: async (topic) => {
        server.addHub(topic, 2);
      },
    };
  }

  describe("the right credential: messages cross both ways", () => {
    test.each(named(right))("%s", async (_, row) => {
      crossing = await openCrossing(partsOf(row));
      expect(await roundTrip(crossing, broker.url)).toEqual(["0", "1", "2"]);
      expectNoSecret(crossing.journal, { hub: { key: POLICY.key } }, row.token);
    });
  });

  test("a function app writes to Event Hubs so, whatever protocol the manifest names", async () => {
    crossing = await openCrossing(partsOf({ name: "", token: TOKEN }));
    const { plan, folder, topic, there } = crossing;
    await crossing.bridge.stop();
    const byKafka = [...plan.kafkaConnections].map(
      ([id, connection]) => [id, { ...connection, protocol: "Kafka" as const }] as const,
    );
    const route = plan.routes.find(({ direction }) => direction === "mqttToKafka");
    const pump = await openPump(route as MqttToKafkaRoute, {
      plan: { ...plan, kafkaConnections: new Map(byKafka) },
      secrets: secretStore({
        manifests: { secrets: new Map(), configMaps: new Map() },
        folder,
        environment: {},
      }),
      log: noLog,
      identity: {
        token: async () => ({ value: TOKEN, expiresAt: Date.now() + 3_600_000 }),
      },
      eventHubsByAmqp: true,
    });
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    await client.publishAsync(there, "from the function app", { qos: 1 });
    const hub = server.hub(topic);
    const texts = (): string[] => hub.partitionIds.flatMap((id) => hub.texts(id));
    await expect.poll(texts, { timeout: 10_000 }).toEqual(["from the function app"]);
    await client.endAsync();
    await pump.stop();
  });

  describe("a wrong credential: one clear error", () => {
    test.each(named(wrong))("%s", async (_, row) => {
      const journal: Journal[] = [];
      const failure = await failureOf(
        openCrossing({ ...partsOf(row), startTimeoutMs: 4000 }, journal),
      );
      expect(failure).toMatchObject({ code: row.code, message: expect.stringMatching(row.says) });
      for (const key of [POLICY.key, SENDER.key, STRANGE, TOKEN]) {
        expectNoSecret([journal, failure?.message], {}, key);
      }
    });
  });
});
