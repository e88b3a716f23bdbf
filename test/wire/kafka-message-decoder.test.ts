import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { findMessage } from "../../shared/wire/kafka-message-decoder.ts";
import { Corrupt } from "../../shared/wire/kafka-record-reader.ts";

interface MessageParts {
  readonly offset?: bigint;
  readonly magic?: 0 | 1;
  readonly attributes?: number;
  readonly timestamp?: bigint;
  readonly key?: string | null;
  readonly value?: string | Buffer | null;
}

function lengthAndBytes(value: string | Buffer | null): Buffer {
  const bytes = Buffer.from(value ?? "");
  const length = Buffer.alloc(4);
  length.writeInt32BE(value === null ? -1 : bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Offset, length and checksum before what follows them. */
function framed(offset: bigint, rest: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(offset);
  head.writeInt32BE(rest.length + 4, 8);
  head.writeUInt32BE(crc32(rest), 12);
  return Buffer.concat([head, rest]);
}

/** A message of format 0 or 1, as the protocol guide lays it out. */
function message(parts: MessageParts = {}): Buffer {
  const { offset = 7n, magic = 1, attributes = 0, timestamp = 1000n } = parts;
  const { key = null, value = "v" } = parts;
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(timestamp);
  return framed(
    offset,
    Buffer.concat([
      Buffer.from([magic, attributes]),
      ...(magic === 0 ? [] : [time]),
      lengthAndBytes(key),
      lengthAndBytes(value),
    ]),
  );
}

const GZIP = 1;
const LOG_APPEND_TIME = 0x8;

/** Takes off the marker that stands for compression here. */
const settings = {
  topic: "topic",
  partition: 3,
  decompress: (codec: number, bytes: Uint8Array): Uint8Array => {
    expect(Buffer.from(bytes.subarray(0, 2)).toString()).toBe(`z${codec}`);
    return bytes.subarray(2);
  },
};

function compressed(parts: MessageParts, ...inner: Buffer[]): Buffer {
  const { attributes = GZIP } = parts;
  const value = Buffer.concat([Buffer.from(`z${attributes & 7}`), ...inner]);
  return message({ ...parts, attributes, value });
}

function decoded(bytes: Buffer) {
  return findMessage(bytes, settings)
    .records()
    .map(({ offset, timestamp, key, value }) => [
      offset,
      timestamp,
      key === null ? null : Buffer.from(key).toString(),
      value === null ? null : Buffer.from(value).toString(),
    ]);
}

describe("findMessage()", () => {
  test("says of a message what a batch says, without headers and transactions", () => {
    const bytes = message({ key: "k" });
    const { records, ...batch } = findMessage(bytes, settings);
    expect(batch).toEqual({
      ...{ baseOffset: 7n, lastOffset: 7n, producerId: -1n },
      ...{ inTransaction: false, isEmpty: false },
    });
    expect(records()).toEqual([
      {
        topic: "topic",
        partition: 3,
        offset: 7n,
        timestamp: 1000,
        key: Buffer.from("k"),
        value: Buffer.from("v"),
        headers: [],
      },
    ]);
  });

  test.each<[string, MessageParts, unknown[]]>([
    ["format 0, which has no time", { magic: 0, key: "k" }, [7n, -1, "k", "v"]],
    ["format 0 and a tombstone", { magic: 0, value: null }, [7n, -1, null, null]],
    ["no key and no value", { key: null, value: null }, [7n, 1000, null, null]],
    ["an empty key and an empty value", { key: "", value: "" }, [7n, 1000, "", ""]],
    ["a key of one byte", { key: "k", value: "" }, [7n, 1000, "k", ""]],
    ["a time before 1970", { timestamp: -5n }, [7n, -5, null, "v"]],
  ])("reads a message of %s", (_, parts, record) => {
    expect(decoded(message(parts))).toEqual([record]);
  });

  test("reads from the middle of a larger buffer", () => {
    const whole = Buffer.concat([Buffer.alloc(5, 0xee), message({ key: "k" })]);
    expect(decoded(whole.subarray(5))).toEqual([[7n, 1000, "k", "v"]]);
  });

  const three = (magic: 0 | 1): Buffer[] =>
    [0n, 1n, 3n].map((offset) => message({ magic, offset, timestamp: 10n + offset, key: "k" }));

  test("of format 1, compressed: offsets count back from the outer one, times are their own", () => {
    expect(decoded(compressed({ offset: 23n }, ...three(1)))).toEqual([
      [20n, 10, "k", "v"],
      [21n, 11, "k", "v"],
      [23n, 13, "k", "v"],
    ]);
  });

  test("of format 1 with LogAppendTime: the outer time is that of all", () => {
    const attributes = GZIP | LOG_APPEND_TIME;
    expect(decoded(compressed({ attributes, offset: 3n }, ...three(1)))).toEqual([
      [0n, 1000, "k", "v"],
      [1n, 1000, "k", "v"],
      [3n, 1000, "k", "v"],
    ]);
  });

  test("of format 0, compressed: offsets are as they say", () => {
    expect(decoded(compressed({ magic: 0, offset: 23n }, ...three(0)))).toEqual([
      [0n, -1, "k", "v"],
      [1n, -1, "k", "v"],
      [3n, -1, "k", "v"],
    ]);
  });

  test.each([2, 3])("of codec %d are undone by that codec", (codec) => {
    const inner = message({ offset: 0n });
    expect(decoded(compressed({ attributes: codec }, inner))).toEqual([[7n, 1000, null, "v"]]);
  });

  test("compressed, may hold nothing", () => {
    expect(decoded(compressed({}))).toEqual([]);
  });

  /** What follows the checksum of a message of format 0 with this key and value part. */
  const format0 = (...bytes: number[]): Buffer => framed(0n, Buffer.from([0, 0, ...bytes]));
  const none = [255, 255, 255, 255];
  const cut = (bytes: Buffer, length: number): Buffer => {
    bytes.writeInt32BE(length, 8);
    return bytes;
  };

  test.each<[string, Buffer, string]>([
    ["has a wrong checksum", message().fill("x", 34), "the checksum of a message is wrong"],
    ["is compressed and null", message({ attributes: GZIP, value: null }), "is empty"],
    ["ends before its magic", message().subarray(0, 16), "ends too early"],
    ["ends in the checksum", message().subarray(0, 15), "ends too early"],
    ["ends before its value", format0(...none), "ends too early"],
    ["ends in the length of its value", format0(...none, 0, 0, 0), "ends too early"],
    ["ends behind the length of its key", format0(0, 0, 0, 5, 1, 1, 1, 1), "ends too early"],
    ["ends in its value", format0(...none, 0, 0, 0, 1), "ends too early"],
    ["ends in the length behind its key", format0(0, 0, 0, 2, 1, 1, 0, 0, 0), "ends too early"],
    ["holds one cut in its head", compressed({}, message().subarray(0, 11)), "ends too early"],
    ["holds one cut in its value", compressed({}, message().subarray(0, 30)), "ends too early"],
    ["holds one of no length", compressed({}, cut(message(), 0)), "ends too early"],
    ["holds one of negative length", compressed({}, cut(message(), -12)), "ends too early"],
    ["holds one of two bytes", compressed({}, cut(message(), 2)), "ends too early"],
    ["holds one past its end", compressed({}, cut(message(), 100)), "ends too early"],
    ["holds one and a rest", compressed({}, message(), Buffer.alloc(3)), "ends too early"],
    ["holds one and a head", compressed({}, message(), Buffer.alloc(12)), "ends too early"],
  ])("refuses a message that %s", (_, bytes, reason) => {
    expect(() => findMessage(bytes, settings).records()).toThrow(Corrupt);
    expect(() => findMessage(bytes, settings).records()).toThrow(reason);
  });
});
