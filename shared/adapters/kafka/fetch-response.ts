import type { KafkaHeader, KafkaRecord } from "../../model/kafka-record.ts";
import { decodeRecordSet } from "../../wire/kafka-record-decoder.ts";
import { decompress } from "./compression.ts";

/** A record as kafkajs passes it around. It looks at these fields only; the record itself is ours. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Uint8Array | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  readonly record: KafkaRecord;
  readonly headers: readonly KafkaHeader[];
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly abortedTransactions: { producerId: string; firstOffset: string }[];
  readonly preferredReadReplica?: number;
  readonly messages: FetchedMessage[];
}

export interface FetchResponse {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: { topicName: string; partitions: FetchedPartition[] }[];
}

/** Thrown when a record set is of the formats before record batches: kafkajs' own decoder reads those. */
export class OldFormat extends Error {}

/*
 * Fetch response, versions 4 to 11: throttle time int32; from 7 on error code int16 and session id int32; topics, each with name and
 * partitions: partition int32, error code int16, high watermark int64, last stable offset int64, from 5 on log start offset int64,
 * aborted transactions (producer id int64, first offset int64), from 11 on preferred read replica int32, record set bytes.
 */
export function decodeFetchResponse(raw: Buffer, version: number): FetchResponse {
  const at = new Cursor(raw);
  const throttle = at.int32();
  const errorCode = version >= 7 ? at.int16() : 0;
  const sessionId = version >= 7 ? at.int32() : 0;
  const responses = at.array(() => {
    const topicName = at.text();
    return { topicName, partitions: at.array(() => decodePartition(at, topicName, version)) };
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

function decodePartition(at: Cursor, topic: string, version: number): FetchedPartition {
  const partition = at.int32();
  const errorCode = at.int16();
  const highWatermark = String(at.int64());
  at.int64();
  if (version >= 5) at.int64();
  const abortedTransactions = at.array(() => ({
    producerId: String(at.int64()),
    firstOffset: String(at.int64()),
  }));
  const preferredReadReplica = version >= 11 ? at.int32() : -1;
  const messages = decodeMessages(at.bytes(), topic, partition);
  return {
    partition,
    errorCode,
    highWatermark,
    abortedTransactions,
    ...(version >= 11 ? { preferredReadReplica } : {}),
    messages,
  };
}

function decodeMessages(set: Buffer, topic: string, partition: number): FetchedMessage[] {
  const decoded = decodeRecordSet(set, { topic, partition, decompress });
  if (!decoded.ok) {
    if (decoded.problem === "old_format") throw new OldFormat();
    throw new Error(`Cannot read ${topic}/${partition}: ${decoded.reason}`);
  }
  const messages: FetchedMessage[] = [];
  for (const { records, isControlBatch, inTransaction, producerId } of decoded.batches) {
    const batchContext = { producerId: String(producerId), inTransaction };
    for (const record of records) {
      messages.push({
        offset: String(record.offset),
        key: record.key,
        isControlRecord: isControlBatch,
        batchContext,
        record,
        headers: record.headers,
      });
    }
  }
  return messages;
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
    const length = this.int16();
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
