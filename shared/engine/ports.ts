/**
 * What the engine needs of the world. Adapters implement these; the engine knows nothing else.
 * Every port says its delivery contract in prose: read it before writing an adapter.
 */
import type { BridgeError } from "../errors.ts";
import type { DiscoveredAsset } from "../model/device.ts";
import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";

/** Time and chance, passed in so that tests can turn them. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fn` once after `ms`; the returned function cancels it. Does not keep a process alive by itself. */
  after(ms: number, fn: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
  /** A fresh UUID. */
  newId(): string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";
/** `warn`: unexpected, nothing lost. `error`: an operator must act. Fields never hold payloads or secrets. */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionOffset extends TopicPartition {
  /** The next offset to read: one past the last record that is safe. */
  readonly offset: bigint;
}

/** What a {@link RecordSource} calls. */
export interface RecordConsumer {
  /** These partitions are now read by this process, from their committed offsets. State kept for them before is void. */
  assigned(partitions: readonly TopicPartition[]): void;
  /** These partitions are no longer read here; called before others may read them where the protocol allows it. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * The next records of one topic and partition, in offset order, not empty.
   * The promise resolves when there is room for more: until then the source delivers nothing further (back-pressure).
   */
  records(batch: readonly KafkaRecord[]): Promise<void>;
  /** The source cannot go on by itself: it holds records that can never be decoded. */
  failed(error: BridgeError): void;
}

/**
 * Reads records as a member of a consumer group. Reconnects and retries transient faults by itself, without end.
 * It never commits by itself: only {@link RecordSource.commit} moves the group's offsets.
 */
export interface RecordSource {
  /** Resolves when the first connection stands. @throws BridgeError, not retryable, when it can never stand. */
  start(consumer: RecordConsumer): Promise<void>;
  /** Commits offsets of partitions that are assigned here; ignores others. Rejects when the broker did not take it. */
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  /** Leaves the group. Calls nothing on the consumer after it resolves. */
  stop(): Promise<void>;
  status?(): ConnectionStatus;
}

/** A stretch of one partition. */
export interface PartitionRange extends TopicPartition {
  /** Of the oldest record. */
  readonly from: bigint;
  /** One past the newest. */
  readonly to: bigint;
}

/** Reads what lies in topics without being of any consumer group: it commits nothing and disturbs nobody. */
export interface TopicReader {
  /** What the partitions of a topic hold at this moment; empty when there is no such topic. @throws BridgeError */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /**
   * The records of a range in their order, as many at a time as come together. Those that are gone meanwhile are passed over;
   * faults that pass are waited out for a while. @throws BridgeError
   */
  read(range: PartitionRange): AsyncIterable<readonly KafkaRecord[]>;
  close(): Promise<void>;
}

/**
 * Writes records. `send` resolves when every record is as safe as `acks` of the producer promises,
 * and rejects with a BridgeError when at least one may not be: then all may be sent again but those that its `written` names.
 * Not retryable means that at least one of them can never succeed. Records with equal partition keep their order.
 */
export interface RecordProducer {
  start(): Promise<void>;
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** Bytes of the largest single record that the other side takes, when known. */
  readonly maxRecordBytes?: number;
  stop(): Promise<void>;
  status?(): ConnectionStatus;
}

/** How one PUBLISH ended: undefined is success. */
export type PublishOutcome = BridgeError | undefined;

/** Told once per PUBLISH how it ended: after PUBACK at QoS 1, after the write at QoS 0. */
export interface PublishReceipt {
  settle(outcome: PublishOutcome): void;
}

/**
 * Publishes over one MQTT 5 connection, in the order of the calls. After a lost connection it connects again by itself and
 * sends every unacknowledged PUBLISH again, in the old order, before new ones: the engine sees no disconnect, only later receipts.
 */
export interface Publisher {
  /** @throws BridgeError, not retryable, when the broker refuses for good. `onRoom` is called whenever `room` grows from 0. */
  start(onRoom: () => void): Promise<void>;
  /** How many more may be handed over now: min(configured window, the broker's Receive Maximum) less what is unacknowledged; 0 while offline. */
  readonly room: number;
  /** Takes one message; only while `room` > 0. The receipt may be settled before the call returns. */
  publish(message: Publish, receipt: PublishReceipt): void;
  /** Hands everything published in this turn to the network at once. Call it after the last `publish` of a turn. */
  flush(): void;
  /** Waits until all that was taken is settled or `deadlineMs` has passed, then disconnects. Unsettled receipts get a STOPPED error. */
  stop(deadlineMs: number): Promise<void>;
  status?(): ConnectionStatus;
}

/** One received Application Message and the right to acknowledge it. */
export interface Delivery {
  readonly publish: Publish;
  /** Milliseconds since the Unix epoch at which it was read from the network. */
  readonly receivedAt: number;
  /** Size on the wire, for byte budgets. */
  readonly bytes: number;
  /** Sends PUBACK at QoS 1 (in the order of receipt, as [MQTT-4.6.0-2] asks); nothing at QoS 0. Call at most once. */
  acknowledge(): void;
}

export interface SubscriptionRequest {
  /** With the `$share/…/` prefix where shared. */
  readonly topicFilters: readonly string[];
  readonly qos: 0 | 1;
}

/**
 * Receives messages of one persistent session (Clean Start 0). Handlers stand before CONNECT is sent, for a resumed session delivers at once.
 * A delivery that is never acknowledged is delivered again after a reconnect. Reconnects by itself.
 */
export interface Subscriber {
  /** Resolves when subscribed. @throws BridgeError, not retryable, when the broker refuses for good. */
  start(request: SubscriptionRequest, onDelivery: (delivery: Delivery) => void): Promise<void>;
  /** Stops reading from the network (back-pressure); keep alive goes on. */
  pause(): void;
  resume(): void;
  /** Disconnects and keeps the session, so that what comes meanwhile waits in the broker. */
  stop(): Promise<void>;
  status?(): ConnectionStatus;
}

/** How adding a discovered asset ended: it is there now, it was there, or another topic has its name. */
export type AddedAsset = "added" | "known" | "nameTaken";

/**
 * Keeps discovered assets over restarts. Several processes may share one: adding is atomic, and the first to add a name has it.
 * Every call rejects with a BridgeError when the place cannot be reached or is not writable.
 */
export interface AssetStore {
  /** In no particular order. What is there and cannot be read is left out. */
  list(): Promise<readonly DiscoveredAsset[]>;
  add(asset: DiscoveredAsset): Promise<AddedAsset>;
  /** Does nothing when it is not there. */
  remove(name: string): Promise<void>;
}

/** Whether each side of a route is up, for health pages. */
export interface ConnectionStatus {
  readonly connected: boolean;
  /** The last fault, in words fit for an operator. */
  readonly detail?: string;
}
