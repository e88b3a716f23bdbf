import type { CheckpointStore, LoadBalancingOptions } from "@azure/event-hubs";
import type { ConnectionStatus, Log, RecordConsumer, RecordSource } from "../../engine/ports.ts";
import { BridgeError } from "../../errors.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import type { TopicSelector } from "../../model/route.ts";
import { checkpointFolder } from "./checkpoint-folder.ts";
import { HubReader } from "./hub-reader.ts";

export interface EventHubsRecordSourceOptions {
  readonly endpoint: KafkaEndpoint;
  /** By name: AMQP has no list of the event hubs of a namespace. */
  readonly topics: readonly TopicSelector[];
  readonly consumerGroupId: string;
  /** Of this process and thread, and of no other. */
  readonly ownerId: string;
  /** Shared by all processes that share the partitions: a folder, or a store of the SDK. */
  readonly checkpoints: string | CheckpointStore;
  /** Whether partitions are shared evenly with others; else one reader takes all that are free. */
  readonly shared: boolean;
  readonly log: Log;
  /** How often partitions are looked for, and after how long a silent reader's are free. Default 5 s and 30 s. */
  readonly timing?: { readonly updateMs: number; readonly expiryMs: number };
}

const TIMING = { updateMs: 5_000, expiryMs: 30_000 };

/**
 * A RecordSource that reads Event Hubs by AMQP; a topic is an event hub. The place of a consumer group is in the store of checkpoints. A
 * group without one begins at the earliest event: nothing is lost.
 */
export function eventHubsRecordSource(options: EventHubsRecordSourceOptions): RecordSource {
  const { updateMs, expiryMs } = options.timing ?? TIMING;
  const balancing: LoadBalancingOptions = {
    strategy: options.shared ? "balanced" : "greedy",
    updateIntervalInMs: updateMs,
    partitionOwnershipExpirationIntervalInMs: expiryMs,
  };
  const { checkpoints, consumerGroupId: consumerGroup } = options;
  const store = typeof checkpoints === "string" ? checkpointFolder(checkpoints) : checkpoints;
  let readers: ReadonlyMap<string, HubReader> = new Map();
  return {
    async start(consumer: RecordConsumer): Promise<void> {
      const common = { ...options, consumerGroup, store, balancing };
      const made = namesOf(options.topics).map(
        (eventHub) => [eventHub, new HubReader({ ...common, eventHub }, consumer)] as const,
      );
      readers = new Map(made);
      await Promise.all(made.map(([, reader]) => reader.start()));
    },
    async commit(offsets): Promise<void> {
      const commits = offsets.map(({ topic, partition, offset }) =>
        readers.get(topic)?.commit(partition, offset),
      );
      const failed = (await Promise.allSettled(commits)).find((end) => end.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    async stop(): Promise<void> {
      await Promise.all([...readers.values()].map((reader) => reader.stop()));
    },
    status: () => worst([...readers.values()].map((reader) => reader.status())),
  };
}

/** @throws BridgeError MANIFEST_INVALID for a pattern */
function namesOf(topics: readonly TopicSelector[]): string[] {
  const names = topics.map((selector) => {
    if (selector.kind === "name") return selector.topic;
    throw new BridgeError(
      "MANIFEST_INVALID",
      "Cannot find event hubs by a regular expression over AMQP, which has no list of them: name them",
    );
  });
  return [...new Set(names)];
}

function worst(statuses: readonly ConnectionStatus[]): ConnectionStatus {
  return statuses.find(({ connected }) => !connected) ?? statuses[0] ?? { connected: false };
}
