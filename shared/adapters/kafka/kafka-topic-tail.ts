import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { KafkaRecord } from "../../model/kafka-record.ts";
import type { FetchedChunk } from "./fetch-response.ts";
import { type KafkaClient, kafkaClient } from "./kafka-client.ts";
import { type KafkaCluster, kafkaCluster, READ_COMMITTED } from "./kafka-cluster.ts";
import { OUR_CONSUMER } from "./record-seam.ts";
import { within } from "./within.ts";

export interface KafkaTopicTailOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly topic: string;
  readonly log: Log;
}

/** Reads what is added to a topic, without being of any consumer group: it commits nothing and leaves nothing behind. */
export interface KafkaTopicTail {
  /** Resolves when it is known where the partitions end: all that is written from then on is handed over. @throws BridgeError */
  start(onRecords: (records: readonly KafkaRecord[]) => void): Promise<void>;
  /** Hands nothing over after it resolves. */
  stop(): Promise<void>;
}

const FETCH_WAIT_MS = 250;
const FETCH_BYTES = 8 * 1024 * 1024;
const FETCH_BYTES_PER_PARTITION = 1024 * 1024;
const PAUSE_MS = 250;
const DISCONNECT_MS = 3_000;

/** Faults that pass are waited out without end; partitions that are added later are not read. */
export function kafkaTopicTail(options: KafkaTopicTailOptions): KafkaTopicTail {
  return new TopicTail(options);
}

class TopicTail implements KafkaTopicTail {
  private readonly options: KafkaTopicTailOptions;
  private readonly client: KafkaClient;
  private readonly cluster: KafkaCluster;
  /** The offset to read next, by partition. */
  private readonly next = new Map<number, bigint>();
  private onRecords: (records: readonly KafkaRecord[]) => void = () => undefined;
  private reading: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: KafkaTopicTailOptions) {
    this.options = options;
    this.client = kafkaClient(options);
    this.cluster = kafkaCluster(this.client.kafka);
  }

  async start(onRecords: (records: readonly KafkaRecord[]) => void): Promise<void> {
    const { topic } = this.options;
    this.onRecords = onRecords;
    try {
      await this.cluster.connect();
      await this.cluster.addTargetTopic(topic);
      for (const { partitionId } of this.cluster.findTopicPartitionMetadata(topic)) {
        this.next.set(partitionId, 0n);
      }
      for (const [partition, end] of await this.offsets(false)) this.next.set(partition, end);
    } catch (cause) {
      throw this.client.error(cause, `Cannot read topic "${topic}" of`);
    }
    this.reading = this.read();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await within(DISCONNECT_MS, this.reading);
    await within(DISCONNECT_MS, this.cluster.disconnect());
    this.client.abandon();
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.readWhileWell();
      } catch (cause) {
        const error = this.client.error(cause, `Cannot read topic "${this.options.topic}" of`);
        this.options.log("warn", "Kafka cannot be read, trying again", {
          code: error.code,
          error: error.message,
        });
        await wait(PAUSE_MS);
      }
    }
  }

  /** Each leader by itself, so that none waits for another, until one of them has a fault. */
  private async readWhileWell(): Promise<void> {
    const { topic } = this.options;
    const leaders = this.cluster.findLeaderForPartitions(topic, [...this.next.keys()]);
    let fault: unknown;
    await Promise.all(
      Object.entries(leaders).map(async ([nodeId, partitions]) => {
        while (!this.stopped && fault === undefined) {
          await this.fetch(nodeId, partitions).catch((cause: unknown) => {
            fault ??= cause ?? new Error("unknown reason");
          });
        }
      }),
    );
    if (fault === undefined || this.stopped) return;
    await this.cluster.refreshMetadata();
    if ((fault as { type?: string }).type !== "OFFSET_OUT_OF_RANGE") throw fault;
    await this.backIntoRange();
  }

  private async fetch(nodeId: string, partitions: readonly number[]): Promise<void> {
    const broker = await this.cluster.findBroker({ nodeId });
    const { responses } = await broker.fetch({
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      rackId: OUR_CONSUMER,
      topics: [
        {
          topic: this.options.topic,
          partitions: partitions.map((partition) => ({
            partition,
            fetchOffset: String(this.next.get(partition) ?? 0n),
            maxBytes: FETCH_BYTES_PER_PARTITION,
          })),
        },
      ],
    });
    for (const response of responses) {
      for (const { partition, messages } of response.partitions) {
        for (const chunk of messages) this.take(partition, chunk);
      }
    }
  }

  private take(partition: number, chunk: FetchedChunk): void {
    if (chunk.problem !== undefined) {
      const { offset, reason, cause } = chunk.problem;
      throw new BridgeError(
        "KAFKA_REFUSED",
        `Cannot read partition ${partition} of topic "${this.options.topic}" from offset ${offset}: ${reason}`,
        { cause },
      );
    }
    const from = this.next.get(partition) ?? 0n;
    this.next.set(partition, BigInt(chunk.offset) + 1n);
    // the first batch may begin before what was asked for
    const records = chunk.records.filter(({ offset }) => offset >= from);
    if (records.length > 0 && !this.stopped) this.onRecords(records);
  }

  /** The log was cut at its beginning, or the topic was made anew. */
  private async backIntoRange(): Promise<void> {
    const ends = await this.offsets(false);
    for (const [partition, begin] of await this.offsets(true)) {
      const next = this.next.get(partition) ?? 0n;
      if (next < begin || next > (ends.get(partition) ?? begin)) this.next.set(partition, begin);
    }
  }

  private async offsets(fromBeginning: boolean): Promise<ReadonlyMap<number, bigint>> {
    const partitions = [...this.next.keys()].map((partition) => ({ partition }));
    const [found] = await this.cluster.fetchTopicsOffset([
      { topic: this.options.topic, fromBeginning, partitions },
    ]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }
}
