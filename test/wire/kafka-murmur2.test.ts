import { describe, expect, test } from "vitest";
import { murmur2, partitionOfKey } from "../../shared/wire/kafka-murmur2.ts";

describe("murmur2()", () => {
  // the values of Kafka's own UtilsTest
  test.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
    ["", 275646681],
  ])("of %j is what Java computes", (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  test("bytes above 127 count as they are", () => {
    expect(murmur2(Uint8Array.of(0xff, 0x80, 0xc3, 0xa9, 0xfe))).toBe(2017715241);
  });

  // the hash without its sign, modulo the partitions
  test.each([
    ["21", 10, 0],
    ["foobar", 10, 6],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 10, 7],
    ["abc", 7, 4],
    ["", 1, 0],
  ])("partitionOfKey() of %j among %d is %d, never negative", (key, partitions, partition) => {
    expect(partitionOfKey(Buffer.from(key), partitions)).toBe(partition);
  });
});
