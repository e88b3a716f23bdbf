import type { Clock, Log } from "../../../shared/engine/ports.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { TopicStore } from "./topic-store.ts";

/** This broker in answers about the cluster, of which it is the only node. */
export const NODE_ID = 1;
export const CLUSTER_ID = "isthmus-sandbox";

export interface BrokerSettings {
  readonly autoCreateTopics: boolean;
  /** Name to password of those who may log in; undefined lets everybody in without a login. */
  readonly users: ReadonlyMap<string, string> | undefined;
  readonly maxRequestBytes: number;
  readonly minSessionTimeoutMs: number;
}

/** Everything that outlives a connection and a restart. */
export interface BrokerState {
  readonly settings: BrokerSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: MemoryBudget;
  readonly topics: TopicStore;
  readonly groups: GroupCoordinator;
  nextProducerId(): number;
  /** Where clients that reached the broker by this address are to connect. */
  advertised(localAddress: string): { readonly host: string; readonly port: number };
}
