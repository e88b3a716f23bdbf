/** Event Hubs over Kafka: a connection string as the password, tokens that are renewed on live connections. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type SandboxMqtt, startSandboxMqtt } from "../../local/sandbox/mqtt/sandbox-mqtt.ts";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { kafkaRecordProducer } from "../../shared/adapters/kafka/kafka-record-producer.ts";
import { failureOf, jsonWebToken, named } from "../support/connection-rows.ts";
import {
  type Crossing,
  type CrossingParts,
  type Journal,
  openCrossing,
  roundTrip,
} from "../support/crossing.ts";
import { EVENT_HUBS_CONNECTION_STRING, KAFKA_USER } from "../support/kafka-broker.ts";
import { noLog, outgoing, plainEndpoint, unique } from "../support/kafka-ends.ts";
import { expectNoSecret } from "../support/leaks.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";

const STRANGE = "not-the-secret-4711";
let broker: SandboxMqtt;
let crossing: Crossing | undefined;
beforeAll(async () => {
  broker = await startSandboxMqtt();
});
afterAll(() => broker.stop());
afterEach(async () => {
  await crossing?.stop();
  crossing = undefined;
});

const needs = ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_KAFKA_SASL_SSL", "ISTHMUS_TEST_CERTS"] as const;

function partsOf(connectionString: string): CrossingParts {
  const authority = readFileSync(join(brokerAddress("ISTHMUS_TEST_CERTS"), "ca.crt"), "utf8");
  return {
    kafka: {
      host: "plant.servicebus.windows.net:9093",
      reachedAt: brokerAddress("ISTHMUS_TEST_KAFKA_SASL_SSL"),
      tls: "{ mode: Enabled, trustedCaCertificateConfigMapRef: authority }",
      authentication: "{ method: Sasl, saslSettings: { saslType: Plain, secretRef: hub } }",
    },
    mqtt: { host: `127.0.0.1:${broker.port}` },
    mounted: { hub: { token: connectionString }, authority: { "ca.crt": authority } },
    createTopic: (topic) =>
      kafkaAdmin(plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA")), "test", noLog).createTopics([
        { topic, partitions: 1 },
      ]),
  };
}

const right = EVENT_HUBS_CONNECTION_STRING;

describeReal("Event Hubs over Kafka, the right credential: messages cross both ways", needs, () => {
  test("$ConnectionString over TLS", async () => {
    crossing = await openCrossing(partsOf(right));
    expect(await roundTrip(crossing, broker.url)).toEqual(["0", "1", "2"]);
    expectNoSecret(crossing.journal, {}, right, "key-of-the-test-set-4711");
  });
});

describeReal("Event Hubs over Kafka, a wrong credential: one clear error", needs, () => {
  const wrong = [
    {
      name: "$ConnectionString with a wrong key",
      connectionString: right.replace("key-of-the-test-set-4711", STRANGE),
      code: "KAFKA_AUTHENTICATION_FAILED",
      says: /authentication failed/u,
    },
    {
      name: "$ConnectionString of another namespace",
      connectionString: right.replace("127.0.0.1", "elsewhere.example"),
      code: "SECRET_INVALID",
      says: /it is for the namespace elsewhere\.example/u,
    },
    {
      name: "$ConnectionString whose EntityPath is another event hub",
      connectionString: `${right};EntityPath=other`,
      code: "SECRET_INVALID",
      says: /event hub "crossing-\w+" of 127\.0\.0\.1: its EntityPath says that it is for "other" alone/u,
    },
    {
      name: "$ConnectionString without a key",
      connectionString: "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=all",
      code: "SECRET_INVALID",
      says: /it has no "SharedAccessKey"/u,
    },
  ];

  test.each(named(wrong))("%s", async (_, { connectionString, code, says }) => {
    const journal: Journal[] = [];
    const starting = openCrossing({ ...partsOf(connectionString), startTimeoutMs: 5000 }, journal);
    const failure = await failureOf(starting);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(says) });
    expectNoSecret([journal, failure], {}, connectionString, STRANGE);
  });
});

describeReal(
  "Event Hubs over Kafka, tokens",
  ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_KAFKA_OAUTH"],
  () => {
    test("are renewed on the live connection before they end, and nothing is lost meanwhile", async () => {
      const topic = unique("renewal");
      const admin = kafkaAdmin(plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA")), "test", noLog);
      await admin.createTopics([{ topic, partitions: 1 }]);
      let given = 0;
      const producer = kafkaRecordProducer({
        endpoint: {
          bootstrapServers: [brokerAddress("ISTHMUS_TEST_KAFKA_OAUTH")],
          isEventHubs: true,
          sasl: {
            mechanism: "oauthbearer",
            token: async () => {
              given += 1;
              return { value: jsonWebToken(KAFKA_USER, 13), expiresAt: Date.now() + 13_000 };
            },
          },
        },
        clientId: unique("renewal"),
        acks: -1,
        compression: "None",
        log: noLog,
      });
      await producer.start();
      await producer.send([outgoing({ topic })]);
      const first = given;
      let opened = 0;
      const count = (): void => {
        opened += 1;
      };
      subscribe("net.client.socket", count);
      let sent = 1;
      const deadline = Date.now() + 20_000;
      while (given === first && Date.now() < deadline) {
        await producer.send([outgoing({ topic })]);
        sent += 1;
      }
      expect(given).toBeGreaterThan(first);
      await producer.send([outgoing({ topic })]);
      unsubscribe("net.client.socket", count);
      expect(opened).toBe(0);
      await producer.stop();
      const [offsets] = await admin.topicOffsets(topic);
      expect(Number(offsets?.high ?? -1)).toBe(sent + 1);
    });
  },
);
