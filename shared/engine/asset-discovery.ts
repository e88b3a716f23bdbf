import { toBridgeError } from "../errors.ts";
import type { DeviceEndpoint, DiscoveredAsset } from "../model/device.ts";
import { assetName } from "../topics/asset-name.ts";
import { topicFilterMatches } from "../topics/topic-filter.ts";
import type { AssetStore, Clock, Delivery, Log, Subscriber } from "./ports.ts";

/** How many discovered assets are kept of one endpoint, in memory and in the store. */
export const MOST_DISCOVERED = 10_000;
/** New topics that wait to be stored; more of them, and the subscriber is paused. */
const MOST_WAITING = 1000;
/** Two topics seldom have one name; so many times they never do. */
const MOST_ATTEMPTS = 50;
const RETRY_MS = 5000;

export interface AssetDiscoveryOptions {
  readonly endpoint: DeviceEndpoint & Required<Pick<DeviceEndpoint, "discovery">>;
  readonly subscriber: Subscriber;
  readonly store: AssetStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Topics that are forwarded to: finding them would begin a circle. */
  readonly isOwn: (topicName: string) => boolean;
  readonly limit?: number;
}

export interface DiscoveryCounts {
  /** Kept now. */
  readonly discovered: number;
  /** Given up for newer ones, because there were more than the limit. */
  readonly displaced: number;
}

interface Known {
  readonly asset: DiscoveredAsset;
  /** Met since it was last thought of giving it up. */
  isLively: boolean;
}

/** Subscribes to a Device's filter and keeps every topic that it meets as a discovered asset (S-60), up to a limit: then the quietest goes. */
export class AssetDiscovery {
  private readonly options: AssetDiscoveryOptions;
  private readonly limit: number;
  /** By topic, the oldest first. */
  private readonly known = new Map<string, Known>();
  private readonly waiting = new Set<string>();
  private displaced = 0;
  private storing = false;
  private paused = false;
  private stopped = false;
  private cancelRetry: (() => void) | undefined;

  constructor(options: AssetDiscoveryOptions) {
    this.options = options;
    this.limit = options.limit ?? MOST_DISCOVERED;
  }

  /** Reads what was found before, then subscribes. @throws BridgeError */
  async start(): Promise<void> {
    const { endpoint, store, subscriber } = this.options;
    const own = (await store.list()).filter(
      ({ device, endpoint: of }) => device === endpoint.device && of === endpoint.endpoint,
    );
    for (const asset of own.toSorted((a, b) => a.firstSeen - b.firstSeen)) {
      this.known.set(asset.topic, { asset, isLively: false });
    }
    // others may have filled the store, or a greater limit held
    await this.keepWithinLimit();
    const { topicFilter } = endpoint.discovery;
    await subscriber.start({ topicFilters: [topicFilter], qos: 0 }, (delivery) =>
      this.receive(delivery),
    );
  }

  counts(): DiscoveryCounts {
    return { discovered: this.known.size, displaced: this.displaced };
  }

  /** Newest last. */
  list(): DiscoveredAsset[] {
    return [...this.known.values()].map(({ asset }) => asset);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelRetry?.();
    await this.options.subscriber.stop();
  }

  private receive(delivery: Delivery): void {
    delivery.acknowledge();
    const { topicName } = delivery.publish;
    const known = this.known.get(topicName);
    if (known !== undefined) {
      known.isLively = true;
      return;
    }
    const { endpoint, isOwn, subscriber } = this.options;
    // a session that goes on may still have the filter of an earlier start
    if (!topicFilterMatches(endpoint.discovery.topicFilter, topicName) || isOwn(topicName)) return;
    this.waiting.add(topicName);
    if (!this.paused && this.waiting.size > MOST_WAITING) {
      this.paused = true;
      subscriber.pause();
    }
    void this.storeAll();
  }

  /** One after the other, so that a flood of topics is a queue and not a crowd. */
  private async storeAll(): Promise<void> {
    if (this.storing || this.stopped || this.cancelRetry !== undefined) return;
    this.storing = true;
    try {
      for (const topic of this.waiting) {
        if (this.stopped) break;
        await this.store(topic);
        this.waiting.delete(topic);
        this.resume();
      }
    } catch (cause) {
      this.retryLater(cause);
    } finally {
      this.storing = false;
    }
    if (this.waiting.size > 0) void this.storeAll();
  }

  private resume(): void {
    if (!this.paused || this.waiting.size > MOST_WAITING / 2) return;
    this.paused = false;
    this.options.subscriber.resume();
  }

  private async store(topic: string): Promise<void> {
    const { endpoint, store, clock, log } = this.options;
    const { device, endpoint: of, discovery } = endpoint;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const name = assetName({ device, endpoint: of, topic }, discovery.assetLevel, attempt);
      const asset = { name, topic, device, endpoint: of, firstSeen: clock.now() };
      const added = await store.add(asset);
      if (added === "nameTaken") continue;
      this.known.set(topic, { asset, isLively: true });
      if (added === "added")
        log("info", "Asset discovered", { endpoint: endpoint.name, name, topic });
      await this.keepWithinLimit();
      return;
    }
    log("warn", "A topic has no name of its own and is left out", {
      endpoint: endpoint.name,
      topic,
    });
  }

  /** The quietest makes way: so many topics that nobody can look at them must not hide a new one. */
  private async keepWithinLimit(): Promise<void> {
    const { store, log, endpoint } = this.options;
    for (const [topic, known] of this.known) {
      if (this.known.size <= this.limit) return;
      this.known.delete(topic);
      if (known.isLively) {
        this.known.set(topic, { asset: known.asset, isLively: false });
        continue;
      }
      await store.remove(known.asset.name);
      if (this.displaced === 0) {
        log("warn", "More topics than are kept: the quietest are given up for new ones", {
          endpoint: endpoint.name,
          limit: this.limit,
        });
      }
      this.displaced += 1;
    }
  }

  private retryLater(cause: unknown): void {
    const { clock, log, endpoint } = this.options;
    const error = toBridgeError(cause, "STATE_UNAVAILABLE", "Cannot keep a discovered asset");
    const fields = { endpoint: endpoint.name, code: error.code, error: error.message };
    log("warn", "Discovered assets cannot be kept yet, trying again", fields);
    this.cancelRetry = clock.after(RETRY_MS, () => {
      this.cancelRetry = undefined;
      void this.storeAll();
    });
  }
}
