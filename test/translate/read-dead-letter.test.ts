import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventOf } from "../../shared/adapters/event-hubs/event-data.ts";
import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../../shared/model/kafka-record.ts";
import {
  type DeadLetterReason,
  deadLetterOfPublish,
  deadLetterOfRecord,
} from "../../shared/translate/dead-letter.ts";
import { packLetter } from "../../shared/translate/pack-letter.ts";
import { readDeadLetter } from "../../shared/translate/read-dead-letter.ts";
import { decodeRecordSet } from "../../shared/wire/kafka-record-decoder.ts";
import { encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";
import { anyPublish, publishOf } from "../support/publishes.ts";
import { bytes as bytesOf, headersOf, recordOf, utf8, WRITTEN } from "../support/translations.ts";

const WHY: DeadLetterReason = {
  code: "TOPIC_NAME_INVALID",
  reason: "it says why",
  route: "connector/to-mqtt",
  time: WRITTEN,
  attempt: 2,
};

/** What is read back of a letter that was written to Kafka: through the bytes of a record batch. */
function written(letter: OutgoingRecord): KafkaRecord {
  const batch = encodeRecordBatch([letter], { now: WRITTEN + 5, codec: 0 });
  const { batches } = decodeRecordSet(Buffer.from(batch), {
    topic: letter.topic,
    partition: 3,
    decompress: () => new Uint8Array(),
  });
  return batches[0]?.records[0] as KafkaRecord;
}

/** What is read, by Kafka's protocol, of a letter that went to Event Hubs by AMQP: no key, no null, a map, AMQP-encoded values. */
function writtenByAmqp(letter: OutgoingRecord): KafkaRecord {
  const { body, properties = {} } = eventOf(packLetter(letter));
  return recordOf({
    topic: letter.topic,
    value: body as Uint8Array,
    headers: Object.entries(properties).map(([name, value]) => [
      name,
      typeof value === "string"
        ? amqp(0xa1, Buffer.from(value))
        : amqp(0xa0, value as unknown as Uint8Array),
    ]),
  });
}

/** A string (0xa1) or binary (0xa0) of AMQP 1.0, with a length of one byte where it suffices. */
function amqp(code: number, content: Uint8Array): Uint8Array {
  if (content.length < 256) return Buffer.concat([Buffer.from([code, content.length]), content]);
  const long = Buffer.alloc(5);
  long.writeUInt8(code + 0x10);
  long.writeUInt32BE(content.length, 1);
  return Buffer.concat([long, content]);
}

/** Names that the bridge writes itself, as a hostile or careless sender may use them. */
const collidingName = fc.oneof(
  fc.constantFrom(
    "isthmus-source",
    "isthmus-topic",
    "isthmus-route",
    "isthmus-attempt",
    "isthmus-replayed",
    "isthmus-correlation-data",
    "isthmus-content-type",
    "isthmus-",
    "Isthmus-Route",
    "isthmus-escaped-",
    "isthmus-escaped-isthmus-topic",
    "__proto__",
    "",
  ),
  fc.string({ unit: "grapheme", maxLength: 12 }),
);
const text = fc.string({ unit: "grapheme", maxLength: 20 }).map((t) => t.replaceAll("\0", ""));
const bytes = fc.uint8Array({ maxLength: 50 }).map((b): Uint8Array => Buffer.from(b));
const anyWhy: fc.Arbitrary<DeadLetterReason> = fc.record({
  code: text,
  reason: text,
  route: text,
  time: fc.integer({ min: 0, max: 9_000_000_000_000_000 }),
  attempt: fc.integer({ min: 1, max: 1000 }),
});
const anyRecord: fc.Arbitrary<KafkaRecord> = fc.record({
  topic: text,
  partition: fc.nat(),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  timestamp: fc.oneof(fc.constant(-1), fc.nat(), fc.integer({ min: WRITTEN, max: 2 ** 50 })),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.tuple(collidingName, fc.option(bytes)).map(asHeader), { maxLength: 12 }),
});

function asHeader([name, value]: [string, Uint8Array | null]): KafkaHeader {
  return [name, value];
}

/** The same with all bytes as one class: a Buffer and a Uint8Array of equal bytes are not equal to vitest. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

describe("readDeadLetter()", () => {
  test("gives back every record exactly, whatever its headers are called (S-54)", () => {
    fc.assert(
      fc.property(anyRecord, anyWhy, (record, why) => {
        const letter = written(deadLetterOfRecord(record, "dead", why));
        expect(plain(readDeadLetter(letter))).toEqual(plain({ source: "kafka", why, record }));
      }),
    );
  });

  test("gives back every message exactly, whatever its User Properties are called (S-54)", () => {
    const pairs = fc.array(fc.tuple(collidingName, text), { maxLength: 12 });
    fc.assert(
      fc.property(anyPublish, pairs, fc.nat(2 ** 42), anyWhy, (some, more, receivedAt, why) => {
        const userProperties = [...some.properties.userProperties, ...more];
        const publish = { ...some, properties: { ...some.properties, userProperties } };
        const letter = written(deadLetterOfPublish({ publish, receivedAt }, "dead", why));
        const original = { source: "mqtt", why, publish, receivedAt };
        expect(plain(readDeadLetter(letter))).toEqual(plain(original));
      }),
    );
  });

  test("gives back every record exactly that went to Event Hubs by AMQP (S-54)", () => {
    fc.assert(
      fc.property(anyRecord, anyWhy, (record, why) => {
        const letter = writtenByAmqp(deadLetterOfRecord(record, "dead", why));
        expect(plain(readDeadLetter(letter))).toEqual(plain({ source: "kafka", why, record }));
      }),
    );
  });

  test("gives back every message exactly that went to Event Hubs by AMQP (S-54)", () => {
    fc.assert(
      fc.property(anyPublish, fc.nat(2 ** 42), anyWhy, (publish, receivedAt, why) => {
        const letter = writtenByAmqp(deadLetterOfPublish({ publish, receivedAt }, "dead", why));
        const original = { source: "mqtt", why, publish, receivedAt };
        expect(plain(readDeadLetter(letter))).toEqual(plain(original));
      }),
    );
  });

  test("takes a packed letter whose package is broken, or not there, for what its own headers say", () => {
    const whole = writtenByAmqp(deadLetterOfRecord(recordOf({ key: bytesOf(1) }), "dead", WHY));
    const without = whole.headers.filter(([name]) => name !== "isthmus-packed");
    expect(readDeadLetter({ ...whole, headers: without })).toMatchObject({
      source: "kafka",
      record: { key: null, headers: [] },
    });
    const broken: KafkaHeader = ["isthmus-packed", amqp(0xa0, bytesOf(1, 2, 3))];
    expect(readDeadLetter({ ...whole, headers: [...without, broken] })).toBeUndefined();
  });

  test("gives back the dead letter that a dead letter was made of, to any depth (S-54)", () => {
    const first = recordOf({ headers: headersOf(["isthmus-topic", "forged"], ["a", null]) });
    const second = written(deadLetterOfRecord(first, "one", WHY));
    const third = written(deadLetterOfRecord(second, "two", { ...WHY, route: "other" }));
    const outer = readDeadLetter(third) as { record: KafkaRecord };
    expect(plain(outer.record)).toEqual(plain(second));
    expect(plain(readDeadLetter(outer.record))).toMatchObject({
      why: WHY,
      record: plain(first) as object,
    });
  });

  const letter = (over: readonly KafkaHeader[] = [], without?: string): KafkaRecord => {
    const { headers } = deadLetterOfRecord(recordOf(), "dead", WHY);
    return recordOf({ headers: [...headers.filter(([name]) => name !== without), ...over] });
  };
  const ofMqtt = (over: readonly KafkaHeader[] = [], without?: string): KafkaRecord => {
    const received = { publish: publishOf(), receivedAt: WRITTEN };
    const { headers } = deadLetterOfPublish(received, "dead", WHY);
    return recordOf({ headers: [...headers.filter(([name]) => name !== without), ...over] });
  };
  const strangers: [string, KafkaRecord][] = [
    ["an ordinary record", recordOf()],
    ["one of an unknown source", letter(headersOf(["isthmus-source", "pigeon"]))],
    ["one with an offset that is no number", letter(headersOf(["isthmus-offset", "1e3"]))],
    ["one with an attempt that is no number", letter(headersOf(["isthmus-attempt", ""]))],
    ["one with a time that is none", letter(headersOf(["isthmus-time", "yesterday"]))],
    ...["reason-code", "reason", "route", "time", "attempt", "source", "topic", "partition"].map(
      (name): [string, KafkaRecord] => [`one without ${name}`, letter([], `isthmus-${name}`)],
    ),
    ...["topic", "qos", "received-at"].map((name): [string, KafkaRecord] => [
      `one of MQTT without ${name}`,
      ofMqtt([], `isthmus-${name}`),
    ]),
    ["one of MQTT with QoS 2", ofMqtt(headersOf(["isthmus-qos", "2"]))],
    ["one of MQTT without a payload", { ...ofMqtt(), value: null }],
  ];
  test.each(strangers)("takes %s for no dead letter", (_name, record) => {
    expect(readDeadLetter(record)).toBeUndefined();
  });

  test("takes a header without a value, which MQTT has not, for a User Property without text", () => {
    expect(readDeadLetter(ofMqtt([["x", null]]))).toMatchObject({
      publish: { properties: { userProperties: [["x", ""]] } },
    });
  });

  test("never throws, whatever the headers are", () => {
    const header = fc.tuple(
      fc.constantFrom(...ofMqtt().headers.map(([name]) => name), "isthmus-offset", "x"),
      fc.option(fc.oneof(bytes, fc.constantFrom(utf8("mqtt"), utf8("kafka"), utf8("1")))),
    );
    fc.assert(
      fc.property(fc.array(header, { maxLength: 14 }), (headers) => {
        readDeadLetter(letter(headers));
        readDeadLetter(ofMqtt(headers));
      }),
    );
  });
});
