import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forwardTo } from "../support/forwarder.ts";
import { freePorts } from "../support/free-ports.ts";
import { type KafkaBroker, startKafka } from "../support/kafka-broker.ts";
import { type MosquittoBroker, startMosquitto } from "../support/mosquitto-broker.ts";
import { describeReal, type Need } from "../support/real-brokers.ts";
import { KafkaEnd } from "./kafka-end.ts";
import { MqttEnd } from "./mqtt-end.ts";
import { type RunnerProcess, startRunner } from "./runner-process.ts";

/** One broker after the other is stopped here, so they cannot be those that others use. */
const NEEDS: readonly Need[] = ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT", "java", "mosquitto"];

const MB = 1024 * 1024;
const BUDGET_MB = Number(process.env["ISTHMUS_TEST_MEMORY_MB"] ?? 64);
const BESIDES_MB = 100;
/** How long the other side stays away once the budget is full. With more than a minute it tells every minute what the process takes. */
const SECONDS = Number(process.env["ISTHMUS_TEST_MEMORY_SECONDS"] ?? 3);
/** As small as most are: then what an object takes besides its bytes weighs most. */
const PAYLOAD = Buffer.alloc(200, "x");
/** As many as the largest window takes would not fill the budget. */
const LARGER_PAYLOAD = Buffer.alloc(4000, "x");
const PARTITIONS = 4;
const PER_SECOND = 2_500;

function endpoint(name: string, type: string, settings: string): string {
  return `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: ${name} }
spec:
  endpointType: ${type}
  ${settings}
---`;
}

function manifest(from: "kafka" | "mqtt", kafka: string, mqtt: string): string {
  const to = from === "kafka" ? "mqtt" : "kafka";
  const anonymous =
    "authentication: { method: Anonymous, anonymousSettings: {} }, tls: { mode: Disabled }";
  return `${endpoint("kafka", "Kafka", `kafkaSettings: { host: "${kafka}", consumerGroupId: memory, ${anonymous} }`)}${endpoint(
    "mqtt",
    "Mqtt",
    `mqttSettings: { host: "${mqtt}", maxInflightMessages: 65535, ${anonymous} }`,
  )}
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: memory }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: ${from}, dataSources: [source] }
    - operationType: Destination
      destinationSettings: { endpointRef: ${to}, dataDestination: destination }
`;
}

/** Resident memory of a process in MB, and how much of it was ever. */
function resident(pid: number): { now: number; most: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name: string): number =>
    (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024) / MB;
  return { now: mb("VmRSS"), most: mb("VmHWM") };
}

let kafka: KafkaBroker;
let mosquitto: MosquittoBroker;
let folder: string;

/** The runner with one route, and what it holds in memory. */
async function startRoute(
  from: "kafka" | "mqtt",
  mqtt: string,
): Promise<RunnerProcess & { held(): Promise<number> }> {
  const manifests = join(folder, from);
  mkdirSync(manifests);
  writeFileSync(join(manifests, "route.yaml"), manifest(from, kafka.addresses.plain, mqtt));
  const [port] = await freePorts(1);
  const more = ["--memory", String(BUDGET_MB), "--http", String(port)];
  const runner = await startRunner(manifests, join(folder, "secrets"), { args: more });
  const held = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    return Number(/^isthmus_in_flight_bytes.* (\d+)$/m.exec(await answer.text())?.[1]);
  };
  return { ...runner, held };
}

/** Waits until the route holds so many bytes, then a while; returns the most memory that it took, in MB. */
async function mostWhileHeld(
  runner: Awaited<ReturnType<typeof startRoute>>,
  least: number,
): Promise<number> {
  await expect.poll(() => runner.held(), { timeout: 60_000, interval: 100 }).toBeGreaterThan(least);
  for (let second = 0; second < SECONDS; second += 1) {
    if (second % 60 === 59) console.log(`after ${second + 1} s:`, resident(runner.pid));
    await wait(1000);
  }
  expect(await runner.held()).toBeGreaterThan(least);
  return resident(runner.pid).most;
}

describeReal("memory, with a broker that is away while messages come", NEEDS, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-memory-"));
    const [k, m] = await Promise.all([
      startKafka(),
      startMosquitto({ lines: ["max_inflight_messages 0", "max_queued_messages 100000"] }),
    ]);
    if ("missing" in k) throw new Error(k.missing);
    if ("missing" in m) throw new Error(m.missing);
    kafka = k;
    mosquitto = m;
  });

  afterAll(async () => {
    await Promise.all([kafka?.dispose(), mosquitto?.dispose()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test(`is the budget and ${BESIDES_MB} MB at the most while an MQTT broker does not answer (S-53)`, async () => {
    const end = new KafkaEnd(kafka.addresses.plain);
    await end.connect();
    await end.createTopics(["source"], PARTITIONS);
    const forwarder = await forwardTo(Number(new URL(mosquitto.addresses.plain).port));
    const runner = await startRoute("kafka", forwarder.address);
    forwarder.hold();
    // more than the budget holds: a record takes some 1500 bytes of it
    const count = Math.ceil((BUDGET_MB * MB) / 1000);
    await end.send({
      message: (index) => ({
        ...{ topic: "source", partition: index % PARTITIONS, timestamp: 0 },
        ...{ key: null, value: PAYLOAD, headers: { index: Buffer.from(String(index)) } },
      }),
      ended: (index) => index >= count,
      perSecond: undefined,
    });
    // what was published and is not acknowledged, and a megabyte ahead: the rest stays in Kafka
    expect(await mostWhileHeld(runner, MB)).toBeLessThan(BUDGET_MB + BESIDES_MB);
    runner.signal("SIGKILL");
    await end.close();
    await forwarder.stop();
  });

  test(`is the budget and ${BESIDES_MB} MB at the most while Kafka is down (S-53)`, async () => {
    const runner = await startRoute("mqtt", new URL(mosquitto.addresses.plain).host);
    const end = await MqttEnd.connect(mosquitto.addresses.plain, "publisher of the memory test");
    await kafka.stop();
    let isOver = false;
    const sent = end.publish({
      message: () => ({
        ...{
          topic: "source",
          payload: LARGER_PAYLOAD,
          properties: { userProperties: { line: "1" } },
        },
      }),
      ended: () => isOver,
      perSecond: PER_SECOND,
    });
    expect(await mostWhileHeld(runner, 0.95 * BUDGET_MB * MB)).toBeLessThan(BUDGET_MB + BESIDES_MB);
    isOver = true;
    await sent;
    runner.signal("SIGKILL");
    await end.close();
  });
});
