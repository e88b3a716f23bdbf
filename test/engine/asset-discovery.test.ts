import { describe, expect, test } from "vitest";
import { AssetDiscovery } from "../../shared/engine/asset-discovery.ts";
import type { AddedAsset, AssetStore, LogLevel } from "../../shared/engine/ports.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { DiscoveredAsset } from "../../shared/model/device.ts";
import { MemorySubscriber, publish } from "../support/memory-ports.ts";
import { settle, VirtualClock } from "../support/virtual-clock.ts";

/** A store in memory that several discoveries may share, and that can fail. */
class MemoryStore implements AssetStore {
  readonly assets = new Map<string, DiscoveredAsset>();
  fault: BridgeError | undefined;
  mostAtOnce = 0;
  private atOnce = 0;

  async list(): Promise<readonly DiscoveredAsset[]> {
    if (this.fault) throw this.fault;
    return [...this.assets.values()];
  }

  async add(asset: DiscoveredAsset): Promise<AddedAsset> {
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce -= 1;
    if (this.fault) throw this.fault;
    const other = this.assets.get(asset.name);
    if (other !== undefined) return other.topic === asset.topic ? "known" : "nameTaken";
    this.assets.set(asset.name, asset);
    return "added";
  }

  async remove(name: string): Promise<void> {
    this.assets.delete(name);
  }
}

const endpoint = {
  name: "kafka-incoming/mqtt",
  device: "kafka-incoming",
  endpoint: "mqtt",
  location: { file: "m", line: 1, column: 1 },
  source: "s",
  target: "s",
  discovery: { topicFilter: "factory/+", assetLevel: 2 },
  topicMappingPrefix: "processed",
};

function discovery(store = new MemoryStore(), limit?: number) {
  const subscriber = new MemorySubscriber();
  const clock = new VirtualClock();
  const lines: [LogLevel, string][] = [];
  const found = new AssetDiscovery({
    endpoint,
    subscriber,
    store,
    clock,
    log: (level, message) => lines.push([level, message]),
    isOwn: (topic) => topic.startsWith("factory/own"),
    ...(limit === undefined ? {} : { limit }),
  });
  const meet = async (...topics: string[]): Promise<void> => {
    for (const topicName of topics) subscriber.deliver(publish({ topicName, qos: 0 }), clock.now());
    await settle();
  };
  return { found, subscriber, clock, store, lines, meet };
}

const topics = (store: MemoryStore): string[] =>
  [...store.assets.values()].map(({ topic }) => topic).sort();

describe("AssetDiscovery (S-60)", () => {
  test("keeps each topic that it meets once, by its level and four letters", async () => {
    const { found, subscriber, meet, store, clock } = discovery();
    await found.start();
    expect(subscriber.request).toEqual({ topicFilters: ["factory/+"], qos: 0 });
    await meet("factory/robot", "factory/oven", "factory/robot");
    expect(found.list()).toEqual([
      {
        name: expect.stringMatching(/^robot-[a-z]{4}$/),
        topic: "factory/robot",
        device: "kafka-incoming",
        endpoint: "mqtt",
        firstSeen: clock.now(),
      },
      expect.objectContaining({ topic: "factory/oven" }),
    ]);
    expect([...store.assets.values()]).toEqual(found.list());
    expect(found.counts()).toEqual({ discovered: 2, displaced: 0 });
    expect(subscriber.acknowledged).toHaveLength(3);
  });

  test("leaves topics alone that it forwards to itself, and those of another filter", async () => {
    const { found, meet } = discovery();
    await found.start();
    await meet("factory/own", "factory/a/b", "other/a");
    expect(found.list()).toEqual([]);
  });

  test("finds the names of before after a restart, and the same in another instance", async () => {
    const first = discovery();
    await first.found.start();
    await first.meet("factory/robot");
    const names = [...first.store.assets.keys()];
    await first.found.stop();
    const restarted = discovery(first.store);
    await restarted.found.start();
    expect(restarted.found.list().map(({ name }) => name)).toEqual(names);
    await restarted.meet("factory/robot");
    const other = discovery();
    await other.found.start();
    await other.meet("factory/robot");
    expect([...other.store.assets.keys()]).toEqual(names);
    expect([...first.store.assets.keys()]).toEqual(names);
  });

  test("of another device's assets it takes no notice, and a name that is taken is not taken again", async () => {
    const store = new MemoryStore();
    const twin = discovery();
    await twin.found.start();
    await twin.meet("factory/robot");
    const [taken = ""] = twin.store.assets.keys();
    store.assets.set(taken, {
      name: taken,
      topic: "x/robot",
      device: "d",
      endpoint: "e",
      firstSeen: 0,
    });
    const { found, meet } = discovery(store);
    await found.start();
    expect(found.list()).toEqual([]);
    await meet("factory/robot");
    expect(found.list()).toHaveLength(1);
    expect(found.list()[0]?.name).not.toBe(taken);
  });

  test("of more topics than the limit the quietest make way, and a new one is always found", async () => {
    const { found, meet, store, lines } = discovery(new MemoryStore(), 3);
    await found.start();
    await meet("factory/a", "factory/b", "factory/c");
    await meet("factory/d");
    // all were lively when d came: the oldest went
    expect(topics(store)).toEqual(["factory/b", "factory/c", "factory/d"]);
    await meet("factory/b", "factory/d");
    await meet("factory/e");
    expect(topics(store)).toEqual(["factory/b", "factory/d", "factory/e"]);
    expect(found.counts()).toEqual({ discovered: 3, displaced: 2 });
    expect(lines.filter(([level]) => level === "warn")).toEqual([
      ["warn", "More topics than are kept: the quietest are given up for new ones"],
    ]);
    await meet("factory/a");
    expect(topics(store)).toContain("factory/a");
  });

  test("a store that holds more than the limit is cut down at the start", async () => {
    const store = new MemoryStore();
    const before = discovery(store, 5);
    await before.found.start();
    await before.meet("factory/a", "factory/b", "factory/c", "factory/d");
    const { found } = discovery(store, 2);
    await found.start();
    expect(store.assets.size).toBe(2);
    expect(found.counts()).toEqual({ discovered: 2, displaced: 2 });
  });

  test("a flood of topics takes no more memory than the limit, and the last one is there", async () => {
    const { found, subscriber, store, clock } = discovery(new MemoryStore(), 100);
    await found.start();
    const message = publish({ qos: 0 });
    let paused = 0;
    // as a broker would: what is paused gets nothing
    for (let i = 0; i < 30_000; i += 1) {
      while (subscriber.paused) {
        paused += 1;
        await settle();
      }
      subscriber.deliver({ ...message, topicName: `factory/t${i}` }, clock.now());
      if (i % 10_000 === 0) await settle();
    }
    await settle();
    expect(paused).toBeGreaterThan(0);
    expect(store.assets.size).toBe(100);
    expect(topics(store)).toContain("factory/t29999");
    expect(store.mostAtOnce).toBe(1);
  });

  test("what cannot be kept is tried again, and found when it can", async () => {
    const { found, meet, store, clock, lines } = discovery();
    await found.start();
    store.fault = new BridgeError("STATE_UNAVAILABLE", "the disk is full", { retryable: true });
    await meet("factory/a");
    await meet("factory/b");
    expect(found.list()).toEqual([]);
    expect(lines).toEqual([["warn", "Discovered assets cannot be kept yet, trying again"]]);
    store.fault = undefined;
    await clock.advance(5000);
    expect(topics(store)).toEqual(["factory/a", "factory/b"]);
  });

  test("does nothing more once it is stopped", async () => {
    const { found, meet, store, clock, subscriber } = discovery();
    await found.start();
    store.fault = new BridgeError("STATE_UNAVAILABLE", "gone");
    await meet("factory/a");
    await found.stop();
    store.fault = undefined;
    await clock.advance(60_000);
    await meet("factory/b");
    expect(topics(store)).toEqual([]);
    expect(subscriber.stopped).toBe(true);
  });
});
