/** One Kafka header. Order and duplicates matter, so headers are always a list, never an object. */
export type KafkaHeader = readonly [name: string, value: Uint8Array | null];

/** A record read from Kafka or an event read from Event Hubs. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since the Unix epoch; -1 when the record has none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: readonly KafkaHeader[];
}

/** How a producer picks the partition: the same words as S-13. */
export type Partitioning =
  | { readonly by: "roundRobin" }
  | { readonly by: "key" }
  /** The partition is `instance` modulo the topic's number of partitions. */
  | { readonly by: "instance"; readonly instance: number }
  | { readonly by: "partition"; readonly partition: number };

/** A record on its way to Kafka. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly KafkaHeader[];
  readonly partitioning: Partitioning;
}
