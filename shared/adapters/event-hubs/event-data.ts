import type { EventData } from "@azure/event-hubs";
import type { KafkaHeader, OutgoingRecord } from "../../model/kafka-record.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The event that a record becomes. Application properties are an AMQP map, which has each name once:
 * the second value of a name goes under `<name>;2`, the third under `<name>;3`. Text stays text, other bytes become AMQP binary.
 */
export function eventOf(record: OutgoingRecord): EventData {
  const properties: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of record.headers) {
    properties[freeName(properties, name)] = propertyValue(value);
  }
  return { body: Buffer.from(record.value ?? []), properties: properties as never };
}

function freeName(properties: Readonly<Record<string, unknown>>, name: string): string {
  if (!(name in properties)) return name;
  let n = 2;
  while (`${name};${n}` in properties) n += 1;
  return `${name};${n}`;
}

function propertyValue(value: KafkaHeader[1]): unknown {
  if (value === null) return null;
  try {
    return decoder.decode(value);
  } catch {
    return Buffer.from(value);
  }
}

/** Where in its hub a group of events goes: all of one group go the same way, in their order. */
export interface Destination {
  readonly partitionKey?: string;
  readonly partitionId?: string;
}

/** Which partition S-13 asks for. A key that is no text is used by its bytes in Base64: the same key, the same partition. */
export function destinationOf(
  record: OutgoingRecord,
  partitionIds: readonly string[],
): Destination {
  const { partitioning, key } = record;
  switch (partitioning.by) {
    case "roundRobin":
      return {};
    case "key":
      return key === null ? {} : { partitionKey: keyText(key) };
    case "instance":
      return { partitionId: partitionIds[partitioning.instance % partitionIds.length] ?? "0" };
    case "partition":
      return {
        partitionId: partitionIds[partitioning.partition] ?? String(partitioning.partition),
      };
  }
}

function keyText(key: Uint8Array): string {
  try {
    return decoder.decode(key);
  } catch {
    return Buffer.from(key).toString("base64");
  }
}
