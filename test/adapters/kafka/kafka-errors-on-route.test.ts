import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultHook, FaultRequest } from "../../../local/sandbox/kafka/faults.ts";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../../shared/adapters/kafka/kafka-record-source.ts";
import { systemClock } from "../../../shared/adapters/system/system-clock.ts";
import { lazyProducer } from "../../../shared/compose/lazy-producer.ts";
import { DeadLetters } from "../../../shared/engine/dead-letters.ts";
import { KafkaToMqtt } from "../../../shared/engine/kafka-to-mqtt.ts";
import { MqttToKafka } from "../../../shared/engine/mqtt-to-kafka.ts";
import type { Clock, RecordProducer } from "../../../shared/engine/ports.ts";
import { newCounters, type RouteCounters } from "../../../shared/engine/status.ts";
import type { BridgeError } from "../../../shared/errors.ts";
import type { KafkaEndpoint } from "../../../shared/model/endpoint.ts";
import { publishToRecord } from "../../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../../shared/translate/record-to-publish.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";
import { EXPECTED_PROTOCOL } from "../../support/kafka-refusals.ts";
import { bytes, MemoryPublisher, MemorySubscriber, publish } from "../../support/memory-ports.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../../support/routes.ts";

/** kafkajs sends four times before it gives up: of so many refusals one at least reaches the engine. */
const MORE_THAN_KAFKAJS_TRIES = 5;
const FOR_GOOD = Number.POSITIVE_INFINITY;

let broker: SandboxKafka;
/** By topic, group or client id: suites run side by side on one broker. */
const faults = new Map<string, FaultHook>();

const hookOf = (request: FaultRequest): FaultHook | undefined =>
  faults.get(request.topic ?? "") ??
  faults.get(request.group ?? "") ??
  faults.get(request.clientId ?? "");

beforeAll(async () => {
  broker = await startSandboxKafka({
    partitions: 1,
    minSessionTimeoutMs: 300,
    faults: (request) => hookOf(request)?.(request),
  });
});
afterAll(() => broker.stop());

/** Refuses requests of one kind with an error code, the first `times` of them. */
function refuse(key: string, apiName: string, errorCode: number, times: number): () => number {
  let asked = 0;
  faults.set(key, (request) => {
    if (request.apiName !== apiName) return undefined;
    asked += 1;
    return asked <= times ? { errorCode } : undefined;
  });
  return () => asked;
}

/** Refuses one request of that kind, and resolves when it has. */
function refuseOnce(key: string, apiName: string, errorCode: number): Promise<void> {
  return new Promise((resolve) => {
    faults.set(key, (request) => {
      if (request.apiName !== apiName) return undefined;
      faults.delete(key);
      resolve();
      return { errorCode };
    });
  });
}

/** The engine's back-off, faster. */
const hasty: Clock = {
  ...systemClock,
  after: (ms, fn) => systemClock.after(ms / 50, fn),
};

function expectLedger(c: RouteCounters): void {
  expect(c.received).toBe(
    c.delivered + c.expired + c.filtered + c.deadLettered + c.released + c.inFlight,
  );
  expect(c).toMatchObject({ inFlight: 0, inFlightBytes: 0 });
}

const endpoint = (): KafkaEndpoint => plainEndpoint(broker.bootstrapServers.join());

const producerOf = (clientId: string, to: KafkaEndpoint): RecordProducer =>
  kafkaRecordProducer({ endpoint: to, clientId, acks: -1, compression: "None", log: noLog });

/** An MQTT to Kafka route whose Kafka topic is the second level of the MQTT topic. */
function inward(name: string, to: KafkaEndpoint = endpoint()) {
  const subscriber = new MemorySubscriber();
  const counters = newCounters();
  const failures: BridgeError[] = [];
  let failed: (error: BridgeError) => void = () => undefined;
  const failure = new Promise<BridgeError>((resolve) => {
    failed = resolve;
  });
  const deadLetterTopic = `${name}.dead`;
  const route = mqttToKafkaRoute({ kafkaTopic: "$" + "{inputTopic.2}", deadLetterTopic });
  const letters = lazyProducer(() => producerOf(`${name}-letters`, to));
  const producer = producerOf(name, to);
  const engine = new MqttToKafka({
    route,
    translate: publishToRecord(route, 0),
    subscription: { topicFilters: ["factory/#"], qos: 1 },
    subscriber,
    producer,
    deadLetters: new DeadLetters({ producer: letters, clock: hasty, log: noLog }),
    clock: hasty,
    log: noLog,
    counters,
    budgetBytes: 1_000_000,
    onFailed: (error) => {
      failures.push(error);
      failed(error);
    },
  });
  const deliver = (...topics: string[]): void => {
    for (const topic of topics) {
      const message = publish({ topicName: `factory/${topic}`, payload: bytes(topic) });
      subscriber.deliver(message, Date.now());
    }
  };
  const stop = async (): Promise<void> => {
    await engine.stop(0);
    await letters.stop();
  };
  return { engine, subscriber, counters, failures, failure, deliver, stop, deadLetterTopic };
}

const written = (topic: string): number =>
  broker.topics().includes(topic) ? broker.records(topic).length : 0;

describe.concurrent("an MQTT to Kafka route does with every refusal of a record what the table says", () => {
  const unknown = { name: "KAFKAJS_UNKNOWN_ERROR_CODE", number: 89, message: "retry" } as const;

  test.each([...EXPECTED_PROTOCOL, unknown])("$name: $message (S-54)", async (row) => {
    const [good, bad] = [unique("good"), unique("bad")];
    const { engine, subscriber, counters, failures, deliver, stop, deadLetterTopic } = inward(
      unique("route"),
    );
    const isLetter = row.message === "dead-letter";
    refuse(bad, "Produce", row.number, isLetter ? FOR_GOOD : MORE_THAN_KAFKAJS_TRIES);
    await engine.start();
    deliver(good, bad, good);
    await subscriber.untilAcknowledged(3);
    await stop();
    expect(failures).toEqual([]);
    expect([written(bad), written(deadLetterTopic)]).toEqual(isLetter ? [0, 1] : [1, 0]);
    expect(written(good)).toBe(2);
    expect(counters.delivered).toBe(isLetter ? 2 : 3);
    if (!isLetter) expect(counters.retried).toBeGreaterThan(0);
    expect(subscriber.acknowledged.toSorted()).toEqual([0, 1, 2]);
    expectLedger(counters);
  });

  test("TOPIC_AUTHORIZATION_FAILED for the dead-letter topic too: the route stops at the message (S-54)", async () => {
    const [good, bad] = [unique("good"), unique("bad")];
    const { engine, subscriber, failure, counters, deliver, stop, deadLetterTopic } = inward(
      unique("route"),
    );
    refuse(bad, "Produce", 29, FOR_GOOD);
    refuse(deadLetterTopic, "Produce", 29, FOR_GOOD);
    await engine.start();
    deliver(good);
    await subscriber.untilAcknowledged(1);
    deliver(bad);
    expect(await failure).toMatchObject({ code: "DEAD_LETTER_FAILED" });
    expect(subscriber.acknowledged).toEqual([0]);
    expect(subscriber.paused).toBe(true);
    await stop();
    expect(counters).toMatchObject({ delivered: 1, released: 1, deadLettered: 0 });
  });
});

describe("credentials that are refused", () => {
  let guarded: SandboxKafka;
  beforeAll(async () => {
    guarded = await startSandboxKafka({
      partitions: 1,
      users: new Map([["bridge", "secret"]]),
      faults: (request) => hookOf(request)?.(request),
    });
  });
  afterAll(() => guarded.stop());

  const to = (password = "secret"): KafkaEndpoint => ({
    ...plainEndpoint(guarded.bootstrapServers.join()),
    sasl: { mechanism: "plain", username: "bridge", password },
  });

  test("end a start", async () => {
    const { engine, stop } = inward(unique("route"), to("wrong"));
    await expect(engine.start()).rejects.toMatchObject({
      code: "KAFKA_AUTHENTICATION_FAILED",
      retryable: false,
    });
    await stop();
  });

  test("do not end a start when it was the connection that ended", async () => {
    const name = unique("route");
    let cut = 0;
    faults.set(name, ({ apiName }) => {
      if (apiName !== "SaslAuthenticate" || cut === 2) return undefined;
      cut += 1;
      return { close: true };
    });
    const { engine, stop } = inward(name, to());
    await engine.start();
    expect(cut).toBe(2);
    await stop();
  });

  test("while a route runs they are tried again, and no message becomes a dead letter for them (S-54)", async () => {
    const name = unique("route");
    const { engine, subscriber, counters, failures, deliver, stop, deadLetterTopic } = inward(
      name,
      to(),
    );
    await engine.start();
    deliver("plant");
    await subscriber.untilAcknowledged(1);
    refuse(name, "SaslAuthenticate", 58, 3);
    guarded.dropConnections();
    deliver("plant", "plant");
    await subscriber.untilAcknowledged(3);
    expect(counters.retried).toBeGreaterThan(0);
    await stop();
    expect(failures).toEqual([]);
    expect(counters.delivered).toBe(3);
    expect(guarded.topics()).not.toContain(deadLetterTopic);
    expectLedger(counters);
  });

  test("of the dead letters' own connection they are tried again too", async () => {
    const name = unique("route");
    const { engine, subscriber, failures, deliver, stop, deadLetterTopic } = inward(name, to());
    const bad = unique("bad");
    refuse(bad, "Produce", 87, FOR_GOOD);
    const asked = refuse(`${name}-letters`, "SaslAuthenticate", 58, 3);
    await engine.start();
    deliver(bad);
    await subscriber.untilAcknowledged(1);
    await stop();
    expect(failures).toEqual([]);
    expect(asked()).toBeGreaterThan(3);
    expect(guarded.records(deadLetterTopic)).toHaveLength(1);
  });
});

describe.concurrent("reading from Kafka", () => {
  const read = (consumerGroupId: string, topic: string) =>
    kafkaRecordSource({
      endpoint: endpoint(),
      clientId: consumerGroupId,
      consumerGroupId,
      topics: [{ kind: "name", topic }],
      sessionTimeoutMs: 1000,
      log: noLog,
    });

  async function filled(): Promise<string> {
    const topic = unique("source");
    const port = producerOf(topic, endpoint());
    await port.start();
    await port.send([outgoing({ topic })]);
    await port.stop();
    return topic;
  }

  const stopping = EXPECTED_PROTOCOL.filter(({ connection }) => connection === "stop");
  const passing = EXPECTED_PROTOCOL.filter(({ name }) =>
    ["UNKNOWN", "GROUP_MAX_SIZE_REACHED", "FENCED_INSTANCE_ID"].includes(name),
  );

  test.each(stopping)("a start ends with $name", async ({ number, code }) => {
    const group = unique("group");
    refuse(group, "JoinGroup", number, FOR_GOOD);
    const source = read(group, await filled());
    await expect(source.start(new Collector(source))).rejects.toMatchObject({
      code,
      retryable: false,
    });
    await source.stop();
  });

  test.each(passing)("a start outlasts $name", async ({ number }) => {
    const group = unique("group");
    const asked = refuse(group, "JoinGroup", number, 2);
    const source = read(group, await filled());
    const collector = new Collector(source);
    await source.start(collector);
    await collector.until(() => collector.received.length === 1);
    expect(asked()).toBeGreaterThan(2);
    await source.stop();
  });

  test.each([...stopping, ...passing])(
    "a route that runs goes on after $name, from where it was",
    async ({ number }) => {
      const topic = await filled();
      const source = read(unique("group"), topic);
      const collector = new Collector(source);
      await source.start(collector);
      await collector.until(() => collector.received.length === 1);
      await collector.commit();
      await refuseOnce(topic, "Fetch", number);
      const port = producerOf(topic, endpoint());
      await port.start();
      await port.send([outgoing({ topic, value: Buffer.from("later") })]);
      await port.stop();
      await collector.until(() => collector.received.length >= 2);
      expect(collector.failures).toEqual([]);
      expect(collector.received.map(({ offset }) => offset)).toEqual([0n, 1n]);
      await source.stop();
    },
  );

  test.each(
    EXPECTED_PROTOCOL.filter(({ name }) =>
      ["TOPIC_AUTHORIZATION_FAILED", "OFFSET_METADATA_TOO_LARGE", "UNKNOWN"].includes(name),
    ),
  )("a commit that is refused with $name is made again", async ({ number }) => {
    const topic = await filled();
    const group = unique("group");
    const asked = refuse(topic, "OffsetCommit", number, MORE_THAN_KAFKAJS_TRIES);
    const publisher = new MemoryPublisher();
    const counters = newCounters();
    const route = kafkaToMqttRoute();
    const engine = new KafkaToMqtt({
      route,
      translate: recordToPublish(route),
      source: read(group, topic),
      publisher,
      deadLetters: new DeadLetters({
        producer: producerOf("letters", endpoint()),
        clock: hasty,
        log: noLog,
      }),
      clock: hasty,
      log: noLog,
      counters,
      budgetBytes: 1_000_000,
      commitIntervalMs: 500,
      onFailed: () => undefined,
    });
    await engine.start();
    while (broker.committed(group, topic, 0) !== 1n) {
      publisher.settleAll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked()).toBeGreaterThan(MORE_THAN_KAFKAJS_TRIES);
    await engine.stop(0);
    expect(counters).toMatchObject({ received: 1, delivered: 1 });
  });
});
