import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { storedLetters } from "../../shared/engine/dead-letter-log.ts";
import { DeadLetters } from "../../shared/engine/dead-letters.ts";
import type { Publisher, PublishReceipt, RecordProducer } from "../../shared/engine/ports.ts";
import {
  mergedResults,
  type ReplayOptions,
  type ReplayResult,
  replay,
} from "../../shared/engine/replay.ts";
import { ReplayMarks } from "../../shared/engine/replay-marks.ts";
import {
  kafkaToMqttReplay,
  mqttToKafkaReplay,
  trialReplay,
} from "../../shared/engine/replay-routes.ts";
import { newCounters } from "../../shared/engine/status.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish } from "../../shared/model/publish.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { deadLetterOfPublish, deadLetterOfRecord } from "../../shared/translate/dead-letter.ts";
import { bytes, publish, record } from "../support/memory-ports.ts";
import { MemoryTopic } from "../support/memory-topic.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

const DEAD = "isthmus.dead-letter";
const NEVER = new Promise<never>(() => undefined);
const noLog = (): void => undefined;
const textOf = (value: Uint8Array | null): string => new TextDecoder().decode(value ?? undefined);
const rejected = { kind: "rejected", code: "TOPIC_NAME_INVALID", reason: "still bad" } as const;

/** What outlives a crash: the dead-letter topic, and what came to the destinations. */
class World {
  readonly letters = new MemoryTopic(DEAD, 3);
  /** By the message's text. */
  readonly arrived = new Map<string, number>();
  readonly clock = new VirtualClock();
  /** Milliseconds before each effect of a kind, and again before it is acknowledged. */
  pace = { publish: 1, produce: 1, mark: 1 };
  /** Asked at every effect; false when the process is dead. */
  happen: () => boolean = () => true;
  producerFault: (records: readonly OutgoingRecord[]) => BridgeError | undefined = () => undefined;

  /** Letters of both routes in turn, with these texts. */
  constructor(...texts: readonly string[]) {
    for (const [i, text] of texts.entries()) {
      const why = { code: "TOPIC_NAME_INVALID", reason: "bad", time: 1000 + i, attempt: 1 };
      const letter =
        i % 2 === 0
          ? deadLetterOfRecord(record({ offset: BigInt(i), value: bytes(text) }), DEAD, {
              ...{ ...why, route: "down" },
            })
          : deadLetterOfPublish(
              { publish: publish({ payload: bytes(text) }), receivedAt: 1000 },
              DEAD,
              { ...why, route: "up" },
            );
      this.letters.append([letter]);
    }
  }

  /** Resolves after so long, or never when the process is dead then. */
  async effect(ms: number): Promise<void> {
    const { happen } = this;
    await new Promise<void>((resolve) => this.clock.after(ms, resolve));
    if (!happen()) await NEVER;
  }

  arrive(text: string): void {
    this.arrived.set(text, (this.arrived.get(text) ?? 0) + 1);
  }

  /** Letters that are not marked, as text with their attempt. */
  async left(): Promise<string[]> {
    const left: string[] = [];
    const ranges = await this.letters.ranges(DEAD);
    for await (const { letter, replayed } of storedLetters(this.letters, ranges)) {
      const value = letter.source === "kafka" ? letter.record.value : letter.publish.payload;
      if (!replayed) left.push(`${textOf(value)} ${letter.why.attempt}`);
    }
    return left;
  }
}

/** Says a while after a message has come that it has, unless the process died. */
class LatePublisher implements Publisher {
  private readonly world: World;
  private unsettled = 0;
  private onRoom: () => void = () => undefined;

  constructor(world: World) {
    this.world = world;
  }

  get room(): number {
    return 10 - this.unsettled;
  }

  async start(onRoom: () => void): Promise<void> {
    this.onRoom = onRoom;
  }

  publish(message: Publish, receipt: PublishReceipt): void {
    this.unsettled += 1;
    void this.send(message, receipt);
  }

  flush(): void {}

  async stop(): Promise<void> {}

  private async send(message: Publish, receipt: PublishReceipt): Promise<void> {
    await this.world.effect(this.world.pace.publish);
    this.world.arrive(textOf(message.payload));
    await this.world.effect(this.world.pace.publish);
    this.unsettled -= 1;
    receipt.settle(undefined);
    this.onRoom();
  }
}

/** Writes letters and marks into the topic, other records to their destination. */
function producerInto(world: World): RecordProducer {
  return {
    start: () => Promise.resolve(),
    async send(records): Promise<void> {
      const ms = records.some(({ topic }) => topic === DEAD) ? world.pace.mark : world.pace.produce;
      await world.effect(ms);
      const fault = world.producerFault(records);
      if (fault !== undefined) throw fault;
      world.letters.append(records.filter(({ topic }) => topic === DEAD));
      for (const { topic, value } of records) if (topic !== DEAD) world.arrive(textOf(value));
      await world.effect(ms);
    },
    stop: () => Promise.resolve(),
  };
}

/** Texts that begin with "bad" are rejected, with "old" expired. */
function verdict(text: string): Translation<never> | undefined {
  if (text.startsWith("bad")) return rejected;
  return text.startsWith("old") ? { kind: "expired" } : undefined;
}

async function optionsFor(world: World, over: Partial<ReplayOptions> = {}): Promise<ReplayOptions> {
  const { clock } = world;
  const producer = producerInto(world);
  const common = () => ({
    deadLetters: new DeadLetters({ producer, clock, log: noLog }),
    ...{ clock, log: noLog, counters: newCounters(), budgetBytes: 100_000, markMessages: false },
  });
  return {
    letters: storedLetters(world.letters, await world.letters.ranges(DEAD)),
    selection: {},
    limit: Number.POSITIVE_INFINITY,
    drainMs: 100,
    stopped: NEVER,
    window: 5,
    routeOf: async (letter, owner) => {
      const route =
        letter.source === "kafka"
          ? kafkaToMqttReplay(
              {
                ...common(),
                route: kafkaToMqttRoute({ name: "down" }),
                publisher: new LatePublisher(world),
                translate: ({ value }) =>
                  verdict(textOf(value)) ?? {
                    ...{ kind: "translated", removed: [] },
                    message: publish({ payload: value ?? bytes("") }),
                  },
              },
              owner,
            )
          : mqttToKafkaReplay(
              {
                ...common(),
                route: mqttToKafkaRoute({ name: "up" }),
                producer,
                translate: ({ publish: { payload } }) =>
                  verdict(textOf(payload)) ?? {
                    ...{ kind: "translated", removed: [] },
                    message: {
                      ...{ topic: "out", key: null, value: payload, headers: [] },
                      partitioning: { by: "roundRobin" },
                    },
                  },
              },
              owner,
            );
      await route.start();
      return route;
    },
    marks: (owner) =>
      new ReplayMarks({
        ...{ producer, clock, log: noLog },
        onMarked: (letters) => owner.marked(letters),
        onFailed: (error) => owner.failed(error),
      }),
    ...over,
  };
}

/** Runs to the end, moving time on where something waits for it. */
async function run(world: World, over: Partial<ReplayOptions> = {}): Promise<ReplayResult> {
  let over_ = false;
  const running = replay(await optionsFor(world, over)).finally(() => {
    over_ = true;
  });
  running.catch(() => undefined);
  while (!over_) await world.clock.advance(50);
  return await running;
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`);
const countsOf = (result: ReplayResult, route: string) => result.routes.get(route)?.[0];

describe("replay()", () => {
  test("puts every letter through its own route, and marks it [S-54]", async () => {
    const world = new World(...texts(40));
    const result = await run(world);
    expect([...world.arrived.keys()].toSorted()).toEqual(texts(40).toSorted());
    expect(new Set(world.arrived.values())).toEqual(new Set([1]));
    expect(await world.left()).toEqual([]);
    expect(result).toMatchObject({ taken: 40, interrupted: false });
    expect(countsOf(result, "down")).toMatchObject({ received: 20, delivered: 20, inFlight: 0 });
    expect(countsOf(result, "up")).toMatchObject({ received: 20, delivered: 20, inFlight: 0 });
  });

  test("repeated, it does nothing", async () => {
    const world = new World(...texts(10));
    await run(world);
    expect((await run(world)).taken).toBe(0);
    expect((await run(world, { selection: { again: true } })).taken).toBe(10);
    expect(new Set(world.arrived.values())).toEqual(new Set([2]));
  });

  test("dead-letters again what fails again, with the next attempt, and does not meet it in the same run [S-54]", async () => {
    const world = new World("a", "bad1", "bad2", "old", "b");
    const result = await run(world);
    expect(world.arrived).toEqual(
      new Map([
        ["a", 1],
        ["b", 1],
      ]),
    );
    expect((await world.left()).toSorted()).toEqual(["bad1 2", "bad2 2"]);
    expect(countsOf(result, "down")).toMatchObject({ delivered: 2, deadLettered: 1 });
    expect(countsOf(result, "up")).toMatchObject({ expired: 1, deadLettered: 1 });
    await run(world);
    expect((await world.left()).toSorted()).toEqual(["bad1 3", "bad2 3"]);
  });

  test("takes only what is selected, and no more than the limit", async () => {
    const world = new World(...texts(20));
    expect((await run(world, { selection: { route: "up" }, limit: 3 })).taken).toBe(3);
    expect([...world.arrived.keys()]).toEqual(["m1", "m3", "m5"]);
    expect((await run(world, { limit: 0 })).taken).toBe(0);
  });

  test("leaves letters of unknown routes as they are, and does not count them for the limit", async () => {
    const world = new World(...texts(6));
    const known = (await optionsFor(world)).routeOf;
    const result = await run(world, {
      limit: 2,
      routeOf: async (letter, owner) =>
        letter.source === "kafka" ? undefined : await known(letter, owner),
    });
    expect(result.taken).toBe(2);
    expect(result.noRoute).toEqual(new Map([["down", 2]]));
    expect(await world.left()).toEqual(["m0 1", "m2 1", "m4 1", "m5 1"]);
  });

  test("interrupted, it lets end what it has taken, marks it, and says so", async () => {
    const world = new World(...texts(40));
    let interrupt: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    let effects = 0;
    world.happen = () => {
      effects += 1;
      if (effects === 15) interrupt();
      return true;
    };
    const result = await run(world, { stopped });
    expect(result.interrupted).toBe(true);
    expect(result.taken).toBeLessThan(40);
    expect(world.arrived.size).toBe(result.taken);
    expect(await world.left()).toHaveLength(40 - result.taken);
  });

  test("ends where a message can be neither delivered nor dead-lettered, which stays unmarked [S-54]", async () => {
    const world = new World("a", "b", "bad");
    world.producerFault = (records) =>
      records.some(({ value }) => textOf(value) === "bad")
        ? new BridgeError("KAFKA_NOT_AUTHORIZED", "no")
        : undefined;
    await expect(run(world)).rejects.toMatchObject({ code: "DEAD_LETTER_FAILED" });
    expect(await world.left()).toEqual(["bad 1"]);
  });

  test("ends when it cannot mark: it would send everything twice", async () => {
    const world = new World(...texts(40));
    world.producerFault = (records) =>
      records.some(({ topic }) => topic === DEAD)
        ? new BridgeError("KAFKA_NOT_AUTHORIZED", "no")
        : undefined;
    await expect(run(world)).rejects.toMatchObject({
      code: "DEAD_LETTER_FAILED",
      message: expect.stringContaining('dead letters in "isthmus.dead-letter" as sent again'),
    });
    expect(world.arrived.size).toBeLessThanOrEqual(5);
  });

  test("tries again to mark while that may pass", async () => {
    const world = new World(...texts(10));
    let faults = 3;
    world.producerFault = (records) => {
      if (!records.some(({ topic }) => topic === DEAD)) return undefined;
      faults -= 1;
      return faults >= 0
        ? new BridgeError("KAFKA_UNAVAILABLE", "away", { retryable: true })
        : undefined;
    };
    await run(world);
    expect(faults).toBeLessThan(0);
    expect(await world.left()).toEqual([]);
    expect(new Set(world.arrived.values())).toEqual(new Set([1]));
  });

  test("tries without sending or marking anything", async () => {
    const world = new World("a", "b", "bad", "c", "old");
    const result = await run(world, {
      marks: undefined,
      routeOf: async (_letter, owner) =>
        trialReplay(
          ({ source, ...rest }) => {
            const { record: r, publish: p } = rest as never as {
              record?: { value: Uint8Array };
              publish?: Publish;
            };
            const text = textOf((source === "kafka" ? r?.value : p?.payload) ?? null);
            return verdict(text) ?? { kind: "translated", message: text, removed: [] };
          },
          newCounters(),
          owner,
        ),
    });
    expect(countsOf(result, "down")).toMatchObject({
      ...{ received: 3, delivered: 1, expired: 1, deadLettered: 1 },
      rejected: { TOPIC_NAME_INVALID: 1 },
    });
    expect(countsOf(result, "up")).toMatchObject({ received: 2, delivered: 2 });
    expect(world.arrived.size).toBe(0);
    expect(await world.left()).toHaveLength(5);
  });

  test("killed at any moment and begun again: nothing is lost, and no more is doubled than was in flight [S-50, S-54]", async () => {
    const kinds = fc.array(fc.constantFrom("m", "m", "m", "bad", "old"), {
      minLength: 1,
      maxLength: 40,
    });
    const kills = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 });
    const ms = fc.integer({ min: 0, max: 30 });
    const pace = fc.record({ publish: ms, produce: ms, mark: ms });
    const window = fc.integer({ min: 1, max: 8 });
    await fc.assert(
      fc.asyncProperty(kinds, kills, pace, window, async (some, when, paces, most) => {
        const named = some.map((kind, i) => `${kind}${i}`);
        const world = new World(...named);
        world.pace = paces;
        for (const effects of when) await killedAfter(world, effects, most);
        world.happen = () => true;
        await run(world, { window: most });
        expect(world.letters.open).toBe(0);

        const delivered = named.filter((text) => verdict(text) === undefined);
        expect([...world.arrived.keys()].toSorted()).toEqual(delivered.toSorted());
        const copies = [...world.arrived.values()].reduce((sum, n) => sum + n, 0);
        expect(copies - delivered.length).toBeLessThanOrEqual(when.length * most);
        const bad = named.filter((text) => text.startsWith("bad"));
        const left = (await world.left()).map((text) => text.split(" ")[0]);
        expect(new Set(left)).toEqual(new Set(bad));
      }),
      { numRuns: 100 },
    );
  });
});

/** Runs until so many effects have happened; then nothing of that process happens any more. */
async function killedAfter(world: World, effects: number, window: number): Promise<void> {
  let left = effects;
  world.happen = () => {
    left -= 1;
    return left >= 0;
  };
  let ended = false;
  void replay(await optionsFor(world, { window })).finally(() => {
    ended = true;
  });
  for (let steps = 0; left > 0 && !ended && steps < 1000; steps += 1) await world.clock.advance(5);
  left = 0;
  await settle();
  world.letters.open = 0;
}

describe("mergedResults()", () => {
  test("adds up what several topics brought", () => {
    const [one, two] = [newCounters(), newCounters()];
    const result = mergedResults([
      {
        taken: 2,
        noRoute: new Map([["x", 1]]),
        routes: new Map([["a", [one]]]),
        interrupted: false,
      },
      {
        taken: 3,
        noRoute: new Map([["x", 2]]),
        routes: new Map([["a", [two]]]),
        interrupted: true,
      },
    ]);
    expect(result).toEqual({
      ...{ taken: 5, interrupted: true },
      noRoute: new Map([["x", 3]]),
      routes: new Map([["a", [one, two]]]),
    });
    expect(mergedResults([]).interrupted).toBe(false);
  });
});
