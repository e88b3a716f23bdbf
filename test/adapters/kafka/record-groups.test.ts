import { describe, expect, test } from "vitest";
import { RecordGrouper, topicPartitions } from "../../../shared/adapters/kafka/record-groups.ts";
import type { OutgoingRecord, Partitioning } from "../../../shared/model/kafka-record.ts";

const FOUR = { all: [0, 1, 2, 3], available: [0, 1, 2, 3] };

const record = (partitioning: Partitioning, key: string | null = null): OutgoingRecord => ({
  topic: "t",
  key: key === null ? null : Buffer.from(key),
  value: null,
  headers: [],
  partitioning,
});

function partitionsOf(records: readonly OutgoingRecord[], partitions = FOUR): number[] {
  const groups = new RecordGrouper().group("t", records, partitions);
  return records.map((r) => groups.find((group) => group.records.includes(r))?.partition ?? -1);
}

describe("RecordGrouper [S-13]", () => {
  const cases: {
    name: string;
    records: OutgoingRecord[];
    partitions?: typeof FOUR;
    want: number[];
  }[] = [
    {
      name: "round robin takes the partitions in turn",
      records: [1, 2, 3, 4, 5].map(() => record({ by: "roundRobin" })),
      want: [0, 1, 2, 3, 0],
    },
    {
      name: "round robin passes over partitions without a leader",
      records: [1, 2, 3].map(() => record({ by: "roundRobin" })),
      partitions: { all: [0, 1, 2], available: [0, 2] },
      want: [0, 2, 0],
    },
    {
      name: "round robin takes any when none has a leader",
      records: [1, 2].map(() => record({ by: "roundRobin" })),
      partitions: { all: [0, 1], available: [] },
      want: [0, 1],
    },
    {
      name: "a key goes where Java's producer sends it, leader or not",
      records: ["foobar", "abc", "21"].map((key) => record({ by: "key" }, key)),
      partitions: { all: [0, 1, 2, 3], available: [0] },
      want: [2, 3, 0],
    },
    {
      name: "by key without a key is round robin",
      records: [record({ by: "key" }), record({ by: "key" })],
      want: [0, 1],
    },
    {
      name: "an instance goes to its number modulo the number of partitions",
      records: [0, 3, 4, 9].map((instance) => record({ by: "instance", instance })),
      want: [0, 3, 0, 1],
    },
    {
      name: "a partition is a partition",
      records: [record({ by: "partition", partition: 3 })],
      want: [3],
    },
  ];

  test.each(cases)("$name", ({ records, partitions, want }) => {
    expect(partitionsOf(records, partitions)).toEqual(want);
  });

  test("keeps the order of records within a partition", () => {
    const records = Array.from({ length: 50 }, (_, i) => record({ by: "key" }, `k${i % 7}`));
    for (const group of new RecordGrouper().group("t", records, FOUR)) {
      const order = group.records.map((r) => records.indexOf(r));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  });

  test("goes on in turn from send to send, for each topic by itself", () => {
    const grouper = new RecordGrouper();
    const one = [record({ by: "roundRobin" })];
    const next = (topic: string): number | undefined =>
      grouper.group(topic, one, FOUR)[0]?.partition;
    expect([next("t"), next("t"), next("u"), next("t")]).toEqual([0, 1, 0, 2]);
  });

  test("refuses a partition that is not there: kafkajs would drop the record and report success", () => {
    expect(() => partitionsOf([record({ by: "partition", partition: 4 })])).toThrow(
      expect.objectContaining({ code: "KAFKA_REFUSED", retryable: false }),
    );
  });

  test("topicPartitions() sorts, and tells which have a leader", () => {
    const at = (partitionId: number, leader: number) => ({
      partitionId,
      leader,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    });
    expect(topicPartitions([at(2, 1), at(0, -1), at(1, 0)])).toEqual({
      all: [0, 1, 2],
      available: [1, 2],
    });
  });
});
