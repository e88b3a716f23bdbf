import type { ICustomPartitioner, Message, Producer, RecordMetadata } from "kafkajs";
import { createErrorFromCode } from "kafkajs/src/protocol/error.js";
import type { ConnectionStatus, Log, RecordProducer } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { OutgoingRecord } from "../../model/kafka-record.ts";
import type { Compression } from "../../model/route.ts";
import { BATCH_OVERHEAD, encodedRecordSize } from "../../wire/kafka-record-encoder.ts";
import { within } from "../../within.ts";
import { CODECS } from "./compression.ts";
import { type KafkaClient, kafkaClient } from "./kafka-client.ts";
import { rootsOf } from "./kafka-errors.ts";
import type { RecordGroup } from "./produce-request.ts";
import { ProducerSequences } from "./producer-sequences.ts";
import { RecordGrouper, type TopicPartitions, topicPartitions } from "./record-groups.ts";
import { untilConnected } from "./until-connected.ts";

export interface KafkaRecordProducerOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  /** -1 all in-sync replicas, 1 the leader, 0 nobody. */
  readonly acks: -1 | 0 | 1;
  readonly compression: Compression;
  readonly log: Log;
  /** How many epochs a producer id has; Kafka's own number unless a test wants to see the end. */
  readonly lastEpoch?: number;
}

/** How long a broker may take for its acknowledgement; below the request timeout, so that it is the broker that says so. */
const ACK_TIMEOUT_MS = 10_000;
const METADATA_MAX_AGE_MS = 60_000;
const DISCONNECT_MS = 3_000;
/** Event Hubs closes the connection on a request of more than 1,046,528 bytes, without a word. */
const EVENT_HUBS_REQUEST_BYTES = 1_046_528 - 4_096;
/** Records of a topic whose partitions are not known yet go one by one through kafkajs, which takes quadratic time for them. */
const FIRST_SEND = 100;
/** kafkajs would try for ever, were it not told how often. */
const RETRIES = 5;
/** Of brokers before Kafka 0.11, and of those before 2.8 without the right IdempotentWrite on the cluster. */
const NO_PRODUCER_IDS = new Set([
  "KafkaJSServerDoesNotSupportApiKey",
  "CLUSTER_AUTHORIZATION_FAILED",
]);

/** A RecordProducer on kafkajs, as {@link RecordProducer} promises. Topics are made by the broker, where it is set to. */
export function kafkaRecordProducer(options: KafkaRecordProducerOptions): RecordProducer {
  return new KafkaRecordProducer(options);
}

type Groups = Map<string, RecordGroup[]>;

class KafkaRecordProducer implements RecordProducer {
  readonly maxRecordBytes?: number;
  private readonly options: KafkaRecordProducerOptions;
  private readonly client: KafkaClient;
  private producer: Producer;
  private grouper: RecordGrouper;
  /** Absent where the producer is not an idempotent one. */
  private sequences: ProducerSequences | undefined;
  private readonly partitions = new Map<string, TopicPartitions>();
  private condition: ConnectionStatus = { connected: false };
  private stopped = false;

  constructor(options: KafkaRecordProducerOptions) {
    this.options = options;
    if (options.endpoint.isEventHubs) {
      this.maxRecordBytes = EVENT_HUBS_REQUEST_BYTES - BATCH_OVERHEAD;
    }
    this.client = kafkaClient(options);
    // Event Hubs says that it knows idempotent producers; that it takes their epochs as Kafka does has not been seen
    const { acks, endpoint, lastEpoch } = options;
    const isPlain = acks === 0 || endpoint.isEventHubs;
    this.sequences = isPlain ? undefined : new ProducerSequences(acks, lastEpoch);
    this.grouper = new RecordGrouper(this.sequences);
    this.producer = this.newProducer(this.sequences);
  }

  async start(): Promise<void> {
    await untilConnected({
      connect: () => this.connect(),
      error: (cause) => this.client.error(cause, "Cannot connect to"),
      log: this.options.log,
      stopped: () => this.stopped,
      failed: (error) => this.down(error),
    });
    this.condition = { connected: true };
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const written: (readonly OutgoingRecord[])[] = [];
    try {
      if (this.sequences?.isSpent)
        await this.replaceProducer(new ProducerSequences(this.sequences.acks));
      for (const request of this.requests(records)) await this.sendSome(request, written);
      if (records.length > 0) this.condition = { connected: true };
    } catch (cause) {
      const error = this.client.error(cause, "Cannot send to", "message");
      if (error.retryable) this.down(error);
      throw written.length === 0 ? error : withWritten(error, records, written);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.condition = { connected: false };
    await within(DISCONNECT_MS, this.producer.disconnect());
    this.client.abandon();
  }

  status(): ConnectionStatus {
    return this.condition;
  }

  private newProducer(sequences: ProducerSequences | undefined): Producer {
    return this.client.kafka.producer({
      createPartitioner: this.partitioner,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: true,
      idempotent: sequences !== undefined,
      retry: { retries: RETRIES },
    });
  }

  private async connect(): Promise<void> {
    try {
      await this.producer.connect();
    } catch (cause) {
      if (this.sequences === undefined || !refusesProducerIds(cause)) throw cause;
      this.options.log("warn", "Kafka gives no producer id: a late copy may be written", {
        error: this.client.error(cause, "Cannot get a producer id from").message,
      });
      await this.replaceProducer(undefined);
    }
  }

  /** kafkajs asks for a producer id once in the life of a producer. */
  private async replaceProducer(sequences: ProducerSequences | undefined): Promise<void> {
    const producer = this.newProducer(sequences);
    await producer.connect();
    void within(DISCONNECT_MS, this.producer.disconnect());
    this.producer = producer;
    this.sequences = sequences;
    this.grouper = new RecordGrouper(sequences);
  }

  /** Whole, but towards Event Hubs, where requests have a limit that is enforced by hanging up. */
  private requests(records: readonly OutgoingRecord[]): (readonly OutgoingRecord[])[] {
    const limit = this.maxRecordBytes;
    if (limit === undefined) return records.length === 0 ? [] : [records];
    const requests: OutgoingRecord[][] = [];
    let bytes = 0;
    for (const record of records) {
      const size = encodedRecordSize(record) + BATCH_OVERHEAD + record.topic.length;
      if (size > limit) {
        throw new BridgeError(
          "KAFKA_MESSAGE_TOO_LARGE",
          `Cannot send to topic "${record.topic}": Event Hubs takes ${limit} bytes and the record has ${size}`,
        );
      }
      const last = requests.at(-1);
      bytes += size;
      if (last !== undefined && bytes <= limit) last.push(record);
      else {
        requests.push([record]);
        bytes = size;
      }
    }
    return requests;
  }

  /** Adds to `written` what is safe, also when it throws. */
  private async sendSome(
    records: readonly OutgoingRecord[],
    written: (readonly OutgoingRecord[])[],
  ): Promise<void> {
    const { acks, compression } = this.options;
    const [now, later] = this.group(records);
    const acknowledged = await this.producer.sendBatch({
      acks: this.sequences === undefined ? acks : -1,
      compression: CODECS[compression],
      timeout: ACK_TIMEOUT_MS,
      topicMessages: [...now].map(([topic, groups]) => ({
        topic,
        // kafkajs hands them through to the partitioner and the encoder, which are ours
        messages: groups as unknown as Message[],
      })),
    });
    if (acks !== 0) expectAll(now, acknowledged, written);
    if (later.length > 0) await this.sendSome(later, written);
  }

  /** By topic and partition; and what waits until the partitions of its topic are known. */
  private group(records: readonly OutgoingRecord[]): [Groups, OutgoingRecord[]] {
    const groups: Groups = new Map();
    const later: OutgoingRecord[] = [];
    for (const [topic, ofTopic] of byTopic(records)) {
      const known = this.partitions.get(topic);
      if (known !== undefined) {
        groups.set(topic, this.grouper.group(topic, ofTopic, known));
        continue;
      }
      const first = ofTopic.slice(0, FIRST_SEND);
      groups.set(topic, this.grouper.single(first));
      for (let i = FIRST_SEND; i < ofTopic.length; i += 1) later.push(ofTopic[i] as OutgoingRecord);
    }
    return [groups, later];
  }

  /** Called by kafkajs with fresh metadata for every group of every attempt. */
  private readonly partitioner: ICustomPartitioner =
    () =>
    ({ topic, partitionMetadata, message }) => {
      const group = message as unknown as RecordGroup;
      const { partition, records } = group;
      const known = topicPartitions(partitionMetadata);
      this.partitions.set(topic, known);
      // where it went before, it may still arrive: there it is known for the same
      const chosen = partition === -1 ? group.sentTo : partition;
      group.sentTo = chosen ?? this.grouper.group(topic, records, known)[0]?.partition ?? 0;
      if (known.all.includes(group.sentTo)) return group.sentTo;
      // kafkajs would leave the group out and report success
      this.partitions.delete(topic);
      throw new BridgeError(
        "KAFKA_UNAVAILABLE",
        `partition ${partition} of topic "${topic}" is gone`,
        { retryable: true },
      );
    };

  private down(error: BridgeError): void {
    this.condition = { connected: false, detail: error.message };
  }
}

function refusesProducerIds(cause: unknown): boolean {
  return rootsOf(cause).some((root) => {
    const { name = "", type = "" } = root as { name?: string; type?: string };
    return NO_PRODUCER_IDS.has(name) || NO_PRODUCER_IDS.has(type);
  });
}

function byTopic(records: readonly OutgoingRecord[]): Map<string, OutgoingRecord[]> {
  const topics = new Map<string, OutgoingRecord[]>();
  for (const record of records) {
    const ofTopic = topics.get(record.topic);
    if (ofTopic === undefined) topics.set(record.topic, [record]);
    else ofTopic.push(record);
  }
  return topics;
}

/**
 * Adds to `written` what Kafka has acknowledged.
 * @throws KafkaJSProtocolError of a partition that refused its records, a final one first; BridgeError when a partition said nothing
 */
function expectAll(
  groups: Groups,
  acknowledged: readonly RecordMetadata[],
  written: (readonly OutgoingRecord[])[],
): void {
  const codes = new Map(
    acknowledged.map(({ topicName, partition, errorCode }) => [
      `${partition} ${topicName}`,
      errorCode,
    ]),
  );
  const failed = new Set<number | undefined>();
  for (const [topic, ofTopic] of groups) {
    for (const { sentTo, records } of ofTopic) {
      const code = codes.get(`${sentTo} ${topic}`);
      if (code === 0) written.push(records);
      else failed.add(code);
    }
  }
  if (failed.size === 0) return;
  const errors = [...failed].filter((code) => code !== undefined).map(createErrorFromCode);
  const [error] = errors.sort((a, b) => Number(a.retriable) - Number(b.retriable));
  if (error !== undefined) throw error;
  throw new BridgeError(
    "KAFKA_UNAVAILABLE",
    `Kafka acknowledged ${acknowledged.length} batches, and not all that were sent`,
    { retryable: true },
  );
}

/** The same error, which also says which of `records` are safe. */
function withWritten(
  error: BridgeError,
  records: readonly OutgoingRecord[],
  lists: readonly (readonly OutgoingRecord[])[],
): BridgeError {
  const safe = new Set(lists.flat());
  const places = [...records.keys()].filter((at) => safe.has(records[at] as OutgoingRecord));
  const { code, message, retryable, retryAfterMs, cause } = error;
  return new BridgeError(code, message, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...{ retryable, cause, written: new Set(places) },
  });
}
