/** The registered functions against real brokers: what the host would call, down to the wire. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { connectAsync, type IPublishPacket, type MqttClient } from "mqtt";
import { afterEach, expect, test, vi } from "vitest";
import { kafkaAdmin } from "../../shared/adapters/kafka/kafka-admin.ts";
import { kafkaRecordSource } from "../../shared/adapters/kafka/kafka-record-source.ts";
import { connectorManifest } from "../support/functions-app.ts";
import { invocation } from "../support/invocation.ts";
import { Collector, plainEndpoint } from "../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../support/real-brokers.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface App extends RunningApp {
  invoke(name: string, input: unknown, triggerMetadata?: Record<string, unknown>): Promise<unknown>;
  readonly lines: string[];
}

async function app(
  manifest: string,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): Promise<App> {
  const running = await startApp(manifest, env, files);
  cleanups.push(() => running.close());
  const lines: string[] = [];
  return {
    ...running,
    lines,
    invoke: async (name, input, triggerMetadata) => {
      const context = invocation(triggerMetadata);
      try {
        return await running.handlerOf(name)(input, context);
      } finally {
        lines.push(...context.lines);
      }
    },
  };
}

const mqttAddress = (): string => new URL(brokerAddress("ISTHMUS_TEST_MQTT")).host;

async function client(): Promise<MqttClient> {
  const made = await connectAsync(brokerAddress("ISTHMUS_TEST_MQTT"), { protocolVersion: 5 });
  cleanups.push(() => made.endAsync(true));
  return made;
}

/** Everything published on a topic, from now on, in order. */
async function listener(topicFilter: string): Promise<{
  packets: IPublishPacket[];
  until(count: number): Promise<void>;
}> {
  const mqtt = await client();
  const packets: IPublishPacket[] = [];
  mqtt.on("message", (_topic, _payload, packet) => {
    packets.push(packet);
  });
  await mqtt.subscribeAsync(topicFilter, { qos: 1 });
  return {
    packets,
    async until(count): Promise<void> {
      while (packets.length < count) {
        await new Promise<void>((resolve) => mqtt.once("message", () => resolve()));
      }
    },
  };
}

const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

/** A port where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const nowhere = "127.0.0.1:9";
const WAIT = { timeout: 10_000, interval: 20 };

describeReal("the functions that read Kafka", ["ISTHMUS_TEST_MQTT"], () => {
  test("a batch of the Kafka trigger is published in order, with key, timestamp and headers (S-20, S-21, S-23)", async () => {
    const connector = unique("plant");
    const topicName = `${connector}/down`;
    const manifest = connectorManifest({ kafka: nowhere, mqtt: mqttAddress() })
      .replaceAll("plant", connector)
      .replace("down/commands", topicName);
    const { packets, until } = await listener(topicName);
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const { invoke } = await app(manifest);
    await invoke(`${connector}_down_commands`, payload, triggerMetadata);
    await until(4);
    expect(
      packets.map(({ payload: body }) => Buffer.from(body as Uint8Array).toString("hex")),
    ).toEqual([Buffer.from('{"t":21}').toString("hex"), "00ff80", "", ""]);
    expect({ ...packets[0]?.properties?.userProperties }).toEqual({
      Key: "machine-7",
      Timestamp: String(Date.UTC(2026, 7, 26, 7, 0, 0, 123)),
      "MQTT Topic": "factory/line1",
      unit: ["°C", "K"],
    });
    expect(packets.every(({ qos, retain }) => qos === 1 && !retain)).toBe(true);
  });

  test("a batch of the Event Hubs trigger is published with its typed properties as text (S-22)", async () => {
    const connector = unique("plant");
    const topicName = `${connector}/down`;
    const manifest = connectorManifest({ kafka: nowhere, mqtt: mqttAddress() })
      .replaceAll("plant", connector)
      .replace("down/commands", topicName)
      .replace(
        `endpoint: ${nowhere}\n    tls: { tlsEnabled: false }`,
        "endpoint: contoso.servicebus.windows.net:9093\n    tls: { tlsEnabled: true }\n    authentication: { enabled: true, authType: { sasl: { saslType: plain, token: { secretName: cs } } } }",
      );
    const { packets, until } = await listener(topicName);
    const key = Buffer.from("no key of anything").toString("base64");
    const env = {
      ISTHMUS_SECRET_CS_TOKEN: `Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=read;SharedAccessKey=${key}`,
    };
    const { payload, triggerMetadata } = triggerFixture("event-hubs-many");
    const { invoke } = await app(manifest, env);
    await invoke(`${connector}_down_commands`, payload, triggerMetadata);
    await until(3);
    expect(packets[0]?.properties?.userProperties).toMatchObject({
      text: "bar",
      temperature: "11.9",
      on: "true",
      "message-id": "m-1",
    });
    expect(packets[1]?.properties?.userProperties).toMatchObject({ Key: "123" });
  });

  test("throws an Error while the broker is away, so that nothing is committed (S-50, S-53)", async () => {
    const mqtt = `127.0.0.1:${await closedPort()}`;
    const manifest = connectorManifest({ kafka: nowhere, mqtt });
    const { invoke } = await app(manifest, {
      AzureFunctionsJobHost__functionTimeout: "00:00:02",
    });
    const { payload, triggerMetadata } = triggerFixture("kafka-many");
    const call = invoke("plant_down_commands", payload, triggerMetadata);
    await expect(call).rejects.toThrow(/MQTT did not answer within 1 s.*\[MQTT_UNAVAILABLE\]/);
  });
});

describeReal("the functions that write Kafka", ["ISTHMUS_TEST_MQTT", "ISTHMUS_TEST_KAFKA"], () => {
  const noLog = (): void => undefined;

  // kafkajs reads records through our codec once an adapter of this process has been used, so the adapter reads here as well
  async function readAll(topic: string, count: number): Promise<string[]> {
    const source = kafkaRecordSource({
      endpoint: plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA")),
      clientId: "reader",
      consumerGroupId: unique("group"),
      topics: [{ kind: "name", topic }],
      log: noLog,
    });
    const collector = new Collector(source);
    await source.start(collector);
    cleanups.push(() => source.stop());
    await collector.until(() => collector.received.length >= count);
    return collector.received.map(({ value }) => new TextDecoder().decode(value ?? undefined));
  }

  async function createTopic(topic: string): Promise<void> {
    const endpoint = plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA"));
    await kafkaAdmin(endpoint, "topics", noLog).createTopics([{ topic, partitions: 1 }]);
  }

  test("a pump that is held again after it was let go has lost nothing in between (S-51)", async () => {
    const connector = unique("plant");
    const topic = unique("telemetry");
    await createTopic(topic);
    const manifest = connectorManifest({
      kafka: brokerAddress("ISTHMUS_TEST_KAFKA"),
      mqtt: mqttAddress(),
    })
      .replaceAll("plant", connector)
      .replace("up/#", `${connector}/up/#`)
      .replace("kafkaTopic: telemetry", `kafkaTopic: ${topic}`);
    const mqtt = await client();
    const publish = (text: string): Promise<unknown> =>
      mqtt.publishAsync(`${connector}/up/a`, text, { qos: 1 });
    const env = { ISTHMUS_PUMP_SECONDS: "2" };
    const first = await app(manifest, env);
    const hold = first.invoke(`${connector}_up`, {});
    await vi.waitUntil(() => first.runtime.statuses()[0]?.state === "running", WAIT);
    await publish("held");
    await hold;
    await publish("between");
    // the same app starts elsewhere: the session is the broker's, not the process's
    const second = await app(manifest, env);
    const again = second.invoke(`${connector}_up`, {});
    await vi.waitUntil(() => second.runtime.statuses()[0]?.state === "running", WAIT);
    await publish("held again");
    await second.runtime.stop();
    await again;
    expect(await readAll(topic, 3)).toEqual(["held", "between", "held again"]);
  });

  test("the timer that watches warns of a topic that came after the lock was written (S-30)", async () => {
    const prefix = unique("line");
    await createTopic(`${prefix}-1`);
    await createTopic(`${prefix}-2`);
    const pattern = `^${prefix}-.*$`;
    const lock = { version: 1, routes: { "plant/down": { pattern, topics: [`${prefix}-1`] } } };
    const manifest = connectorManifest({
      kafka: brokerAddress("ISTHMUS_TEST_KAFKA"),
      mqtt: mqttAddress(),
      kafkaTopic: JSON.stringify(pattern),
    });
    const found = await app(manifest, {}, { "isthmus.lock.json": JSON.stringify(lock) });
    await found.invoke("topic-watch", {});
    expect(found.lines).toHaveLength(1);
    expect(found.lines[0]).toContain(`"topics":["${prefix}-2"]`);
  });
});
