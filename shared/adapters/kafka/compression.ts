import { createRequire } from "node:module";
import * as zlib from "node:zlib";
import { BridgeError } from "../../errors.ts";
import type { Compression } from "../../model/route.ts";

/** The codec numbers of a record batch's attributes. */
export const CODECS: Readonly<Record<Compression, number>> = {
  None: 0,
  Gzip: 1,
  Snappy: 2,
  Lz4: 3,
};

/** A batch that grows beyond this is taken for an attack: brokers take a megabyte by default. */
const LONGEST = 256 * 1024 * 1024;

const load = createRequire(import.meta.url);

interface Snappy {
  compressSync(bytes: Uint8Array): Buffer;
  uncompressSync(bytes: Uint8Array): Buffer;
}

interface Lz4 {
  compressFrameSync(bytes: Uint8Array): Buffer;
  decompressFrameSync(bytes: Uint8Array): Buffer;
}

/** Native codecs are loaded at their first use: most routes need none. */
const snappy = (): Snappy => load("snappy") as Snappy;
const lz4 = (): Lz4 => load("lz4-napi") as Lz4;

/** How the producer's codec turns the records of a batch into its body, or undefined for no compression. */
export function compressor(codec: number): ((bytes: Uint8Array) => Uint8Array) | undefined {
  if (codec === CODECS.Gzip) return (bytes) => zlib.gzipSync(bytes);
  if (codec === CODECS.Snappy) return (bytes) => snappy().compressSync(asBuffer(bytes));
  if (codec === CODECS.Lz4) return (bytes) => lz4().compressFrameSync(asBuffer(bytes));
  return undefined;
}

/** Undoes whatever codec a producer used. @throws BridgeError for a codec that is not to be had here; Error for spoilt bytes. */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 1:
      return zlib.gunzipSync(bytes, { maxOutputLength: LONGEST });
    case 2:
      return unsnappy(asBuffer(bytes));
    case 3:
      return lz4().decompressFrameSync(asBuffer(bytes));
    case 4:
      return unzstd(bytes);
    default:
      throw new BridgeError("KAFKA_REFUSED", `compression codec ${codec} is not known`);
  }
}

/** The stream format of snappy-java, which Java producers write: a header of 16 bytes, then blocks with their length. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER = 16;

function unsnappy(bytes: Buffer): Uint8Array {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return unsnappyBlock(bytes, LONGEST);
  const blocks: Buffer[] = [];
  let at = XERIAL_HEADER;
  let left = LONGEST;
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error("a snappy block ends too early");
    const block = unsnappyBlock(bytes.subarray(at + 4, end), left);
    left -= block.length;
    blocks.push(block);
    at = end;
  }
  return Buffer.concat(blocks);
}

/** No three bytes of snappy become more than 64: what announces more is not even given the memory. */
const MOST_OF_SNAPPY = 64 / 3;

function unsnappyBlock(bytes: Buffer, most: number): Buffer {
  let length = 0;
  for (let i = 0, more = true; more; i += 1) {
    const byte = bytes[i] ?? 0;
    length += (byte & 0x7f) * 128 ** i;
    more = byte >= 0x80 && i < 4;
  }
  if (length > Math.min(most, bytes.length * MOST_OF_SNAPPY)) {
    throw new Error(`a snappy block announces ${length} bytes`);
  }
  return snappy().uncompressSync(bytes);
}

function unzstd(bytes: Uint8Array): Uint8Array {
  const { zstdDecompressSync } = zlib as unknown as {
    zstdDecompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  };
  if (zstdDecompressSync !== undefined) {
    return zstdDecompressSync(bytes, { maxOutputLength: LONGEST });
  }
  throw new BridgeError(
    "KAFKA_REFUSED",
    "zstd compression needs Node.js 22.15 or later: this Node.js has none",
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
