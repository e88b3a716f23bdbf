import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Lab, openLab, valuesOf } from "./kafkajs-client.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  await lab.close();
  expect(lab.defects).toEqual([]);
});

async function fill(topic: string, partitions: number, count: number, first = 0): Promise<void> {
  const producer = await lab.producer();
  await producer.send({
    topic,
    messages: Array.from({ length: count }, (_, i) => ({
      value: `${first + i}`,
      partition: (first + i) % partitions,
      timestamp: String(1_700_000_000_000 + (first + i) * 1000),
    })),
  });
}

describe("kafkajs consumes from the sandbox", () => {
  test("a group goes on where its committed offset is, also for another member", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", 1, 10);
    const first = await lab.reading({ groupId: "g", topics: ["t"], run: { autoCommit: false } });
    await first.until(10);
    await first.consumer.commitOffsets([{ topic: "t", partition: 0, offset: "6" }]);
    await first.consumer.disconnect();
    expect(lab.broker.committed("g", "t", 0)).toBe(6n);

    const second = await lab.reading({ groupId: "g", topics: ["t"] });
    expect(valuesOf(await second.until(4))).toEqual(["6", "7", "8", "9"]);
  });

  test("a new group without fromBeginning reads only what comes later", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", 1, 3);
    const reading = await lab.reading({ groupId: "g", topics: ["t"], fromBeginning: false });
    // its first fetch fixes where it begins
    await new Promise<void>((resolve) => {
      reading.consumer.on("consumer.fetch", () => resolve());
    });
    await fill("t", 1, 2, 3);
    expect(valuesOf(await reading.until(2))).toEqual(["3", "4"]);
  });

  test("seek goes back and forth", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", 1, 10);
    const reading = await lab.reading({ groupId: "g", topics: ["t"] });
    await reading.until(10);
    reading.consumer.seek({ topic: "t", partition: 0, offset: "8" });
    expect(valuesOf(await reading.until(12)).slice(10)).toEqual(["8", "9"]);
  });

  test("an offset out of range resets the member to the start", async () => {
    lab.broker.createTopic("t", 1);
    await fill("t", 1, 4);
    const reading = await lab.reading({ groupId: "g", topics: ["t"] });
    await reading.until(4);
    reading.consumer.seek({ topic: "t", partition: 0, offset: "999" });
    expect(valuesOf(await reading.until(8)).slice(4)).toEqual(["0", "1", "2", "3"]);
  });

  test("a long poll is answered when records come, not when its time is up", async () => {
    lab.broker.createTopic("t", 1);
    const reading = await lab.reading({ groupId: "g", topics: ["t"], maxWaitTimeInMs: 10_000 });
    await fill("t", 1, 1);
    const start = performance.now();
    await fill("t", 1, 1, 1);
    await reading.until(2);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("a poll of an empty topic is answered when its time is up, and not before", async () => {
    lab.broker.createTopic("t", 1);
    const reading = await lab.reading({ groupId: "g", topics: ["t"], maxWaitTimeInMs: 300 });
    const durations: number[] = [];
    await new Promise<void>((resolve) => {
      reading.consumer.on("consumer.fetch", ({ payload }) => {
        durations.push(payload.duration);
        if (durations.length === 3) resolve();
      });
    });
    for (const duration of durations) {
      expect(duration).toBeGreaterThanOrEqual(290);
      expect(duration).toBeLessThan(2000);
    }
  });

  test("a regular expression reads every topic that matches", async () => {
    for (const topic of ["plant-1", "plant-2", "other"]) {
      lab.broker.createTopic(topic, 1);
      await fill(topic, 1, 1);
    }
    const reading = await lab.reading({ groupId: "g", topics: [/^plant-.*/] });
    const read = await reading.until(2);
    expect(read.map(({ topic }) => topic).sort()).toEqual(["plant-1", "plant-2"]);
  });

  test("partitions that are added later are read", async () => {
    lab.broker.createTopic("t", 1);
    const kafka = lab.kafka();
    const consumer = kafka.consumer({
      groupId: "g",
      metadataMaxAge: 200,
      maxWaitTimeInMs: 50,
      heartbeatInterval: 50,
    });
    const read: number[] = [];
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: ["t"], fromBeginning: true });
      const both = new Promise<void>((resolve) => {
        void consumer.run({
          eachMessage: async ({ partition }) => {
            read.push(partition);
            if (read.length === 2) resolve();
          },
        });
      });
      const admin = await lab.admin();
      await admin.createPartitions({ topicPartitions: [{ topic: "t", count: 2 }] });
      await fill("t", 2, 2);
      await both;
      expect(read.sort()).toEqual([0, 1]);
    } finally {
      await consumer.disconnect();
    }
  });

  test("three members share four partitions; a clean leave loses and doubles nothing", async () => {
    lab.broker.createTopic("t", 4);
    const producer = await lab.producer();
    const seen: string[] = [];
    let wake: () => void = () => {};
    const join = () =>
      lab.reading({
        groupId: "g",
        topics: ["t"],
        run: {
          eachMessage: async ({ message }) => {
            seen.push(message.value?.toString() ?? "");
            wake();
          },
        },
      });
    let sent = 0;
    let isSending = true;
    const sending = (async () => {
      while (isSending) {
        const messages = Array.from({ length: 10 }, (_, i) => ({
          value: `${sent + i}`,
          partition: (sent + i) % 4,
        }));
        await producer.send({ topic: "t", messages });
        sent += 10;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const first = await join();
    const firstRejoined = first.joined();
    const second = await join();
    await firstRejoined;
    const secondRejoined = second.joined();
    const third = await join();
    await secondRejoined;
    const thirdRejoined = third.joined();
    await second.consumer.disconnect();
    await thirdRejoined;
    isSending = false;
    await sending;
    await new Promise<void>((resolve) => {
      wake = () => {
        if (seen.length >= sent) resolve();
      };
      wake();
    });
    expect(new Set(seen).size).toBe(sent);
    expect(seen.length).toBe(sent);
  });

  test("a member that falls silent is out after its session timeout, and another has its partitions", async () => {
    lab.broker.createTopic("t", 2);
    const dying = lab.kafka({ clientId: "dying" }).consumer({
      groupId: "g",
      sessionTimeout: 400,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 100,
      maxWaitTimeInMs: 50,
    });
    try {
      await dying.connect();
      await dying.subscribe({ topics: ["t"] });
      const joined = new Promise((resolve) => dying.on("consumer.group_join", resolve));
      await dying.run({ eachMessage: async () => {} });
      await joined;
      // what a killed process looks like to the broker
      lab.broker.fault(({ clientId }) => (clientId === "dying" ? { blackhole: true } : undefined));
      const start = performance.now();
      const survivor = await lab.reading({ groupId: "g", topics: ["t"] });
      expect(performance.now() - start).toBeGreaterThan(100);
      await fill("t", 2, 4);
      expect(new Set(valuesOf(await survivor.until(4)))).toEqual(new Set(["0", "1", "2", "3"]));
    } finally {
      lab.broker.fault(undefined);
      lab.broker.dropConnections();
      await dying.disconnect();
    }
  });
});
