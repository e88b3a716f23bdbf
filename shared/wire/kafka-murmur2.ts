const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** The partition of a key among `partitions`, the same as the default partitioner of Java's producer finds. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Murmur2 as Kafka's Java clients compute it: signed, 32 bits. */
export function murmur2(key: Uint8Array): number {
  const { length } = key;
  let h = SEED ^ length;
  let at = 0;
  for (; length - at >= 4; at += 4) {
    const k = Math.imul(
      (key[at] as number) |
        ((key[at + 1] as number) << 8) |
        ((key[at + 2] as number) << 16) |
        ((key[at + 3] as number) << 24),
      M,
    );
    h = Math.imul(h, M) ^ Math.imul(k ^ (k >>> R), M);
  }
  const rest = length - at;
  if (rest >= 3) h ^= (key[at + 2] as number) << 16;
  if (rest >= 2) h ^= (key[at + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (key[at] as number), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}
