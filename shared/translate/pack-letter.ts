import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import { decodeRecordSet } from "../wire/kafka-record-decoder.ts";
import { encodeRecordBatch } from "../wire/kafka-record-encoder.ts";
import { amqpBytes } from "./amqp-value.ts";
import { DEAD_LETTER_PREFIX, ESCAPE_PREFIX } from "./dead-letter.ts";

/** Holds what a map of properties cannot: the message's own headers as a list, its key, and whether it is a tombstone. */
const PACKED = `${DEAD_LETTER_PREFIX}packed`;
const SOURCE = `${DEAD_LETTER_PREFIX}source`;
const EMPTY = new Uint8Array(0);

function isOurs([name]: KafkaHeader): boolean {
  return name.startsWith(DEAD_LETTER_PREFIX) && !name.startsWith(ESCAPE_PREFIX);
}

/**
 * The same dead letter for a transport that has no key, no null and a map where Kafka has a list of headers (Event Hubs by AMQP):
 * headers of ours stay, for people and filters; what is the message's own goes into one of them, as a record batch of one.
 */
export function packLetter(letter: OutgoingRecord): OutgoingRecord {
  const { key, value, headers } = letter;
  const content = {
    key,
    value: value === null ? null : EMPTY,
    headers: headers.filter((header) => !isOurs(header)),
  };
  const packed: KafkaHeader = [PACKED, encodeRecordBatch([content], { now: 0, codec: 0 })];
  return { ...letter, key: null, headers: [...headers.filter(isOurs), packed] };
}

/** The letter as it was before it was packed; any other record as it is. Event Hubs hands AMQP properties on with their AMQP encoding. */
export function unpackLetter(record: KafkaRecord): KafkaRecord {
  const source = record.headers.find(([name]) => name === SOURCE)?.[1];
  if (source === null || source === undefined || amqpBytes(source) === undefined) return record;
  const ours = record.headers.map(([name, value]): KafkaHeader => [name, plain(value)]);
  const packed = ours.find(([name]) => name === PACKED)?.[1];
  if (packed === null || packed === undefined) return { ...record, headers: ours };
  const content = unpacked(packed);
  if (content === undefined) return record;
  return {
    ...record,
    key: content.key,
    value: content.value === null ? null : (record.value ?? EMPTY),
    headers: [...content.headers, ...ours.filter(isOurs)],
  };
}

function plain(value: Uint8Array | null): Uint8Array | null {
  return value === null ? null : (amqpBytes(value) ?? value);
}

function unpacked(batch: Uint8Array): KafkaRecord | undefined {
  const { batches } = decodeRecordSet(batch, {
    topic: "",
    partition: 0,
    decompress: () => EMPTY,
  });
  return batches[0]?.records[0];
}
