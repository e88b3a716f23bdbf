import { setTimeout as pause } from "node:timers/promises";
import type { OutgoingRecord } from "../shared/model/kafka-record.ts";
import { encodeRecordBatch } from "../shared/wire/kafka-record-encoder.ts";
import type { KafkaWire, PartitionBatch } from "../test/faults/kafka-wire.ts";

/** Bytes of number and time. */
const HEAD = 24;
/** So many records are a request, or fewer large ones. */
const REQUEST = 1_000;
const REQUEST_BYTES = 2_000_000;

/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER */
const LEADERLESS: readonly number[] = [3, 5, 6];
const AGAIN_MS = 50;

export interface Load {
  readonly topics: readonly string[];
  readonly partitions: number;
  readonly messages: number;
  /** Bytes of a payload, 24 at least. */
  readonly size: number;
  readonly headers: number;
}

/** Microseconds since the Unix epoch: the clock of the native tool. */
export function micros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/** A numbered payload as the native tool writes and reads them: number, time of sending in microseconds, filling. */
export function payload(number: number, size: number): Buffer {
  const head = number.toString(16).padStart(8, "0") + micros().toString(16).padStart(16, "0");
  const bytes = Buffer.alloc(Math.max(size, HEAD), "x");
  bytes.write(head, "latin1");
  return bytes;
}

/** When it was sent, in microseconds since the Unix epoch. */
export function sentAt(value: Uint8Array): number {
  return Number.parseInt(Buffer.from(value.subarray(8, HEAD)).toString("latin1"), 16);
}

/** The same three as those of the native tool, and more by number. */
export function headersOf(number: number, count: number): (readonly [string, Uint8Array])[] {
  const all: [string, string][] = [
    ["content-type", "application/json"],
    ["trace-id", number.toString(16).padStart(8, "0")],
    ["source", "bench"],
  ];
  for (let i = all.length; i < count; i += 1) all.push([`header-${i}`, `value-${i}-${number}`]);
  return all.slice(0, count).map(([name, value]) => [name, Buffer.from(value)] as const);
}

/** Records `from` to `to` as batches, one for each topic and partition: the number says which. */
export function batches(load: Load, from: number, to: number): PartitionBatch[] {
  const { topics, partitions, size, headers } = load;
  const lanes = new Map<number, OutgoingRecord[]>();
  for (let number = from; number < to; number += 1) {
    const lane = number % (topics.length * partitions);
    const topic = topics[Math.floor(lane / partitions)] as string;
    const record: OutgoingRecord = {
      ...{ topic, key: null, value: payload(number, size), headers: headersOf(number, headers) },
      partitioning: { by: "roundRobin" },
    };
    const records = lanes.get(lane);
    if (records === undefined) lanes.set(lane, [record]);
    else records.push(record);
  }
  return [...lanes].map(([lane, records]) => ({
    topic: topics[Math.floor(lane / partitions)] as string,
    partition: lane % partitions,
    batch: encodeRecordBatch(records, { now: Date.now(), codec: 0 }),
  }));
}

/** Writes all of it, far faster than any client reads it. @throws Error when Kafka refuses a batch */
export async function fill(wire: KafkaWire, load: Load): Promise<void> {
  const most = REQUEST_BYTES / (load.size + 100 + load.headers * 25);
  const count = Math.max(1, Math.min(REQUEST, Math.floor(most)));
  for (let at = 0; at < load.messages; at += count) {
    await writeAll(wire, batches(load, at, Math.min(load.messages, at + count)));
  }
}

/** Resolves when all are written. @throws Error when Kafka refuses a batch */
export async function writeAll(wire: KafkaWire, all: readonly PartitionBatch[]): Promise<void> {
  for (let rest = all; rest.length > 0; ) rest = await write(wire, rest);
}

/** Returns those that have to be written again: a topic that was made just now has no leader everywhere. */
async function write(wire: KafkaWire, all: readonly PartitionBatch[]): Promise<PartitionBatch[]> {
  const written = await wire.produce(all);
  const refused = written.find(
    ({ errorCode }) => errorCode !== 0 && !LEADERLESS.includes(errorCode),
  );
  if (refused !== undefined) throw new Error(`Kafka refused a batch: error ${refused.errorCode}`);
  const rest = all.filter((_, at) => written[at]?.errorCode !== 0);
  if (rest.length > 0) await pause(AGAIN_MS);
  return rest;
}
