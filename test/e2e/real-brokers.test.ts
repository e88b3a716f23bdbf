import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal, type Need } from "../support/real-brokers.ts";
import type { Result } from "../support/tally.ts";
import { Bench, FACTORY, type Flow, type FlowOptions } from "./bench.ts";
import type { SourcePublish, SourceRecord } from "./messages.ts";
import type { RunnerProcess } from "./runner-process.ts";

/** The brokers are stopped and started here, so they cannot be those that others use. */
const NEEDS: readonly Need[] = ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT", "java", "mosquitto"];

const MANY = 100_000;
/** Messages a second, while something happens. */
const STREAM = 4_000;
const SOON_MS = 60_000;
const KILLS = 2;
/** maxInflightMessages, where the manifests say nothing else. */
const WINDOW = 100;

const ALERTS = Array.from({ length: 20 }, (_, index) => `temperature-alerts/line-${index}/high`);
const THERMOSTATS = Array.from({ length: 20 }, (_, index) => `thermostats/t${index}/telemetry/air`);

function deviceId({ properties }: SourcePublish): string {
  return String(properties.userProperties["device-id"]);
}

type Size = Pick<FlowOptions, "count" | "perSecond">;

let bench: Bench;
let runner: RunnerProcess;

function factoryToMqtt(run: string, size: Size): Promise<Flow> {
  return bench.toMqtt({
    ...{ run, ...size, topics: FACTORY, topicFilter: "factory/+", qos: 1 },
    topicOf: (record: SourceRecord) => `factory/${record.topic}`,
  });
}

function telemetryToKafka(run: string, size: Size): Promise<Flow> {
  return bench.toKafka({
    ...{ run, ...size, topics: THERMOSTATS, kafkaTopic: "thermostat-telemetry", lane: "topic" },
    keyOf: ({ topic }) => topic,
  });
}

/** Both directions at once, without end. */
function bothWays(run: string): Promise<Flow[]> {
  return Promise.all([
    factoryToMqtt(`${run} to MQTT`, { perSecond: STREAM }),
    telemetryToKafka(`${run} to Kafka`, { perSecond: STREAM }),
  ]);
}

/** Starts the flows; resolves when so many more messages of each have come. */
async function flowing(flows: readonly Flow[], more: number): Promise<void> {
  const before = flows.map((flow) => flow.arrived());
  for (const flow of flows) flow.start();
  await expect
    .poll(() => Math.min(...flows.map((flow, index) => flow.arrived() - (before[index] ?? 0))), {
      timeout: SOON_MS,
      interval: 10,
    })
    .toBeGreaterThan(more);
}

interface Outcome {
  readonly run: string;
  readonly result: Result;
}

/** Messages flow in both directions, something happens to them, they flow again; then says what came. */
async function inTheMiddle(
  run: string,
  event: (flows: readonly Flow[]) => Promise<void>,
): Promise<Outcome[]> {
  const flows = await bothWays(run);
  await flowing(flows, STREAM / 2);
  await event(flows);
  await flowing(flows, STREAM);
  return Promise.all(
    flows.map(async (flow) => ({ run: flow.run, result: await flow.finish(SOON_MS) })),
  );
}

const whole = { lost: 0, reordered: 0, wrong: [] };
const complete = (sent: number): Result => ({ ...whole, sent, duplicates: 0 });

describeReal("isthmus run between Kafka 4 and Mosquitto", NEEDS, () => {
  beforeAll(async () => {
    bench = await Bench.open();
    runner = await bench.startRunner();
  });

  afterAll(async () => {
    runner?.signal("SIGKILL");
    await bench?.close();
  });

  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.log(runner?.log());
  });

  test(`carries ${MANY} records of four topics to MQTT, whole and in the order of their partitions (S-20, S-21, S-22, S-50)`, async () => {
    const flow = await factoryToMqtt("factory", { count: MANY });
    expect(await flow.finish(SOON_MS)).toEqual(complete(MANY));
  });

  test(`carries ${MANY} messages to Kafka, whole and in the order of their topics (S-10, S-11, S-13 topic, S-50)`, async () => {
    const flow = await telemetryToKafka("telemetry", { count: MANY });
    expect(await flow.finish(SOON_MS)).toEqual(complete(MANY));
  });

  test(`carries ${MANY} messages to Kafka over a shared subscription of three (S-13 property, S-33)`, async () => {
    const flow = await bench.toKafka({
      ...{ run: "alerts", count: MANY, topics: ALERTS },
      ...{ kafkaTopic: "receiving-event-hub", lane: "none", keyOf: deviceId },
    });
    expect(await flow.finish(SOON_MS)).toEqual(complete(MANY));
  });

  test("carries records to MQTT at QoS 0 (S-25)", async () => {
    const flow = await bench.toMqtt({
      ...{ run: "commands", count: 5_000, topics: ["sending-event-hub"] },
      ...{ topicFilter: "heater-commands", qos: 0, topicOf: () => "heater-commands" },
    });
    expect(await flow.finish(SOON_MS)).toEqual(complete(5_000));
  });

  test("picks up a topic within 30 s of its creation (S-30)", async () => {
    const topics = ["warehouse-w1-machine-m4"];
    await bench.kafkaEnd.createTopics(topics);
    const flow = await bench.toMqtt({
      ...{ run: "fifth", count: 100, topics, topicFilter: "factory/+", qos: 1 },
      topicOf: (record: SourceRecord) => `factory/${record.topic}`,
    });
    expect(await flow.finish(30_000)).toEqual(complete(100));
  });

  test("loses and doubles nothing when told to stop in the middle, and is gone within 10 s (S-55)", async () => {
    const results = await inTheMiddle("stopped", async () => {
      const told = Date.now();
      runner.signal("SIGTERM");
      expect(await runner.ended).toBe(0);
      expect(Date.now() - told).toBeLessThan(10_000);
      runner = await bench.startRunner();
    });
    for (const { result, run } of results) expect(result, run).toEqual(complete(result.sent));
  });

  test("loses nothing, keeps the order, and doubles a window at most when it is killed, and killed again (S-50)", async () => {
    const results = await inTheMiddle("killed", async (flows) => {
      // the second time while the group may still be busy with the first
      for (let kill = 0; kill < KILLS; kill++) {
        runner.signal("SIGKILL");
        expect(await runner.ended).toBe("SIGKILL");
        runner = await bench.startRunner();
      }
      await flowing(flows, 1);
    });
    for (const { result, run } of results) {
      expect(result, run).toMatchObject(whole);
      expect(result.duplicates, run).toBeLessThanOrEqual(KILLS * WINDOW);
    }
  });

  test.each(["kafka", "mosquitto"] as const)(
    "loses nothing and keeps the order when %s restarts in the middle (S-50, S-53)",
    async (broker) => {
      const results = await inTheMiddle(`${broker} restarts`, async () => {
        await bench[broker].stop();
        await bench[broker].start();
      });
      for (const { result, run } of results) expect(result, run).toMatchObject(whole);
    },
  );
});
