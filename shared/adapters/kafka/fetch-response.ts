import type { KafkaRecord } from "../../model/kafka-record.ts";
import { decodeRecordSet } from "../../wire/kafka-record-decoder.ts";
import type { DecodedBatch, RecordSet } from "../../wire/kafka-record-set.ts";
import { decompress } from "./compression.ts";

/**
 * All records that one fetch brought of one partition, in the shape of one message of kafkajs: it looks at these fields only, and so has
 * no work per record. `offset` is that of the last one fetched, transaction markers and compacted records included.
 */
export interface FetchedChunk {
  readonly offset: string;
  readonly key: null;
  /** True when there is no record in it: kafkajs then passes over it. */
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  readonly records: readonly KafkaRecord[];
  /** Why no record could be read from here on; then there are none. */
  readonly problem?: NonNullable<RecordSet["problem"]>;
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  /** Always empty: they are filtered here. */
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica: number;
  readonly messages: readonly FetchedChunk[];
}

export interface FetchResponse {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** Above every offset, so that kafkajs takes it for new. */
const PROBLEM_OFFSET = String(2n ** 63n - 2n);
const CONTEXT = { producerId: "-1", inTransaction: false };

/*
 * Fetch response, versions 4 to 11: throttle time int32; from 7 on error code int16 and session id int32; topics, each with name and
 * partitions: partition int32, error code int16, high watermark int64, last stable offset int64, from 5 on log start offset int64,
 * aborted transactions (producer id int64, first offset int64), from 11 on preferred read replica int32, record set bytes.
 */
export function decodeFetchResponse(raw: Buffer, version: number): FetchResponse {
  const cursor = new Cursor(raw);
  const throttle = cursor.int32();
  const errorCode = version >= 7 ? cursor.int16() : 0;
  const sessionId = version >= 7 ? cursor.int32() : 0;
  const responses = cursor.array(() => {
    const topicName = cursor.text();
    return {
      topicName,
      partitions: cursor.array(() => decodePartition(cursor, topicName, version)),
    };
  });
  // from version 8 on the client itself has to wait, before it the broker already has
  return {
    throttleTime: version >= 8 ? 0 : throttle,
    clientSideThrottleTime: version >= 8 ? throttle : 0,
    errorCode,
    sessionId,
    responses,
  };
}

function decodePartition(cursor: Cursor, topic: string, version: number): FetchedPartition {
  const partition = cursor.int32();
  const errorCode = cursor.int16();
  const highWatermark = String(cursor.int64());
  cursor.int64();
  if (version >= 5) cursor.int64();
  const aborted = cursor.array(() => ({
    producerId: cursor.int64(),
    firstOffset: cursor.int64(),
  }));
  const preferredReadReplica = version >= 11 ? cursor.int32() : -1;
  const set = decodeRecordSet(cursor.bytes(), { topic, partition, decompress });
  const messages = chunks(set, aborted);
  return {
    partition,
    errorCode,
    highWatermark,
    abortedTransactions: [],
    preferredReadReplica,
    messages,
  };
}

/** What could be read goes first; the problem comes again with the next fetch, alone. */
function chunks(set: RecordSet, aborted: readonly AbortedTransaction[]): FetchedChunk[] {
  const last = set.batches.at(-1);
  if (last !== undefined) {
    const records = committed(set.batches, aborted);
    return [
      {
        offset: String(last.lastOffset),
        key: null,
        isControlRecord: records.length === 0,
        batchContext: CONTEXT,
        records,
      },
    ];
  }
  if (set.problem === undefined) return [];
  return [
    {
      offset: PROBLEM_OFFSET,
      key: null,
      isControlRecord: false,
      batchContext: CONTEXT,
      records: [],
      problem: set.problem,
    },
  ];
}

/** The records without those of aborted transactions, which the broker lists by their first offset. */
function committed(
  batches: readonly DecodedBatch[],
  aborted: readonly AbortedTransaction[],
): readonly KafkaRecord[] {
  const [only] = batches;
  if (batches.length === 1 && only !== undefined && aborted.length === 0) return only.records;
  const coming = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  const records: KafkaRecord[] = [];
  for (const batch of batches) {
    while (coming[0] !== undefined && coming[0].firstOffset <= batch.lastOffset) {
      open.add(coming[0].producerId);
      coming.shift();
    }
    if (batch.ends === "abort") open.delete(batch.producerId);
    if (batch.inTransaction && open.has(batch.producerId)) continue;
    for (const record of batch.records) records.push(record);
  }
  return records;
}

class Cursor {
  private at = 0;
  private readonly raw: Buffer;

  constructor(raw: Buffer) {
    this.raw = raw;
  }

  int16(): number {
    this.at += 2;
    return this.raw.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.raw.readInt32BE(this.at - 4);
  }

  int64(): bigint {
    this.at += 8;
    return this.raw.readBigInt64BE(this.at - 8);
  }

  text(): string {
    // never backwards: or else 16 bytes are enough for two thousand million topics
    const length = Math.max(0, this.int16());
    this.at += length;
    return this.raw.toString("utf8", this.at - length, this.at);
  }

  /** Nullable bytes; null is empty. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    this.at += length;
    return this.raw.subarray(this.at - length, this.at);
  }

  /** A nullable array; null is empty. */
  array<T>(read: () => T): T[] {
    const length = Math.max(0, this.int32());
    const items: T[] = [];
    for (let i = 0; i < length; i += 1) items.push(read());
    return items;
  }
}
