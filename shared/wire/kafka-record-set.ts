import type { KafkaRecord } from "../model/kafka-record.ts";

/** One record batch, or one message of the formats before them. */
export interface DecodedBatch {
  /** May be past the last record: compaction takes records out of batches. */
  readonly lastOffset: bigint;
  /** -1 when its producer was neither idempotent nor transactional. */
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  /** A control batch, which has no records, ends a transaction of its producer. */
  readonly ends?: "abort" | "commit";
  readonly records: readonly KafkaRecord[];
}

export interface RecordSet {
  readonly batches: readonly DecodedBatch[];
  /** Why nothing was read from `offset` on. */
  readonly problem?: {
    readonly offset: bigint;
    readonly reason: string;
    /** What `decompress` threw, if that is it. */
    readonly cause?: unknown;
  };
}

/** Where a record set was read from, and how its codecs are undone. */
export interface DecodeSettings {
  readonly topic: string;
  readonly partition: number;
  /** @throws when the bytes are no such stream, or the codec (1 gzip, 2 snappy, 3 lz4, 4 zstd) is not known */
  readonly decompress: (codec: number, bytes: Uint8Array) => Uint8Array;
}
