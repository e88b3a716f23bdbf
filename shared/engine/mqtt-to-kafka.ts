import { type BridgeError, toBridgeError } from "../errors.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { MqttToKafkaRoute } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { deadLetterOfPublish } from "../translate/dead-letter.ts";
import { type Backoff, backoff } from "./backoff.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Pause } from "./pause.ts";
import type {
  Clock,
  Delivery,
  Log,
  RecordProducer,
  Subscriber,
  SubscriptionRequest,
} from "./ports.ts";
import { deliveryMemory, encodedBytes } from "./sizes.ts";
import type { RouteCounters } from "./status.ts";

export interface MqttToKafkaOptions {
  readonly route: MqttToKafkaRoute;
  readonly translate: (
    received: { readonly publish: Publish; readonly receivedAt: number },
    context: TranslationContext,
  ) => Translation<OutgoingRecord>;
  readonly subscription: SubscriptionRequest;
  readonly subscriber: Subscriber;
  readonly producer: RecordProducer;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: RouteCounters;
  /** Bytes of messages held at once; above it the subscriber is paused. */
  readonly budgetBytes: number;
  /**
   * Our Receive Maximum, and so what a crash may double: no more QoS 1 messages are in one send, however many more a broker that does not
   * keep to it has delivered. Default: no limit.
   */
  readonly receiveMaximum?: number;
  readonly onFailed: (error: BridgeError) => void;
  readonly onProduced?: (publish: Publish, topic: string) => void;
  /** The attempt that a dead letter of this delivery names: more than 1, the default, when it comes from a dead letter. */
  readonly attemptOf?: (delivery: Delivery) => number;
}

/** A broker takes about a megabyte a batch and partition: more than this is never sent at once, whatever the manifest says. */
const MAXIMUM_SEND_BYTES = 1_000_000;

/** One delivery and its place in a batch. */
interface Held {
  readonly delivery: Delivery;
  readonly bytes: number;
  /** Kept over attempts, so that a created CloudEvent keeps its id. */
  id: string | undefined;
  /** Acknowledged, released or on its way to the dead letters: not to be sent (again). */
  ended: boolean;
}

/**
 * Takes messages of one subscription and sends them to Kafka in batches (S-16), one batch at a time so that order holds.
 * A message is acknowledged to MQTT after Kafka has acknowledged its record, or its dead letter (S-51).
 */
export class MqttToKafka {
  /** Why nothing is being sent at the moment, for status pages. */
  trouble: BridgeError | undefined;
  hasFailed = false;
  private readonly options: MqttToKafkaOptions;
  private readonly wait: Backoff;
  private buffer: Held[] = [];
  /** Encoded bytes in the buffer: what S-16 counts. */
  private bufferedBytes = 0;
  /** Of all that is not acknowledged: the counters may be those of several subscribers. */
  private heldBytes = 0;
  private sending = false;
  private paused = false;
  private stopping = false;
  private givenUp = false;
  private cancelLatency: (() => void) | undefined;
  private readonly between: Pause;
  private deadLettering = 0;
  private idleWaiters: (() => void)[] = [];

  constructor(options: MqttToKafkaOptions) {
    this.options = options;
    this.wait = backoff(options.clock);
    this.between = new Pause(options.clock);
  }

  /** Connects Kafka first: a resumed session delivers the moment it is connected. @throws BridgeError */
  async start(): Promise<void> {
    await this.options.producer.start();
    await this.options.subscriber.start(this.options.subscription, (delivery) =>
      this.receive(delivery),
    );
  }

  /** Stops reading, sends and acknowledges what was read, disconnects; the session stays (S-55). */
  async stop(drainMs: number): Promise<void> {
    this.stopping = true;
    this.options.subscriber.pause();
    this.flush();
    await Promise.race([this.whenIdle(), this.elapsed(drainMs)]);
    this.givenUp = true;
    this.between.end();
    this.cancelLatency?.();
    this.releaseBuffer();
    await this.options.subscriber.stop();
    await this.options.producer.stop();
  }

  private receive(delivery: Delivery): void {
    const { counters, route } = this.options;
    if (this.givenUp) return;
    const bytes = deliveryMemory(delivery);
    counters.received += 1;
    counters.receivedBytes += delivery.publish.payload.length;
    counters.inFlight += 1;
    counters.inFlightBytes += bytes;
    this.heldBytes += bytes;
    this.buffer.push({ delivery, bytes, id: undefined, ended: false });
    this.bufferedBytes += route.copyMqttProperties
      ? delivery.bytes
      : delivery.publish.payload.length;
    if (!this.paused && this.heldBytes > this.options.budgetBytes) {
      this.paused = true;
      this.options.subscriber.pause();
    }
    this.schedule();
  }

  /** S-16: at whichever limit is met first; with batching off nothing waits, and only what came during a send goes together. */
  private schedule(): void {
    if (this.sending || this.buffer.length === 0) return;
    const { batching } = this.options.route;
    const full =
      this.buffer.length >= batching.maxMessages || this.bufferedBytes >= batching.maxBytes;
    if (!batching.enabled || full || this.stopping || this.paused) {
      this.flush();
      return;
    }
    this.cancelLatency ??= this.options.clock.after(batching.latencyMs, () => this.flush());
  }

  private flush(): void {
    this.cancelLatency?.();
    this.cancelLatency = undefined;
    if (this.sending || this.buffer.length === 0 || this.hasFailed) return;
    this.sending = true;
    void this.sendAll();
  }

  /** Sends what has been gathered, then what was gathered meanwhile, as the batching rules say. */
  private async sendAll(): Promise<void> {
    const batch = this.buffer;
    this.buffer = [];
    this.bufferedBytes = 0;
    let at = 0;
    while (at < batch.length && !this.givenUp && !this.hasFailed) {
      at = await this.sendSome(batch, at);
    }
    for (const held of batch.slice(at)) if (!held.ended) this.release(held);
    this.sending = false;
    this.schedule();
    this.wakeIfIdle();
  }

  /** Sends from `at` on as many as fit one request, until they are safe; returns where to go on. */
  private async sendSome(batch: readonly Held[], at: number): Promise<number> {
    while (!this.givenUp && !this.hasFailed) {
      const { records, owners, next } = this.translate(batch, at);
      if (records.length === 0) return next;
      const error = await this.trySend(records);
      if (error === undefined) {
        this.wait.reset();
        this.trouble = undefined;
        this.delivered(owners, records);
        return next;
      }
      const rest = this.keepWritten(error, owners, records);
      if (!error.retryable) {
        await this.isolate(rest, error);
        return this.givenUp || this.hasFailed ? at : next;
      }
      if (!this.givenUp) await this.pauseBeforeRetry(error, rest.length);
    }
    return at;
  }

  private translate(
    batch: readonly Held[],
    at: number,
  ): { records: OutgoingRecord[]; owners: Held[]; next: number } {
    const { receiveMaximum = Number.POSITIVE_INFINITY } = this.options;
    const records: OutgoingRecord[] = [];
    const owners: Held[] = [];
    let bytes = 0;
    let unacknowledged = 0;
    let next = at;
    for (; next < batch.length; next += 1) {
      const held = batch[next];
      if (held === undefined || held.ended) continue;
      const isAwaited = held.delivery.publish.qos === 1;
      if (isAwaited && unacknowledged === receiveMaximum) break;
      const record = this.translateOne(held);
      if (record === undefined) continue;
      const size = encodedBytes(record);
      if (records.length > 0 && bytes + size > MAXIMUM_SEND_BYTES) break;
      bytes += size;
      if (isAwaited) unacknowledged += 1;
      records.push(record);
      owners.push(held);
    }
    return { records, owners, next };
  }

  /** The record, or undefined when the message ends here: expired, filtered or rejected. */
  private translateOne(held: Held): OutgoingRecord | undefined {
    const { counters, clock } = this.options;
    const context: TranslationContext = {
      now: clock.now(),
      newId: () => {
        held.id ??= clock.newId();
        return held.id;
      },
    };
    const translation = this.options.translate(held.delivery, context);
    switch (translation.kind) {
      case "translated":
        return translation.message;
      case "expired":
        counters.expired += 1;
        this.finish(held);
        return undefined;
      case "filtered":
        counters.filtered += 1;
        this.finish(held);
        return undefined;
      case "rejected":
        this.deadLetter(held, translation.code, translation.reason);
        return undefined;
    }
  }

  private async trySend(records: readonly OutgoingRecord[]): Promise<BridgeError | undefined> {
    try {
      await this.options.producer.send(records);
      return undefined;
    } catch (cause) {
      return toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot send to Kafka");
    }
  }

  private delivered(owners: readonly Held[], records: readonly OutgoingRecord[]): void {
    const { counters, onProduced } = this.options;
    counters.delivered += owners.length;
    for (const [i, held] of owners.entries()) {
      this.finish(held);
      onProduced?.(held.delivery.publish, records[i]?.topic ?? "");
    }
  }

  /** Some may be safe though the send has failed: they end here. Returns the others. */
  private keepWritten(
    { written }: BridgeError,
    owners: readonly Held[],
    records: readonly OutgoingRecord[],
  ): readonly Held[] {
    if (written === undefined || written.size === 0) return owners;
    const isSafe = (_: unknown, at: number): boolean => written.has(at);
    this.delivered(owners.filter(isSafe), records.filter(isSafe));
    return owners.filter(({ ended }) => !ended);
  }

  /** At least one of these can never succeed: halves the batch until it stands alone, and dead-letters it. */
  private async isolate(owners: readonly Held[], error: BridgeError): Promise<void> {
    const [only] = owners;
    if (owners.length === 1 && only !== undefined) {
      this.deadLetter(only, error.code, error.message);
      return;
    }
    const middle = owners.length >> 1;
    for (const half of [owners.slice(0, middle), owners.slice(middle)]) {
      let at = 0;
      while (at < half.length && !this.givenUp && !this.hasFailed) {
        at = await this.sendSome(half, at);
      }
    }
  }

  private async pauseBeforeRetry(error: BridgeError, messages: number): Promise<void> {
    const { counters, log, route } = this.options;
    this.trouble = error;
    counters.retried += messages;
    const ms = this.wait.next(error.retryAfterMs);
    log("warn", "Kafka did not take a batch, trying again", {
      route: route.name,
      messages,
      code: error.code,
      error: error.message,
      waitMs: Math.round(ms),
    });
    await this.between.lasting(ms);
  }

  private deadLetter(held: Held, code: string, reason: string): void {
    const { counters, route, clock, deadLetters } = this.options;
    counters.rejected[code] = (counters.rejected[code] ?? 0) + 1;
    held.ended = true;
    this.deadLettering += 1;
    const attempt = this.options.attemptOf?.(held.delivery) ?? 1;
    const why = { code, reason, route: route.name, time: clock.now(), attempt };
    deadLetters
      .write(deadLetterOfPublish(held.delivery, route.deadLetterTopic, why))
      .then(
        () => {
          counters.deadLettered += 1;
          this.finish(held);
        },
        (cause: unknown) => this.notDeadLettered(held, cause),
      )
      .finally(() => {
        this.deadLettering -= 1;
        this.wakeIfIdle();
      });
  }

  /** Without a place for its dead letter the route stops at the message: going on would lose it (S-54). */
  private notDeadLettered(held: Held, cause: unknown): void {
    const error = toBridgeError(cause, "DEAD_LETTER_FAILED", "Cannot write a dead letter");
    this.release(held);
    if (error.code === "STOPPED" || this.givenUp) return;
    this.hasFailed = true;
    this.trouble = error;
    this.options.subscriber.pause();
    this.options.log("error", "The route has stopped: an operator must act", {
      route: this.options.route.name,
      code: error.code,
      error: error.message,
    });
    this.options.onFailed(error);
  }

  /** Safe, or meant to end here: acknowledges to MQTT and frees its memory. */
  private finish(held: Held): void {
    const { counters, budgetBytes, subscriber } = this.options;
    held.ended = true;
    held.delivery.acknowledge();
    counters.inFlight -= 1;
    counters.inFlightBytes -= held.bytes;
    this.heldBytes -= held.bytes;
    if (this.paused && !this.stopping && this.heldBytes <= budgetBytes / 2) {
      this.paused = false;
      subscriber.resume();
    }
  }

  /** Not acknowledged: the broker will deliver it again to this session. */
  private release(held: Held): void {
    const { counters } = this.options;
    held.ended = true;
    counters.released += 1;
    counters.inFlight -= 1;
    counters.inFlightBytes -= held.bytes;
    this.heldBytes -= held.bytes;
  }

  private releaseBuffer(): void {
    for (const held of this.buffer) this.release(held);
    this.buffer = [];
    this.bufferedBytes = 0;
  }

  private get isIdle(): boolean {
    return !this.sending && this.deadLettering === 0 && this.buffer.length === 0;
  }

  private whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private wakeIfIdle(): void {
    if (!this.isIdle) return;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }

  private elapsed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.after(ms, resolve);
    });
  }
}
