import { createRequire } from "node:module";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressor, decompress } from "../../../shared/adapters/kafka/compression.ts";
import { BridgeError } from "../../../shared/errors.ts";

const load = createRequire(import.meta.url);
const snappy = load("snappy") as { compressSync(bytes: Buffer): Buffer };
const hasZstd = "zstdCompressSync" in zlib;

/** The stream of snappy-java: magic, version 1, compatible version 1, then blocks. */
function xerial(...blocks: Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const parts = blocks.flatMap((block) => {
    const packed = snappy.compressSync(block);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(packed.length);
    return [length, packed];
  });
  return Buffer.concat([header, ...parts]);
}

describe("compression [S-15]", () => {
  test.each([
    ["gzip", 1],
    ["snappy", 2],
    ["lz4", 3],
  ])("%s comes back as it went in", (_, codec) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const packed = compressor(codec)?.(bytes) ?? new Uint8Array();
        expect(Buffer.from(decompress(codec, packed)).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("none is none", () => expect(compressor(0)).toBeUndefined());

  test("snappy is read in the blocks that Java producers write", () => {
    const bytes = xerial(Buffer.from("one "), Buffer.from("two"));
    expect(Buffer.from(decompress(2, bytes)).toString()).toBe("one two");
  });

  test.each([
    ["gzip", 1, Buffer.from("no gzip")],
    ["snappy", 2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["a snappy block that is cut", 2, xerial(Buffer.from("one")).subarray(0, -1)],
    ["lz4", 3, Buffer.from("no lz4")],
  ])("spoilt bytes of %s are an error that is no verdict on the codec", (_, codec, bytes) => {
    expect(() => decompress(codec, bytes)).toThrow();
    try {
      decompress(codec, bytes);
    } catch (cause) {
      expect(cause).not.toBeInstanceOf(BridgeError);
    }
  });

  test.each([
    ["more than it can hold", [0x80, 0x80, 0x04, 0, 0x41]],
    ["four gigabytes", [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x41]],
    ["a length without end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("a snappy block that announces %s is refused before it gets the memory", (_name, bytes) => {
    const block = Buffer.from(bytes);
    const java = Buffer.concat([
      Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
      Buffer.from([0, 0, 0, block.length]),
      block,
    ]);
    for (const stream of [block, java]) {
      expect(() => decompress(2, stream)).toThrow(/^a snappy block announces \d+ bytes$/u);
    }
  });

  test("snappy that is packed as tightly as it can be is read", () => {
    const long = Buffer.alloc(1_000_000, 7);
    const pack = compressor(2) as (bytes: Uint8Array) => Uint8Array;
    expect(long.equals(decompress(2, pack(long)))).toBe(true);
  });

  test("a codec that nobody knows is refused", () => {
    expect(() => decompress(6, Buffer.alloc(3))).toThrow(
      expect.objectContaining({ code: "KAFKA_REFUSED", retryable: false }),
    );
  });

  test("zstd is read where Node.js can", ({ skip }) => {
    if (!hasZstd) skip("this Node.js has no zstd");
    const { zstdCompressSync } = zlib as unknown as { zstdCompressSync(bytes: Buffer): Buffer };
    expect(Buffer.from(decompress(4, zstdCompressSync(Buffer.from("zz")))).toString()).toBe("zz");
  });

  test("zstd says which Node.js can read it", ({ skip }) => {
    if (hasZstd) skip("this Node.js reads zstd");
    expect(() => decompress(4, Buffer.alloc(3))).toThrow(
      expect.objectContaining({
        code: "KAFKA_REFUSED",
        retryable: false,
        message: expect.stringContaining("22.15"),
      }),
    );
  });
});
