import { describe, expect, test } from "vitest";
import type { KafkaHeader, KafkaRecord } from "../../shared/model/kafka-record.ts";
import { packLetter, unpackLetter } from "../../shared/translate/pack-letter.ts";
import { encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";
import { bytes, record } from "../support/memory-ports.ts";

const amqp = (code: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([code, content.length]), content]);

const OURS: KafkaHeader = ["isthmus-source", amqp(0xa1, bytes("kafka"))];

/** A letter as Event Hubs hands it on: its headers, and what is packed beside them. */
function letter(packed: Uint8Array | undefined, over: Partial<KafkaRecord> = {}): KafkaRecord {
  const headers = packed === undefined ? [OURS] : [OURS, ["isthmus-packed", amqp(0xa0, packed)]];
  return record({ headers: headers as KafkaHeader[], ...over });
}

function packedOf(value: Uint8Array | null): Uint8Array {
  const { headers } = packLetter({
    ...{ topic: "dead", key: bytes("key"), value, partitioning: { by: "roundRobin" } },
    headers: [["own", null]],
  });
  return headers[0]?.[1] ?? new Uint8Array();
}

describe("unpackLetter()", () => {
  test.each([
    { name: "a record that is no letter", given: record({ headers: [["a", bytes("b")]] }) },
    {
      name: "a letter that Kafka carried as it was",
      given: record({ headers: [["isthmus-source", bytes("kafka")]] }),
    },
    {
      name: "a letter whose source is null",
      given: record({ headers: [["isthmus-source", null]] }),
    },
    { name: "a letter whose package cannot be read", given: letter(bytes("?")) },
    {
      name: "a letter whose package is compressed, which ours never is",
      given: letter(
        encodeRecordBatch([{ key: null, value: bytes("v"), headers: [] }], {
          ...{ now: 0, codec: 1, compress: (body: Uint8Array) => body },
        }),
      ),
    },
  ])("leaves $name as it is (S-54)", ({ given }) => {
    expect(unpackLetter(given)).toBe(given);
  });

  test.each([
    { name: "a value", value: bytes("v"), came: bytes("v"), want: bytes("v") },
    { name: "an empty value", value: bytes(""), came: null, want: bytes("") },
    { name: "a tombstone", value: null, came: bytes(""), want: null },
  ])("gives $name back, with key and headers, nulls too (S-54)", ({ value, came, want }) => {
    const given = letter(packedOf(value), { value: came });
    const back = unpackLetter(given);
    expect(back.value === null ? null : Buffer.from(back.value)).toEqual(
      want === null ? null : Buffer.from(want),
    );
    expect(Buffer.from(back.key ?? [])).toEqual(Buffer.from("key"));
    expect(back.headers[0]).toEqual(["own", null]);
  });

  test.each([null, bytes("not AMQP-encoded")])("keeps a header whose value is %s", (value) => {
    const given = record({ headers: [OURS, ["isthmus-topic", value]] });
    expect(unpackLetter(given).headers[1]).toEqual(["isthmus-topic", value]);
  });
});
