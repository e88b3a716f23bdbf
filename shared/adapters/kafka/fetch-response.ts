import type { KafkaRecord } from "../../model/kafka-record.ts";
import { findBatches, recordProblem } from "../../wire/kafka-record-decoder.ts";
import type { FoundBatches, RecordBatch, RecordProblem } from "../../wire/kafka-record-set.ts";
import { decompress } from "./compression.ts";

/** Records that lie one after the other. */
export interface RecordRun {
  readonly records: readonly KafkaRecord[];
  /** Where the log goes on after them, less one: compaction may have taken records from the end. */
  readonly lastOffset: bigint;
}

/**
 * All that one fetch brought of one partition, in the shape of one message of kafkajs: it looks at these fields only, and so has no work
 * per record. `offset` is that of the last one fetched, transaction markers and compacted records included.
 */
export interface FetchedChunk {
  readonly offset: string;
  readonly key: null;
  /** True when there is no record in it: kafkajs then passes over it. */
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  /** Why no record can be read from here on; may be found by {@link FetchedChunk.next} only. */
  readonly problem?: RecordProblem;
  /**
   * Decodes the next records: whole batches, until there are some hundred. What is not asked for is not decoded, so that a fetch may be large.
   * Undefined at the end, and before a problem.
   */
  next(): RecordRun | undefined;
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
/** So many records are worth the work of a hand-over. */
const RUN = 256;
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
  const found = findBatches(cursor.bytes(), { topic, partition, decompress });
  const messages = chunks(found, aborted);
  return {
    partition,
    errorCode,
    highWatermark,
    abortedTransactions: [],
    preferredReadReplica,
    messages,
  };
}

/** What can be read goes first; the problem comes again with the next fetch, alone. */
function chunks(found: FoundBatches, aborted: readonly AbortedTransaction[]): FetchedChunk[] {
  const last = found.batches.at(-1);
  if (last !== undefined) return [new BatchChunk(last, committed(found.batches, aborted))];
  if (found.problem === undefined) return [];
  const { problem } = found;
  const nothing = (): undefined => undefined;
  return [
    {
      ...{ offset: PROBLEM_OFFSET, key: null, isControlRecord: false, batchContext: CONTEXT },
      ...{ problem, next: nothing },
    },
  ];
}

class BatchChunk implements FetchedChunk {
  readonly offset: string;
  readonly key = null;
  readonly isControlRecord: boolean;
  readonly batchContext: FetchedChunk["batchContext"] = CONTEXT;
  problem?: RecordProblem;
  private readonly batches: readonly RecordBatch[];
  private at = 0;

  constructor(last: RecordBatch, batches: readonly RecordBatch[]) {
    this.offset = String(last.lastOffset);
    this.isControlRecord = batches.length === 0;
    this.batches = batches;
  }

  next(): RecordRun | undefined {
    const first = this.decode();
    if (first === undefined) return undefined;
    const { lastOffset } = this;
    if (first.length >= RUN) return { records: first, lastOffset };
    // producers that do not gather make batches of one
    const records = [...first];
    while (records.length < RUN) {
      const more = this.decode();
      if (more === undefined) break;
      for (const record of more) records.push(record);
    }
    return { records, lastOffset: this.lastOffset };
  }

  private get lastOffset(): bigint {
    return (this.batches[this.at - 1] as RecordBatch).lastOffset;
  }

  private decode(): readonly KafkaRecord[] | undefined {
    const batch = this.batches[this.at];
    if (batch === undefined || this.problem !== undefined) return undefined;
    try {
      const records = batch.records();
      this.at += 1;
      return records;
    } catch (cause) {
      this.problem = recordProblem(batch.baseOffset, cause);
      return undefined;
    }
  }
}

/** Reads the chunk to its end. A problem behind records is left to the next fetch. */
export function drain(chunk: FetchedChunk): Pick<FetchedChunk, "offset" | "problem"> & {
  readonly records: readonly KafkaRecord[];
} {
  const runs: RecordRun[] = [];
  for (let run = chunk.next(); run !== undefined; run = chunk.next()) runs.push(run);
  const { offset, problem } = chunk;
  const last = runs.at(-1);
  const records = runs.flatMap((run) => run.records);
  if (problem === undefined) return { offset, records };
  return last === undefined
    ? { offset, records, problem }
    : { offset: String(last.lastOffset), records };
}

/** Those that have records, without those of aborted transactions, which the broker lists by their first offset. */
function committed(
  batches: readonly RecordBatch[],
  aborted: readonly AbortedTransaction[],
): readonly RecordBatch[] {
  if (aborted.length === 0) return batches.filter(({ isEmpty }) => !isEmpty);
  const coming = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  return batches.filter((batch) => {
    while (coming[0] !== undefined && coming[0].firstOffset <= batch.lastOffset) {
      open.add(coming[0].producerId);
      coming.shift();
    }
    if (batch.ends === "abort") open.delete(batch.producerId);
    return !batch.isEmpty && !(batch.inTransaction && open.has(batch.producerId));
  });
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
