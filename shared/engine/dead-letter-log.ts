import type { KafkaRecord } from "../model/kafka-record.ts";
import { type DeadLetter, readDeadLetter } from "../translate/read-dead-letter.ts";
import { OffsetSet, readReplayMark } from "../translate/replay-mark.ts";
import type { PartitionRange, TopicPartition, TopicReader } from "./ports.ts";

/** A dead letter and where it lies. */
export interface StoredLetter extends TopicPartition {
  readonly offset: bigint;
  readonly letter: DeadLetter;
  /** Whether a mark says that it was sent again. */
  readonly replayed: boolean;
}

/** Which dead letters are meant: all of what is given has to hold. */
export interface LetterSelection {
  readonly route?: string;
  /** The reason's code. */
  readonly reason?: string;
  /** Milliseconds since the Unix epoch: dead-lettered then or later. */
  readonly since?: number;
  /** Milliseconds since the Unix epoch: dead-lettered before. */
  readonly until?: number;
  /** Those too that were sent again already. */
  readonly again?: boolean;
}

export function isSelected({ letter, replayed }: StoredLetter, wanted: LetterSelection): boolean {
  const { route, code, time } = letter.why;
  return (
    (!replayed || wanted.again === true) &&
    (wanted.route === undefined || route === wanted.route) &&
    (wanted.reason === undefined || code === wanted.reason) &&
    (wanted.since === undefined || time >= wanted.since) &&
    (wanted.until === undefined || time < wanted.until)
  );
}

/**
 * The dead letters in these ranges of one topic, the oldest first. It reads the ranges twice: marks lie behind what they mark.
 * @throws BridgeError of the reader
 */
export async function* storedLetters(
  reader: TopicReader,
  ranges: readonly PartitionRange[],
): AsyncGenerator<StoredLetter> {
  const streams: AsyncGenerator<StoredLetter>[] = [];
  for (const range of ranges) {
    streams.push(lettersOf(reader, range, await marksOf(reader, range)));
  }
  yield* oldestFirst(streams);
}

async function marksOf(reader: TopicReader, range: PartitionRange): Promise<OffsetSet> {
  const marked = new OffsetSet();
  for await (const records of reader.read(range)) {
    for (const record of records) marked.add(readReplayMark(record) ?? []);
  }
  return marked;
}

async function* lettersOf(
  reader: TopicReader,
  range: PartitionRange,
  marked: OffsetSet,
): AsyncGenerator<StoredLetter> {
  for await (const records of reader.read(range)) {
    for (const record of records) {
      const letter = readDeadLetter(record);
      if (letter !== undefined) yield stored(record, letter, marked);
    }
  }
}

function stored(record: KafkaRecord, letter: DeadLetter, marked: OffsetSet): StoredLetter {
  const { topic, partition, offset } = record;
  return { topic, partition, offset, letter, replayed: marked.has(offset) };
}

/** Merges streams that are each in order of time. */
async function* oldestFirst(
  streams: readonly AsyncGenerator<StoredLetter>[],
): AsyncGenerator<StoredLetter> {
  try {
    const heads = await Promise.all(streams.map((stream) => stream.next()));
    for (;;) {
      const at = oldest(heads);
      const head = heads[at];
      if (head === undefined || head.done === true) return;
      yield head.value;
      heads[at] = await (streams[at] as AsyncGenerator<StoredLetter>).next();
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return(undefined)));
  }
}

/** The place of the head to take next; -1 when all streams have ended. */
function oldest(heads: readonly IteratorResult<StoredLetter>[]): number {
  let found = -1;
  let time = Number.POSITIVE_INFINITY;
  for (const [at, head] of heads.entries()) {
    if (head.done === true) continue;
    const own = head.value.letter.why.time;
    if (found >= 0 && own >= time) continue;
    found = at;
    time = own;
  }
  return found;
}
