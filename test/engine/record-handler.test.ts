import { describe, expect, test } from "vitest";
import { DeadLetters } from "../../shared/engine/dead-letters.ts";
import { BatchHandler } from "../../shared/engine/record-handler.ts";
import { newCounters } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { MemoryProducer, MemoryPublisher, publish, record } from "../support/memory-ports.ts";
import { kafkaToMqttRoute } from "../support/routes.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

function translate(r: KafkaRecord): Translation<Publish> {
  if (r.value?.length === 0) {
    return { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: "no topic" };
  }
  return { kind: "translated", message: publish({ topicName: `t/${r.offset}` }), removed: [] };
}

async function started(window = 100) {
  const clock = new VirtualClock();
  const publisher = new MemoryPublisher(window);
  const letters = new MemoryProducer();
  const counters = newCounters();
  const log = (): void => undefined;
  const handler = new BatchHandler({
    route: kafkaToMqttRoute(),
    translate,
    publisher,
    deadLetters: new DeadLetters({ producer: letters, clock, log }),
    clock,
    log,
    counters,
    budgetBytes: 1_000_000,
  });
  await handler.start();
  return { clock, publisher, letters, counters, handler };
}

const batch = (n: number): KafkaRecord[] =>
  Array.from({ length: n }, (_, i) => record({ offset: BigInt(i) }));
const sentTo = (publisher: MemoryPublisher): string[] => publisher.sent.map((p) => p.topicName);

describe("BatchHandler", () => {
  test("resolves when every record is acknowledged or dead-lettered, not before", async () => {
    const { publisher, letters, handler } = await started();
    let resolved = false;
    const poison = record({ offset: 2n, value: new Uint8Array() });
    const done = handler.deliver([...batch(2), poison], 60_000).then(() => {
      resolved = true;
    });
    publisher.settle();
    await settle();
    expect(resolved).toBe(false);
    publisher.settle();
    await done;
    expect(letters.sent).toHaveLength(1);
  });

  test("an empty batch is delivered at once", async () => {
    const { handler } = await started();
    await handler.deliver([], 1000);
  });

  test("rejects with a retryable error when MQTT does not take all in time, and publishes nothing afterwards", async () => {
    const { clock, publisher, handler } = await started(2);
    const done = handler.deliver(batch(5), 1000);
    const rejection = expect(done).rejects.toMatchObject({
      code: "MQTT_UNAVAILABLE",
      retryable: true,
    });
    await clock.advance(1000);
    await rejection;
    publisher.settleAll();
    expect(sentTo(publisher)).toEqual(["t/0", "t/1"]);
  });

  test("the host's repetition of a failed batch doubles nothing that was acknowledged here", async () => {
    const { clock, publisher, handler, counters } = await started(3);
    const first = handler.deliver(batch(5), 1000).catch((error: BridgeError) => error.code);
    publisher.online = false;
    publisher.settle();
    publisher.settle();
    await clock.advance(1000);
    expect(await first).toBe("MQTT_UNAVAILABLE");
    const second = handler.deliver(batch(5), 1000);
    publisher.goOnline();
    // the one still on its way ends before what waits behind it is sent
    publisher.settleAll();
    await settle();
    publisher.settleAll();
    await second;
    expect(sentTo(publisher)).toEqual(["t/0", "t/1", "t/2", "t/3", "t/4"]);
    expect(counters.delivered).toBe(5);
  });

  test("a later batch with the same coordinates after a success is new", async () => {
    const { publisher, handler } = await started();
    for (let i = 0; i < 2; i += 1) {
      const done = handler.deliver(batch(1), 1000);
      publisher.settleAll();
      await done;
    }
    expect(publisher.sent).toHaveLength(2);
  });

  test("rejects at once when a record can be neither delivered nor dead-lettered, and tries again next time", async () => {
    const { letters, handler } = await started();
    letters.verdict = () => new BridgeError("KAFKA_NOT_AUTHORIZED", "Not authorized");
    const poison = [record({ value: new Uint8Array() })];
    await expect(handler.deliver(poison, 60_000)).rejects.toMatchObject({
      code: "DEAD_LETTER_FAILED",
    });
    letters.verdict = () => undefined;
    await handler.deliver(poison, 60_000);
    expect(letters.sent).toHaveLength(1);
  });
});
