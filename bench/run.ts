import { setTimeout as wait } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { type Contender, type Direction, startContender, type Usage } from "./contender.ts";
import type { KafkaSide } from "./kafka-side.ts";
import { type LoadReport, runLoad } from "./native-load.ts";

export interface Stage {
  readonly kafka: KafkaSide;
  /** `mqtt://host:port` */
  readonly url: string;
  readonly load: string;
  readonly messages: number;
  /** Bytes of a payload. */
  readonly size: number;
  /** The Kafka topic that is filled once and read by every run. */
  readonly filled: string;
}

export interface Trial {
  readonly contender: Contender | "native";
  readonly direction: Direction;
  readonly qos: 0 | 1;
  readonly run: number;
}

export interface Outcome {
  readonly name: string;
  readonly direction: Direction;
  readonly qos: 0 | 1;
  /** Messages a second, from the first to the last. */
  readonly rate: number;
  /** Microseconds of CPU time a message, the start of the process included. */
  readonly cpuMicros: number;
  readonly residentMb: number;
  readonly unique: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Of the messages that came, how many had all three properties or headers: 0 to 1. */
  readonly whole: number;
}

const MOST_SECONDS = 120;
const WINDOW = 1000;

export function runTrial(stage: Stage, trial: Trial): Promise<Outcome> {
  const { contender, direction } = trial;
  if (contender === "native") return runNative(stage, trial);
  return direction === "k2m"
    ? runKafkaToMqtt(stage, trial, contender)
    : runMqttToKafka(stage, trial, contender);
}

function port(stage: Stage): string {
  return new URL(stage.url).port;
}

/** The broker's own limit: the native publisher to the native subscriber. */
async function runNative(stage: Stage, trial: Trial): Promise<Outcome> {
  const { direction, qos, run } = trial;
  const { load, messages, size } = stage;
  const topic = `native/${direction}/${qos}/${run}`;
  const subscriber = runLoad(load, ["sub", port(stage), topic, qos, messages, MOST_SECONDS]);
  await subscriber.ready;
  const publisher = runLoad(load, ["pub", port(stage), topic, qos, messages, size, WINDOW, 0]);
  const [report] = await Promise.all([subscriber.report, publisher.report]);
  const usage = { cpuSeconds: 0, residentMb: 0 };
  return { ...used(trial, usage), ...received(report) };
}

async function runKafkaToMqtt(stage: Stage, trial: Trial, contender: Contender): Promise<Outcome> {
  const { load, messages, kafka, url, filled } = stage;
  const { qos, run } = trial;
  const destination = `out/${contender.name}/${qos}/${run}/${process.pid}`;
  const subscriber = runLoad(load, ["sub", port(stage), destination, qos, messages, MOST_SECONDS]);
  await subscriber.ready;
  const brokers = kafka.broker;
  const task = { direction: "k2m", brokers, url, qos, source: filled, destination } as const;
  const running = startContender(contender, task);
  const report = await subscriber.report;
  const usage = running.usage();
  await running.stop();
  return { ...used(trial, usage, report.unique), ...received(report) };
}

async function runMqttToKafka(stage: Stage, trial: Trial, contender: Contender): Promise<Outcome> {
  const { load, messages, size, kafka, url } = stage;
  const { qos, run } = trial;
  const name = `${contender.name}-${qos}-${run}-${process.pid}`;
  await kafka.createTopic(name);
  const brokers = kafka.broker;
  const source = `in/${name}/#`;
  const task = { direction: "m2k", brokers, url, qos, source, destination: name } as const;
  const running = startContender(contender, task);
  await flowing(stage, `in/${name}/probe`, name);
  const before = await kafka.length(name);
  const args = ["pub", port(stage), `in/${name}/data`, qos, messages, size, WINDOW, 0];
  const publisher = runLoad(load, args);
  const last = await filledTo(kafka, name, before + messages);
  const { first } = await publisher.report;
  const usage = running.usage();
  await running.stop();
  const counted = await kafka.read(name, messages);
  return {
    ...used(trial, usage, counted.unique),
    ...{ unique: counted.unique, doubled: counted.doubled, reordered: counted.reordered },
    whole: counted.whole / Math.max(1, counted.unique + counted.doubled),
    rate: (counted.unique / (last - first)) * 1000,
  };
}

/** Resolves when the contender carries messages: a probe now and then until one is through. */
export async function flowing(stage: Stage, topic: string, destination: string): Promise<void> {
  const client = await connectAsync(stage.url, { protocolVersion: 5 });
  const deadline = Date.now() + 30_000;
  while ((await stage.kafka.length(destination)) === 0) {
    if (Date.now() > deadline) throw new Error(`Nothing came to ${destination}`);
    await client.publishAsync(topic, "probe", { qos: 1 });
    await wait(100);
  }
  await client.endAsync();
  // the last probes
  await wait(500);
}

/** When the topic had so many records, or when no more came; milliseconds since the Unix epoch. */
async function filledTo(kafka: KafkaSide, topic: string, count: number): Promise<number> {
  let length = 0;
  let changed = Date.now();
  while (length < count && Date.now() - changed < 10_000) {
    const now = await kafka.length(topic);
    if (now !== length) changed = Date.now();
    length = now;
    await wait(20);
  }
  return changed;
}

function used(
  { direction, qos, contender }: Trial,
  { cpuSeconds, residentMb }: Usage,
  unique = 0,
): Omit<Outcome, "rate" | "unique" | "doubled" | "reordered" | "whole"> {
  const name = contender === "native" ? contender : contender.name;
  return { name, direction, qos, residentMb, cpuMicros: (cpuSeconds * 1e6) / Math.max(1, unique) };
}

function received(
  report: LoadReport,
): Pick<Outcome, "rate" | "unique" | "doubled" | "reordered" | "whole"> {
  const { count, unique = 0, doubled = 0, reordered = 0, whole = 0, first, last } = report;
  const rate = ((unique - 1) / (last - first)) * 1000;
  return { rate, unique, doubled, reordered, whole: whole / Math.max(1, count) };
}
