import { BridgeError } from "../errors.ts";
import type { KafkaRecord, OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { MqttToKafkaRoute, Route } from "../model/route.ts";
import type { Translation, TranslationContext } from "../model/translation.ts";
import { publishToRecord } from "../translate/publish-to-record.ts";
import { recordToPublish } from "../translate/record-to-publish.ts";
import { memoByTopic } from "../translate/topic-memo.ts";
import { type CanaryMark, canaryPublish, canaryRecord } from "./canary.ts";
import {
  type CanaryShape,
  differingFields,
  publishShape,
  recordShape,
  shapeProblem,
} from "./canary-shape.ts";
import { readsKafkaTopic, readsTopicName } from "./canary-topics.ts";

/** One end of the canaries' way, with the plan's connection. */
export interface CanaryPoint {
  readonly kind: "kafka" | "mqtt";
  readonly connection: string;
  readonly topic: string;
}

/** The way of canaries through one route, or through two that lead back. */
export interface CanaryPath {
  readonly from: CanaryPoint;
  readonly to: CanaryPoint;
  /** The one that is sent to, and the one that delivers; the same unless there is one that leads back. */
  readonly first: Route;
  readonly last: Route;
  /** Whether all routes on the way keep the order of what takes one lane (S-50). */
  readonly orderPromised: boolean;
  /** The canary as it is sent. */
  message(mark: CanaryMark): CanaryMessage;
  /** What canaries of one order have in common. */
  lane(number: number): number;
  /** How an arrived message differs from what the routes' translations make of the canary. */
  problem(mark: CanaryMark, arrived: CanaryShape): string | undefined;
}

export interface CanaryPathOptions {
  readonly route: Route;
  /** What brings the canaries back to where they came from. */
  readonly back?: Route | undefined;
  /** Where they are sent: a Kafka topic, or an MQTT Topic Name. */
  readonly topic: string;
  /** Partitions of the Kafka topic that they are sent to; 1 for MQTT. */
  readonly lanes: number;
  /** Bytes of the payload. */
  readonly size: number;
}

/** A canary at one point of its way. */
export type CanaryMessage =
  | { readonly kind: "kafka"; readonly record: OutgoingRecord }
  | { readonly kind: "mqtt"; readonly publish: Publish };

type Hop = (message: CanaryMessage, at: TranslationContext) => CanaryMessage;

/** Two moments at which a canary might cross. */
const MOMENTS: readonly [TranslationContext, TranslationContext] = [
  { now: 1_000_000_000_000, newId: () => "00000000-0000-4000-8000-000000000000" },
  { now: 2_222_222_222_222, newId: () => "ffffffff-ffff-4fff-bfff-ffffffffffff" },
];
const FIRST: CanaryMark = { run: "00000000", number: 0, sentAt: 0 };

/** Sees where canaries go and what they become on the way. @throws BridgeError USAGE when they cannot go there */
export function canaryPath(options: CanaryPathOptions): CanaryPath {
  const { route, back } = options;
  const routes = back === undefined ? [route] : [route, back];
  if (back !== undefined && back.direction === route.direction) {
    throw new BridgeError(
      "USAGE",
      `Route "${back.name}" does not lead back: it has the direction of "${route.name}"`,
    );
  }
  const changing = routes.find(({ transform }) => transform !== undefined);
  if (changing !== undefined) {
    throw new BridgeError(
      "USAGE",
      `No canary can go through route "${changing.name}": it transforms what it carries`,
    );
  }
  const hops = routes.map(hopOf);
  const message = firstMessage(options, routes.flatMap(keyPropertyOf));
  const expected = (mark: CanaryMark, at: TranslationContext): CanaryMessage =>
    hops.reduce((here, hop) => hop(here, at), message(mark));
  const [one, other] = MOMENTS;
  const there = expected(FIRST, one);
  // what the clock or chance decides cannot be foretold: only that it is there
  const volatile = differingFields(shapeOf(there), shapeOf(expected(FIRST, other)));
  return {
    from: fromPoint(options),
    to: toPoint(there, back ?? route),
    first: route,
    last: back ?? route,
    orderPromised: keepOrder(routes, hops, message(FIRST)),
    message,
    lane: (number) => number % options.lanes,
    problem: (mark, arrived) => shapeProblem(shapeOf(expected(mark, one)), arrived, volatile),
  };
}

/** The canary as the first route reads it. */
function firstMessage(
  { route, topic, lanes, size }: CanaryPathOptions,
  keyProperties: readonly string[],
): (mark: CanaryMark) => CanaryMessage {
  const form = { topic, size, keyProperties };
  if (route.direction === "mqttToKafka") {
    return (mark) => ({ kind: "mqtt", publish: canaryPublish(mark, form) });
  }
  return (mark) => {
    return { kind: "kafka", record: canaryRecord(mark, mark.number % lanes, form) };
  };
}

function keyPropertyOf(route: Route): readonly string[] {
  if (route.direction === "kafkaToMqtt") return [];
  const { partitionStrategy: strategy } = route;
  return strategy.kind === "Property" ? [strategy.property] : [];
}

function asRead(record: OutgoingRecord, timestamp: number): KafkaRecord {
  return { ...record, partition: 0, offset: 0n, timestamp };
}

/** What a route makes of a canary. */
function hopOf(route: Route): Hop {
  if (route.direction === "kafkaToMqtt") {
    const translate = recordToPublish(route);
    const reads = memoByTopic((topic) => readsKafkaTopic(route, topic));
    return (message, at) => {
      if (message.kind !== "kafka" || !reads(message.record.topic)) {
        throw notRead(route, message);
      }
      const record = asRead(message.record, at.now);
      return { kind: "mqtt", publish: translated(route, translate(record, at)) };
    };
  }
  const translate = publishToRecord(route, 0);
  const reads = memoByTopic((topicName) => readsTopicName(route, topicName));
  return (message, at) => {
    if (message.kind !== "mqtt" || !reads(message.publish.topicName)) {
      throw notRead(route, message);
    }
    const received = { publish: message.publish, receivedAt: at.now };
    return { kind: "kafka", record: translated(route, translate(received, at)) };
  };
}

function notRead(route: Route, message: CanaryMessage): BridgeError {
  const topic =
    message.kind === "kafka"
      ? `Kafka topic "${message.record.topic}"`
      : `MQTT topic "${message.publish.topicName}"`;
  return new BridgeError("USAGE", `Route "${route.name}" does not read ${topic}`);
}

function translated<T>(route: Route, translation: Translation<T>): T {
  if (translation.kind === "translated") return translation.message;
  const why =
    translation.kind === "rejected"
      ? `rejects it (${translation.code}: ${translation.reason})`
      : `takes it for ${translation.kind}`;
  throw new BridgeError(
    "USAGE",
    `No canary can go through route "${route.name}": it ${why}; choose another topic with --mqtt-topic or --kafka-topic`,
  );
}

function shapeOf(message: CanaryMessage): CanaryShape {
  return message.kind === "kafka" ? recordShape(message.record) : publishShape(message.publish);
}

function fromPoint({ route, topic }: CanaryPathOptions): CanaryPoint {
  return route.direction === "kafkaToMqtt"
    ? { kind: "kafka", connection: route.kafkaConnection, topic }
    : { kind: "mqtt", connection: route.mqttConnection, topic };
}

function toPoint(message: CanaryMessage, last: Route): CanaryPoint {
  return message.kind === "kafka"
    ? { kind: "kafka", connection: last.kafkaConnection, topic: message.record.topic }
    : { kind: "mqtt", connection: last.mqttConnection, topic: message.publish.topicName };
}

/** S-50: per Kafka partition towards MQTT; towards Kafka what has one key or one partition, through one subscriber. */
function keepOrder(routes: readonly Route[], hops: readonly Hop[], first: CanaryMessage): boolean {
  let message = first;
  return routes.every((route, index) => {
    message = hops[index]?.(message, MOMENTS[0]) ?? message;
    if (route.direction === "kafkaToMqtt" || message.kind === "mqtt") return true;
    return message.record.partitioning.by !== "roundRobin" && subscribersOf(route) === 1;
  });
}

function subscribersOf({ instances, sharedSubscription }: MqttToKafkaRoute): number {
  return Math.max(instances, sharedSubscription?.minimumShareNumber ?? 1);
}
