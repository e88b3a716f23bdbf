import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from "kafkajs";
import type {
  ConnectionStatus,
  Log,
  PartitionOffset,
  RecordConsumer,
  RecordSource,
  TopicPartition,
} from "../../engine/ports.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { TopicSelector } from "../../model/route.ts";
import { topicSelectorMatches } from "../../topics/kafka-topic.ts";
import type { FetchedMessage } from "./fetch-response.ts";
import { kafkaClient } from "./kafka-client.ts";
import { kafkaError } from "./kafka-errors.ts";
import { partitionAssigner } from "./partition-assigner.ts";
import { untilConnected } from "./until-connected.ts";

export interface KafkaRecordSourceOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly consumerGroupId: string;
  readonly topics: readonly TopicSelector[];
  /** Topics that no pattern matches: a route must not read its own dead letters. */
  readonly neverMatched?: readonly string[];
  readonly log: Log;
  /** How often new topics are looked for; S-30 asks for 30 s at the most. Default 10 s. */
  readonly discoverEveryMs?: number;
  /** After how long a silent member is given up. Default 7 s, towards Event Hubs 30 s. */
  readonly sessionTimeoutMs?: number;
}

const DISCOVER_EVERY_MS = 10_000;
/** Event Hubs wants 30 s. Elsewhere a killed bridge should be replaced within 10 s; brokers allow 6 s and more. */
const SESSION_TIMEOUT_MS = { eventHubs: 30_000, kafka: 7_000 };
const REBALANCE_TIMEOUT_MS = 30_000;
/** A fetch waits so long for records; stopping waits for a fetch. */
const FETCH_WAIT_MS = 500;
const FETCH_BYTES = 8 * 1024 * 1024;
const FETCH_BYTES_PER_PARTITION = 1024 * 1024;
/** Partitions that are added to a topic are found this often. */
const METADATA_MAX_AGE_MS = 20_000;

/** A RecordSource on kafkajs, as {@link RecordSource} promises. A group without offsets starts at the earliest record: nothing is lost. */
export function kafkaRecordSource(options: KafkaRecordSourceOptions): RecordSource {
  return new KafkaRecordSource(options);
}

class KafkaRecordSource implements RecordSource {
  private readonly options: KafkaRecordSourceOptions;
  private readonly client: ReturnType<typeof kafkaClient>;
  private target: RecordConsumer | undefined;
  private consumer: Consumer | undefined;
  private topics: readonly string[] = [];
  private held: TopicPartition[] = [];
  private condition: ConnectionStatus = { connected: false };
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  /** Opening and closing consumers must not overlap. */
  private turn: Promise<void> = Promise.resolve();

  constructor(options: KafkaRecordSourceOptions) {
    this.options = options;
    this.client = kafkaClient(options);
  }

  async start(target: RecordConsumer): Promise<void> {
    this.target = target;
    await this.inTurn(() => this.open());
    this.discoverLater();
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const { consumer } = this;
    const ours = offsets.filter((offset) => this.holds(offset));
    if (consumer === undefined || ours.length === 0) return;
    try {
      await consumer.commitOffsets(ours.map((o) => ({ ...o, offset: String(o.offset) })));
    } catch (cause) {
      throw kafkaError(cause, `Cannot commit offsets of group "${this.options.consumerGroupId}"`);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.inTurn(() => this.close());
    this.condition = { connected: false };
  }

  status(): ConnectionStatus {
    return this.condition;
  }

  private holds({ topic, partition }: TopicPartition): boolean {
    return this.held.some((h) => h.topic === topic && h.partition === partition);
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.turn.then(work);
    this.turn = next.catch(() => undefined);
    return next;
  }

  private async open(): Promise<void> {
    const { log } = this.options;
    const servers = this.options.endpoint.bootstrapServers.join(", ");
    await untilConnected({
      connect: () => this.join(),
      doing: `Cannot read from Kafka at ${servers}`,
      log,
      stopped: () => this.stopped,
      failed: (error) => {
        this.condition = { connected: false, detail: error.message };
      },
    });
    this.condition = { connected: true };
  }

  /** One attempt: finds the topics, connects a consumer, starts it. */
  private async join(): Promise<void> {
    await this.close();
    this.topics = await this.findTopics();
    if (this.topics.length === 0) return;
    const consumer = this.newConsumer();
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 1,
        eachBatch: (payload) => this.batch(consumer, payload),
      });
    } catch (cause) {
      await consumer.disconnect().catch(() => undefined);
      throw cause;
    }
    this.consumer = consumer;
  }

  private newConsumer(): Consumer {
    const { consumerGroupId } = this.options;
    const consumer = this.client.consumer({
      groupId: consumerGroupId,
      partitionAssigners: [partitionAssigner],
      sessionTimeout: this.sessionTimeout,
      heartbeatInterval: Math.floor(this.sessionTimeout / 5),
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: FETCH_BYTES_PER_PARTITION,
      // its own restarts would not look for topics again: crashed() joins anew instead
      retry: {
        initialRetryTime: 100,
        maxRetryTime: 1000,
        retries: 3,
        restartOnFailure: async () => false,
      },
    });
    consumer.on(consumer.events.GROUP_JOIN, (event) => this.joined(consumer, event));
    consumer.on(consumer.events.REBALANCING, () => {
      void this.giveUp();
    });
    consumer.on(consumer.events.HEARTBEAT, () => {
      this.condition = { connected: true };
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => this.crashed(consumer, payload.error));
    return consumer;
  }

  private get sessionTimeout(): number {
    const { sessionTimeoutMs, endpoint } = this.options;
    const standard = endpoint.isEventHubs ? SESSION_TIMEOUT_MS.eventHubs : SESSION_TIMEOUT_MS.kafka;
    return sessionTimeoutMs ?? standard;
  }

  private joined(consumer: Consumer, event: ConsumerGroupJoinEvent): void {
    if (this.stopped) return;
    this.consumer = consumer;
    this.held = Object.entries(event.payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    this.target?.assigned(this.held);
  }

  private async giveUp(): Promise<void> {
    const gone = this.held;
    if (gone.length === 0) return;
    await this.target?.revoked(gone);
  }

  /** Hands one batch on and keeps the membership alive while the engine has no room for more. */
  private async batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { target } = this;
    const messages = payload.batch.messages as unknown as readonly FetchedMessage[];
    if (target === undefined || this.stopped || this.consumer !== consumer) return;
    if (messages.length === 0) return;
    const room = target.records(messages.map((message) => message.record));
    let waiting = true;
    const done = room.finally(() => {
      waiting = false;
    });
    await payload.heartbeat();
    while (waiting) {
      await Promise.race([done, this.heartbeatDue()]);
      if (waiting) await payload.heartbeat();
    }
    await done;
  }

  private heartbeatDue(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, Math.floor(this.sessionTimeout / 5)).unref();
    });
  }

  private crashed(consumer: Consumer, cause: Error): void {
    if (this.stopped || (this.consumer !== undefined && this.consumer !== consumer)) return;
    const servers = this.options.endpoint.bootstrapServers.join(", ");
    const error = kafkaError(cause, `Cannot read from Kafka at ${servers}`);
    this.condition = { connected: false, detail: error.message };
    if (!error.retryable) {
      this.target?.failed(error);
      return;
    }
    this.options.log("warn", "Reading from Kafka was interrupted, joining again", {
      code: error.code,
      error: error.message,
    });
    this.reopen();
  }

  private reopen(): void {
    this.inTurn(() => (this.stopped ? Promise.resolve() : this.open())).catch((cause: unknown) => {
      const error = kafkaError(cause, "Cannot read from Kafka");
      if (!this.stopped && error.code !== "STOPPED") this.target?.failed(error);
    });
  }

  private async close(): Promise<void> {
    const { consumer } = this;
    this.consumer = undefined;
    if (consumer === undefined) return;
    await this.giveUp();
    this.held = [];
    await consumer.disconnect().catch((cause: unknown) => {
      this.options.log("debug", "A consumer did not leave cleanly", { error: String(cause) });
    });
  }

  /** Topics by name, and all that the patterns match now; Kafka's own topics only by name (S-30). */
  private async findTopics(): Promise<readonly string[]> {
    const { topics, neverMatched = [] } = this.options;
    const named = topics.flatMap((selector) => (selector.kind === "name" ? [selector.topic] : []));
    const patterns = topics.filter((selector) => selector.kind === "pattern");
    if (patterns.length === 0) return [...new Set(named)].sort();
    const admin = this.client.admin();
    try {
      await admin.connect();
      const existing = await admin.listTopics();
      const matching = existing.filter(
        (topic) =>
          !topic.startsWith("__") &&
          !neverMatched.includes(topic) &&
          patterns.some((selector) => topicSelectorMatches(selector, topic)),
      );
      return [...new Set([...named, ...matching])].sort();
    } finally {
      await admin.disconnect();
    }
  }

  private discoverLater(): void {
    const { topics, discoverEveryMs } = this.options;
    if (this.stopped || topics.every((selector) => selector.kind === "name")) return;
    this.timer = setTimeout(() => {
      this.discover()
        .catch((cause: unknown) => {
          const error = kafkaError(cause, "Cannot look for new topics");
          this.options.log("warn", "New topics could not be looked for", { error: error.message });
        })
        .finally(() => this.discoverLater());
    }, discoverEveryMs ?? DISCOVER_EVERY_MS);
    this.timer.unref();
  }

  private async discover(): Promise<void> {
    const found = await this.findTopics();
    if (this.stopped || found.join(" ") === this.topics.join(" ")) return;
    this.options.log("info", "The topics that match have changed, joining again", {
      consumerGroupId: this.options.consumerGroupId,
      topics: found,
    });
    this.reopen();
    await this.turn;
  }
}
