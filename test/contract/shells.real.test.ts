import { randomUUID } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { kafkaRecordProducer } from "../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../shared/adapters/kafka/kafka-record-source.ts";
import { mqttPublisher } from "../../shared/adapters/mqtt/mqtt-publisher.ts";
import { mqttSubscriber } from "../../shared/adapters/mqtt/mqtt-subscriber.ts";
import { systemClock } from "../../shared/adapters/system/system-clock.ts";
import {
  type HostOptions,
  openPump,
  openRecordHandler,
  startBridge,
} from "../../shared/compose.ts";
import type { RouteStatus } from "../../shared/engine/status.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { MqttEndpoint } from "../../shared/model/endpoint.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../../shared/model/route.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";

/*
 * One engine, two shells: what the runner and the Functions app call must carry the same messages in the same bytes.
 * Both sides of this suite go through shared/compose.ts, against the same brokers, with the same manifests.
 */

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const kafka = () => plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA"));

function mqtt(): MqttEndpoint {
  const { hostname, port } = new URL(brokerAddress("ISTHMUS_TEST_MQTT"));
  return {
    host: hostname,
    port: Number(port),
    protocol: "Mqtt",
    credential: { kind: "none" },
    keepAlive: 60,
    sessionExpiryInterval: 60,
    maxInflightMessages: 100,
  };
}

/** Host options for manifests with one route. */
function host(flow: { source: string; destination: string; group?: string }): HostOptions {
  const { host: mqttHost, port } = mqtt();
  const toKafka = flow.source.includes("/");
  const text = `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: ${kafka().bootstrapServers.join(",")}
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
    consumerGroupId: ${flow.group ?? "group"}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: ${mqttHost}:${port}
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: ${unique("flow")} }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: ${toKafka ? "mqtt" : "kafka"}, dataSources: ["${flow.source}"] }
    - operationType: Destination
      destinationSettings: { endpointRef: ${toKafka ? "kafka" : "mqtt"}, dataDestination: "${flow.destination}" }
`;
  const { plan, problems, secrets, configMaps } = compileManifests([
    { path: "contract.yaml", text },
  ]);
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  const store = secretStore({ manifests: { secrets, configMaps }, environment: {} });
  return { plan, secrets: store, log: noLog, drainMs: 5000 };
}

/** Everything that comes on a filter, until it is closed. */
async function listen(topicFilter: string) {
  const received: Publish[] = [];
  const wakers: (() => void)[] = [];
  const subscriber = mqttSubscriber({
    endpoint: mqtt(),
    clientIdentifier: randomUUID(),
    receiveMaximum: 1000,
    log: noLog,
    clock: systemClock,
  });
  await subscriber.start({ topicFilters: [topicFilter], qos: 1 }, (delivery) => {
    const { payload, ...rest } = delivery.publish;
    received.push({ ...rest, payload: Uint8Array.from(payload) });
    delivery.acknowledge();
    for (const wake of wakers.splice(0)) wake();
  });
  closing.push(() => subscriber.stop());
  return {
    received,
    until: async (count: number): Promise<void> => {
      while (received.length < count) {
        await new Promise<void>((resolve) => {
          wakers.push(resolve);
        });
      }
    },
  };
}

async function readAll(topic: string, count: number): Promise<KafkaRecord[]> {
  const source = kafkaRecordSource({
    endpoint: kafka(),
    clientId: "contract",
    consumerGroupId: unique("contract"),
    topics: [{ kind: "name", topic }],
    log: noLog,
  });
  const collector = new Collector(source);
  await source.start(collector);
  await collector.until(() => collector.received.length >= count);
  await source.stop();
  return collector.received;
}

const comparable = (publish: Publish) => ({
  ...publish,
  payload: Buffer.from(publish.payload).toString("base64"),
  properties: {
    ...publish.properties,
    correlationData: Buffer.from(publish.properties.correlationData ?? []).toString("base64"),
  },
});

const comparableRecord = ({ key, value, headers }: KafkaRecord) => ({
  key: key && Buffer.from(key).toString("base64"),
  value: value && Buffer.from(value).toString("base64"),
  headers: headers.map(([name, bytes]) => [name, bytes && Buffer.from(bytes).toString("base64")]),
});

function addsUp({ counters: c }: RouteStatus): void {
  expect(c.received).toBe(
    c.delivered + c.expired + c.filtered + c.deadLettered + c.released + c.inFlight,
  );
}

describeReal("both shells", ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT"], () => {
  test("carry the same records to MQTT in the same bytes, and count them alike", async () => {
    const topic = unique("shells");
    await kafkaAdmin(kafka(), "contract", noLog).createTopics([{ topic, partitions: 1 }]);
    const producer = kafkaRecordProducer({
      endpoint: kafka(),
      clientId: "contract",
      acks: -1,
      compression: "None",
      log: noLog,
    });
    closing.push(() => producer.stop());
    await producer.start();
    await producer.send([
      outgoing({
        topic,
        key: Buffer.from("k"),
        headers: [
          ["a", Buffer.from("1")],
          ["b", Buffer.from("2")],
          ["a", Buffer.from("3")],
        ],
      }),
      outgoing({ topic, value: null, headers: [["constructor", Buffer.from([0xff])]] }),
      outgoing({
        topic,
        value: Buffer.from([0, 255]),
        headers: [["foo", Buffer.from([0xa1, 3, 98, 97, 114])]],
      }),
    ]);
    const filter = `${unique("out")}/#`;
    const destination = `${filter.slice(0, -1)}\${inputTopic}`;

    const runner = await listen(filter);
    const options = host({ source: topic, destination, group: unique("group") });
    const bridge = await startBridge(options);
    closing.push(() => bridge.stop());
    await runner.until(3);
    for (const status of bridge.status()) addsUp(status);

    const functions = await listen(filter);
    const handler = await openRecordHandler(options.plan.routes[0] as KafkaToMqttRoute, options);
    closing.push(() => handler.stop());
    await handler.deliver(await readAll(topic, 3), 10_000);
    await functions.until(3);
    addsUp(handler.status());

    expect(functions.received.slice(0, 3).map(comparable)).toEqual(
      runner.received.slice(0, 3).map(comparable),
    );
    expect(runner.received[0]?.properties.userProperties.map(([name]) => name)).toEqual([
      "Key",
      "Timestamp",
      "a",
      "b",
      "a",
    ]);
  });

  test("carry the same messages to Kafka in the same bytes, and count them alike", async () => {
    const levels = unique("in");
    const topics = { runner: unique("shells"), functions: unique("shells") };
    await kafkaAdmin(kafka(), "contract", noLog).createTopics(
      Object.values(topics).map((topic) => ({ topic, partitions: 1 })),
    );
    const publisher = mqttPublisher({
      endpoint: mqtt(),
      clientIdentifier: randomUUID(),
      window: 10,
      log: noLog,
      clock: systemClock,
    });
    closing.push(() => publisher.stop(1000));
    await publisher.start(() => undefined);

    const runner = host({ source: `${levels}/#`, destination: topics.runner });
    const bridge = await startBridge(runner);
    closing.push(() => bridge.stop());
    const functions = host({ source: `${levels}/#`, destination: topics.functions });
    const pump = await openPump(functions.plan.routes[0] as MqttToKafkaRoute, functions);
    closing.push(() => pump.stop());

    const message: Publish = {
      topicName: `${levels}/a`,
      payload: Buffer.from([1, 0, 255]),
      qos: 1,
      retain: false,
      properties: {
        payloadFormatIndicator: 0,
        messageExpiryInterval: 3600,
        responseTopic: "answer/here",
        correlationData: Buffer.from([0xff, 0]),
        contentType: "application/octet-stream",
        userProperties: [
          ["x", "1"],
          ["y", "2"],
          ["x", "3"],
          ["__proto__", "4"],
        ],
      },
    };
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      publisher.publish(message, { settle });
      publisher.flush();
    });
    const [one] = await readAll(topics.runner, 1);
    const [two] = await readAll(topics.functions, 1);
    expect(comparableRecord(two as KafkaRecord)).toEqual(comparableRecord(one as KafkaRecord));
    expect(one?.headers.map(([name]) => name)).toEqual([
      "Payload Format Indicator",
      "Message Expiry Interval",
      "Response Topic",
      "Correlation Data",
      "Content Type",
      "MQTT Topic",
      "x",
      "y",
      "x",
      "__proto__",
    ]);
    for (const status of [...bridge.status(), pump.status()]) addsUp(status);
  });
});
