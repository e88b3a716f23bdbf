import type { Kafka } from "kafkajs";
import type { FetchResponse } from "./fetch-response.ts";

interface PartitionOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

interface Broker {
  fetch(request: {
    readonly replicaId: -1;
    readonly isolationLevel: 0 | 1;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly rackId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }): Promise<FetchResponse>;
}

/** What kafkajs' producers, consumers and admins stand on: connections to the brokers, and who leads which partition. */
export interface KafkaCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[];
  findLeaderForPartitions(
    topic: string,
    partitions: readonly number[],
  ): Readonly<Record<string, readonly number[]>>;
  findBroker(by: { readonly nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly fromBeginning: boolean;
      readonly partitions: readonly { readonly partition: number }[];
    }[],
  ): Promise<readonly PartitionOffsets[]>;
}

interface ClusterOptions {
  readonly allowAutoTopicCreation: boolean;
  readonly metadataMaxAge: number;
  readonly isolationLevel: number;
}

const CREATE_CLUSTER = "private:Kafka:createCluster";
const METADATA_MAX_AGE_MS = 60_000;
/** Records of transactions that are not committed are left out. */
export const READ_COMMITTED = 1;

/**
 * A cluster of this client, not connected yet. kafkajs hands out consumers of groups only; a look into a topic needs no group, and the
 * rights and the seconds that joining one costs. @throws TypeError when kafkajs is not built as version 2.2.4 is
 */
export function kafkaCluster(kafka: Kafka): KafkaCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === CREATE_CLUSTER,
  );
  const create = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol];
  if (typeof create !== "function") {
    throw new TypeError("Cannot reach the cluster of kafkajs: it must be version 2.2.4");
  }
  return (create as (options: ClusterOptions) => KafkaCluster)({
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    isolationLevel: READ_COMMITTED,
  });
}
