import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaTopicReader } from "../../../shared/adapters/kafka/kafka-topic-reader.ts";
import { type RunningBridge, startBridge } from "../../../shared/compose.ts";
import { storedLetters } from "../../../shared/engine/dead-letter-log.ts";
import { REPLAY_WINDOW } from "../../../shared/engine/replay.ts";
import { loadManifests } from "../../../shared/manifests/load.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { secretStore } from "../../../shared/secrets/secret-store.ts";
import { type CliResult, runCli, startCli } from "../../support/cli.ts";
import { noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { brokerAddress, describeReal } from "../../support/real-brokers.ts";
import { variable } from "../../support/translations.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-replay-"));
const run = unique("replay");
/** In the order in which they are dead-lettered. */
const DOWN = 400;
const ILLEGAL = 300;
const LARGE = 300;
const ALL = DOWN + ILLEGAL + LARGE;
const LETTERS = `${run}.letters`;
const SOON = { timeout: 60_000, interval: 50 };

interface Destinations {
  readonly mqttTopic: string;
  readonly kafkaTopic: string;
}

const BROKEN: Destinations = {
  mqttTopic: `${run}-down/${variable("inputTopic.3")}`,
  kafkaTopic: variable("inputTopic.2"),
};
const MENDED: Destinations = { mqttTopic: `${run}-down/line`, kafkaTopic: `${run}.up` };

/** A route `down/flow` from Kafka to MQTT and a route `up/flow` back, between the test's brokers. */
function manifests({ mqttTopic, kafkaTopic }: Destinations, mqttHost: string): string {
  return `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: ${brokerAddress("ISTHMUS_TEST_KAFKA")}
    consumerGroupId: ${run}
    tls: { mode: Disabled }
    authentication: { method: Anonymous }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: ${mqttHost}
    tls: { mode: Disabled }
    authentication: { method: Anonymous }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata:
  name: down
  annotations: { isthmus.dev/dead-letter-topic: ${LETTERS} }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: kafka, dataSources: ["${run}.in"] }
    - operationType: Destination
      destinationSettings: { endpointRef: mqtt, dataDestination: "${mqttTopic}" }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata:
  name: up
  annotations: { isthmus.dev/dead-letter-topic: ${LETTERS} }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: mqtt, dataSources: ["${run}/+"] }
    - operationType: Destination
      destinationSettings: { endpointRef: kafka, dataDestination: "${kafkaTopic}" }
`;
}

function written(name: string, destinations: Destinations, mqttHost = mqttAddress()): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, manifests(destinations, mqttHost));
  return path;
}

function mqttAddress(): string {
  return brokerAddress("ISTHMUS_TEST_MQTT").replace("mqtt://", "");
}

describeReal("isthmus replay", ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT"], () => {
  const endpoint = () => plainEndpoint(brokerAddress("ISTHMUS_TEST_KAFKA"));
  /** What came to MQTT: the index that each message carries. */
  const down: number[] = [];
  const properties = new Map<number, unknown>();
  let admin: Admin;
  let client: MqttClient;
  let broken: string;
  let mended: string;

  beforeAll(async () => {
    broken = written("broken", BROKEN);
    mended = written("mended", MENDED);
    const kafka = new Kafka({
      brokers: [brokerAddress("ISTHMUS_TEST_KAFKA")],
      logLevel: logLevel.NOTHING,
    });
    admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: LETTERS, numPartitions: 3 },
        { topic: `${run}.in`, numPartitions: 2 },
        { topic: `${run}.up`, numPartitions: 2 },
        {
          topic: `${run}-small`,
          numPartitions: 1,
          configEntries: [{ name: "max.message.bytes", value: "1000" }],
        },
      ],
    });
    client = await connectAsync(brokerAddress("ISTHMUS_TEST_MQTT"), {
      protocolVersion: 5,
      clientId: `${run}-observer`,
    });
    client.on("message", (topic, payload, packet) => {
      if (topic !== MENDED.mqttTopic) return;
      const index = Number(payload.toString());
      down.push(index);
      properties.set(index, { ...packet.properties?.userProperties });
    });
    await client.subscribeAsync(MENDED.mqttTopic, { qos: 1 });
    await deadLetterAll();
  });

  afterAll(async () => {
    await client?.endAsync(true);
    await admin?.disconnect();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the broken manifests until all messages are dead letters: first those of `down`, then those of `up`. */
  async function deadLetterAll(): Promise<void> {
    const loaded = await loadManifests([broken], {});
    const secrets = secretStore({ manifests: loaded, folder: undefined, environment: {} });
    const bridge = await startBridge({ plan: loaded.plan, secrets, log: noLog });
    const producer = kafkaRecordProducer({
      endpoint: endpoint(),
      clientId: run,
      acks: -1,
      compression: "None",
      log: noLog,
    });
    await producer.start();
    await producer.send(
      Array.from({ length: DOWN }, (_, index) =>
        outgoing({
          topic: `${run}.in`,
          value: Buffer.from(String(index)),
          headers: [
            ["index", Buffer.from(String(index))],
            ["isthmus-route", Buffer.from("forged")],
          ],
        }),
      ),
    );
    await vi.waitUntil(() => deadLettered(bridge) === DOWN, SOON);
    const large = "x".repeat(2000);
    for (let index = 0; index < ILLEGAL + LARGE; index += 1) {
      const [topic, payload] =
        index < ILLEGAL
          ? [`${run}/not legal`, String(index)]
          : [`${run}/${run}-small`, `${index} ${large}`];
      await client.publishAsync(topic, payload, {
        qos: 1,
        properties: { userProperties: { index: String(index), "isthmus-topic": "forged" } },
      });
    }
    await vi.waitUntil(() => deadLettered(bridge) === ALL, SOON);
    await bridge.stop();
    await producer.stop();
  }

  function deadLettered(bridge: RunningBridge): number {
    return bridge.status().reduce((sum, { counters }) => sum + counters.deadLettered, 0);
  }

  const replay = (action: string, manifest: string, ...args: string[]): Promise<CliResult> =>
    runCli(["replay", action, "-f", manifest, ...args]);

  interface Listed {
    readonly time: string;
    readonly route: string;
    readonly code: string;
    readonly attempt: number;
    readonly source: string;
    readonly replayed: boolean;
    readonly record?: { readonly headers: readonly (readonly [string, string])[] };
  }

  async function listed(...args: string[]): Promise<Listed[]> {
    const { code, stdout, stderr } = await replay("list", mended, "--json", ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Listed);
  }

  /** Everything in the topic that the route `up` writes to, by the index that each message carries. */
  async function upRecords(): Promise<KafkaRecord[]> {
    const reader = kafkaTopicReader({ endpoint: endpoint(), clientId: run, log: noLog });
    const records: KafkaRecord[] = [];
    for (const range of await reader.ranges(MENDED.kafkaTopic)) {
      for await (const some of reader.read(range)) records.push(...some);
    }
    await reader.close();
    return records;
  }

  /** How many letters are marked as sent again. */
  async function marked(): Promise<number> {
    const reader = kafkaTopicReader({ endpoint: endpoint(), clientId: run, log: noLog });
    let count = 0;
    for await (const { replayed } of storedLetters(reader, await reader.ranges(LETTERS))) {
      if (replayed) count += 1;
    }
    await reader.close();
    return count;
  }

  test("lists the dead letters by route, reason and time, without their payloads [S-54]", async () => {
    const all = await listed();
    expect(all).toHaveLength(ALL);
    const counts = new Map<string, number>();
    for (const { route, code } of all) {
      counts.set(`${route} ${code}`, (counts.get(`${route} ${code}`) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      "down TOPIC_SEGMENT_MISSING": DOWN,
      "up KAFKA_TOPIC_INVALID": ILLEGAL,
      "up KAFKA_MESSAGE_TOO_LARGE": LARGE,
    });
    const times = all.map(({ time }) => time);
    expect(times).toEqual(times.toSorted());
    expect(all.some((letter) => "record" in letter || "message" in letter)).toBe(false);

    expect(await listed("--route", "down")).toHaveLength(DOWN);
    expect(await listed("--reason", "kafka_message_too_large")).toHaveLength(LARGE);
    const middle = times[ALL / 2] as string;
    expect(await listed("--since", middle)).toHaveLength(times.filter((t) => t >= middle).length);
    expect(await listed("--until", middle)).toHaveLength(times.filter((t) => t < middle).length);
    expect(await listed("--since", "1h", "--limit", "7")).toHaveLength(7);

    const [one] = await listed("--limit", "1", "--payload");
    expect(one?.record?.headers.map(([name]) => name)).toEqual(["index", "isthmus-route"]);
    const text = await replay("list", mended, "--limit", "2");
    expect(text.stdout).toMatch(
      new RegExp(`^\\S+Z {2}down {2}TOPIC_SEGMENT_MISSING {2}kafka:${run}\\.in/[01]/\\d+ {2}`),
    );
    expect(text.stdout).toMatch(/\n2 dead letters\n$/);
  });

  test("tries the route's translation as it is now, and sends nothing", async () => {
    const still = await replay("send", broken, "--dry-run", "--json", "--route", "down");
    expect(JSON.parse(still.stdout)).toMatchObject({
      routes: [{ route: "down", received: DOWN, delivered: 0, deadLettered: DOWN }],
    });
    expect(still.code).toBe(1);
    const well = await replay("send", mended, "--dry-run");
    expect(well.stdout).toContain(`down: ${DOWN} would be sent again: ${DOWN} delivered`);
    expect(well.stdout).toContain(`up: ${ILLEGAL + LARGE} would be sent again`);
    expect(well.code).toBe(0);
    expect(down).toEqual([]);
  });

  test("dead-letters again what fails again, with the next attempt, and not twice in one run [S-54]", async () => {
    const { code, stdout } = await replay("send", broken, "--limit", "3", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      taken: 3,
      routes: [{ route: "down", delivered: 0, deadLettered: 3 }],
    });
    const all = await listed("--again");
    expect(all.filter(({ replayed }) => replayed)).toHaveLength(3);
    expect(all.filter(({ attempt }) => attempt === 2)).toHaveLength(3);
    expect(await listed()).toHaveLength(ALL);
  });

  test("killed in the middle, it doubles what was in flight and loses nothing [S-50, S-54]", async () => {
    const before = await marked();
    const stall = await stallingProxy(mqttAddress(), 150);
    const args = ["replay", "send", "-f", written("stalling", MENDED, stall.address)];
    const killed = startCli(args);
    // no acknowledgement comes through any more: it stands in the middle of its work
    await stall.stalled;
    await expect.poll(marked, SOON).toBeGreaterThan(before);
    killed.child.kill("SIGKILL");
    expect((await killed.ended).code).toBeNull();
    stall.close();
    const done = (await marked()) - before;
    expect(done).toBeLessThan(DOWN);

    const rest = await replay("send", mended, "--json");
    expect({ code: rest.code, stderr: rest.stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(rest.stdout)).toMatchObject({
      taken: ALL - done,
      routes: [
        { route: "down", delivered: DOWN - done, deadLettered: 0 },
        { route: "up", delivered: ILLEGAL + LARGE, deadLettered: 0 },
      ],
    });
    await expect.poll(() => new Set(down).size, SOON).toBe(DOWN);
    expect(down.length).toBeGreaterThan(DOWN);
    expect(down.length - DOWN).toBeLessThanOrEqual(REPLAY_WINDOW);
    // the header that pretended to be ours came back under its own name
    expect(properties.get(7)).toMatchObject({ index: "7", "isthmus-route": "forged" });

    const up = await upRecords();
    const indices = up.map(({ headers }) => Number(headerOf(headers, "index")));
    expect(indices.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: ILLEGAL + LARGE }, (_, index) => index),
    );
    for (const { headers } of up) {
      expect(headerOf(headers, "mqtt-isthmus-topic")).toBe("forged");
    }
  });

  test("repeated, it has nothing left to do; --again sends once more, and marks where asked to", async () => {
    expect(await listed()).toEqual([]);
    const nothing = await replay("send", mended);
    expect(nothing).toMatchObject({ code: 0, stdout: "nothing to send again\n" });
    const before = down.length;
    const args = ["--again", "--mark", "--limit", "2"];
    expect(await replay("send", mended, ...args)).toMatchObject({
      code: 0,
      stdout: "down: 2 sent again: 2 delivered, 0 expired, 0 dead-lettered again\n",
    });
    await expect.poll(() => down.length, SOON).toBe(before + 2);
    expect(properties.get(down.at(-1) as number)).toMatchObject({ "isthmus-replayed": "1" });
  });
});

function headerOf(headers: KafkaRecord["headers"], name: string): string {
  return Buffer.from(new Map(headers).get(name) ?? []).toString();
}

interface StallingProxy {
  readonly address: string;
  /** Resolves when it has let so many acknowledgements through and holds the rest. */
  readonly stalled: Promise<void>;
  close(): void;
}

const CONNACK_BYTES = 100;
const PUBACK_BYTES = 4;

/** Lets everything through to the broker, and from it CONNACK and about so many PUBACKs, then nothing more. */
async function stallingProxy(target: string, acknowledgements: number): Promise<StallingProxy> {
  const [host = "", port = ""] = target.split(":");
  let left = CONNACK_BYTES + acknowledgements * PUBACK_BYTES;
  let stall: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => {
    stall = resolve;
  });
  const server: Server = createServer((socket) => {
    const broker = connect(Number(port), host);
    socket.pipe(broker);
    broker.on("data", (bytes) => {
      if (left > 0) socket.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) stall();
    });
    for (const end of [socket, broker]) {
      end.on("error", () => undefined);
      end.on("close", () => {
        socket.destroy();
        broker.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${own}`, stalled, close: () => server.close() };
}
