import { beforeEach, describe, expect, test } from "vitest";
import {
  CanaryRun,
  type CanaryRunOptions,
  MOST_UNDER_WAY,
} from "../../../local/verify/canary-run.ts";
import { BridgeError } from "../../../shared/errors.ts";
import { publishToRecord } from "../../../shared/translate/publish-to-record.ts";
import { CanaryChecker } from "../../../shared/verify/canary-checker.ts";
import { canaryPath } from "../../../shared/verify/canary-path.ts";
import { recordShape } from "../../../shared/verify/canary-shape.ts";
import { mqttToKafkaRoute } from "../../support/routes.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const route = mqttToKafkaRoute({ partitionStrategy: { kind: "Topic" } });
const path = canaryPath({ route, topic: "factory/x", lanes: 1, size: 1 });
const translate = publishToRecord(route, 0);

let clock: VirtualClock;
let stop: () => void;
let stopped: Promise<void>;

beforeEach(() => {
  clock = new VirtualClock();
  stopped = new Promise((resolve) => {
    stop = resolve;
  });
});

/** A run whose source takes what it is given, and a bridge that delivers what the test tells it to. */
function bench(over: Partial<CanaryRunOptions> & { delivers?(number: number): boolean } = {}) {
  const { delivers = () => true, ...rest } = over;
  const count = over.count ?? 10;
  const checker = new CanaryChecker(count);
  const run = new CanaryRun({ path, checker, count, timeoutMs: 5000, clock, stopped, ...rest });
  const sent: number[] = [];
  const times: number[] = [];
  const deliver = (number: number): void => {
    const mark = { run: "0123abcd", number, sentAt: clock.now() };
    const message = path.message(mark);
    if (message.kind !== "mqtt") return;
    const translation = translate(
      { publish: message.publish, receivedAt: 0 },
      { now: 0, newId: () => clock.newId() },
    );
    if (translation.kind !== "translated") return;
    run.arrived({ mark, shape: recordShape(translation.message), partition: 0 }, clock.now() + 2);
  };
  const sender = {
    async send(first: number, end: number): Promise<void> {
      for (let number = first; number < end; number += 1) {
        sent.push(number);
        times.push(clock.now());
        if (delivers(number)) clock.after(2, () => deliver(number));
      }
    },
  };
  return { run, sender, checker, sent, times, deliver };
}

/** Lets time pass until the run has ended. */
async function ending<T>(run: Promise<T>): Promise<T> {
  let ended = false;
  const noted = run.finally(() => {
    ended = true;
  });
  noted.catch(() => undefined);
  for (let i = 0; i < 2000 && !ended; i += 1) await clock.advance(50);
  return noted;
}

describe("CanaryRun", () => {
  test("sends every canary once and ends when all have arrived", async () => {
    const { run, sender, checker, sent } = bench({ count: 3000 });
    expect(await ending(run.run(sender))).toBe("complete");
    expect(sent).toEqual(Array.from({ length: 3000 }, (_, number) => number));
    expect(checker.counts()).toMatchObject({ sent: 3000, received: 3000, lost: 0, wrong: 0 });
    expect(checker.counts().latencyMs.max).toBeCloseTo(2, 1);
  });

  test("does not count the moment in which it waits for late duplicates", async () => {
    const { run, sender } = bench({ count: 1 });
    await ending(run.run(sender));
    expect(run.seconds).toBeLessThan(0.2);
  });

  test("keeps no more under way than a bridge that is not running should find", async () => {
    const { run, sender, checker, sent } = bench({ count: 5000, delivers: () => false });
    expect(await ending(run.run(sender))).toBe("timeout");
    expect(sent).toHaveLength(MOST_UNDER_WAY);
    expect(checker.counts()).toMatchObject({ sent: MOST_UNDER_WAY, received: 0 });
  });

  test("gives up only when nothing has come for the whole timeout", async () => {
    const { run, sender, checker, deliver } = bench({ count: 3, delivers: () => false });
    const ended = run.run(sender);
    for (const number of [0, 1]) {
      await clock.advance(4900);
      deliver(number);
    }
    expect(await ending(ended)).toBe("timeout");
    expect(checker.counts()).toMatchObject({ received: 2, lost: 1 });
    expect(checker.missing()).toEqual([2]);
  });

  test("gives up on a source that does not answer", async () => {
    const { run } = bench();
    const never = { send: () => new Promise<void>(() => undefined) };
    expect(await ending(run.run(never))).toBe("timeout");
  });

  test("keeps to the rate, and waits longer for the next than the timeout where the rate asks for it", async () => {
    const { run, sender, times } = bench({ count: 4, perSecond: 0.1, timeoutMs: 1000 });
    expect(await ending(run.run(sender))).toBe("complete");
    const [start = 0] = times;
    expect(times.map((at) => Math.round((at - start) / 1000))).toEqual([0, 10, 20, 30]);
  });

  test("ends when it is told to, with what has come by then", async () => {
    const { run, sender, checker } = bench({ count: 100, perSecond: 10 });
    const ended = run.run(sender);
    await clock.advance(1000);
    stop();
    expect(await ending(ended)).toBe("interrupted");
    const { sent, lost } = checker.counts();
    expect(sent).toBeGreaterThan(8);
    expect(sent).toBeLessThan(13);
    expect(lost).toBeLessThan(2);
  });

  test("ends as soon as what is missing is found among the dead letters", async () => {
    const { run, sender, checker } = bench({ count: 3, delivers: (number) => number !== 1 });
    const ended = run.run(sender);
    await clock.advance(1000);
    run.deadLettered({ run: "0123abcd", number: 1, sentAt: 0 }, "TOO_LARGE");
    expect(await ending(ended)).toBe("complete");
    expect(checker.counts()).toMatchObject({ received: 2, deadLettered: 1, lost: 0 });
  });

  test("ends with the fault of a source that refuses", async () => {
    const { run } = bench();
    const refused = new BridgeError("KAFKA_NOT_AUTHORIZED", "no");
    await expect(ending(run.run({ send: () => Promise.reject(refused) }))).rejects.toBe(refused);
  });

  test("counts what arrives otherwise than it should", async () => {
    const { run, sender, checker } = bench({ count: 1, delivers: () => false });
    const ended = run.run(sender);
    const mark = { run: "0123abcd", number: 0, sentAt: clock.now() };
    run.arrived({ mark, shape: { payload: null, fields: [] }, partition: 0 }, clock.now());
    expect(await ending(ended)).toBe("complete");
    expect(checker.counts()).toMatchObject({ received: 1, wrong: 1 });
  });
});
