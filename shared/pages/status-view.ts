import type { RouteStatus } from "../engine/status.ts";
import type { DiscoveredAsset } from "../model/device.ts";

/** One message that crossed, as the page shows it; made only where a tap was asked for. */
export interface Crossing {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly route: string;
  readonly from: string;
  readonly to: string;
  /** Bytes of the payload. */
  readonly bytes: number;
  /** The beginning of the payload as text, or a note that it is binary. */
  readonly preview: string;
  /** User properties or headers that crossed. */
  readonly properties: number;
}

/** Messages per second of one route: now, and one value per second up to now, oldest first. */
export interface RouteRate {
  readonly perSecond: number;
  readonly history: readonly number[];
}

/** What one endpoint of a Device has found (S-60). */
export interface DiscoveryView {
  /** `<device>/<endpoint>` */
  readonly endpoint: string;
  readonly topicFilter: string;
  /** The oldest first. */
  readonly assets: readonly DiscoveredAsset[];
  /** How many were given up for newer ones. */
  readonly displaced: number;
  readonly limit: number;
}

export interface AssetsView {
  readonly endpoints: readonly DiscoveryView[];
  /** Names of the assets that are forwarded. */
  readonly imported: ReadonlySet<string>;
}

/** Everything the pages show. Holds no secrets; payloads only in {@link StatusView.recent}. */
export interface StatusView {
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly now: number;
  /** One per route and instance. */
  readonly routes: readonly RouteStatus[];
  /** By route name. */
  readonly rates?: ReadonlyMap<string, RouteRate>;
  /** Newest first; undefined when nobody asked for a tap. */
  readonly recent?: readonly Crossing[];
  readonly workerRestarts?: number;
  /** Undefined where there is no Device. */
  readonly assets?: AssetsView;
}
