/** What the shell of the Functions app adds to the engine: the same batches through both, in turns, to the same broker. */
import { azureTokenSource } from "../shared/adapters/identity/azure-token-source.ts";
import { systemClock } from "../shared/adapters/system/system-clock.ts";
import type { HostContext } from "../shared/compose/context.ts";
import { parts } from "../shared/compose/kafka-to-mqtt-route.ts";
import { KafkaToMqttPump } from "../shared/engine/kafka-to-mqtt-pump.ts";
import { Lane } from "../shared/engine/lane.ts";
import { recordsFromKafkaTrigger } from "../shared/translate/kafka-trigger.ts";
import { findBatches } from "../shared/wire/kafka-record-decoder.ts";
import { connectorManifest } from "../test/support/functions-app.ts";
import { startMosquitto } from "../test/support/mosquitto-broker.ts";
import { type RunningApp, startApp } from "../test/support/running-app.ts";
import { buildNativeLoad, type LoadReport, runLoad } from "./native-load.ts";
import { median } from "./table.ts";
import { type TriggerBatch, triggerBatches } from "./trigger-batches.ts";

const BATCHES = [1, 64, 1000];
const MESSAGES = 50_000;
/** Records that come one by one are fewer, for each waits until the broker has answered. */
const MOST_INVOCATIONS = 10_000;
const WINDOW = 1000;
const MOST_SECONDS = 120;
const TARGET = 0.1;
const TOPIC = "bench";
const ROUTE = "plant/down";
const FUNCTION = "plant_down_bench";
const DESTINATION = "down/commands";

/** Takes a batch and resolves when the broker has acknowledged all of it. */
type Way = (batch: TriggerBatch) => Promise<unknown>;

type Batches = readonly TriggerBatch[];

interface Stage {
  readonly load: string;
  readonly port: string;
  readonly handlers: Way;
  readonly engine: Way;
}

/** For one message. */
interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Round {
  readonly handlers: Cost;
  readonly engine: Cost;
  /** Of the handlers' cost, what the reading of the trigger's payload is. */
  readonly reading: Cost;
}

export interface HandlersResult {
  /** Records of one invocation. */
  readonly batch: number;
  readonly rounds: readonly Round[];
}

/** The app and the engine with a connection each. @throws Error without Mosquitto or a C compiler, or when a message did not come once and in order */
export async function measureHandlers(runs: number, size: number): Promise<HandlersResult[]> {
  const load = buildNativeLoad();
  const mosquitto = await startMosquitto();
  if ("missing" in mosquitto) throw new Error(mosquitto.missing);
  const url = new URL(mosquitto.addresses.plain);
  const app = await startApp(manifest(url.host));
  const engine = await startEngine(app);
  const handler = app.handlerOf(FUNCTION);
  const stage: Stage = {
    ...{ load, port: url.port, engine: engine.way },
    handlers: async ({ payload, context }) => handler(payload, context),
  };
  try {
    const results: HandlersResult[] = [];
    for (const batch of BATCHES)
      results.push({ batch, rounds: await rounds(stage, batch, { runs, size }) });
    return results;
  } finally {
    await Promise.all([app.close(), engine.close()]);
    await mosquitto.dispose();
  }
}

function manifest(mqtt: string): string {
  // nothing connects to Kafka: the host would bring the records
  return connectorManifest({ kafka: "127.0.0.1:9", mqtt, kafkaTopic: TOPIC }).replace(
    "metadata: { name: plant-topics }",
    `metadata: { name: plant-topics, annotations: { isthmus.dev/max-inflight-messages: "${WINDOW}" } }`,
  );
}

/** The runner's decoder, pump and publisher, handed record batches from memory. */
async function startEngine({ app }: RunningApp): Promise<{ way: Way; close(): Promise<void> }> {
  const route = app.plan.routes.find(({ name }) => name === ROUTE);
  if (route?.direction !== "kafkaToMqtt") throw new Error(`Route "${ROUTE}" is not in the plan`);
  const { publisher, pump: options } = await parts(route, hostOf(app));
  let left = 0;
  let done: () => void = () => undefined;
  const pump = new KafkaToMqttPump({
    ...options,
    onDone: () => {
      left -= 1;
      if (left === 0) done();
    },
    onFailed: (error) => {
      throw error;
    },
  });
  await publisher.start(() => pump.fill());
  return {
    way: ({ recordBatch }) =>
      new Promise<void>((resolve) => {
        const found = findBatches(recordBatch, { topic: TOPIC, partition: 0, decompress: refuse });
        const records = found.batches.flatMap((one) => one.records());
        left = records.length;
        done = resolve;
        pump.push(new Lane(TOPIC, 0), records);
      }),
    close: async () => {
      pump.stop();
      await publisher.stop(0);
    },
  };
}

function refuse(codec: number): never {
  throw new RangeError(`Nobody here compresses: codec ${codec}`);
}

function hostOf({ plan, secrets }: RunningApp["app"]): HostContext {
  return {
    ...{ plan, secrets, clock: systemClock, identity: azureTokenSource() },
    ...{ log: () => undefined, instance: 0, hostName: "bench" },
    ...{ drainMs: 0, startTimeoutMs: 0, routeBudgetBytes: Number.MAX_SAFE_INTEGER },
  };
}

/** Begins with what is not timed: functions are compiled meanwhile, and a subscriber sees that every message comes. */
async function rounds(
  stage: Stage,
  batch: number,
  { runs, size }: { runs: number; size: number },
): Promise<Round[]> {
  const invocations = Math.min(MOST_INVOCATIONS, Math.ceil(MESSAGES / batch));
  const batches = triggerBatches(TOPIC, { invocations, batch, size });
  await checked(stage, stage.handlers, batches);
  await checked(stage, stage.engine, batches);
  const all: Round[] = [];
  for (let run = 0; run < runs; run++) all.push(await round(stage, batches, run % 2 === 0));
  return all;
}

/** @throws Error when a message did not come once and in order */
async function checked({ load, port }: Stage, way: Way, batches: Batches): Promise<void> {
  const messages = count(batches);
  const subscriber = runLoad(load, ["sub", port, DESTINATION, 1, messages, MOST_SECONDS]);
  await subscriber.ready;
  await timed(way, batches);
  assertWhole(await subscriber.report, messages);
}

/** Both, one after the other; who is first takes turns. */
async function round(stage: Stage, batches: Batches, handlersFirst: boolean): Promise<Round> {
  const first = await timed(handlersFirst ? stage.handlers : stage.engine, batches);
  const second = await timed(handlersFirst ? stage.engine : stage.handlers, batches);
  const [handlers, engine] = handlersFirst ? [first, second] : [second, first];
  return { handlers, engine, reading: await timed(readPayload, batches) };
}

async function readPayload({ payload, context }: TriggerBatch): Promise<void> {
  recordsFromKafkaTrigger(payload, context.triggerMetadata, TOPIC);
}

/** An invocation after the other, as those of one partition come. */
async function timed(way: Way, batches: Batches): Promise<Cost> {
  const messages = count(batches);
  const before = process.cpuUsage();
  const started = performance.now();
  for (const batch of batches) await way(batch);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds: seconds / messages, cpuSeconds: (user + system) / 1e6 / messages };
}

function count(batches: Batches): number {
  return batches.reduce((sum, { records }) => sum + records.length, 0);
}

function assertWhole({ unique, doubled, reordered }: LoadReport, messages: number): void {
  if (unique === messages && doubled === 0 && reordered === 0) return;
  throw new Error(`${unique} of ${messages} came, ${doubled} twice, ${reordered} out of order`);
}

/** Medians of the rounds; what the shell adds is compared within each, for its two were measured side by side. */
export function handlersTable(results: readonly HandlersResult[]): string {
  const rows = results.map(({ batch, rounds: all }) => {
    const of = (read: (one: Round) => number): number => median(all.map(read));
    const rate = (way: keyof Round): string =>
      Math.round(1 / of((one) => one[way].seconds)).toLocaleString("en");
    const added = of(({ handlers, engine }) => handlers.seconds / engine.seconds - 1);
    const cpu = (way: keyof Round): string => (of((one) => one[way].cpuSeconds) * 1e6).toFixed(1);
    const took = of(({ handlers }) => handlers.seconds) * batch;
    return [
      ...[batch.toLocaleString("en"), rate("handlers"), rate("engine")],
      ...[`${(added * 100).toFixed(1)} %`, cpu("handlers"), cpu("engine"), cpu("reading")],
      ...[`${(took * 1000).toFixed(2)} ms`, added < TARGET ? "yes" : "no"],
    ].join(" | ");
  });
  return [
    "| records of an invocation | handlers, messages/s | engine, messages/s | the shell adds | CPU us/message, handlers | engine | reading of the payload | one invocation takes | below 10 % |",
    "|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}
