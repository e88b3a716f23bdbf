import type { KafkaRecord } from "../model/kafka-record.ts";

/** What the head of a record batch says, or of one message of the formats before them; its records are decoded when they are asked for. */
export interface RecordBatch {
  readonly baseOffset: bigint;
  /** May be past the last record: compaction takes records out of batches. */
  readonly lastOffset: bigint;
  /** -1 when its producer was neither idempotent nor transactional. */
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  /** A control batch, which has no records, ends a transaction of its producer. */
  readonly ends?: "abort" | "commit";
  /** Compaction may have left none. */
  readonly isEmpty: boolean;
  /** @throws Corrupt, or what `decompress` throws */
  records(): readonly KafkaRecord[];
}

/** Why nothing can be read from `offset` on. */
export interface RecordProblem {
  readonly offset: bigint;
  readonly reason: string;
  /** What `decompress` threw, if that is it. */
  readonly cause?: unknown;
}

/** A record set whose batches were found and not yet decoded. */
export interface FoundBatches {
  readonly batches: readonly RecordBatch[];
  readonly problem?: RecordProblem;
}

export interface DecodedBatch extends Omit<RecordBatch, "records" | "isEmpty"> {
  readonly records: readonly KafkaRecord[];
}

export interface RecordSet {
  readonly batches: readonly DecodedBatch[];
  readonly problem?: RecordProblem;
}

/** Where a record set was read from, and how its codecs are undone. */
export interface DecodeSettings {
  readonly topic: string;
  readonly partition: number;
  /** @throws when the bytes are no such stream, or the codec (1 gzip, 2 snappy, 3 lz4, 4 zstd) is not known */
  readonly decompress: (codec: number, bytes: Uint8Array) => Uint8Array;
}
