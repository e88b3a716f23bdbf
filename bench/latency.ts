import { setTimeout as pause } from "node:timers/promises";
import { connectAsync } from "mqtt";
import type { KafkaRecord } from "../shared/model/kafka-record.ts";
import { decodeRecordSet } from "../shared/wire/kafka-record-decoder.ts";
import { type Fetched, KafkaWire } from "../test/faults/kafka-wire.ts";
import { batches, micros, sentAt, writeAll } from "./messages.ts";
import { type LoadReport, runLoad } from "./native-load.ts";
import { flowing, type Stage } from "./run.ts";
import { startBridge } from "./running-bridge.ts";
import { median } from "./table.ts";

/** Milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
}

interface LatencyRow extends Latency {
  readonly path: string;
}

const RATE = 5_000;
const SECONDS = 10;
const COUNT = RATE * SECONDS;
/** Before them: the compiler of the bridge is through then. */
const WARM_UP = RATE * 3;
const TICK_MS = 5;
const PARTITIONS = [0, 1, 2, 3];
const WINDOW = 1000;
const EMPTY = new Uint8Array(0);
const MOST_SECONDS = 60;
const FETCH_WAIT_MS = 500;

/**
 * How long a message takes at 5,000 a second and QoS 1: through Kafka alone, through Mosquitto alone, and through both with the bridge
 * between them. Programs at the ends are thin, so that it is the brokers that are timed.
 */
export async function measureLatency(stage: Stage, runs: number): Promise<string> {
  const rows: LatencyRow[][] = [];
  for (let run = 1; run <= runs; run += 1) {
    rows.push([
      { path: "Kafka alone", ...(await throughKafka(stage, run)) },
      { path: "Mosquitto alone", ...(await throughMosquitto(stage, run)) },
      { path: "Kafka to MQTT", ...(await kafkaToMqtt(stage, run)) },
      { path: "MQTT to Kafka", ...(await mqttToKafka(stage, run)) },
    ]);
  }
  return markdown(rows);
}

function markdown(rounds: readonly (readonly LatencyRow[])[]): string {
  const of = (at: number, which: keyof Latency): number =>
    median(rounds.map((rows) => rows[at]?.[which] ?? 0));
  const own = of(0, "p99") + of(1, "p99");
  const lines = (rounds[0] ?? []).map(({ path }, at) => {
    const times = at < 2 ? "" : (of(at, "p99") / own).toFixed(2);
    return `| ${path} | ${of(at, "p50").toFixed(1)} | ${of(at, "p99").toFixed(1)} | ${times} |`;
  });
  return [
    "| path | p50 ms | p99 ms | p99 as a multiple of both brokers alone |",
    "|---|--:|--:|--:|",
    ...lines,
  ].join("\n");
}

async function throughKafka(stage: Stage, run: number): Promise<Latency> {
  const topic = `latency-kafka-${run}-${process.pid}`;
  await stage.kafka.createTopic(topic);
  const reading = readTopic(stage, topic, micros());
  await produce(stage, topic, 0, COUNT);
  return reading;
}

async function throughMosquitto({ load, url, size }: Stage, run: number): Promise<Latency> {
  const { port } = new URL(url);
  const topic = `latency/${run}`;
  const subscriber = runLoad(load, ["sub", port, topic, 1, COUNT, MOST_SECONDS]);
  await subscriber.ready;
  await runLoad(load, ["pub", port, topic, 1, COUNT, size, WINDOW, RATE]).report;
  return latencyOf(await subscriber.report);
}

async function kafkaToMqtt(stage: Stage, run: number): Promise<Latency> {
  const { load, url, kafka } = stage;
  const { port, host } = new URL(url);
  const source = `latency-k2m-${run}-${process.pid}`;
  await kafka.createTopic(source);
  const destination = `latency/k2m/${run}`;
  const subscriber = runLoad(load, ["sub", port, destination, 1, COUNT, MOST_SECONDS]);
  await subscriber.ready;
  const bridge = startBridge({
    ...{ brokers: kafka.broker, mqtt: host, qos: 1, direction: "k2m" },
    routes: [{ source, destination }],
  });
  await arriving(stage, source, destination);
  // numbers that the subscriber does not count
  await produce(stage, source, COUNT, COUNT + WARM_UP);
  await produce(stage, source, 0, COUNT);
  const report = await subscriber.report;
  await bridge.stop();
  return latencyOf(report);
}

async function mqttToKafka(stage: Stage, run: number): Promise<Latency> {
  const { load, url, kafka, size } = stage;
  const { port, host } = new URL(url);
  const destination = `latency-m2k-${run}-${process.pid}`;
  await kafka.createTopic(destination);
  const topic = `latency/m2k/${run}`;
  const bridge = startBridge({
    ...{ brokers: kafka.broker, mqtt: host, qos: 1, direction: "m2k" },
    routes: [{ source: topic, destination }],
  });
  await flowing(stage, topic, destination);
  await runLoad(load, ["pub", port, topic, 1, WARM_UP, size, WINDOW, RATE]).report;
  const reading = readTopic(stage, destination, micros());
  await runLoad(load, ["pub", port, topic, 1, COUNT, size, WINDOW, RATE]).report;
  const latency = await reading;
  await bridge.stop();
  return latency;
}

/** Numbers `from` to `to`, at the rate. */
async function produce(stage: Stage, topic: string, from: number, to: number): Promise<void> {
  const wire = new KafkaWire(stage.kafka.port);
  const load = { topics: [topic], partitions: PARTITIONS.length, size: stage.size, headers: 3 };
  const start = performance.now();
  for (let at = from; at < to; ) {
    const due = from + Math.ceil(((performance.now() - start) * RATE) / 1000);
    const end = Math.min(to, Math.max(due, at + 1));
    await writeAll(wire, batches({ ...load, messages: 0 }, at, end));
    at = end;
    await pause(TICK_MS);
  }
  wire.close();
}

/** Until as many have come as are timed; only what was sent after `since`, in microseconds since the Unix epoch, counts. */
async function readTopic(stage: Stage, topic: string, since: number): Promise<Latency> {
  const wire = new KafkaWire(stage.kafka.port);
  const positions = PARTITIONS.map((partition) => ({ topic, partition, offset: 0 }));
  const latencies: number[] = [];
  while (latencies.length < COUNT) {
    const fetched = await wire.fetch(positions, FETCH_WAIT_MS);
    const now = micros();
    for (const { value } of fetched.flatMap((one) => recordsOf(one, positions))) {
      const sent = sentAt(value ?? EMPTY);
      if (sent >= since) latencies.push(now - sent);
    }
  }
  wire.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => (latencies[Math.floor(COUNT * share)] ?? 0) / 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Moves the position of its partition on. */
function recordsOf(
  { topic, partition, records }: Fetched,
  positions: { offset: number }[],
): readonly KafkaRecord[] {
  const { batches: read } = decodeRecordSet(records, { topic, partition, decompress: refuse });
  const last = read.at(-1);
  const position = positions[partition];
  if (last !== undefined && position !== undefined) position.offset = Number(last.lastOffset) + 1;
  return read.flatMap((batch) => batch.records);
}

function refuse(codec: number): never {
  throw new RangeError(`Nobody here compresses: codec ${codec}`);
}

/** Resolves when a record comes out at the other end. */
async function arriving(stage: Stage, source: string, destination: string): Promise<void> {
  const client = await connectAsync(stage.url, { protocolVersion: 5 });
  await client.subscribeAsync(destination);
  const wire = new KafkaWire(stage.kafka.port);
  let there = false;
  client.on("message", () => {
    there = true;
  });
  const probe = { topics: [source], partitions: 1, messages: 1, size: 24, headers: 0 };
  while (!there) {
    await writeAll(wire, batches(probe, COUNT, COUNT + 1));
    await pause(100);
  }
  wire.close();
  await client.endAsync();
}

function latencyOf({ p50 = 0, p99 = 0 }: LoadReport): Latency {
  return { p50, p99 };
}
