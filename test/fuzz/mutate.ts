import type { Random } from "../support/random.ts";

const LONGEST = 4096;
const BYTES = [0, 1, 0x1f, 0x20, 0x2f, 0x7f, 0x80, 0xa1, 0xbf, 0xc0, 0xed, 0xf4, 0xfe, 0xff];
const NUMBERS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

type Mutation = (bytes: Buffer, random: Random, scraps: readonly Buffer[]) => Buffer;

function cut(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  return [start, start + random.below(Math.min(64, bytes.length - start) + 1)];
}

function replaced(bytes: Buffer, start: number, end: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

const flipBit: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
  return bytes;
};

const setByte: Mutation = (bytes, random) => {
  bytes.writeUInt8(random.pick(BYTES), random.below(bytes.length));
  return bytes;
};

const setNumber: Mutation = (bytes, random) => {
  const width = random.pick([2, 4] as const);
  if (bytes.length < width) return bytes;
  const at = random.below(bytes.length - width + 1);
  const number = random.pick(NUMBERS);
  if (width === 2) bytes.writeUInt16BE(number & 0xffff, at);
  else bytes.writeUInt32BE(number, at);
  return bytes;
};

const insertNoise: Mutation = (bytes, random) => {
  const noise = Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
  const at = random.below(bytes.length + 1);
  return replaced(bytes, at, at, noise);
};

const insertScrap: Mutation = (bytes, random, scraps) => {
  const [start, end] = cut(bytes, random);
  return replaced(bytes, start, random.below(2) === 0 ? start : end, random.pick(scraps));
};

const remove: Mutation = (bytes, random) => replaced(bytes, ...cut(bytes, random), Buffer.alloc(0));

const repeat: Mutation = (bytes, random) => {
  const [start, end] = cut(bytes, random);
  const part = bytes.subarray(start, end);
  return replaced(bytes, end, end, Buffer.concat(Array(1 + random.below(8)).fill(part)));
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const MUTATIONS = [
  ...[flipBit, setByte, setNumber, insertNoise],
  ...[insertScrap, insertScrap, remove, repeat, truncate],
];

/** Bytes that were well once and are so no longer, or never were; at most 4 KiB. `scraps` are put in here and there. */
export function hostileBytes(
  random: Random,
  examples: readonly Buffer[],
  scraps: readonly Buffer[],
): Buffer {
  if (random.below(16) === 0) {
    return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
  }
  let bytes = Buffer.from(random.pick(examples));
  for (let left = 1 + random.below(6); left > 0; left -= 1) {
    if (bytes.length === 0) bytes = Buffer.from(random.pick(examples));
    bytes = Buffer.from(random.pick(MUTATIONS)(bytes, random, scraps));
  }
  return bytes.subarray(0, LONGEST);
}

/** Any value that a JavaScript runtime can hand over, built as `bytes` say; `names` are those of its fields. */
export function valueFrom(bytes: Buffer, names: readonly string[]): unknown {
  let at = 0;
  const next = (): number => bytes[at++] ?? 0;
  const take = (length: number): Buffer => {
    const start = at;
    at += length;
    return bytes.subarray(start, at);
  };
  const build = (depth: number): unknown => {
    const kind = next() % (depth > 4 ? 9 : 12);
    switch (kind) {
      case 0:
        return null;
      case 1:
        return undefined;
      case 2:
        return next() % 2 === 0;
      case 3:
        return bytes.length - at >= 8 ? take(8).readDoubleBE() : next() - 128;
      case 4:
      case 5:
        return take(next()).toString("latin1");
      case 6:
      case 7:
        return take(next());
      case 8:
        return BigInt(next()) ** BigInt(next() % 16);
      case 9:
        return Array.from({ length: next() % 6 }, () => build(depth + 1));
      default: {
        const entries = Array.from({ length: next() % 6 }, () => [
          names[next() % names.length],
          build(depth + 1),
        ]);
        return Object.fromEntries(entries);
      }
    }
  };
  return build(0);
}
