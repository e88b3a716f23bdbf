import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { KafkaRecord } from "../../model/kafka-record.ts";
import { within } from "../../within.ts";
import { drain, type FetchedChunk } from "./fetch-response.ts";
import { type KafkaClient, kafkaClient } from "./kafka-client.ts";
import { type KafkaCluster, kafkaCluster, READ_COMMITTED } from "./kafka-cluster.ts";
import { OUR_CONSUMER } from "./record-seam.ts";

export interface KafkaTopicTailOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly topic: string;
  /** Where reading begins. Default "end". */
  readonly from?: "begin" | "end";
  readonly log: Log;
}

/** Reads what is in a topic and what is added, or only the latter, without being of any consumer group: it commits nothing and leaves nothing behind. */
export interface KafkaTopicTail {
  /** Resolves when it is known where the partitions begin or end: all from there on is handed over. @throws BridgeError */
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

/** Connections until the first fault: kafkajs heaps up what is left of lost ones. */
interface Stint {
  readonly client: KafkaClient;
  readonly cluster: KafkaCluster;
}

class TopicTail implements KafkaTopicTail {
  private readonly options: KafkaTopicTailOptions;
  private stint: Stint | undefined;
  /** The offset to read next, by partition. */
  private readonly next = new Map<number, bigint>();
  private onRecords: (records: readonly KafkaRecord[]) => void = () => undefined;
  private reading: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: KafkaTopicTailOptions) {
    this.options = options;
  }

  async start(onRecords: (records: readonly KafkaRecord[]) => void): Promise<void> {
    this.onRecords = onRecords;
    const stint = this.newStint();
    try {
      const partitions = await this.connect(stint);
      for (const partition of partitions) this.next.set(partition, 0n);
      const from = await this.offsets(stint, this.options.from ?? "end");
      for (const [partition, offset] of from) this.next.set(partition, offset);
    } catch (cause) {
      throw this.ended(stint, cause);
    }
    this.reading = this.read(stint);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await within(DISCONNECT_MS, this.reading);
    if (this.stint === undefined) return;
    await within(DISCONNECT_MS, this.stint.cluster.disconnect());
    this.stint.client.abandon();
  }

  private async read(first: Stint): Promise<void> {
    let stint = first;
    let isNew = true;
    while (!this.stopped) {
      try {
        if (stint !== first) {
          await this.connect(stint);
          await this.backIntoRange(stint);
          isNew = true;
        }
        await this.readWhileWell(stint);
      } catch (cause) {
        const error = this.ended(stint, cause);
        if (this.stopped) return;
        this.options.log(isNew ? "warn" : "debug", "Kafka cannot be read, trying again", {
          code: error.code,
          error: error.message,
        });
        isNew = false;
        await wait(PAUSE_MS);
        stint = this.newStint();
      }
    }
  }

  private newStint(): Stint {
    const client = kafkaClient(this.options);
    this.stint = { client, cluster: kafkaCluster(client.kafka) };
    return this.stint;
  }

  /** The partitions that the topic has. */
  private async connect({ cluster }: Stint): Promise<readonly number[]> {
    const { topic } = this.options;
    await cluster.connect();
    await cluster.addTargetTopic(topic);
    return cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  }

  private ended({ client, cluster }: Stint, cause: unknown): BridgeError {
    client.abandon();
    void within(DISCONNECT_MS, cluster.disconnect());
    return client.error(cause, `Cannot read topic "${this.options.topic}" of`);
  }

  /** Each leader by itself, so that none waits for another, until one of them has a fault. */
  private async readWhileWell(stint: Stint): Promise<void> {
    const leaders = stint.cluster.findLeaderForPartitions(this.options.topic, [
      ...this.next.keys(),
    ]);
    if (Object.keys(leaders).length === 0) throw new Error("the topic has no partitions");
    let isWell = true;
    await Promise.all(
      Object.entries(leaders).map(async ([nodeId, partitions]) => {
        try {
          while (!this.stopped && isWell) await this.fetch(stint, nodeId, partitions);
        } finally {
          isWell = false;
        }
      }),
    );
  }

  private async fetch(
    { cluster }: Stint,
    nodeId: string,
    partitions: readonly number[],
  ): Promise<void> {
    const broker = await cluster.findBroker({ nodeId });
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
    // an answer to connections that were given up comes once more to the new ones
    if (this.stint?.cluster !== cluster) return;
    for (const response of responses) {
      for (const { partition, messages } of response.partitions) {
        for (const chunk of messages) this.take(partition, chunk);
      }
    }
  }

  private take(partition: number, chunk: FetchedChunk): void {
    const { records: all, offset: last, problem } = drain(chunk);
    if (problem !== undefined) {
      const { offset, reason, cause } = problem;
      throw new BridgeError(
        "KAFKA_REFUSED",
        `Cannot read partition ${partition} of topic "${this.options.topic}" from offset ${offset}: ${reason}`,
        { cause },
      );
    }
    const from = this.next.get(partition) ?? 0n;
    this.next.set(partition, BigInt(last) + 1n);
    // the first batch may begin before what was asked for
    const records = all.filter(({ offset }) => offset >= from);
    if (records.length > 0 && !this.stopped) this.onRecords(records);
  }

  /** The log may have been cut at its beginning, or the topic made anew. */
  private async backIntoRange(stint: Stint): Promise<void> {
    const ends = await this.offsets(stint, "end");
    for (const [partition, begin] of await this.offsets(stint, "begin")) {
      const next = this.next.get(partition) ?? 0n;
      if (next < begin || next > (ends.get(partition) ?? begin)) this.next.set(partition, begin);
    }
  }

  private async offsets(
    { cluster }: Stint,
    which: "begin" | "end",
  ): Promise<ReadonlyMap<number, bigint>> {
    const { topic } = this.options;
    const partitions = [...this.next.keys()].map((partition) => ({ partition }));
    const [found] = await cluster.fetchTopicsOffset([
      { topic, fromBeginning: which === "begin", partitions },
    ]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }
}
