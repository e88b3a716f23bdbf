import { type BridgeError, toBridgeError } from "../errors.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { deadLetterDepth, deadLetterOfRecord } from "../translate/dead-letter.ts";
import { type Backoff, backoff } from "./backoff.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { EntryQueue } from "./entry-queue.ts";
import { Exposure } from "./exposure.ts";
import { type EntryOwner, type Lane, LaneEntry } from "./lane.ts";
import type { Clock, Log, Publisher, PublishOutcome } from "./ports.ts";
import { recordMemory } from "./sizes.ts";
import type { RouteCounters } from "./status.ts";

export interface KafkaToMqttPumpOptions {
  readonly route: Pick<KafkaToMqttRoute, "name" | "deadLetterTopic">;
  readonly translate: (record: KafkaRecord, context: TranslationContext) => Translation<Publish>;
  readonly publisher: Publisher;
  readonly deadLetters: Pick<DeadLetters, "write">;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: RouteCounters;
  /** Bytes of records held at once before `whenRoom` makes callers wait. */
  readonly budgetBytes: number;
  /** How many records may have been sent out without a commit that is known; 1 and more. Without it any number: the host commits. */
  readonly maxUncommitted?: number;
  /** Called after an entry is done, delivered or not. */
  readonly onDone: (entry: LaneEntry) => void;
  /** Called after an entry is given up, for its source to hand it out again. */
  readonly onAbandoned?: (entry: LaneEntry) => void;
  /** Called when the pump can never go on: a message could be neither delivered nor dead-lettered. */
  readonly onFailed: (error: BridgeError) => void;
  readonly onPublished?: (record: KafkaRecord, publish: Publish) => void;
  /** The attempt that a dead letter of this record names: more than 1, the default, when it comes from a dead letter. */
  readonly attemptOf?: (record: KafkaRecord) => number;
}

/** Routes of several bridges may read each other's dead letters: so many hands a message goes through, and no farther. */
const DEEPEST_DEAD_LETTER = 8;

/** Bytes of records that wait to be sent: enough until more come. What is above lies better in Kafka than in memory. */
const AHEAD_BYTES = 1024 * 1024;

/** One per pump and reused, so that a translation allocates none. */
class EntryContext implements TranslationContext {
  now = 0;
  entry: LaneEntry | undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  newId(): string {
    if (this.entry === undefined) return this.clock.newId();
    this.entry.id ??= this.clock.newId();
    return this.entry.id;
  }
}

/**
 * Takes records in order, translates and publishes them within the publisher's room, and says of each when it is done.
 * It knows nothing of sources or commits: the runner and the Functions handler share it as it is.
 */
export class KafkaToMqttPump implements EntryOwner {
  /** Why nothing is being published at the moment, for status pages. */
  waitingFor: BridgeError | undefined;
  readonly exposure: Exposure;
  private readonly options: KafkaToMqttPumpOptions;
  private readonly context: EntryContext;
  private readonly wait: Backoff;
  private readonly queue = new EntryQueue();
  private published = 0;
  private deadLettering = 0;
  /** After a transient refusal nothing is published until all that was is settled and the back-off is over. */
  private held = false;
  private rewinding = false;
  private readonly failedLanes = new Set<Lane>();
  private stopped = false;
  private cancelWait: (() => void) | undefined;
  private roomWaiters: (() => void)[] = [];
  private idleWaiters: (() => void)[] = [];

  constructor(options: KafkaToMqttPumpOptions) {
    this.options = options;
    this.context = new EntryContext(options.clock);
    this.wait = backoff(options.clock);
    this.exposure = new Exposure(options.maxUncommitted ?? Number.POSITIVE_INFINITY);
  }

  /** Takes records of one lane, in offset order, and publishes as many as there is room for. */
  push(lane: Lane, records: readonly KafkaRecord[]): LaneEntry[] {
    const { counters } = this.options;
    const entries: LaneEntry[] = [];
    for (const record of records) {
      const entry = new LaneEntry(lane, record, recordMemory(record), this);
      lane.add(entry);
      entries.push(entry);
      this.queue.push(entry);
      counters.received += 1;
      counters.receivedBytes += record.value?.length ?? 0;
      counters.inFlight += 1;
      counters.inFlightBytes += entry.bytes;
    }
    this.fill();
    return entries;
  }

  /** Resolves when what is held is within the budget, and no more waits than is useful: the back-pressure of S-53. */
  whenRoom(): Promise<void> {
    if (this.stopped || this.holdsAtMost(1)) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  private holdsAtMost(share: number): boolean {
    const { counters, budgetBytes } = this.options;
    return counters.inFlightBytes <= budgetBytes * share && this.queue.bytes <= AHEAD_BYTES * share;
  }

  /** Publishes while there is room. The publisher calls it when room grows; call it after anything else that frees the way. */
  fill(): void {
    const { publisher, clock } = this.options;
    if (this.held || this.stopped || this.queue.isEmpty) return;
    this.context.now = clock.now();
    while (!this.held && publisher.room > 0) {
      const entry = this.queue.first;
      if (entry === undefined || !this.exposure.takes(entry)) break;
      this.queue.shift(entry);
      this.send(entry);
    }
    publisher.flush();
    this.wakeIfRoom();
  }

  /** Publishes nothing new of this lane, which is about to be released. */
  holdBack(lane: Lane): void {
    lane.isGoing = true;
    this.giveBack((entry) => entry.lane === lane && !entry.isExposed);
  }

  /** Gives back entries of this lane that were not published; those that were still count when they settle. */
  release(lane: Lane): void {
    lane.open = false;
    this.exposure.gone(lane);
    this.giveBack((entry) => entry.lane === lane);
  }

  /** Gives back every entry that is not published yet. */
  releaseQueued(): void {
    this.giveBack(() => true);
  }

  /** Resolves when nothing that was published or is being dead-lettered is unsettled. */
  whenIdle(): Promise<void> {
    if (this.published === 0 && this.deadLettering === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** After a failure that an operator may have mended: tries again. */
  resume(): void {
    if (!this.held || this.rewinding || this.cancelWait !== undefined) return;
    this.held = false;
    this.waitingFor = undefined;
    this.fill();
  }

  /** Publishes nothing more; lets go of whoever waits for room. */
  stop(): void {
    this.stopped = true;
    this.cancelWait?.();
    this.releaseQueued();
    for (const lane of this.failedLanes) this.abandonFailed(lane);
    this.wakeRoomWaiters();
  }

  settled(entry: LaneEntry, outcome: PublishOutcome): void {
    this.published -= 1;
    if (outcome === undefined) this.delivered(entry);
    else if (outcome.code === "STOPPED") this.abandon(entry);
    else if (outcome.retryable) this.refused(entry, outcome);
    else if (entry.counted) this.close(entry);
    else this.deadLetter(entry, outcome.code, outcome.message);
    if (this.published > 0) return;
    if (this.rewinding) this.startAgainLater();
    this.wakeIfIdle();
  }

  private send(entry: LaneEntry): void {
    const { counters, publisher, translate } = this.options;
    this.context.entry = entry;
    const translation = translate(entry.record, this.context);
    if (entry.counted && translation.kind !== "translated") {
      this.close(entry);
      return;
    }
    switch (translation.kind) {
      case "translated":
        for (const { reason } of translation.removed) {
          if (!entry.counted)
            counters.removedHeaders[reason] = (counters.removedHeaders[reason] ?? 0) + 1;
        }
        entry.state = "published";
        this.published += 1;
        this.exposure.sent(entry);
        publisher.publish(translation.message, entry);
        this.options.onPublished?.(entry.record, translation.message);
        return;
      case "expired":
        counters.expired += 1;
        this.finish(entry);
        return;
      case "filtered":
        counters.filtered += 1;
        this.finish(entry);
        return;
      case "rejected":
        this.deadLetter(entry, translation.code, translation.reason);
        return;
    }
  }

  private delivered(entry: LaneEntry): void {
    if (!entry.counted) {
      entry.counted = true;
      this.options.counters.delivered += 1;
      if (!this.held) this.wait.reset();
      this.finish(entry);
      return;
    }
    this.close(entry);
  }

  /** A repetition of what was counted before: done, whatever became of it. */
  private close(entry: LaneEntry): void {
    entry.state = "done";
    if (entry.lane.open) this.exposure.advanced(entry.lane);
    this.options.onDone(entry);
  }

  private finish(entry: LaneEntry): void {
    this.free(entry);
    this.close(entry);
  }

  private free(entry: LaneEntry): void {
    const { counters } = this.options;
    counters.inFlight -= 1;
    counters.inFlightBytes -= entry.bytes;
    this.wakeIfRoom();
  }

  /** Not delivered, and nobody's fault: its source will hand it out again. */
  private abandon(entry: LaneEntry): void {
    entry.state = "queued";
    if (!entry.counted) {
      this.options.counters.released += 1;
      this.free(entry);
    }
    this.options.onAbandoned?.(entry);
  }

  private abandonFailed(lane: Lane): void {
    for (const entry of lane.pending()) if (entry.state === "failed") this.abandon(entry);
  }

  private refused(entry: LaneEntry, outcome: BridgeError): void {
    if (!entry.lane.open || this.stopped) {
      this.abandon(entry);
      return;
    }
    entry.state = "failed";
    this.failedLanes.add(entry.lane);
    this.options.counters.retried += 1;
    this.held = true;
    this.rewinding = true;
    this.waitingFor = outcome;
  }

  private startAgainLater(): void {
    this.rewinding = false;
    if (this.stopped) return;
    const reason = this.waitingFor;
    const ms = this.wait.next(reason?.retryAfterMs);
    this.options.log("warn", "The broker refused messages for now, trying again", {
      route: this.options.route.name,
      code: reason?.code,
      error: reason?.message,
      waitMs: Math.round(ms),
    });
    this.cancelWait = this.options.clock.after(ms, () => this.startAgain());
  }

  private startAgain(): void {
    this.cancelWait = undefined;
    if (this.stopped) return;
    const rest = this.queue.waiting();
    const again: LaneEntry[] = [];
    for (const lane of this.failedLanes) {
      if (lane.open) again.push(...lane.rewind());
      else this.abandonFailed(lane);
    }
    this.failedLanes.clear();
    this.queue.become([...again, ...rest]);
    this.held = false;
    this.waitingFor = undefined;
    this.fill();
  }

  private deadLetter(entry: LaneEntry, code: string, reason: string): void {
    const { counters, route, clock } = this.options;
    counters.rejected[code] = (counters.rejected[code] ?? 0) + 1;
    entry.isUndeliverable = true;
    if (this.liesAmongDeadLetters(entry.record)) {
      counters.deadLettered += 1;
      this.finish(entry);
      return;
    }
    const attempt = this.options.attemptOf?.(entry.record) ?? 1;
    const why = { code, reason, route: route.name, time: clock.now(), attempt };
    entry.state = "published";
    this.exposure.sent(entry);
    this.deadLettering += 1;
    this.options.deadLetters
      .write(deadLetterOfRecord(entry.record, route.deadLetterTopic, why))
      .then(
        () => {
          counters.deadLettered += 1;
          this.finish(entry);
        },
        (cause: unknown) => this.notDeadLettered(entry, cause),
      )
      .finally(() => {
        this.deadLettering -= 1;
        this.wakeIfIdle();
      });
  }

  /** A dead letter that is rejected again already lies where it belongs: writing it anew would be a loop. */
  private liesAmongDeadLetters({ topic, partition, offset, headers }: KafkaRecord): boolean {
    const { route, log } = this.options;
    if (topic === route.deadLetterTopic) return true;
    if (deadLetterDepth(headers) < DEEPEST_DEAD_LETTER) return false;
    log(
      "error",
      "A dead letter goes round in circles: it stays in the topic that it was read from",
      {
        route: route.name,
        topic,
        partition,
        offset: String(offset),
      },
    );
    return true;
  }

  /** Without a place for its dead letter the route stops at the message: going on would lose it (S-54). */
  private notDeadLettered(entry: LaneEntry, cause: unknown): void {
    const error = toBridgeError(cause, "DEAD_LETTER_FAILED", "Cannot write a dead letter");
    this.abandon(entry);
    if (error.code === "STOPPED" || this.stopped) return;
    this.held = true;
    this.waitingFor = error;
    this.options.onFailed(error);
  }

  private giveBack(which: (entry: LaneEntry) => boolean): void {
    const kept: LaneEntry[] = [];
    for (const entry of this.queue.waiting()) {
      if (which(entry)) this.abandon(entry);
      else kept.push(entry);
    }
    this.queue.become(kept);
    this.wakeIfRoom();
  }

  private wakeIfRoom(): void {
    if (this.roomWaiters.length > 0 && this.holdsAtMost(0.5)) this.wakeRoomWaiters();
  }

  private wakeRoomWaiters(): void {
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const wake of waiters) wake();
  }

  private wakeIfIdle(): void {
    if (this.published > 0 || this.deadLettering > 0) return;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
