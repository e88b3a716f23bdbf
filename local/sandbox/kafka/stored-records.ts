import { decompress } from "../../../shared/adapters/kafka/compression.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { decodeRecordSet } from "../../../shared/wire/kafka-record-decoder.ts";

/** The records of stored batches. Where a codec is not at hand there are fewer, and `problem` says why. */
export function recordsOf(
  batches: Buffer,
  at: { readonly topic: string; readonly partition: number },
): { readonly records: readonly KafkaRecord[]; readonly problem: string | undefined } {
  const set = decodeRecordSet(batches, { ...at, decompress });
  return { records: set.batches.flatMap(({ records }) => records), problem: set.problem?.reason };
}
