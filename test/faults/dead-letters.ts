import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Direction } from "./flow.ts";
import { COUNTS } from "./messages.ts";

/** A message that the bridge put aside. */
export interface DeadLetter {
  readonly direction: Direction;
  readonly index: number;
  readonly code: string;
  /** Topic that it came from. */
  readonly topic: string;
}

/** Reads a record of the dead-letter topic; undefined when it is none of a run's messages. */
export function deadLetterOf(record: KafkaRecord): DeadLetter | undefined {
  const header = (name: string): string => {
    const found = record.headers.findLast(([other]) => other === `isthmus-${name}`);
    return Buffer.from(found?.[1] ?? []).toString();
  };
  const value = Buffer.from(record.value ?? []);
  if (value.length < COUNTS) return undefined;
  return {
    direction: header("source") === "kafka" ? "toMqtt" : "toKafka",
    index: value.readUInt32BE(0),
    code: header("reason-code"),
    topic: header("topic"),
  };
}
