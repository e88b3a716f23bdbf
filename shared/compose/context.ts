import type { AssetStore, Clock, Log } from "../engine/ports.ts";
import type { RouteStatus } from "../engine/status.ts";
import type { Asset } from "../model/device.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Plan } from "../model/plan.ts";
import type { Publish } from "../model/publish.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "../model/route.ts";
import type { SecretStore } from "../model/secret-store.ts";
import type { TokenSource } from "../model/token-source.ts";
import type { DiscoveryView } from "../pages/status-view.ts";

/** Watches messages cross, for the status page; called after delivery, must not throw. */
export interface Tap {
  published?(route: KafkaToMqttRoute, record: KafkaRecord, publish: Publish): void;
  produced?(route: MqttToKafkaRoute, publish: Publish, topic: string): void;
}

export interface HostOptions {
  readonly plan: Plan;
  readonly secrets: SecretStore;
  readonly log: Log;
  readonly clock?: Clock;
  /** Tokens of the app's own identity. Default: @azure/identity. */
  readonly identity?: TokenSource;
  /** File of the Kubernetes service account token, where a manifest asks for one. */
  readonly serviceAccountTokenFile?: string | undefined;
  /** Write to Event Hubs by AMQP instead of its Kafka endpoint. Default false. */
  readonly eventHubsByAmqp?: boolean;
  /** Where the places of readers of Event Hubs by AMQP are kept; without it there can be none. */
  readonly checkpointFolder?: string | undefined;
  /** Which of the instances this process (or worker) is, from 0. Part of Client Identifiers and of S-13 Static. */
  readonly instance?: number;
  /** Tells this host from others that run the same plan. Default: the host name of the operating system. */
  readonly hostName?: string;
  /** Bytes that all routes of this process together may hold in memory. Default 256 MiB. */
  readonly memoryBudgetBytes?: number;
  /** How long stopping may take (S-55). Default 10 s. */
  readonly drainMs?: number;
  /** How long a broker that cannot be reached is waited for before starting fails; 0 waits for ever. Default 30 s. */
  readonly startTimeoutMs?: number;
  readonly tap?: Tap;
  /** Where discovered assets are kept. Without it nothing is discovered and no asset is forwarded. */
  readonly assetStore?: AssetStore;
  /** Told of all routes once they are open, before the first of them connects: some may run long before the last one does. */
  readonly onOpened?: (bridge: RunningBridge) => void;
}

/** The routes of one process. */
export interface RunningBridge {
  status(): readonly RouteStatus[];
  /** What was found at each endpoint of a Device (S-60). */
  discovered(): readonly DiscoveryView[];
  /** Forwards these assets from now on, in place of those before (S-61). */
  setAssets(assets: readonly Asset[]): void;
  /** Stops intake, drains, commits, disconnects (S-55). */
  stop(): Promise<void>;
}

/** The options with their defaults, and what is shared by the routes of a process. */
export interface HostContext extends HostOptions {
  readonly clock: Clock;
  readonly identity: TokenSource;
  readonly instance: number;
  readonly hostName: string;
  readonly drainMs: number;
  readonly startTimeoutMs: number;
  readonly routeBudgetBytes: number;
}

/** One route at work in this process. */
export interface LiveRoute {
  start(): Promise<void>;
  stop(drainMs: number): Promise<void>;
  status(): RouteStatus;
}

export const DEFAULT_MEMORY_BUDGET: number = 256 * 1024 * 1024;
const SMALLEST_ROUTE_BUDGET = 1024 * 1024;

/** An equal share of the process's budget for each route, so that one slow route cannot starve the others. */
export function routeBudget(options: HostOptions, routes: number): number {
  const total = options.memoryBudgetBytes ?? DEFAULT_MEMORY_BUDGET;
  return Math.max(SMALLEST_ROUTE_BUDGET, Math.floor(total / Math.max(1, routes)));
}
