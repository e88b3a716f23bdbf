import { BridgeError } from "../errors.ts";
import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { Translation } from "../model/translation.ts";
import { DEAD_LETTER_PREFIX } from "../translate/dead-letter.ts";
import { KafkaToMqttPump } from "./kafka-to-mqtt-pump.ts";
import { Lane, type LaneEntry } from "./lane.ts";
import type { Clock, Delivery, Log, Publisher, Subscriber } from "./ports.ts";
import type { RouteCounters } from "./status.ts";

/** Makes of a received message what goes to one destination. */
export type Forward = (publish: Publish, receivedAt: number, now: number) => Translation<Publish>;

export interface MqttForwarderOptions {
  readonly name: string;
  readonly topicFilters: readonly string[];
  /** Where a message of this Topic Name goes; nowhere is no fault. */
  readonly forwardsOf: (topicName: string) => readonly Forward[];
  readonly subscriber: Subscriber;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: RouteCounters;
  /** Bytes of messages held at once; above it the subscriber is paused. */
  readonly budgetBytes: number;
}

/** A delivery, and how many of its destinations do not have it yet. */
interface Received {
  readonly delivery: Delivery;
  left: number;
}

interface Part {
  readonly received: Received;
  readonly forward: Forward;
}

const NO_HEADERS: KafkaRecord["headers"] = [];

/**
 * Forwards from MQTT to MQTT with the pump of the other routes: in order, within the window, again after refusals. A message is
 * acknowledged when every destination has acknowledged it.
 */
export class MqttForwarder {
  private readonly options: MqttForwarderOptions;
  private readonly pump: KafkaToMqttPump;
  private readonly lane = new Lane("", 0);
  private readonly parts = new Map<bigint, Part>();
  private next = 0n;
  private paused = false;
  private failure: BridgeError | undefined;

  constructor(options: MqttForwarderOptions) {
    this.options = options;
    const { name, clock, log, publisher, counters, budgetBytes } = options;
    this.pump = new KafkaToMqttPump({
      route: { name, deadLetterTopic: "" },
      translate: (record, { now }) => this.translate(record, now),
      publisher,
      deadLetters: { write: (letter) => Promise.reject(noDeadLetters(name, letter)) },
      clock,
      log,
      counters,
      budgetBytes,
      onDone: (entry) => this.done(entry),
      onFailed: (error) => this.failed(error),
    });
  }

  /** Connects the destination first, so that nothing is taken before it can go on. @throws BridgeError */
  async start(): Promise<void> {
    const { publisher, subscriber, topicFilters } = this.options;
    await publisher.start(() => this.pump.fill());
    await subscriber.start({ topicFilters, qos: 1 }, (delivery) => this.receive(delivery));
  }

  /** Why it waits or has failed, if it does. */
  get trouble(): BridgeError | undefined {
    return this.failure ?? this.pump.waitingFor;
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** Takes nothing more, lets what was published end, leaves; the session stays, and what comes meanwhile waits in it (S-55). */
  async stop(drainMs: number): Promise<void> {
    const { clock, publisher, subscriber } = this.options;
    const deadline = clock.now() + drainMs;
    subscriber.pause();
    this.pump.stop();
    await publisher.stop(drainMs);
    const late = new Promise<void>((resolve) => {
      clock.after(Math.max(0, deadline - clock.now()), resolve);
    });
    await Promise.race([this.pump.whenIdle(), late]);
    await subscriber.stop();
  }

  private receive(delivery: Delivery): void {
    const { publish, receivedAt } = delivery;
    const forwards = this.options.forwardsOf(publish.topicName);
    if (forwards.length === 0) {
      this.options.counters.received += 1;
      this.options.counters.receivedBytes += publish.payload.length;
      this.options.counters.filtered += 1;
      delivery.acknowledge();
      return;
    }
    const received: Received = { delivery, left: forwards.length };
    const records = forwards.map((forward): KafkaRecord => {
      const offset = this.next;
      this.next += 1n;
      this.parts.set(offset, { received, forward });
      return {
        topic: publish.topicName,
        partition: 0,
        offset,
        timestamp: receivedAt,
        key: null,
        value: publish.payload,
        headers: NO_HEADERS,
      };
    });
    this.pump.push(this.lane, records);
    this.holdBack();
  }

  private holdBack(): void {
    const { counters, budgetBytes, subscriber } = this.options;
    if (this.paused || counters.inFlightBytes <= budgetBytes) return;
    this.paused = true;
    subscriber.pause();
    void this.pump.whenRoom().then(() => {
      this.paused = false;
      if (!this.hasFailed) subscriber.resume();
    });
  }

  private translate({ offset }: KafkaRecord, now: number): Translation<Publish> {
    const part = this.parts.get(offset);
    // sent again after a refusal of an earlier one, and acknowledged meanwhile
    if (part === undefined) return { kind: "filtered" };
    const { delivery } = part.received;
    return part.forward(delivery.publish, delivery.receivedAt, now);
  }

  private done({ record }: LaneEntry): void {
    const part = this.parts.get(record.offset);
    if (part === undefined) return;
    this.parts.delete(record.offset);
    part.received.left -= 1;
    if (part.received.left === 0) part.received.delivery.acknowledge();
  }

  private failed(error: BridgeError): void {
    const { log, name, subscriber } = this.options;
    this.failure = error;
    subscriber.pause();
    log("error", "The assets' forwarding has stopped: an operator must act", {
      route: name,
      code: error.code,
      error: error.message,
    });
  }
}

/** There is no Kafka to write dead letters to: at a message that can never be forwarded it stops (S-54). */
function noDeadLetters(name: string, { headers }: OutgoingRecord): BridgeError {
  const reason = headers.find(([header]) => header === `${DEAD_LETTER_PREFIX}reason`)?.[1];
  const why = reason ? new TextDecoder().decode(reason) : "it can never be delivered";
  return new BridgeError(
    "DEAD_LETTER_FAILED",
    `Cannot forward a message of "${name}", and assets have no dead-letter topic: ${why}`,
  );
}
