import { setTimeout as wait } from "node:timers/promises";
import type { Log, PartitionRange, TopicReader } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { KafkaRecord } from "../../model/kafka-record.ts";
import { within } from "../../within.ts";
import { drain, type FetchedChunk } from "./fetch-response.ts";
import { type KafkaClient, kafkaClient } from "./kafka-client.ts";
import { type KafkaCluster, kafkaCluster, READ_COMMITTED } from "./kafka-cluster.ts";
import { OUR_CONSUMER } from "./record-seam.ts";

export interface KafkaTopicReaderOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly log: Log;
  /** How long a fault may last that may pass, such as a leader that moves. Default 30 s. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;
const FETCH_WAIT_MS = 500;
const FETCH_BYTES = 1024 * 1024;
const DISCONNECT_MS = 3_000;

/** A TopicReader on kafkajs' connections, as {@link TopicReader} promises. It connects at the first call. */
export function kafkaTopicReader(options: KafkaTopicReaderOptions): TopicReader {
  return new KafkaTopicReader(options);
}

class KafkaTopicReader implements TopicReader {
  private readonly options: KafkaTopicReaderOptions;
  private readonly client: KafkaClient;
  private readonly cluster: KafkaCluster;
  private connected = false;

  constructor(options: KafkaTopicReaderOptions) {
    this.options = options;
    this.client = kafkaClient(options);
    this.cluster = kafkaCluster(this.client.kafka);
  }

  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    const doing = `Cannot read the offsets of topic "${topic}" of`;
    return (await ifThere(this.patiently(doing, () => this.rangesNow(topic)))) ?? [];
  }

  async *read(range: PartitionRange): AsyncGenerator<readonly KafkaRecord[]> {
    let at = range.from;
    let deadline = this.deadline();
    while (at < range.to) {
      const chunk = await this.fetch(range, at);
      if (chunk === undefined) {
        at = await this.passOver(range, at);
        if (Date.now() > deadline) throw this.endedEarly(range, at);
        continue;
      }
      const from = at;
      at = BigInt(chunk.offset) + 1n;
      const records = chunk.records.filter(({ offset }) => offset >= from && offset < range.to);
      if (records.length > 0) yield records;
      deadline = this.deadline();
    }
  }

  async close(): Promise<void> {
    await within(DISCONNECT_MS, this.cluster.disconnect());
    this.client.abandon();
  }

  private async rangesNow(topic: string): Promise<readonly PartitionRange[]> {
    await this.cluster.addTargetTopic(topic);
    await this.cluster.refreshMetadataIfNecessary();
    const partitions = this.cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId }) => ({ partition: partitionId }));
    const ends = await this.offsets(topic, partitions, false);
    const begins = await this.offsets(topic, partitions, true);
    return partitions
      .map(({ partition }) => ({
        topic,
        partition,
        from: begins.get(partition) ?? 0n,
        to: ends.get(partition) ?? 0n,
      }))
      .toSorted((a, b) => a.partition - b.partition);
  }

  private async offsets(
    topic: string,
    partitions: readonly { readonly partition: number }[],
    fromBeginning: boolean,
  ): Promise<ReadonlyMap<number, bigint>> {
    const [found] = await this.cluster.fetchTopicsOffset([{ topic, fromBeginning, partitions }]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** Undefined when nothing came. */
  private async fetch(
    range: PartitionRange,
    at: bigint,
  ): Promise<ReturnType<typeof drain> | undefined> {
    const { topic, partition } = range;
    const doing = `Cannot read partition ${partition} of topic "${topic}" of`;
    const chunk = await ifThere(this.patiently(doing, () => this.fetchNow(range, at)));
    if (chunk === undefined) return undefined;
    const drained = drain(chunk);
    const { problem } = drained;
    if (problem === undefined) return drained;
    throw new BridgeError(
      "KAFKA_REFUSED",
      `Cannot read partition ${partition} of topic "${topic}" from offset ${problem.offset}: ${problem.reason}`,
      { cause: problem.cause },
    );
  }

  private async fetchNow(range: PartitionRange, at: bigint): Promise<FetchedChunk | undefined> {
    const { topic, partition } = range;
    await this.cluster.addTargetTopic(topic);
    await this.cluster.refreshMetadataIfNecessary();
    const [leader] = Object.keys(this.cluster.findLeaderForPartitions(topic, [partition]));
    if (leader === undefined) {
      await this.cluster.refreshMetadata();
      throw new BridgeError(
        "KAFKA_UNAVAILABLE",
        `Partition ${partition} of topic "${topic}" has no leader`,
        { retryable: true },
      );
    }
    const broker = await this.cluster.findBroker({ nodeId: leader });
    try {
      const { responses } = await broker.fetch({
        replicaId: -1,
        isolationLevel: READ_COMMITTED,
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES,
        rackId: OUR_CONSUMER,
        topics: [
          {
            topic,
            partitions: [{ partition, fetchOffset: String(at), maxBytes: FETCH_BYTES }],
          },
        ],
      });
      return responses[0]?.partitions[0]?.messages[0];
    } catch (cause) {
      // what was deleted meanwhile is passed over by whoever asked
      if ((cause as { type?: string }).type === "OFFSET_OUT_OF_RANGE") return undefined;
      await this.cluster.refreshMetadata();
      throw cause;
    }
  }

  private async passOver(range: PartitionRange, at: bigint): Promise<bigint> {
    const now = await this.ranges(range.topic);
    const here = now.find(({ partition }) => partition === range.partition);
    if (here === undefined) return range.to;
    return here.from > at ? here.from : at;
  }

  private deadline(): number {
    return Date.now() + (this.options.patienceMs ?? PATIENCE_MS);
  }

  /** Does it again while the fault may pass, until patience ends. @throws BridgeError */
  private async patiently<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const deadline = this.deadline();
    for (;;) {
      try {
        if (!this.connected) await this.cluster.connect();
        this.connected = true;
        return await work();
      } catch (cause) {
        const error = this.client.error(cause, doing);
        if (!error.retryable || error.code === "KAFKA_TOPIC_MISSING") throw error;
        if (Date.now() > deadline) throw error;
        this.options.log("warn", "Kafka cannot be read, trying again", {
          code: error.code,
          error: error.message,
        });
      }
      await wait(PAUSE_MS);
    }
  }

  private endedEarly({ topic, partition, to }: PartitionRange, at: bigint): BridgeError {
    return new BridgeError(
      "KAFKA_UNAVAILABLE",
      `Cannot read partition ${partition} of topic "${topic}" from offset ${at}: nothing came, though it goes to ${to}`,
      { retryable: true },
    );
  }
}

/** Undefined where the topic is not there. */
async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BridgeError && error.code === "KAFKA_TOPIC_MISSING") return undefined;
    throw error;
  }
}
