import type { Consumer, EachBatchPayload } from "kafkajs";
import type { Log, PartitionOffset, RecordConsumer, TopicPartition } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaRecord } from "../../model/kafka-record.ts";
import type { RecordProblem } from "../../wire/kafka-record-set.ts";
import { within } from "../../within.ts";
import type { FetchedChunk, RecordRun } from "./fetch-response.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { partitionAssigner } from "./partition-assigner.ts";
import { OUR_CONSUMER } from "./record-seam.ts";
import { forgetMember } from "./static-membership.ts";

export interface GroupMemberOptions {
  /** Its own: when the member ends, so do the client's connections. */
  readonly client: KafkaClient;
  readonly consumerGroupId: string;
  /** Makes it a static member, which takes the place of the one that had the id before. */
  readonly groupInstanceId?: string | undefined;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** The most that one fetch brings of one broker. */
  readonly fetchBytes: number;
  readonly target: RecordConsumer;
  readonly log: Log;
  /** Told at every sign of life, and with an error when one partition cannot be read for now. */
  readonly alive: (trouble?: BridgeError) => void;
}

/** A fetch waits so long for records; leaving waits for a fetch. */
const FETCH_WAIT_MS = 500;
const FETCH_BYTES_PER_PARTITION = 1024 * 1024;
/** A compressed batch may hold a hundred thousand records: so many are handed on at once, and then there has to be room again. */
const STRIDE = 1_000;
/** Partitions that are added to a topic are found this often. */
const METADATA_MAX_AGE_MS = 20_000;
/** How long others wait for us to give our partitions up. */
const REVOKE_MS = 5_000;
const DISCONNECT_MS = 4_000;
/** A partition that cannot be read is tried again this often. */
const UNREADABLE_PAUSE_MS = 10_000;
const STALL_CHECK_MS = 5_000;
const STALL_GRACE_MS = 30_000;

/**
 * One membership of a consumer group, from its first join to its end. It ends by itself when kafkajs gives up, or when nothing is heard of
 * it any more; it is not started again: a new one takes its place.
 */
export class GroupMember {
  /** Resolves when the member has ended by itself. */
  readonly ended: Promise<BridgeError>;
  /** Why it ended, when it was for records that no attempt will ever decode. */
  undecodable: BridgeError | undefined;
  /** Another member has taken its group instance id: two hosts that think they are the same. */
  fenced = false;
  private readonly options: GroupMemberOptions;
  private readonly consumer: Consumer;
  private memberId: string | undefined;
  private held: readonly TopicPartition[] = [];
  /** The offset after the last one fetched, of partitions held. */
  private readonly next = new Map<string, bigint>();
  private readonly resumes = new Set<NodeJS.Timeout>();
  /** While true nothing is handed on: between giving up partitions and the next assignment. */
  private closed = true;
  private over = false;
  private leaving: Promise<void> | undefined;
  private givingUp: Promise<void> | undefined;
  private lastSign = Date.now();
  private stallTimer: NodeJS.Timeout | undefined;
  private resolveEnded: (error: BridgeError) => void = () => undefined;

  constructor(options: GroupMemberOptions) {
    this.options = options;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.consumer = this.newConsumer();
  }

  /** @throws BridgeError */
  async connect(): Promise<void> {
    try {
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    } catch (cause) {
      throw this.options.client.error(cause, "Cannot read from");
    }
  }

  /** Resolves when it has joined or ended. */
  async join(): Promise<void> {
    this.stallTimer = setInterval(() => this.checkStall(), STALL_CHECK_MS).unref();
    try {
      await this.consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.batch(payload),
      });
    } catch (cause) {
      await this.end(this.options.client.error(cause, "Cannot read from"));
    }
  }

  /** @throws BridgeError when the broker did not take the offsets */
  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const ours = offsets.filter((offset) => this.holds(offset));
    if (this.over || ours.length === 0) return;
    try {
      await this.consumer.commitOffsets(
        ours.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) })),
      );
    } catch (cause) {
      const { client, consumerGroupId } = this.options;
      throw client.error(cause, `Cannot commit offsets of group "${consumerGroupId}" to`);
    }
  }

  /** Gives its partitions up and leaves the group. */
  leave(): Promise<void> {
    this.leaving ??= this.leaveOnce();
    return this.leaving;
  }

  private async leaveOnce(): Promise<void> {
    if (this.over) return;
    await within(REVOKE_MS, this.giveUp());
    this.over = true;
    this.forgetTimers();
    await within(DISCONNECT_MS, this.consumer.disconnect());
    this.calledNow(undefined);
    this.options.client.abandon();
  }

  private newConsumer(): Consumer {
    const { client, consumerGroupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } =
      this.options;
    const { fetchBytes } = this.options;
    const beforeJoin = (): Promise<void> => within(REVOKE_MS, this.giveUp());
    const consumer = client.kafka.consumer({
      groupId: consumerGroupId,
      partitionAssigners: [partitionAssigner({ beforeJoin, groupInstanceId })],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: this.heartbeatMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: fetchBytes,
      maxBytesPerPartition: Math.min(fetchBytes, FETCH_BYTES_PER_PARTITION),
      rackId: OUR_CONSUMER,
      // its own restarts would not look for topics again
      retry: {
        initialRetryTime: 100,
        maxRetryTime: 1000,
        retries: 3,
        restartOnFailure: async () => false,
      },
    });
    const { GROUP_JOIN, HEARTBEAT, FETCH, CRASH, REQUEST_TIMEOUT } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.calledNow(payload.memberId);
      this.joined(payload.memberAssignment);
    });
    consumer.on(HEARTBEAT, () => this.sign());
    consumer.on(FETCH, () => this.sign());
    consumer.on(CRASH, ({ payload }) => {
      this.fenced = isFenced(payload.error);
      void this.end(client.error(payload.error, "Cannot read from"));
    });
    // kafkajs would try the same connection three times more, each as long
    consumer.on(REQUEST_TIMEOUT, ({ payload }) => {
      void this.end(silent(`${payload.broker} did not answer a ${payload.apiName} request`));
    });
    return consumer;
  }

  private get heartbeatMs(): number {
    return Math.floor(this.options.sessionTimeoutMs / 5);
  }

  private holds({ topic, partition }: TopicPartition): boolean {
    return this.held.some((h) => h.topic === topic && h.partition === partition);
  }

  /** The broker may give it another member id at every join. */
  private calledNow(memberId: string | undefined): void {
    if (this.memberId !== undefined && this.memberId !== memberId) forgetMember(this.memberId);
    this.memberId = memberId;
  }

  private joined(assignment: Record<string, number[]>): void {
    if (this.over || this.leaving !== undefined) return;
    this.sign();
    this.next.clear();
    this.givingUp = undefined;
    this.held = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    this.closed = false;
    this.options.alive();
    this.options.target.assigned(this.held);
  }

  /** Before every rejoin, and before leaving. The last commit finds the partitions still held. */
  private giveUp(): Promise<void> {
    this.closed = true;
    this.givingUp ??= this.giveUpOnce();
    return this.givingUp;
  }

  private async giveUpOnce(): Promise<void> {
    const gone = this.held;
    if (gone.length > 0) await this.options.target.revoked(gone);
    if (this.held === gone) this.held = [];
  }

  private async end(error: BridgeError): Promise<void> {
    if (this.over) return;
    this.over = true;
    this.forgetTimers();
    // there is no membership left to commit with
    const gone = this.held;
    this.held = [];
    this.options.client.abandon();
    void within(DISCONNECT_MS, this.consumer.disconnect()).then(() => this.calledNow(undefined));
    if (gone.length > 0) await within(REVOKE_MS, this.options.target.revoked(gone));
    this.resolveEnded(error);
  }

  private sign(): void {
    this.lastSign = Date.now();
    if (!this.closed && this.resumes.size === 0) this.options.alive();
  }

  /** kafkajs can come to rest for good; heartbeats, fetches and joins are then silent together. */
  private checkStall(): void {
    const limit = this.options.rebalanceTimeoutMs + STALL_GRACE_MS;
    if (Date.now() - this.lastSign > limit) void this.end(silent("the consumer has come to rest"));
  }

  private forgetTimers(): void {
    this.closed = true;
    clearInterval(this.stallTimer);
    for (const timer of this.resumes) clearTimeout(timer);
    this.resumes.clear();
  }

  /**
   * What one fetch brought of one partition. The position moves on with every part that is handed on, just before it: whatever fails, the rest
   * is fetched again, and nothing is handed on twice.
   */
  private async batch(payload: EachBatchPayload): Promise<void> {
    const chunk = payload.batch.messages[0] as unknown as FetchedChunk | undefined;
    const isOpen = (): boolean => !this.closed && isCurrent(payload) && this.holds(payload.batch);
    if (chunk === undefined || !isOpen()) return;
    const from = fetchedFrom(payload);
    if (chunk.problem === undefined) await this.expect(payload.batch, from);
    while (isOpen()) {
      const run = chunk.next();
      if (run === undefined) break;
      await this.handOn(payload, { ...run, records: notBefore(run.records, from) }, isOpen);
    }
    if (!isOpen()) return;
    if (chunk.problem === undefined) this.moveOn(payload, chunk.offset);
    else await this.unreadable(payload, chunk.problem);
  }

  private async handOn(
    payload: EachBatchPayload,
    { records, lastOffset }: RecordRun,
    isOpen: () => boolean,
  ): Promise<void> {
    for (let at = 0; isOpen(); at += STRIDE) {
      const stride = records.length > STRIDE ? records.slice(at, at + STRIDE) : records;
      const isLast = at + STRIDE >= records.length;
      this.moveOn(payload, String(isLast ? lastOffset : stride.at(-1)?.offset));
      if (stride.length > 0) await this.handOver(stride, payload);
      if (isLast) return;
    }
  }

  private moveOn(payload: EachBatchPayload, offset: string): void {
    this.next.set(keyOf(payload.batch), BigInt(offset) + 1n);
    payload.resolveOffset(offset);
  }

  /** A log that starts again (truncated, or deleted and made anew) ends what the consumer knows of the partition. */
  private async expect({ topic, partition }: TopicPartition, from: bigint): Promise<void> {
    const expected = this.next.get(keyOf({ topic, partition }));
    if (expected === undefined || from >= expected) return;
    const { log, target } = this.options;
    log(
      "warn",
      "A partition goes on before the offset it had reached: its log was cut or made anew",
      {
        topic,
        partition,
        reached: String(expected),
        from: String(from),
      },
    );
    const { held } = this;
    const again = { topic, partition };
    this.held = held.filter((h) => h.topic !== topic || h.partition !== partition);
    await target.revoked([again]);
    if (this.closed) return;
    this.held = held;
    target.assigned([again]);
  }

  /** Keeps the membership alive while the consumer has no room for more (S-53). */
  private async handOver(
    records: readonly KafkaRecord[],
    payload: EachBatchPayload,
  ): Promise<void> {
    let waiting = true;
    const room = this.options.target.records(records).then(
      () => {
        waiting = false;
      },
      (cause: unknown) => {
        waiting = false;
        void this.end(this.options.client.error(cause, "Cannot hand on records of"));
      },
    );
    for (;;) {
      await payload.heartbeat();
      if (!waiting || this.over) return;
      // twice as often: kafkajs sends one only when its interval has passed
      await within(this.heartbeatMs / 2, room);
    }
  }

  private async unreadable(payload: EachBatchPayload, problem: RecordProblem): Promise<void> {
    const { topic, partition } = payload.batch;
    const refused = problem.cause instanceof BridgeError;
    const error = new BridgeError(
      refused ? "KAFKA_REFUSED" : "KAFKA_UNAVAILABLE",
      `Cannot read partition ${partition} of topic "${topic}" from offset ${problem.offset}: ${problem.reason}`,
      { cause: problem.cause, retryable: !refused },
    );
    if (refused) {
      this.undecodable = error;
      return this.end(error);
    }
    this.options.log("warn", "A partition cannot be read, trying again", {
      code: error.code,
      error: error.message,
    });
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.resumes.delete(timer);
      resume();
    }, UNREADABLE_PAUSE_MS);
    this.resumes.add(timer);
    this.options.alive(error);
  }
}

/** kafkajs wraps what it does not try again. */
function isFenced({ type, cause }: { type?: string; cause?: unknown }): boolean {
  if (type === "FENCED_INSTANCE_ID") return true;
  return typeof cause === "object" && cause !== null && isFenced(cause);
}

function silent(what: string): BridgeError {
  return new BridgeError("KAFKA_UNAVAILABLE", `Cannot read from Kafka: ${what}`, {
    retryable: true,
  });
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

/** Whether it was fetched for the assignment that holds now: record-seam.ts puts that into kafkajs' batches. */
function isCurrent({ batch }: EachBatchPayload): boolean {
  return (batch as unknown as { isCurrent(): boolean }).isCurrent();
}

/** The offset that was asked for: kafkajs keeps it in its batches, though its types do not say so. */
function fetchedFrom({ batch }: EachBatchPayload): bigint {
  return BigInt((batch as unknown as { fetchedOffset: string }).fetchedOffset);
}

/** The first batch may begin before what was asked for. */
function notBefore(records: readonly KafkaRecord[], from: bigint): readonly KafkaRecord[] {
  const [first] = records;
  if (first === undefined || first.offset >= from) return records;
  return records.filter((record) => record.offset >= from);
}
