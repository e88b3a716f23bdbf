import { describe, expect, test } from "vitest";
import { deliveryMemory, recordMemory } from "../../shared/engine/sizes.ts";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import { bytes, publish, record } from "../support/memory-ports.ts";

const value = new Uint8Array(1000);
const headers = (count: number): KafkaRecord["headers"] =>
  Array.from({ length: count }, (_, i) => [`header-${i}`, bytes(`value-${i}`)]);

/** Bytes of heap and buffers for each of 100,000 records that wait, after a garbage collection. */
const records = [
  { name: "a value", given: record({ value }), measured: 1331 },
  { name: "a key", given: record({ value, key: bytes("key-1234") }), measured: 1433 },
  { name: "a header", given: record({ value, headers: headers(1) }), measured: 1687 },
  { name: "three headers", given: record({ value, headers: headers(3) }), measured: 2033 },
  { name: "a tombstone", given: record({ value: null }), measured: 331 },
];

describe("memory is reckoned (S-53)", () => {
  test.each(records)("of a record with $name, above what was measured", ({ given, measured }) => {
    expect(recordMemory(given)).toBeGreaterThan(1.4 * measured);
    expect(recordMemory(given)).toBeLessThan(1.7 * measured);
  });

  test("of a delivery, with its User Properties", () => {
    const delivery = (userProperties: [string, string][]): number =>
      deliveryMemory({
        ...{ publish: publish({ properties: { userProperties } }), receivedAt: 0, bytes: 1000 },
        acknowledge: () => undefined,
      });
    expect(delivery([])).toBeGreaterThan(1.4 * 1350);
    expect(delivery([["a", "b"]]) - delivery([])).toBeGreaterThan(100);
  });
});
