import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { FaultTarget } from "../faults.ts";

/** The layout that most requests share: [topic string, [partition]], here as one list of partitions. */
export type PartitionItem<T> = T & { readonly topic: string; readonly partition: number };

/** Reads [topic string, [partition int32, …]]; `rest` reads what follows the partition's index. Null stays null. */
export function readNullablePartitions<T extends object>(
  reader: ByteReader,
  rest: (reader: ByteReader) => T,
): PartitionItem<T>[] | null {
  const topics = reader.nullableArray((item) => {
    const topic = item.string();
    return item.array((entry) => ({ topic, partition: entry.int32(), ...rest(entry) }));
  });
  return topics === null ? null : topics.flat();
}

export function readPartitions<T extends object>(
  reader: ByteReader,
  rest: (reader: ByteReader) => T,
): PartitionItem<T>[] {
  return readNullablePartitions(reader, rest) ?? [];
}

/** Writes the same layout: neighbours of one topic share its entry. */
export function writePartitions<T>(
  writer: ByteWriter,
  items: readonly PartitionItem<T>[],
  rest: (writer: ByteWriter, item: PartitionItem<T>) => void,
): void {
  const runs: PartitionItem<T>[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run?.[0]?.topic === item.topic) run.push(item);
    else runs.push([item]);
  }
  writer.array(runs, (_, run) => {
    writer.string(run[0]?.topic ?? "");
    writer.array(run, (entry, item) => rest(entry.int32(item.partition), item));
  });
}

export function partitionTargets(
  items: readonly PartitionItem<unknown>[],
  group?: string,
): FaultTarget[] {
  return items.map(({ topic, partition }) =>
    group === undefined ? { topic, partition } : { topic, partition, group },
  );
}
