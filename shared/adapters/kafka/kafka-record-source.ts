import { setTimeout as wait } from "node:timers/promises";
import type {
  ConnectionStatus,
  Log,
  PartitionOffset,
  RecordConsumer,
  RecordSource,
} from "../../engine/ports.ts";
import { BridgeError, toBridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { TopicSelector } from "../../model/route.ts";
import { within } from "../../within.ts";
import { GroupMember } from "./group-member.ts";
import { kafkaClient } from "./kafka-client.ts";
import { type FoundTopics, TopicFinder } from "./topic-finder.ts";
import { pause } from "./until-connected.ts";

export interface KafkaRecordSourceOptions {
  readonly endpoint: KafkaEndpoint;
  readonly clientId: string;
  readonly consumerGroupId: string;
  /**
   * Which member of the group this is, the same at every start: a new process then takes the place of one that was killed, instead of
   * waiting for its session to end. Not used towards Event Hubs, which does not document it.
   */
  readonly groupInstanceId?: string;
  readonly topics: readonly TopicSelector[];
  /** Topics that no pattern matches: a route must not read its own dead letters. */
  readonly neverMatched?: readonly string[];
  readonly log: Log;
  /** What the consumer may hold: a fetch that finds it full lies beside it, so it brings an eighth at the most. Default 64 MiB. */
  readonly budgetBytes?: number;
  /** How often new topics are looked for; S-30 asks for 30 s at the most. Default 10 s. */
  readonly discoverEveryMs?: number;
  /** After how long a silent member is given up. Default 7 s, towards Event Hubs 30 s. */
  readonly sessionTimeoutMs?: number;
}

const DISCOVER_EVERY_MS = 10_000;
/** Event Hubs wants 30 s. Elsewhere a killed bridge should be replaced within 10 s; brokers allow 6 s and more. */
const SESSION_TIMEOUT_MS = { eventHubs: 30_000, kafka: 7_000 };
const REBALANCE_TIMEOUT_MS = 30_000;
const BUDGET_BYTES = 64 * 1024 * 1024;
/** Enough for full speed. */
const FETCH_BYTES = 1024 * 1024;
/** start() does not wait longer for other members to let this one in. */
const JOIN_PATIENCE_MS = 5_000;
/** A member that lived so long was well: the next failure is a new one. */
const WELL_AFTER_MS = 30_000;

/**
 * A RecordSource on kafkajs, as {@link RecordSource} promises. A group without offsets starts at the earliest record: nothing is lost.
 * Topics that are not there are waited for.
 */
export function kafkaRecordSource(options: KafkaRecordSourceOptions): RecordSource {
  return new KafkaRecordSource(options);
}

class KafkaRecordSource implements RecordSource {
  private readonly options: KafkaRecordSourceOptions;
  private readonly finder: TopicFinder;
  private member: GroupMember | undefined;
  private condition: ConnectionStatus = { connected: false };
  /** It has read, or waited for a topic, once: from then on only a partition that cannot be decoded ends it. */
  private stood = false;
  /** Undefined also after another process has come with the same: who was there first gives way, once and for all. */
  private groupInstanceId: string | undefined;
  private stopped = false;
  private stopping: (() => void) | undefined;
  private readonly stopSignal: Promise<void>;
  private reading: Promise<void> = Promise.resolve();

  constructor(options: KafkaRecordSourceOptions) {
    this.options = options;
    this.groupInstanceId = options.endpoint.isEventHubs ? undefined : options.groupInstanceId;
    this.finder = new TopicFinder({ ...options, neverMatched: options.neverMatched ?? [] });
    this.stopSignal = new Promise((resolve) => {
      this.stopping = resolve;
    });
  }

  start(target: RecordConsumer): Promise<void> {
    return new Promise((resolve, reject) => {
      const stands = (): void => {
        this.stood = true;
        resolve();
      };
      this.reading = this.read(target, stands).catch((cause: unknown) => {
        const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot read from Kafka");
        if (!this.stood) reject(error);
        else if (!this.stopped) target.failed(error);
      });
    });
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    await this.member?.commit(offsets);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping?.();
    await this.member?.leave();
    await this.reading;
    await this.finder.close();
    this.condition = { connected: false };
  }

  status(): ConnectionStatus {
    return this.condition;
  }

  /** One membership after the other, until stopped. @throws BridgeError when it can not go on by itself */
  private async read(target: RecordConsumer, stands: () => void): Promise<void> {
    let attempt = 0;
    while (!this.stopped) {
      const since = Date.now();
      const error = await this.readOnce(target, stands);
      if (error === undefined) {
        attempt = 0;
        continue;
      }
      if (this.stopped) break;
      this.condition = { connected: false, detail: error.message };
      if (!error.retryable && (!this.stood || this.member?.undecodable === error)) throw error;
      this.options.log(error.retryable ? "warn" : "error", "Kafka cannot be read, trying again", {
        consumerGroupId: this.options.consumerGroupId,
        code: error.code,
        error: error.message,
      });
      if (Date.now() - since > WELL_AFTER_MS) attempt = 0;
      await pause(attempt, () => this.stopped);
      attempt += 1;
    }
    throw new BridgeError("STOPPED", "Cannot read from Kafka: it was stopped", { retryable: true });
  }

  /** Reads what there is to read until that changes. Returns why it ended, if not for that. */
  private async readOnce(
    target: RecordConsumer,
    stands: () => void,
  ): Promise<BridgeError | undefined> {
    try {
      const found = await this.finder.find();
      if (this.stopped) return undefined;
      this.condition = { connected: true, ...waitingFor(found) };
      if (found.topics.length === 0) {
        stands();
        await this.untilChanged(found, () => this.stopped);
        return undefined;
      }
      return await this.readTopics(found, target, stands);
    } catch (cause) {
      return toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot read from Kafka");
    }
  }

  private async readTopics(
    found: FoundTopics,
    target: RecordConsumer,
    stands: () => void,
  ): Promise<BridgeError | undefined> {
    const member = this.newMember(found, target);
    this.member = member;
    let over = false;
    try {
      await member.connect();
      const ended = member.ended.then((error) => error as BridgeError | undefined);
      const joined = member.join();
      const early = await Promise.race([ended, within(JOIN_PATIENCE_MS, joined)]);
      if (early !== undefined) return early;
      stands();
      const changed = this.untilChanged(found, () => over || this.stopped);
      return await Promise.race([ended, changed.then(() => undefined)]);
    } finally {
      over = true;
      await member.leave();
      if (member.fenced) this.giveWay();
    }
  }

  private giveWay(): void {
    const { consumerGroupId, log } = this.options;
    log("warn", "Another process of this host runs the same route: both go on as members", {
      consumerGroupId,
      groupInstanceId: this.groupInstanceId,
    });
    this.groupInstanceId = undefined;
  }

  private newMember(found: FoundTopics, target: RecordConsumer): GroupMember {
    const { endpoint, consumerGroupId, log, sessionTimeoutMs } = this.options;
    const { budgetBytes = BUDGET_BYTES } = this.options;
    const standard = endpoint.isEventHubs ? SESSION_TIMEOUT_MS.eventHubs : SESSION_TIMEOUT_MS.kafka;
    return new GroupMember({
      client: kafkaClient(this.options),
      consumerGroupId,
      groupInstanceId: this.groupInstanceId,
      topics: found.topics,
      sessionTimeoutMs: sessionTimeoutMs ?? standard,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      fetchBytes: Math.ceil(Math.min(FETCH_BYTES, budgetBytes / 8)),
      target,
      log,
      alive: (trouble) => {
        const detail = trouble === undefined ? waitingFor(found) : { detail: trouble.message };
        this.condition = { connected: trouble === undefined, ...detail };
      },
    });
  }

  /** Resolves when other topics are to be read than were found, or when `over` says so. */
  private async untilChanged(found: FoundTopics, over: () => boolean): Promise<void> {
    const { topics, discoverEveryMs, log, consumerGroupId } = this.options;
    const canChange =
      found.missing.length > 0 || topics.some((selector) => selector.kind === "pattern");
    if (!canChange) return this.stopSignal;
    for (;;) {
      await this.sleep(discoverEveryMs ?? DISCOVER_EVERY_MS, over);
      if (over()) return;
      const now = await this.finder.find().catch((cause: unknown) => {
        const { message } = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot list topics");
        log("warn", "New topics could not be looked for", { consumerGroupId, error: message });
        return found;
      });
      if (now.topics.join() === found.topics.join()) continue;
      log("info", "Other topics are to be read now, joining again", {
        consumerGroupId,
        topics: now.topics,
      });
      return;
    }
  }

  private async sleep(ms: number, over: () => boolean): Promise<void> {
    const until = Date.now() + ms;
    while (!over() && Date.now() < until) {
      await wait(Math.min(250, until - Date.now()), undefined, { ref: false });
    }
  }
}

function waitingFor({ missing }: FoundTopics): { detail?: string } {
  if (missing.length === 0) return {};
  return { detail: `Waiting for topic ${missing.map((topic) => `"${topic}"`).join(", ")}` };
}
