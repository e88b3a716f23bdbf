import { type ICustomPartitioner, type Message, Partitioners, type Producer } from "kafkajs";
import type { ConnectionStatus, Log, RecordProducer } from "../../engine/ports.ts";
import type { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { OutgoingRecord } from "../../model/kafka-record.ts";
import type { Compression } from "../../model/route.ts";
import { CODECS } from "./compression.ts";
import { kafkaClient, METADATA_MAX_AGE_MS } from "./kafka-client.ts";
import { kafkaError } from "./kafka-errors.ts";
import { untilConnected } from "./until-connected.ts";

export interface KafkaRecordProducerOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  /** -1 all in-sync replicas, 1 the leader, 0 nobody. */
  readonly acks: -1 | 0 | 1;
  readonly compression: Compression;
  readonly log: Log;
}

/** How long a broker may take for its acknowledgement. */
const ACK_TIMEOUT_MS = 30_000;

/** A RecordProducer on kafkajs, as {@link RecordProducer} promises. */
export function kafkaRecordProducer(options: KafkaRecordProducerOptions): RecordProducer {
  return new KafkaRecordProducer(options);
}

class KafkaRecordProducer implements RecordProducer {
  private readonly options: KafkaRecordProducerOptions;
  private readonly producer: Producer;
  private condition: ConnectionStatus = { connected: false };
  private stopped = false;

  constructor(options: KafkaRecordProducerOptions) {
    this.options = options;
    this.producer = kafkaClient(options).producer({
      createPartitioner: partitioner,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: true,
    });
  }

  async start(): Promise<void> {
    await untilConnected({
      connect: () => this.producer.connect(),
      doing: this.doing("connect to"),
      log: this.options.log,
      stopped: () => this.stopped,
      failed: (error) => this.down(error),
    });
    this.condition = { connected: true };
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { acks, compression } = this.options;
    try {
      await this.producer.sendBatch({
        acks,
        compression: CODECS[compression],
        timeout: ACK_TIMEOUT_MS,
        topicMessages: byTopic(records),
      });
      this.condition = { connected: true };
    } catch (cause) {
      const error = kafkaError(cause, this.doing("send to"));
      if (error.retryable) this.down(error);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.condition = { connected: false };
    await this.producer.disconnect();
  }

  status(): ConnectionStatus {
    return this.condition;
  }

  private down(error: BridgeError): void {
    this.condition = { connected: false, detail: error.message };
  }

  private doing(what: string): string {
    return `Cannot ${what} Kafka at ${this.options.endpoint.bootstrapServers.join(", ")}`;
  }
}

/** Our records are kafkajs' messages as they are: the encoder is ours, and reads `headers` as a list. */
function byTopic(records: readonly OutgoingRecord[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const record of records) {
    const messages = topics.get(record.topic);
    if (messages === undefined) topics.set(record.topic, [record as unknown as Message]);
    else messages.push(record as unknown as Message);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** S-13. Keys are hashed as Java's clients do, so that both find the same partition. */
const partitioner: ICustomPartitioner = () => {
  const byKey = Partitioners.DefaultPartitioner();
  return ({ topic, partitionMetadata, message }) => {
    const { partitioning } = message as unknown as OutgoingRecord;
    switch (partitioning.by) {
      case "partition":
        return partitioning.partition;
      case "instance":
        return partitioning.instance % partitionMetadata.length;
      case "key":
        return byKey({ topic, partitionMetadata, message });
      case "roundRobin":
        return byKey({ topic, partitionMetadata, message: { value: message.value } });
    }
  };
};
