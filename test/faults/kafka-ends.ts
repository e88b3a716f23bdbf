import { setTimeout as pause } from "node:timers/promises";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import { decodeRecordSet } from "../../shared/wire/kafka-record-decoder.ts";
import { type BatchRecord, encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";
import type { Account } from "./account.ts";
import { KafkaWire, NotSent, type PartitionPosition, type Produced } from "./kafka-wire.ts";
import { COUNTS, type PublishContent, type RecordContent } from "./messages.ts";
import { type Lanes, PARTITIONS } from "./names.ts";
import { type Pace, paced } from "./pace.ts";

const AGAIN_MS = 50;
const FETCH_WAIT_MS = 50;
const OFFSET_OUT_OF_RANGE = 1;

interface SourceOptions {
  readonly port: number;
  readonly account: Account;
  readonly content: RecordContent;
  readonly lanes: Lanes;
}

/**
 * Writes the messages of an account to Kafka, in order within each lane, one request at a time. What it cannot know to be written it
 * writes anew, as another copy. The codec of batches is ours: test/wire holds it to that of kafkajs.
 */
export class KafkaSource {
  private readonly options: SourceOptions;
  private readonly account: Account;
  private readonly wire: KafkaWire;
  /** Of the first copy that the broker has acknowledged. */
  readonly offsets: Float64Array;

  constructor(options: SourceOptions) {
    this.options = options;
    this.account = options.account;
    this.wire = new KafkaWire(options.port);
    this.offsets = new Float64Array(options.account.size).fill(-1);
  }

  /** Resolves when all are acknowledged. */
  async send(pace: Pace): Promise<void> {
    const { account } = this.options;
    await paced(pace, account, async (count) => {
      const byLane = new Map<number, number[]>();
      for (let i = 0; i < count; i += 1) {
        const lane = pace.lane();
        const index = account.sending(lane);
        const indexes = byLane.get(lane);
        if (indexes === undefined) byLane.set(lane, [index]);
        else indexes.push(index);
      }
      await this.write(byLane);
    });
  }

  close(): void {
    this.wire.close();
  }

  private async write(byLane: Map<number, number[]>): Promise<void> {
    for (;;) {
      const sent = await this.tryWrite(byLane);
      if (byLane.size === 0) return;
      if (sent) for (const index of [...byLane.values()].flat()) this.account.sendingAgain(index);
      await pause(AGAIN_MS);
    }
  }

  /** Takes out of `byLane` what the broker has acknowledged. False when nothing can have come to the broker. */
  private async tryWrite(byLane: Map<number, number[]>): Promise<boolean> {
    const lanes = [...byLane];
    const batches = lanes.map(([lane, indexes]) => this.batchOf(lane, indexes));
    const results = await this.wire.produce(batches).catch((error: unknown) => error);
    if (!Array.isArray(results)) return !(results instanceof NotSent);
    for (const [i, { errorCode, baseOffset }] of (results as Produced[]).entries()) {
      const [lane, indexes] = lanes[i] as [number, number[]];
      if (errorCode !== 0) continue;
      for (const [at, index] of indexes.entries()) this.offsets[index] = baseOffset + at;
      byLane.delete(lane);
    }
    return true;
  }

  private batchOf(
    lane: number,
    indexes: readonly number[],
  ): { topic: string; partition: number; batch: Uint8Array } {
    const { account, content, lanes } = this.options;
    const records: BatchRecord[] = indexes.map((index) =>
      content.record(index, account.copyOf(index)),
    );
    return {
      topic: lanes.kafkaTopics[lane] as string,
      partition: lanes.partitions[lane] as number,
      batch: encodeRecordBatch(records, { now: Date.now(), codec: 0 }),
    };
  }
}

/** Reads topics from their beginning and goes on until it is closed; a broker that is away is waited for. */
export class KafkaReader {
  private readonly wire: KafkaWire;
  private readonly positions: Map<string, PartitionPosition>;
  private readonly take: (record: KafkaRecord) => void;
  private closed = false;
  private running: Promise<void> = Promise.resolve();

  constructor(port: number, topics: readonly string[], take: (record: KafkaRecord) => void) {
    this.wire = new KafkaWire(port);
    this.take = take;
    const positions = topics.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 })),
    );
    this.positions = new Map(positions.map((at) => [`${at.partition} ${at.topic}`, at]));
  }

  start(): void {
    this.running = this.read();
  }

  /** From the beginning again: the topic was made anew. */
  rewind(topic: string): void {
    for (const [key, at] of this.positions) {
      if (at.topic === topic) this.positions.set(key, { ...at, offset: 0 });
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wire.close();
    await this.running;
  }

  private async read(): Promise<void> {
    while (!this.closed) {
      try {
        const all = await this.wire.fetch([...this.positions.values()], FETCH_WAIT_MS);
        for (const { topic, partition, errorCode, records } of all) {
          if (errorCode === 0) this.records(topic, partition, records);
          else if (errorCode === OFFSET_OUT_OF_RANGE) this.rewind(topic);
        }
        if (all.some(({ errorCode }) => errorCode !== 0)) await pause(AGAIN_MS);
      } catch {
        await pause(AGAIN_MS);
      }
    }
  }

  private records(topic: string, partition: number, bytes: Buffer): void {
    const key = `${partition} ${topic}`;
    const { batches, problem } = decodeRecordSet(bytes, { topic, partition, decompress: unpacked });
    if (problem !== undefined) throw new Error(problem.reason);
    for (const { records, lastOffset } of batches) {
      const from = this.positions.get(key)?.offset ?? 0;
      for (const record of records) if (Number(record.offset) >= from) this.take(record);
      this.positions.set(key, { topic, partition, offset: Number(lastOffset) + 1 });
    }
  }
}

function unpacked(codec: number): never {
  throw new Error(`the bridge was not told to compress with codec ${codec}`);
}

interface CheckOptions {
  readonly account: Account;
  readonly content: PublishContent;
  readonly lanes: Lanes;
}

/** Takes what the bridge writes to Kafka into the account and compares every byte of it with what it is to be. */
export function arrivals({ account, content, lanes }: CheckOptions): (record: KafkaRecord) => void {
  const homes = new Map<number, number>();
  const problemOf = (index: number, copy: number, record: KafkaRecord): string | undefined => {
    const lane = account.laneOf(index);
    const topicName = lanes.mqttTopics[lane] as string;
    if (record.topic !== lanes.kafkaTopics[lane]) return `it came to topic "${record.topic}"`;
    if (Buffer.from(record.key ?? []).toString() !== topicName) return "its key is wrong";
    const home = homes.get(lane) ?? record.partition;
    homes.set(lane, home);
    if (home !== record.partition) return `it came to partition ${record.partition}, not ${home}`;
    if (Buffer.compare(record.value ?? EMPTY, content.payload(index, copy)) !== 0) {
      return "its value is wrong";
    }
    return content.headersProblem(index, topicName, record.headers);
  };
  return (record) => {
    const value = Buffer.from(record.value ?? EMPTY);
    if (value.length < COUNTS) {
      account.note(`a record of "${record.topic}" has ${value.length} bytes`);
      return;
    }
    const index = value.readUInt32BE(0);
    const copy = value.readUInt32BE(4);
    const known = index < account.sent;
    account.arrive(index, copy, known ? problemOf(index, copy, record) : undefined);
  };
}

const EMPTY = Buffer.alloc(0);
