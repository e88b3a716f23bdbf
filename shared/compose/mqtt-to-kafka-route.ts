import { mqttSubscriber } from "../adapters/mqtt/mqtt-subscriber.ts";
import { DeadLetters } from "../engine/dead-letters.ts";
import { MqttToKafka } from "../engine/mqtt-to-kafka.ts";
import type { ConnectionStatus, RecordProducer, Subscriber } from "../engine/ports.ts";
import { newCounters, type RouteCounters } from "../engine/status.ts";
import type { RunTransform } from "../expressions/transform.ts";
import type { Publish } from "../model/publish.ts";
import type { MqttToKafkaRoute } from "../model/route.ts";
import { routeTransform } from "../secrets/route-transform.ts";
import { sharedSubscriptionFilter } from "../topics/topic-filter.ts";
import { publishToRecord } from "../translate/publish-to-record.ts";
import type { HostContext, LiveRoute } from "./context.ts";
import { deadLetterProducer } from "./dead-letter-producer.ts";
import { type Endpoints, resolveEndpoints } from "./endpoints.ts";
import { kafkaClientId, subscriberIdentifier } from "./names.ts";
import { openProducer } from "./producer.ts";
import { routeStatus } from "./route-status.ts";

const UP: ConnectionStatus = { connected: true };

/** One subscriber with its producer: a member of a shared group has its own, so that its order is its own. */
interface Strand {
  readonly subscriber: Subscriber;
  readonly producer: RecordProducer;
  readonly letters: RecordProducer;
  readonly deadLetters: DeadLetters;
  readonly engine: MqttToKafka;
}

/** How many of the group's subscribers this instance has to bring so that all instances together have enough (S-33). */
export function subscribersHere(route: MqttToKafkaRoute, instance: number): number {
  const wanted = Math.max(route.sharedSubscription?.minimumShareNumber ?? 1, route.instances);
  const even = Math.floor(wanted / route.instances);
  return even + (instance % route.instances < wanted % route.instances ? 1 : 0);
}

function openStrand(
  route: MqttToKafkaRoute,
  host: HostContext,
  at: {
    endpoints: Endpoints;
    share: number;
    counters: RouteCounters;
    budgetBytes: number;
    transform: RunTransform | undefined;
  },
): Strand {
  const { clock, log, tap, instance } = host;
  const { kafka, mqtt } = at.endpoints;
  const receiveMaximum = route.maxInflightMessages ?? mqtt.maxInflightMessages;
  const subscriber = mqttSubscriber({
    endpoint: mqtt,
    clientIdentifier: subscriberIdentifier(route, instance, at.share),
    receiveMaximum,
    log,
    clock,
  });
  const producer = openProducer(route, kafka, host, {
    clientId: kafkaClientId(route, instance),
    acks: route.acks,
    compression: route.compression,
    eventHubs: route.kafkaTopic.includes("${") ? [] : [route.kafkaTopic],
  });
  const letters = deadLetterProducer(route, kafka, host);
  const deadLetters = new DeadLetters({ producer: letters, clock, log });
  const { sharedSubscription: shared } = route;
  const produced = tap?.produced?.bind(tap);
  const engine = new MqttToKafka({
    route,
    translate: publishToRecord(route, instance, at.transform),
    subscription: {
      topicFilters:
        shared === undefined
          ? route.topicFilters
          : route.topicFilters.map((filter) => sharedSubscriptionFilter(shared.groupName, filter)),
      qos: route.qos,
    },
    subscriber,
    producer,
    deadLetters,
    clock,
    log,
    counters: at.counters,
    budgetBytes: at.budgetBytes,
    receiveMaximum,
    onFailed: () => undefined,
    ...(produced === undefined
      ? {}
      : { onProduced: (p: Publish, topic: string): void => produced(route, p, topic) }),
  });
  return { subscriber, producer, letters, deadLetters, engine };
}

/** The route with all the subscribers that this instance has to bring. */
export async function openMqttToKafka(
  route: MqttToKafkaRoute,
  host: HostContext,
): Promise<LiveRoute> {
  const endpoints = await resolveEndpoints(route, host);
  const transform = await routeTransform(route, host.secrets);
  const counters = newCounters();
  const count = subscribersHere(route, host.instance);
  // each its own part: one that is paused for what another holds would not know when to go on
  const budgetBytes = Math.floor(host.routeBudgetBytes / Math.max(1, count));
  const strands = Array.from({ length: count }, (_, share) =>
    openStrand(route, host, { endpoints, share, counters, transform, budgetBytes }),
  );
  let lifecycle: "starting" | "running" | "stopped" = "starting";
  return {
    async start(): Promise<void> {
      await Promise.all(strands.map((strand) => strand.engine.start()));
      lifecycle = "running";
    },
    async stop(drainMs): Promise<void> {
      lifecycle = "stopped";
      await Promise.all(strands.map((strand) => stopStrand(strand, drainMs)));
    },
    status: () =>
      routeStatus(route, {
        instance: host.instance,
        counters,
        kafka: worst(strands.map((strand) => strand.producer.status?.() ?? UP)),
        mqtt: worst(strands.map((strand) => strand.subscriber.status?.() ?? UP)),
        lifecycle,
        failed: strands.some((strand) => strand.engine.hasFailed),
        trouble: strands.find((strand) => strand.engine.trouble !== undefined)?.engine.trouble,
      }),
  };
}

async function stopStrand(strand: Strand, drainMs: number): Promise<void> {
  await strand.engine.stop(drainMs);
  strand.deadLetters.stop();
  await strand.letters.stop();
}

function worst(statuses: readonly ConnectionStatus[]): ConnectionStatus {
  return statuses.find((status) => !status.connected) ?? statuses[0] ?? UP;
}
