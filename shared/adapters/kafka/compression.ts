import { createRequire } from "node:module";
import * as zlib from "node:zlib";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Compression } from "../../model/route.ts";

/** The codec numbers of a record batch's attributes. */
export const CODECS: Readonly<Record<Compression, number>> = {
  None: 0,
  Gzip: 1,
  Snappy: 2,
  Lz4: 3,
};

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
  if (codec === CODECS.Gzip) return (bytes) => gzipSync(bytes);
  if (codec === CODECS.Snappy) return (bytes) => snappy().compressSync(bytes);
  if (codec === CODECS.Lz4) return (bytes) => lz4().compressFrameSync(bytes);
  return undefined;
}

/** Undoes whatever codec a producer used. @throws Error in words fit for an operator */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 1:
      return gunzipSync(bytes);
    case 2:
      return unsnappy(bytes);
    case 3:
      return lz4().decompressFrameSync(bytes);
    case 4:
      return unzstd(bytes);
    default:
      throw new Error(`codec ${codec} is not known`);
  }
}

/** The stream format of snappy-java, which Java producers write: a header of 16 bytes, then blocks with their length. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);

function unsnappy(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, 8).equals(XERIAL)) return snappy().uncompressSync(buffer);
  const blocks: Buffer[] = [];
  let at = 16;
  while (at + 4 <= buffer.length) {
    const end = at + 4 + buffer.readUInt32BE(at);
    blocks.push(snappy().uncompressSync(buffer.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

function unzstd(bytes: Uint8Array): Uint8Array {
  const { zstdDecompressSync } = zlib as unknown as {
    zstdDecompressSync?: (bytes: Uint8Array) => Buffer;
  };
  if (zstdDecompressSync === undefined) throw new Error("zstd needs Node.js 22.15 or later");
  return zstdDecompressSync(bytes);
}
