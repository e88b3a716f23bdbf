import type { TraceStep } from "../shared/expressions/trace.ts";
import type { KafkaHeader, KafkaRecord, OutgoingRecord } from "../shared/model/kafka-record.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { Publish } from "../shared/model/publish.ts";
import type { Route } from "../shared/model/route.ts";
import type { Translation } from "../shared/model/translation.ts";
import { topicSelectorMatches } from "../shared/topics/kafka-topic.ts";
import { topicFilterMatches } from "../shared/topics/topic-filter.ts";
import { type HeaderFate, headerFates, type Pairs } from "./explain-headers.ts";

/** One message through one route, step by step. */
export interface Explanation {
  readonly route: string;
  readonly direction: Route["direction"];
  readonly topic: string;
  /** What of the route matches the topic; absent where nothing does. */
  readonly matchedBy?: string;
  /** Other routes that match it. */
  readonly alsoMatchedBy: readonly string[];
  readonly steps: readonly TraceStep[];
  /** Whether a filter that is true drops the message; absent without filters. */
  readonly filterDrops?: boolean;
  readonly result: "message" | "record" | "expired" | "filtered" | "rejected";
  readonly reason?: string;
  readonly headers?: readonly HeaderFate[];
  readonly destination?: {
    readonly topic: string;
    readonly payload: string;
    readonly qos?: number;
    readonly retain?: boolean;
    readonly key?: string;
    readonly partition?: string;
  };
}

/** A message as it came, and what a route made of it. */
export type Explained =
  | { readonly came: KafkaRecord; readonly made: Translation<Publish> }
  | { readonly came: Publish; readonly made: Translation<OutgoingRecord> };

export function explanationOf(
  plan: Plan,
  route: Route,
  explained: Explained,
  steps: readonly TraceStep[],
): Explanation {
  const { came, made } = explained;
  const topic = "topicName" in came ? came.topicName : came.topic;
  const matchedBy = matching(route, topic);
  const alsoMatchedBy = plan.routes
    .filter((other) => other.name !== route.name && sourceOf(other) === sourceOf(route))
    .filter((other) => matching(other, topic) !== undefined)
    .map(({ name }) => name);
  const { name, direction, transform } = route;
  const begun = {
    route: name,
    direction,
    topic,
    ...(matchedBy === undefined ? {} : { matchedBy }),
    alsoMatchedBy,
    steps,
    ...(transform === undefined || transform.filter.length === 0
      ? {}
      : { filterDrops: transform.filterDrops }),
  };
  if (made.kind === "rejected") {
    return { ...begun, result: "rejected", reason: `${made.code}: ${made.reason}` };
  }
  if (made.kind !== "translated") return { ...begun, result: made.kind };
  const { message, removed } = made;
  const headers = headerFates(route, pairsOf(came), pairsOf(message), removed);
  if ("topicName" in message) {
    const { topicName, payload, qos, retain } = message;
    const destination = { topic: topicName, payload: shown(payload), qos, retain };
    return { ...begun, result: "message", headers, destination };
  }
  const { key, value, topic: to } = message;
  const destination = {
    topic: to,
    payload: shown(value),
    ...(key === null ? {} : { key: shown(key) }),
    partition: partitionOf(message),
  };
  return { ...begun, result: "record", headers, destination };
}

/** Direction and connection: routes that differ in it read different topics of one name. */
function sourceOf(route: Route): string {
  const { direction, kafkaConnection, mqttConnection } = route;
  return `${direction} ${direction === "kafkaToMqtt" ? kafkaConnection : mqttConnection}`;
}

function matching(route: Route, topic: string): string | undefined {
  if (route.direction === "mqttToKafka") {
    return route.topicFilters.find((filter) => topicFilterMatches(filter, topic));
  }
  const selector = route.topics.find((one) => topicSelectorMatches(one, topic));
  return selector?.kind === "pattern" ? selector.pattern : selector?.topic;
}

function partitionOf({ partitioning }: OutgoingRecord): string {
  switch (partitioning.by) {
    case "roundRobin":
      return "one after another";
    case "key":
      return "by the key";
    case "instance":
      return `${partitioning.instance}, the number of the instance`;
    case "partition":
      return String(partitioning.partition);
  }
}

function pairsOf(message: KafkaRecord | OutgoingRecord | Publish): Pairs {
  if ("headers" in message) {
    return message.headers.map(([name, value]: KafkaHeader) => [name, shown(value)]);
  }
  const { userProperties, ...builtIns } = message.properties;
  const names: [keyof typeof builtIns, string][] = [
    ["payloadFormatIndicator", "Payload Format Indicator"],
    ["messageExpiryInterval", "Message Expiry Interval"],
    ["responseTopic", "Response Topic"],
    ["correlationData", "Correlation Data"],
    ["contentType", "Content Type"],
  ];
  const present = names.flatMap(([field, name]): [string, string][] => {
    const value = builtIns[field];
    if (value === undefined) return [];
    return [[name, value instanceof Uint8Array ? shown(value) : String(value)]];
  });
  return [...present, ...userProperties];
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes as text where they are, else how many they are. */
function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return "(null)";
  try {
    return decoder.decode(bytes);
  } catch {
    return `(${bytes.length} bytes that are no text)`;
  }
}

/** The explanation as lines for people. */
export function explanationLines(explanation: Explanation): string[] {
  const { route, topic, matchedBy, alsoMatchedBy, steps, destination } = explanation;
  const also = alsoMatchedBy.length === 0 ? "" : `; so do ${alsoMatchedBy.join(", ")}`;
  const match =
    matchedBy === undefined
      ? `"${topic}" is not a topic of this route${alsoMatchedBy.length === 0 ? "" : `: it goes to ${alsoMatchedBy.join(", ")}`}`
      : `"${topic}" matches "${matchedBy}"${also}`;
  return [
    line("route", `${route}: ${match}`),
    ...steps.map((step) => stepLine(step, explanation.filterDrops)),
    ...(explanation.headers ?? []).map(headerLine),
    ...(destination === undefined
      ? [line("result", resultText(explanation))]
      : destinationLines(destination)),
  ].map(printable);
}

function line(what: string, text: string): string {
  return `${what.padEnd(12)}${text}`;
}

function stepLine(step: TraceStep, filterDrops: boolean | undefined): string {
  const { stage, index, expression, inputs, result, output } = step;
  const values = inputs.map(({ name, value }) => `${name} = ${value}`).join(", ");
  const formula = expression === undefined ? "" : `${expression}  `;
  const given = values === "" ? "" : `[${values}]  `;
  const to = output === undefined ? "" : `${output === "" ? "nothing" : output} = `;
  const verdict = stage === "filter" ? verdictOf(result, filterDrops) : "";
  return line(`${stage}[${index}]`, `${formula}${given}-> ${to}${result}${verdict}`);
}

function verdictOf(result: string, filterDrops: boolean | undefined): string {
  if (result !== "true" && result !== "false") return "";
  return (result === "true") === filterDrops ? ": the message is dropped" : ": the message passes";
}

function headerLine({ fate, name, value, reason }: HeaderFate): string {
  const why = reason === undefined ? "" : ` (${reason})`;
  return line(fate, `${name}: ${value}${why}`);
}

function resultText({ result, reason }: Explanation): string {
  if (result === "filtered") return "filtered: it is acknowledged and goes nowhere";
  if (result === "expired") return "expired: its Message Expiry Interval has passed";
  return `rejected, to the dead-letter topic: ${reason}`;
}

function destinationLines(destination: NonNullable<Explanation["destination"]>): string[] {
  const { topic, payload, qos, retain, key, partition } = destination;
  return [
    line("topic", topic),
    ...(qos === undefined ? [] : [line("QoS", `${qos}${retain ? ", retained" : ""}`)]),
    ...(key === undefined ? [] : [line("key", key)]),
    ...(partition === undefined ? [] : [line("partition", partition)]),
    line("payload", payload),
  ];
}

/** What a message holds must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
}
