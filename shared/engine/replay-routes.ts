import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Translation } from "../model/translation.ts";
import { replayedPublish, replayedRecord } from "../translate/mark-replayed.ts";
import type { DeadLetter } from "../translate/read-dead-letter.ts";
import type { StoredLetter } from "./dead-letter-log.ts";
import { KafkaToMqttPump, type KafkaToMqttPumpOptions } from "./kafka-to-mqtt-pump.ts";
import { Lane } from "./lane.ts";
import { MqttToKafka, type MqttToKafkaOptions } from "./mqtt-to-kafka.ts";
import type { Delivery, Subscriber, SubscriptionRequest } from "./ports.ts";
import type { ReplayOwner, ReplayRoute } from "./replay.ts";
import type { RouteCounters } from "./status.ts";

type OfKafka = Extract<DeadLetter, { readonly source: "kafka" }>;
type OfMqtt = Extract<DeadLetter, { readonly source: "mqtt" }>;

/** What a delivery takes on the wire besides payload and topic, about. */
const DELIVERY_OVERHEAD = 64;

/** Whether what is sent again says so, in a last User Property or header. */
interface Marking {
  readonly markMessages: boolean;
}

/** A Kafka to MQTT route whose records come from dead letters. */
export function kafkaToMqttReplay(
  options: Omit<KafkaToMqttPumpOptions, "onDone" | "onFailed" | "attemptOf"> & Marking,
  owner: ReplayOwner,
): ReplayRoute {
  const { translate, markMessages } = options;
  const letters = new WeakMap<KafkaRecord, StoredLetter>();
  const lanes = new Map<string, Lane>();
  const pump = new KafkaToMqttPump({
    ...options,
    translate: (record, context) => {
      const translation = translate(record, context);
      return markMessages
        ? replayedPublish(translation, attemptsOf(letters.get(record)))
        : translation;
    },
    attemptOf: (record) => attemptsOf(letters.get(record)) + 1,
    onDone: ({ record }) => {
      const letter = letters.get(record);
      if (letter !== undefined) owner.done(letter);
    },
    onFailed: (error) => owner.failed(error),
  });
  // the letters of one partition are sent in their order
  const laneOf = ({ topic, partition }: StoredLetter): Lane => {
    const key = `${partition} ${topic}`;
    const lane = lanes.get(key) ?? new Lane(topic, partition);
    lanes.set(key, lane);
    return lane;
  };
  return {
    counters: options.counters,
    start: () => options.publisher.start(() => pump.fill()),
    take(stored): void {
      const { record } = stored.letter as OfKafka;
      letters.set(record, stored);
      pump.push(laneOf(stored), [record]);
    },
    whenRoom: () =>
      options.counters.inFlightBytes <= options.budgetBytes ? undefined : pump.whenRoom(),
    async stop(drainMs): Promise<void> {
      pump.stop();
      await options.publisher.stop(drainMs);
      await Promise.race([pump.whenIdle(), elapsed(options, drainMs)]);
    },
  };
}

/** An MQTT to Kafka route whose messages come from dead letters. Nothing is waited for to fill a batch. */
export function mqttToKafkaReplay(
  options: Omit<MqttToKafkaOptions, "subscription" | "subscriber" | "onFailed" | "attemptOf"> &
    Marking,
  owner: ReplayOwner,
): ReplayRoute {
  const { route, translate, markMessages } = options;
  const letters = new WeakMap<object, StoredLetter>();
  const subscriber = new LetterSubscriber();
  const engine = new MqttToKafka({
    ...options,
    route: { ...route, batching: { ...route.batching, enabled: false } },
    subscriber,
    subscription: { topicFilters: [], qos: 1 },
    translate: (received, context) => {
      const translation = translate(received, context);
      return markMessages
        ? replayedRecord(translation, attemptsOf(letters.get(received)))
        : translation;
    },
    attemptOf: (delivery) => attemptsOf(letters.get(delivery)) + 1,
    onFailed: (error) => owner.failed(error),
  });
  return {
    counters: options.counters,
    start: () => engine.start(),
    take(stored): void {
      const { publish, receivedAt } = stored.letter as OfMqtt;
      const bytes = publish.payload.length + publish.topicName.length + DELIVERY_OVERHEAD;
      const delivery = { publish, receivedAt, bytes, acknowledge: () => owner.done(stored) };
      letters.set(delivery, stored);
      subscriber.deliver(delivery);
    },
    whenRoom: () => subscriber.whenRoom(),
    stop: (drainMs) => engine.stop(drainMs),
  };
}

/** A route of which only the translation is tried: nothing is sent. */
export function trialReplay(
  translate: (letter: DeadLetter) => Translation<unknown>,
  counters: RouteCounters,
  owner: ReplayOwner,
): ReplayRoute {
  return {
    counters,
    start: () => Promise.resolve(),
    take(stored): void {
      counters.received += 1;
      const translation = translate(stored.letter);
      if (translation.kind === "translated") counters.delivered += 1;
      else if (translation.kind === "rejected") {
        counters.deadLettered += 1;
        counters.rejected[translation.code] = (counters.rejected[translation.code] ?? 0) + 1;
      } else counters[translation.kind] += 1;
      owner.done(stored);
    },
    whenRoom: () => undefined,
    stop: () => Promise.resolve(),
  };
}

/** Where a route's MQTT broker would be: hands over what it is given. */
class LetterSubscriber implements Subscriber {
  private paused = false;
  private waiting: (() => void)[] = [];
  private onDelivery: (delivery: Delivery) => void = () => undefined;

  async start(
    _request: SubscriptionRequest,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<void> {
    this.onDelivery = onDelivery;
  }

  deliver(delivery: Delivery): void {
    this.onDelivery(delivery);
  }

  whenRoom(): Promise<void> | undefined {
    if (!this.paused) return undefined;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    const { waiting } = this;
    this.waiting = [];
    for (const go of waiting) go();
  }

  async stop(): Promise<void> {
    this.resume();
  }
}

/** How often the message was dead-lettered. */
function attemptsOf(stored: StoredLetter | undefined): number {
  return stored?.letter.why.attempt ?? 0;
}

function elapsed({ clock }: Pick<KafkaToMqttPumpOptions, "clock">, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
