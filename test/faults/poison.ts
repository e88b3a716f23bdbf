import {
  type Header,
  listProblem,
  type PublishContent,
  payloadOf,
  plainRecords,
  type RecordContent,
} from "./messages.ts";
import { PropertyWriter } from "./property-writer.ts";

/** The longest text of MQTT, and one byte more. */
const LONGEST = 65_535;
const HUNDREDS = 300;
/** Long and many headers are rare, so that a run is not all of them. */
const RARE = 997;
const OFTEN = 101;

const LONG = Buffer.alloc(LONGEST, "x");
const TOO_LONG = Buffer.alloc(LONGEST + 1, "x");

/** Texts that MQTT 5 advises against [1.5.4.1]. Mosquitto ends the connection on them; they are so rare that a run is not all of it. */
const FORBIDDEN_EVERY = 9973;

export function isForbidden(index: number): boolean {
  return index % FORBIDDEN_EVERY === 77;
}

/** A header as it is in the record, and what docs/mapping.md makes of it: undefined when it is removed. */
type Poison = readonly [name: string, value: Buffer, text: string | Buffer | undefined];

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const plain = (name: string, text: string): Poison => [name, Buffer.from(text), text];
const removed = (name: string, value: Buffer): Poison => [name, value, undefined];

const KINDS: readonly (readonly Poison[])[] = [
  [plain("10", "numbers come in their order"), plain("2", "two"), plain("1", "one")],
  [plain("__proto__", "p"), plain("constructor", "c"), plain("toString", "t")],
  [removed("", Buffer.from("has no name")), plain("after", "it")],
  [removed("nul", bytes(0x61, 0, 0x62)), removed("n\u0000l", Buffer.from("name"))],
  [removed("cut", bytes(0xe2, 0x82)), removed("surrogate", bytes(0xed, 0xa0, 0x80))],
  [removed("overlong", bytes(0xc0, 0xaf)), removed("lone", bytes(0x80))],
  // AMQP values: a string, one cut short, one with a byte too many, a list
  [["amqp", bytes(0xa1, 3, 0x62, 0x61, 0x72), "bar"], removed("cut", bytes(0xa1, 9, 0x62))],
  [removed("more", bytes(0xa1, 1, 0x62, 0x63)), removed("list", bytes(0xc0, 2, 1, 0x43))],
  [plain("empty", ""), plain("Key", "mine"), plain("Timestamp", "never")],
  [plain("MQTT Topic", "stolen/topic"), plain("Content Type", "poison")],
  [plain("\u202etxt.exe\ufeff", "\u{1f3ed}\u0301\u200b"), plain("$share/x/#", "+/#")],
];
const MANY: readonly Poison[] = Array.from({ length: HUNDREDS }, (_, i) =>
  plain(`h${i % 7}`, `${i}`),
);
const EXTREME: readonly Poison[] = [["long", LONG, LONG], removed("too long", TOO_LONG)];

const STACK: readonly Poison[] = [plain("stacktrace", "Error: no\n\tat line 1\r\n")];

function poisonOf(index: number): readonly Poison[] {
  if (index % RARE === RARE - 1) return EXTREME;
  if (index % OFTEN === OFTEN - 1) return MANY;
  return KINDS[index % KINDS.length] as readonly Poison[];
}

/** Records whose headers are meant to break something. */
export const poisonRecords: RecordContent = {
  payload: payloadOf,
  record: (index, copy) => ({
    ...plainRecords.record(index, copy),
    key: null,
    headers: (isForbidden(index) ? STACK : poisonOf(index)).map(
      ([name, value]) => [name, value] as const,
    ),
  }),
  userProperties(index) {
    const { timestamp } = plainRecords.record(index, 0);
    const writer = new PropertyWriter();
    writer.user("Timestamp", String(timestamp));
    for (const [name, , text] of poisonOf(index)) if (text !== undefined) writer.user(name, text);
    return writer.take();
  },
};

/** What MQTT carries of it: it has no way to say the rest. An empty name is none of Kafka's troubles. */
function propertiesOf(index: number): Header[] {
  const legal = poisonOf(index).flatMap(([name, , text]): Header[] =>
    text === undefined ? [] : [[name, Buffer.from(text)]],
  );
  return index % 3 === 0 ? [["", Buffer.from("has no name")], ...legal] : legal;
}

/** Publishes whose User Properties are. */
export const poisonPublishes: PublishContent = {
  payload: payloadOf,
  publish(index, copy) {
    const writer = new PropertyWriter();
    for (const [name, value] of propertiesOf(index)) writer.user(name, Buffer.from(value));
    return { properties: writer.take(), payload: payloadOf(index, copy) };
  },
  headersProblem: (index, topicName, headers) =>
    listProblem(headers, [
      ["MQTT Topic", Buffer.from(topicName)],
      // what would pass for the bridge's own word is put behind "mqtt-"
      ...propertiesOf(index).map(
        ([name, value]): Header => [name === "MQTT Topic" ? `mqtt-${name}` : name, value],
      ),
    ]),
};
