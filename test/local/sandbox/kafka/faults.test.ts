import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FaultRequest } from "../../../../local/sandbox/kafka/faults.ts";
import { type Lab, openLab, valuesOf } from "./kafkajs-client.ts";

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
  lab.broker.createTopic("t", 1);
});
afterEach(async () => {
  await lab.close();
  expect(lab.defects).toEqual([]);
});

const NOT_LEADER = 6;
const REQUEST_TIMED_OUT = 7;
const TOPIC_AUTHORIZATION_FAILED = 29;

const values = (): string[] =>
  lab.broker.records("t").map(({ value }) => Buffer.from(value ?? []).toString());

/** Lets `wanted` of the requests go wrong that `matches` picks, and counts all that it picks. */
function failFirst(
  wanted: number,
  matches: (request: FaultRequest) => boolean,
  fault: Parameters<Lab["broker"]["fault"]>[0],
): { asked: number } {
  const count = { asked: 0 };
  lab.broker.fault((request) => {
    if (!matches(request)) return undefined;
    count.asked += 1;
    return count.asked <= wanted ? fault?.(request) : undefined;
  });
  return count;
}

const isProduce = ({ apiName }: FaultRequest): boolean => apiName === "Produce";

describe("faults of Produce", () => {
  test("the hook learns what a request is about", async () => {
    const requests: FaultRequest[] = [];
    lab.broker.fault((request) => {
      requests.push(request);
      return undefined;
    });
    const producer = await lab.producer();
    await producer.send({ topic: "t", messages: [{ value: "x" }] });
    expect(requests.find(isProduce)).toEqual({
      apiKey: 0,
      apiName: "Produce",
      apiVersion: 7,
      clientId: "lab",
      topic: "t",
      partition: 0,
    });
  });

  test("an error code that clients retry is retried, and the record stored once", async () => {
    const count = failFirst(2, isProduce, () => ({ errorCode: NOT_LEADER }));
    const producer = await lab.producer();
    await producer.send({ topic: "t", messages: [{ value: "x" }] });
    expect(count.asked).toBe(3);
    expect(values()).toEqual(["x"]);
  });

  test("an error code for one partition leaves the other alone", async () => {
    lab.broker.createTopic("two", 2);
    lab.broker.fault(({ apiName, partition }) =>
      apiName === "Produce" && partition === 1
        ? { errorCode: TOPIC_AUTHORIZATION_FAILED }
        : undefined,
    );
    const producer = await lab.producer({ retry: { retries: 0 } });
    const messages = [0, 1].map((partition) => ({ partition, value: `${partition}` }));
    const sent = producer.send({ topic: "two", messages });
    await expect(sent).rejects.toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED" });
    expect(lab.broker.endOffsets("two")).toEqual([1n, 0n]);
  });

  test.each([
    { name: "an answer lost with its connection", fault: { close: "after" } as const },
    {
      name: "an error in place of the acknowledgement",
      fault: { errorCode: REQUEST_TIMED_OUT, applied: true },
    },
  ])(
    "$name doubles the record of a plain producer, and not of an idempotent one",
    async ({ fault }) => {
      for (const idempotent of [false, true]) {
        failFirst(1, isProduce, () => fault);
        const producer = await lab.producer({ idempotent, maxInFlightRequests: 1 });
        await producer.send({ topic: "t", messages: [{ value: idempotent ? "once" : "plain" }] });
      }
      expect(values()).toEqual(["plain", "plain", "once"]);
    },
  );

  test("a connection closed before anything is done loses nothing and doubles nothing", async () => {
    failFirst(1, isProduce, () => ({ close: true }));
    const producer = await lab.producer();
    await producer.send({ topic: "t", messages: [{ value: "x" }] });
    expect(values()).toEqual(["x"]);
  });

  test.each([
    { blackhole: true as const, stored: ["x"] },
    { blackhole: "after" as const, stored: ["x", "x"] },
  ])(
    "a request swallowed ($blackhole) is sent again after the client's timeout",
    async ({ blackhole, stored }) => {
      failFirst(1, isProduce, () => ({ blackhole }));
      const producer = await lab.producer({}, { requestTimeout: 200 });
      await producer.send({ topic: "t", messages: [{ value: "x" }] });
      expect(values()).toEqual(stored);
    },
  );

  test("a delay holds the answer back", async () => {
    failFirst(1, isProduce, () => ({ delayMs: 200 }));
    const producer = await lab.producer();
    const start = performance.now();
    await producer.send({ topic: "t", messages: [{ value: "x" }] });
    expect(performance.now() - start).toBeGreaterThanOrEqual(190);
  });

  test("a throttle time is named at once, and the connection rests for it", async () => {
    failFirst(1, isProduce, () => ({ throttleTimeMs: 300 }));
    const producer = await lab.producer();
    const start = performance.now();
    await producer.send({ topic: "t", messages: [{ value: "1" }] });
    expect(performance.now() - start).toBeLessThan(250);
    await producer.send({ topic: "t", messages: [{ value: "2" }] });
    expect(performance.now() - start).toBeGreaterThanOrEqual(290);
  });

  test("a hook that throws closes the connection and not the process", async () => {
    lab.broker.fault(({ apiName }) => {
      if (apiName === "Produce") throw new RangeError("the test is wrong");
      return undefined;
    });
    const producer = await lab.producer({ retry: { retries: 0 } });
    await expect(producer.send({ topic: "t", messages: [{ value: "x" }] })).rejects.toThrow();
    expect(lab.defects).toMatchObject([{ fields: { reason: "the test is wrong" } }]);
    (lab.defects as unknown[]).length = 0;
  });
});

describe("faults of reading", () => {
  async function fill(count: number): Promise<void> {
    const producer = await lab.producer();
    const messages = Array.from({ length: count }, (_, i) => ({ value: `${i}` }));
    await producer.send({ topic: "t", messages });
  }

  test.each([
    { apiName: "Fetch", fault: { errorCode: NOT_LEADER } },
    { apiName: "Fetch", fault: { close: true as const } },
    { apiName: "Fetch", fault: { close: "after" as const } },
    { apiName: "JoinGroup", fault: { errorCode: 15 } },
    { apiName: "SyncGroup", fault: { errorCode: 27 } },
    { apiName: "FindCoordinator", fault: { errorCode: 15 } },
    { apiName: "OffsetFetch", fault: { errorCode: 14 } },
    { apiName: "ListOffsets", fault: { errorCode: NOT_LEADER } },
    { apiName: "Metadata", fault: { errorCode: 5 } },
  ])("kafkajs gets over $fault of $apiName", async ({ apiName, fault }) => {
    await fill(3);
    const count = failFirst(
      1,
      (request) => request.apiName === apiName,
      () => fault,
    );
    const { until } = await lab.reading({ groupId: "g", topics: ["t"] });
    expect(valuesOf(await until(3))).toEqual(["0", "1", "2"]);
    expect(count.asked).toBeGreaterThan(1);
  });

  test("a commit refused with an error is not applied", async () => {
    await fill(3);
    const reading = await lab.reading({ groupId: "g", topics: ["t"], run: { autoCommit: false } });
    await reading.until(3);
    lab.broker.fault(({ apiName, group, topic, partition }) =>
      apiName === "OffsetCommit" && group === "g" && topic === "t" && partition === 0
        ? { errorCode: TOPIC_AUTHORIZATION_FAILED }
        : undefined,
    );
    const commit = (offset: string) =>
      reading.consumer.commitOffsets([{ topic: "t", partition: 0, offset }]);
    await expect(commit("2")).rejects.toThrow("Topic authorization failed");
    expect(lab.broker.committed("g", "t", 0)).toBeUndefined();
    lab.broker.fault(undefined);
    await commit("3");
    expect(lab.broker.committed("g", "t", 0)).toBe(3n);
  });
});

describe("goDown(), comeUp(), restart() and dropConnections()", () => {
  test("a restart keeps records, groups and the port; clients go on by themselves", async () => {
    const producer = await lab.producer();
    const reading = await lab.reading({ groupId: "g", topics: ["t"] });
    await producer.send({ topic: "t", messages: [{ value: "before" }] });
    await reading.until(1);
    const { port } = lab.broker;
    await lab.broker.restart();
    expect(lab.broker.port).toBe(port);
    await producer.send({ topic: "t", messages: [{ value: "after" }] });
    expect(valuesOf(await reading.until(2))).toEqual(["before", "after"]);
    expect(values()).toEqual(["before", "after"]);
  });

  test("while it is down nobody can connect, and what is sent waits in the client", async () => {
    const producer = await lab.producer();
    await lab.broker.goDown();
    const refused = lab.admin({ retry: { retries: 0 } });
    await expect(refused).rejects.toThrow("ECONNREFUSED");
    const sent = producer.send({ topic: "t", messages: [{ value: "patient" }] });
    await lab.broker.comeUp();
    await sent;
    expect(values()).toEqual(["patient"]);
  });

  test("dropped connections come back", async () => {
    const reading = await lab.reading({ groupId: "g", topics: ["t"] });
    const producer = await lab.producer();
    for (const value of ["1", "2", "3"]) {
      lab.broker.dropConnections();
      await producer.send({ topic: "t", messages: [{ value }] });
    }
    expect(valuesOf(await reading.until(3))).toEqual(["1", "2", "3"]);
  });
});
