/** Everything that reads bytes of others: it may answer what it likes, but neither throw what it does not promise nor run on. */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { Duplex } from "node:stream";
import { createHttpServer } from "../../local/http/server.ts";
import { decompress } from "../../shared/adapters/kafka/compression.ts";
import { decodeFetchResponse, drain } from "../../shared/adapters/kafka/fetch-response.ts";
import { BridgeError } from "../../shared/errors.ts";
import { parseExpression } from "../../shared/expressions/parser.ts";
import { parsePath } from "../../shared/expressions/path.ts";
import { compileTransform, transformProblems } from "../../shared/expressions/transform.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { KafkaHeader, KafkaRecord } from "../../shared/model/kafka-record.ts";
import type { Transform } from "../../shared/model/transform.ts";
import { trustedCertificates } from "../../shared/secrets/pem.ts";
import { expiryOf } from "../../shared/secrets/service-account-token.ts";
import {
  kafkaTopicProblem,
  selectorProblem,
  toKafkaTopic,
} from "../../shared/topics/kafka-topic.ts";
import {
  filtersOverlap,
  parseSharedSubscription,
  topicFilterMatches,
  topicFilterProblem,
} from "../../shared/topics/topic-filter.ts";
import { topicNameProblem } from "../../shared/topics/topic-name.ts";
import { parseTopicTemplate, renderTopicTemplate } from "../../shared/topics/topic-template.ts";
import { amqpBytes, amqpValue } from "../../shared/translate/amqp-value.ts";
import { recordsFromEventHubsTrigger } from "../../shared/translate/event-hubs-trigger.ts";
import { headerValue } from "../../shared/translate/header-value.ts";
import { recordsFromKafkaTrigger } from "../../shared/translate/kafka-trigger.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { readDeadLetter } from "../../shared/translate/read-dead-letter.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { readReplayMark } from "../../shared/translate/replay-mark.ts";
import { parseConnectionString } from "../../shared/wire/connection-string.ts";
import { crc32c } from "../../shared/wire/kafka-crc32c.ts";
import { decodeRecordSet } from "../../shared/wire/kafka-record-decoder.ts";
import { encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";
import { decodeConnack, decodeDisconnect, decodePuback } from "../../shared/wire/mqtt-control.ts";
import { FrameSplitter } from "../../shared/wire/mqtt-frames.ts";
import { PublishDecoder } from "../../shared/wire/mqtt-publish-decoder.ts";
import { generatePacket } from "../support/mqtt-packet.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";
import { valueFrom } from "./mutate.ts";

export interface FuzzedDecoder {
  readonly name: string;
  /** What it reads in good days. */
  readonly examples: readonly Buffer[];
  /** What means something to it. */
  readonly scraps: readonly string[];
  decode(bytes: Buffer): void | Promise<void>;
}

const VARIABLE = "$" + "{inputTopic}";
const NOW = 1_795_248_000_000;
const context = { now: NOW, newId: () => "0b0f1e62-0000-4000-8000-000000000001" };
const fixture = (path: string): Buffer => readFileSync(`test/fixtures/${path}`);
const buffers = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

/** Passes over an error that the decoder promises. */
function allowing(kind: new (...args: never[]) => Error, decode: () => unknown): void {
  try {
    decode();
  } catch (cause) {
    if (!(cause instanceof kind)) throw cause;
  }
}

const manifests: FuzzedDecoder = {
  name: "manifests",
  examples: buffers(
    ...["connector-sasl", "topic-map", "dataflows", "devices"].flatMap((name) =>
      fixture(`manifests/${name}.yaml`).toString().split(/^---$/mu),
    ),
  ),
  scraps: [
    ...[
      "{",
      "}",
      "[",
      "]",
      "*a",
      "&a ",
      "<<: *a",
      ": ",
      "- ",
      "\n",
      "\n  ",
      "\t",
      '"',
      "'",
      "|",
      "> ",
      "? ",
    ],
    ...[
      "null",
      "~",
      "99999999999999999999",
      "-1",
      "1e999",
      "0x",
      ".inf",
      "!!binary ",
      "!!js ",
      "%YAML 1.2\n",
    ],
    ...[
      "---\n",
      "...\n",
      "__proto__: ",
      "constructor: ",
      VARIABLE,
      "spec:",
      "metadata:",
      "name: ",
      "\u0000",
      "é",
    ],
  ],
  decode(bytes): void {
    compileManifests([{ path: "any.yaml", text: bytes.toString() }]);
  },
};

const amqp: FuzzedDecoder = {
  name: "AMQP values",
  examples: [
    ...["a103626172", "b100000003626172", "71ffffffff", "80ffffffffffffffff", "8300000000000000ff"],
    ...["98000102030405060708090a0b0c0d0e0f", "7240490fdb", "824005bf0a8b145769", "a003000102"],
    ...[
      "74ffffffff",
      "84ffffffffffffffff",
      "94ffffffffffffffffffffffffffffffff",
      "7300000041",
      "45",
      "40",
    ],
    ...[
      "c00503a1016140",
      "d00000000a00000002a10161a10162",
      "f00000000900000002a1016102",
      "0053754100",
    ],
  ].map((hex) => Buffer.from(hex, "hex")),
  scraps: ["\u0000", "bar"],
  decode(bytes): void {
    amqpValue(bytes, true);
    amqpValue(bytes, false);
    amqpBytes(bytes);
    for (const mode of ["Auto", "Always", "Never"] as const) headerValue(bytes, mode);
  },
};

/** The bytes as names and values: each behind a byte that says how long it is. */
function headersFrom(bytes: Buffer): KafkaHeader[] {
  const headers: KafkaHeader[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + (bytes[at] as number);
    const name = bytes.toString("utf8", at + 1, nameEnd);
    const length = bytes[nameEnd] ?? 0;
    headers.push([name, length === 255 ? null : bytes.subarray(nameEnd + 1, nameEnd + 1 + length)]);
    at = nameEnd + 1 + (length === 255 ? 0 : length);
  }
  return headers;
}

function headerBytes(...pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    pairs.flatMap(([name, value]) =>
      [name, value].flatMap((text) => [Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]),
    ),
  );
}

function recordWith(over: Partial<KafkaRecord>): KafkaRecord {
  const plain = { topic: "source", partition: 0, offset: 7n, timestamp: NOW };
  return { ...plain, key: null, value: Buffer.from("21.5"), headers: [], ...over };
}

const LETTER_NAMES = [
  ...[
    "reason-code",
    "reason",
    "route",
    "time",
    "attempt",
    "source",
    "topic",
    "partition",
    "offset",
  ],
  ...["timestamp", "qos", "retain", "received-at", "packed", "replayed", "escaped-isthmus-route"],
].map((name) => `isthmus-${name}`);

const PROPERTY_NAMES = [
  ...["Payload Format Indicator", "Message Expiry Interval", "Response Topic", "Correlation Data"],
  ...["Content Type", "MQTT Topic", "Key", "Timestamp", "ce_id", "ce_source", "ce_specversion"],
  ...["ce_type", "ce_time", "datacontenttype", "content-type", "__proto__", ";encoding"],
];

const toMqtt = [
  recordToPublish(kafkaToMqttRoute({ restoreMqttProperties: true, binaryHeaders: "Base64" })),
  recordToPublish(kafkaToMqttRoute({ cloudEvents: "CreateOrRemap", amqpHeaders: "Always" })),
];

const headers: FuzzedDecoder = {
  name: "Kafka headers",
  examples: [
    headerBytes(
      ["Payload Format Indicator", "1"],
      ["Content Type", "a/b"],
      ["MQTT Topic", "a/b"],
      ["x", "y"],
    ),
    headerBytes(["Message Expiry Interval", "60"], ["Response Topic", "a/b"], ["MQTT Topic", "a"]),
    headerBytes(["ce_id", "1"], ["ce_source", "a"], ["ce_specversion", "1.0"], ["ce_type", "t"]),
  ],
  scraps: [...PROPERTY_NAMES, "\u00ff", "\u0000"],
  decode(bytes): void {
    const record = recordWith({ headers: headersFrom(bytes), key: bytes.subarray(0, 16) });
    for (const translate of toMqtt) translate(record, context);
  },
};

const letters: FuzzedDecoder = {
  name: "dead letters and marks of replay",
  examples: [
    headerBytes(
      ...(LETTER_NAMES.map((name) => [name, name.endsWith("source") ? "mqtt" : "1"]) as [
        string,
        string,
      ][]),
    ),
    headerBytes(
      ...(LETTER_NAMES.map((name) => [
        name,
        name.endsWith("source") ? "kafka" : "2026-11-21T08:00:00Z",
      ]) as [string, string][]),
    ),
    headerBytes(["isthmus-replayed", "1-5,7,9-12"]),
  ],
  scraps: [...LETTER_NAMES, "99999999999999999999", "-1", "kafka", "mqtt", "1-", ","],
  decode(bytes): void {
    const record = recordWith({ headers: headersFrom(bytes) });
    readDeadLetter(record);
    readReplayMark(record);
  },
};

const topics: FuzzedDecoder = {
  name: "topics, filters and templates",
  examples: buffers(
    ...[
      "a/b/c\na/+/#",
      "$share/group/a/+/b\n$SYS/x",
      `plant.$\{inputTopic.2}.x\nplant/7/t`,
      "^a[.](b|c)*$\na.b",
    ],
  ),
  scraps: [
    "/",
    "+",
    "#",
    "$share/",
    VARIABLE,
    "${",
    "}",
    ".",
    "\u0000",
    "\n",
    "((",
    "*",
    "{9}",
    "\ud83d",
  ],
  decode(bytes): void {
    const [a = "", b = ""] = bytes.toString().split("\n");
    for (const text of [a, b]) {
      kafkaTopicProblem(text);
      toKafkaTopic(text);
      selectorProblem(text);
      topicFilterProblem(text);
      topicNameProblem(text);
      parseSharedSubscription(text);
    }
    topicFilterMatches(a, b);
    filtersOverlap(a, b);
    const parsed = parseTopicTemplate(a);
    if (parsed.ok) renderTopicTemplate(parsed.template, b, "/");
  },
};

const transformOf = (output: string, expression: string): Transform => ({
  datasets: [],
  datasetsConfigMap: "datasets",
  filter: [],
  filterDrops: true,
  map: [
    { inputs: ["*"], output: "*" },
    { inputs: ["a", "b.c"], output, expression },
  ],
});

const expressions: FuzzedDecoder = {
  name: "expressions and paths",
  examples: buffers(
    ...[
      "$1 * 9 / 5 + 32",
      "if($1 > 5, true, str::len($2))",
      '($1 + "x") == $2 && !($1 < 3)',
      "min($1) ? $last",
    ],
    ...["a.b.'c.d'.*", "$metadata.user_property.x", "$payload.a[0].b"],
  ),
  scraps: [
    "(",
    ")",
    "((((((((",
    "$1",
    "$",
    "if(",
    "?",
    "&&",
    "!",
    '"',
    "'",
    "1e999",
    "-",
    ".",
    "*",
    ",",
    "str::",
  ],
  decode(bytes): void {
    const text = bytes.toString();
    parseExpression(text);
    parsePath(text);
    transformProblems(transformOf(text, text));
  },
};

const mapped = compileTransform(transformOf("sum", "$1 + $2"), new Map());

const payloads: FuzzedDecoder = {
  name: "payloads that a map reads",
  examples: buffers(
    '{"a":1,"b":{"c":[1,2,{"d":null}]},"e":"\\u00e9"}',
    '[{"a":"x","b":{"c":-1.5e3}},true]',
    "21.5",
  ),
  scraps: [
    '{"a":',
    "[[[[[[[[[[[[[[[[",
    "}",
    "]",
    "1e999",
    "\\ud800",
    '"',
    '"__proto__":',
    "-",
    "00",
    "\u0000",
    "1".repeat(400),
  ],
  decode(bytes): void {
    mapped({ payload: bytes, topic: "a/b", contentType: undefined, property: () => undefined });
  },
};

const TRIGGER_NAMES = [
  ...["topicArray", "partitionArray", "offsetArray", "timestampArray", "keyArray", "headersArray"],
  ...["sequenceNumberArray", "enqueuedTimeUtcArray", "propertiesArray", "systemPropertiesArray"],
  ...[
    "partitionContext",
    "eventHubName",
    "partitionId",
    "Key",
    "Value",
    "key",
    "value",
    "length",
    "0",
    "__proto__",
  ],
];

function trigger(
  name: string,
  file: string,
  decode: (payload: unknown, metadata: unknown) => unknown,
): FuzzedDecoder {
  const whole = fixture(`triggers/${file}.json`);
  return {
    name,
    examples: [
      whole.subarray(0, 4096),
      Buffer.from([9, 5, 6, 3, 1, 2, 3, 10, 5, 0, 9, 3, 3, 1, 1, 9, 2, 4, 3, 97, 98, 99]),
    ],
    scraps: TRIGGER_NAMES,
    decode(bytes): void {
      const half = bytes.length >> 1;
      const payload = valueFrom(bytes.subarray(0, half), TRIGGER_NAMES);
      const metadata = valueFrom(bytes.subarray(half), TRIGGER_NAMES);
      decode(payload, metadata);
      decode([bytes, bytes], Object.assign({}, metadata));
      decode([bytes], {
        ...Object.fromEntries(TRIGGER_NAMES.map((field) => [field, [metadata]])),
        partitionContext: { eventHubName: "hub", partitionId: "0" },
      });
    },
  };
}

const settings = { topic: "t", partition: 0, decompress };
const records = [
  { key: null, value: Buffer.from("a"), headers: [] },
  {
    key: Buffer.from("k"),
    value: null,
    headers: [
      ["h", Buffer.from("v")],
      ["", null],
    ] as KafkaHeader[],
  },
];
const batch = (): Buffer => Buffer.from(encodeRecordBatch(records, { now: NOW, codec: 0 }));

/** The checksum that belongs to what the batch has become: or else nothing behind it would ever be looked at. */
function mended(bytes: Buffer): Buffer {
  if (bytes.length > 61 && bytes[16] === 2 && (bytes[60] as number) % 4 > 0) {
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  }
  return bytes;
}

const recordSets: FuzzedDecoder = {
  name: "Kafka record sets",
  examples: [
    ...[batch(), batch(), Buffer.concat([batch(), batch()])],
    ...[1, 2, 3].map((codec) => {
      const packed = batch();
      packed.writeInt16BE(codec, 21);
      return packed;
    }),
    Buffer.concat([Buffer.from("00000000000000010000001e", "hex"), Buffer.from("a".repeat(30))]),
    Buffer.from(
      "000000000000000000000018" +
        "00000000" +
        "01" +
        "00" +
        "0000018c00000000" +
        "ffffffff" +
        "0000000161",
      "hex",
    ),
  ],
  scraps: ["\u0000\u0000\u0000\u0000", "\u007f"],
  decode(bytes): void {
    decodeRecordSet(bytes, settings);
    decodeRecordSet(mended(bytes), settings);
  },
};

function fetchResponse(): Buffer {
  const set = batch();
  const number = (width: number, value: number): Buffer => {
    const bytes = Buffer.alloc(width);
    bytes.writeIntBE(value, Math.max(0, width - 4), Math.min(width, 4));
    return bytes;
  };
  return Buffer.concat([
    ...[number(4, 0), number(2, 0), number(4, 5), number(4, 1), number(2, 1), Buffer.from("t")],
    ...[
      number(4, 1),
      number(4, 0),
      number(2, 0),
      number(8, 9),
      number(8, 9),
      number(8, 0),
      number(4, 1),
    ],
    ...[number(8, 3), number(8, 0), number(4, -1), number(4, set.length), set],
  ]);
}

const fetches: FuzzedDecoder = {
  name: "Kafka Fetch responses",
  examples: [fetchResponse()],
  scraps: ["\u0000\u0000\u0000\u0000", "\u0000\u0001t"],
  decode(bytes): void {
    for (const version of [4, 11]) {
      // a response that ends too early
      allowing(RangeError, () => {
        const { responses } = decodeFetchResponse(bytes, version);
        for (const { partitions } of responses) {
          for (const { messages } of partitions) messages.map(drain);
        }
      });
    }
  },
};

const toKafka = [
  publishToRecord(mqttToKafkaRoute({ kafkaTopic: "a.$" + "{inputTopic.1}" }), 0),
  publishToRecord(mqttToKafkaRoute({ cloudEvents: "CreateOrRemap" }), 0),
];
const LARGEST_PACKET = 65_536;

const packets: FuzzedDecoder = {
  name: "MQTT packets and what becomes of them",
  examples: [
    {
      cmd: "publish",
      topic: "a/b",
      payload: "21.5",
      qos: 1,
      messageId: 7,
      properties: {
        payloadFormatIndicator: true,
        messageExpiryInterval: 60,
        responseTopic: "a/c",
        correlationData: Buffer.from("x"),
        contentType: "a/b",
        userProperties: { a: ["b", "c"], "MQTT Topic": "x" },
      },
    },
    { cmd: "publish", topic: "a", payload: "", qos: 0 },
    { cmd: "puback", messageId: 7, reasonCode: 0x10, properties: { reasonString: "x" } },
    {
      cmd: "disconnect",
      reasonCode: 0x87,
      properties: { reasonString: "x", serverReference: "y" },
    },
    {
      cmd: "connack",
      reasonCode: 0,
      sessionPresent: true,
      properties: {
        receiveMaximum: 10,
        maximumQoS: 1,
        assignedClientIdentifier: "x",
        maximumPacketSize: 9,
      },
    },
  ].map((packet) => generatePacket(packet)),
  scraps: ["\u0026\u0000\u0001a\u0000\u0001b", "\u0000", "a/+", "\ud800"],
  decode(bytes): void {
    const publishes = new PublishDecoder();
    const splitter = new FrameSplitter(LARGEST_PACKET, (frame) => {
      const type = (frame.bytes[frame.start] as number) >> 4;
      if (type === 2) decodeConnack(frame);
      else if (type === 4) decodePuback(frame);
      else if (type === 14) decodeDisconnect(frame);
      else if (type === 3) {
        const decoded = publishes.decode(frame);
        if (decoded.kind === "fault") return;
        for (const translate of toKafka) {
          translate({ publish: decoded.publish, receivedAt: NOW }, context);
        }
      }
    });
    const cut = bytes.length === 0 ? 0 : (bytes[0] as number) % bytes.length;
    if (splitter.push(bytes.subarray(0, cut)) === undefined) splitter.push(bytes.subarray(cut));
  },
};

const PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUY\n-----END CERTIFICATE-----\n";

const secrets: FuzzedDecoder = {
  name: "secrets: PEM, connection strings, tokens",
  examples: buffers(
    PEM,
    "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k=;EntityPath=h",
    "eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTUyNDgwMDB9.x",
  ),
  scraps: ["-----BEGIN ", "-----END ", "PRIVATE KEY-----", ";", "=", "sb://", ".", "EntityPath"],
  decode(bytes): void {
    const text = bytes.toString();
    parseConnectionString(text);
    expiryOf(text);
    allowing(BridgeError, () => trustedCertificates("ConfigMap", [{ name: "ca.crt", text }]));
  },
};

/** The server's side of a connection without a network. */
class Wire extends Duplex {
  readonly ended: Promise<void>;
  private end_: () => void = () => undefined;
  private readonly request: Buffer;
  private sent = false;

  constructor(request: Buffer) {
    super({ autoDestroy: true });
    this.request = request;
    this.ended = new Promise((resolve) => {
      this.end_ = resolve;
    });
    this.on("close", () => this.end_());
    this.on("error", () => undefined);
  }

  override _read(): void {
    if (!this.sent) this.push(this.request);
    else this.push(null);
    this.sent = true;
  }

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }
}

let server: Server | undefined;

const http: FuzzedDecoder = {
  name: "HTTP requests",
  examples: buffers(
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /status.json?a=b#c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\n\r\n",
    "HEAD /metrics HTTP/1.0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: [::1]\r\n\r\n",
    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "PUT /assets.json HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nabcde",
  ),
  scraps: [
    "\r\n",
    "\r\n\r\n",
    ":",
    " ",
    "Host: ",
    "Content-Length: ",
    "chunked",
    "Connection: upgrade\r\nUpgrade: x\r\n",
    "/..%2f",
    "%00",
    "?",
  ],
  async decode(bytes): Promise<void> {
    server ??= createHttpServer("127.0.0.1", {
      view: () => ({ version: "1", startedAt: 0, now: 1000, routes: [] }),
      process: () => ({ version: "1", startedAt: 0 }),
      nonce: () => "abc",
    });
    const wire = new Wire(bytes);
    server.emit("connection", wire);
    await wire.ended;
  },
};

export const DECODERS: readonly FuzzedDecoder[] = [
  manifests,
  amqp,
  headers,
  letters,
  topics,
  expressions,
  payloads,
  trigger("Kafka trigger payloads", "kafka-many", (payload, metadata) =>
    recordsFromKafkaTrigger(payload, metadata),
  ),
  trigger("Event Hubs trigger payloads", "event-hubs-many", (payload, metadata) =>
    recordsFromEventHubsTrigger(payload, metadata),
  ),
  recordSets,
  fetches,
  packets,
  secrets,
  http,
];
