import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal, type Need } from "../support/real-brokers.ts";
import type { Result } from "../support/tally.ts";
import { Bench, FACTORY, type Flow } from "./bench.ts";
import type { SourcePublish, SourceRecord } from "./messages.ts";
import type { RunnerProcess } from "./runner-process.ts";

/** The brokers are stopped and started here, so they cannot be those that others use. */
const NEEDS: readonly Need[] = ["ISTHMUS_TEST_KAFKA", "ISTHMUS_TEST_MQTT", "java", "mosquitto"];

const MANY = 100_000;
/** Enough to be in the middle of when something happens. */
const STREAM = { count: 16_000, perSecond: 4_000 };
const SOON_MS = 60_000;

const ALERTS = Array.from({ length: 20 }, (_, index) => `temperature-alerts/line-${index}/high`);
const THERMOSTATS = Array.from({ length: 20 }, (_, index) => `thermostats/t${index}/telemetry/air`);

function deviceId({ properties }: SourcePublish): string {
  return String(properties.userProperties["device-id"]);
}

let bench: Bench;
let runner: RunnerProcess;

function factoryToMqtt(run: string, size: { count: number; perSecond?: number }): Promise<Flow> {
  return bench.toMqtt({
    ...{ run, ...size, topics: FACTORY, topicFilter: "factory/+", qos: 1 },
    topicOf: (record: SourceRecord) => `factory/${record.topic}`,
  });
}

function telemetryToKafka(run: string, size: { count: number; perSecond?: number }): Promise<Flow> {
  return bench.toKafka({
    ...{ run, ...size, topics: THERMOSTATS, kafkaTopic: "thermostat-telemetry", lane: "topic" },
    keyOf: ({ topic }) => topic,
  });
}

/** Starts both flows and resolves when either is in the middle of its way. */
async function underWay(flows: readonly Flow[]): Promise<void> {
  for (const flow of flows) flow.start();
  for (const flow of flows) {
    await expect
      .poll(() => flow.arrived(), { timeout: 30_000, interval: 10 })
      .toBeGreaterThan(STREAM.count / 8);
  }
  expect(flows.map((flow) => flow.sending())).toEqual([true, true]);
}

/** Both directions at once. */
function bothWays(run: string): Promise<Flow[]> {
  return Promise.all([
    factoryToMqtt(`${run} to MQTT`, STREAM),
    telemetryToKafka(`${run} to Kafka`, STREAM),
  ]);
}

const complete = (sent: number): Result => ({
  sent,
  lost: 0,
  duplicates: 0,
  reordered: 0,
  wrong: [],
});

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
    const flows = await bothWays("stopped");
    await underWay(flows);
    const told = Date.now();
    runner.signal("SIGTERM");
    expect(await runner.ended).toBe(0);
    expect(Date.now() - told).toBeLessThan(10_000);
    runner = await bench.startRunner();
    const results = await Promise.all(flows.map((flow) => flow.finish(SOON_MS)));
    expect(results).toEqual([complete(STREAM.count), complete(STREAM.count)]);
  });

  test("loses nothing and keeps the order when it is killed in the middle (S-50)", async () => {
    const flows = await bothWays("killed");
    await underWay(flows);
    runner.signal("SIGKILL");
    expect(await runner.ended).toBe("SIGKILL");
    runner = await bench.startRunner();
    for (const flow of flows) {
      const { duplicates, ...rest } = await flow.finish(SOON_MS);
      expect(rest).toEqual({ sent: STREAM.count, lost: 0, reordered: 0, wrong: [] });
      // what came since the last commit, and those are four a second
      expect(duplicates).toBeLessThan(STREAM.perSecond);
    }
  });

  test.each(["kafka", "mosquitto"] as const)(
    "loses nothing and keeps the order when %s restarts in the middle (S-50, S-53)",
    async (broker) => {
      const flows = await bothWays(`${broker} restarts`);
      await underWay(flows);
      await bench[broker].stop();
      await bench[broker].start();
      for (const flow of flows) {
        const { duplicates: _, ...rest } = await flow.finish(SOON_MS);
        expect(rest).toEqual({ sent: STREAM.count, lost: 0, reordered: 0, wrong: [] });
      }
    },
  );
});
