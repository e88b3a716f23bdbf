import { mqttPublisher } from "../adapters/mqtt/mqtt-publisher.ts";
import { DeadLetters } from "../engine/dead-letters.ts";
import { KafkaToMqtt } from "../engine/kafka-to-mqtt.ts";
import type { ConnectionStatus, Publisher, RecordProducer } from "../engine/ports.ts";
import { BatchHandler } from "../engine/record-handler.ts";
import { newCounters, type RouteCounters, type RouteStatus } from "../engine/status.ts";
import type { KafkaRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";
import { routeTransform } from "../secrets/route-transform.ts";
import { recordToPublish } from "../translate/record-to-publish.ts";
import type { HostContext, LiveRoute } from "./context.ts";
import { deadLetterProducer } from "./dead-letter-producer.ts";
import { type Endpoints, resolveEndpoints } from "./endpoints.ts";
import { publisherIdentifier } from "./names.ts";
import { routeStatus } from "./route-status.ts";
import { openSource } from "./source.ts";

/** Event Hubs documents four commits a second and partition and takes about two; a broker of one's own takes more. */
const COMMITS = {
  eventHubs: { commitIntervalMs: 1000, commitGapMs: 500 },
  kafka: { commitIntervalMs: 250, commitGapMs: 0 },
};
/** With two commits a second a window of 100 would be 200 messages a second: duplicates after a crash have a bound of their own there. */
const EVENT_HUBS_UNCOMMITTED = 10_000;
/** For ports that do not say how they are. */
const UP: ConnectionStatus = { connected: true };

/** What all forms of the route are made of. */
export interface Parts {
  readonly endpoints: Endpoints;
  /** How many publishes may be unacknowledged. */
  readonly window: number;
  readonly publisher: Publisher;
  readonly letters: RecordProducer;
  readonly deadLetters: DeadLetters;
  readonly counters: RouteCounters;
  readonly pump: Omit<ConstructorParameters<typeof BatchHandler>[0], never>;
}

/** A publisher and a place for dead letters, not yet started. @throws BridgeError where a secret is missing */
export async function parts(route: KafkaToMqttRoute, host: HostContext): Promise<Parts> {
  const { clock, log, tap } = host;
  const endpoints = await resolveEndpoints(route, host);
  const window = route.maxInflightMessages ?? endpoints.mqtt.maxInflightMessages;
  const publisher = mqttPublisher({
    endpoint: endpoints.mqtt,
    clientIdentifier: publisherIdentifier(route, clock.newId()),
    window,
    log,
    clock,
  });
  const letters = deadLetterProducer(route, endpoints.kafka, host);
  const deadLetters = new DeadLetters({ producer: letters, clock, log });
  const counters = newCounters();
  const published = tap?.published?.bind(tap);
  const pump = {
    route,
    translate: recordToPublish(route, await routeTransform(route, host.secrets)),
    publisher,
    deadLetters,
    clock,
    log,
    counters,
    budgetBytes: host.routeBudgetBytes,
    ...(published === undefined
      ? {}
      : { onPublished: (r: KafkaRecord, p: Publish): void => published(route, r, p) }),
  };
  return { endpoints, window, publisher, letters, deadLetters, counters, pump };
}

/** The route with its own consumer, as the runner runs it. */
export async function openKafkaToMqtt(
  route: KafkaToMqttRoute,
  host: HostContext,
): Promise<LiveRoute> {
  const { endpoints, window, publisher, letters, deadLetters, counters, pump } = await parts(
    route,
    host,
  );
  const { isEventHubs } = endpoints.kafka;
  const source = openSource(route, endpoints.kafka, host);
  const engine = new KafkaToMqtt({
    ...pump,
    source,
    ...(isEventHubs ? COMMITS.eventHubs : COMMITS.kafka),
    maxUncommitted: isEventHubs ? Math.max(window, EVENT_HUBS_UNCOMMITTED) : window,
    onFailed: () => undefined,
  });
  let lifecycle: "starting" | "running" | "stopped" = "starting";
  return {
    async start(): Promise<void> {
      await engine.start();
      lifecycle = "running";
    },
    async stop(drainMs): Promise<void> {
      lifecycle = "stopped";
      await engine.stop(drainMs);
      deadLetters.stop();
      await letters.stop();
    },
    status: () =>
      routeStatus(route, {
        instance: host.instance,
        counters,
        kafka: source.status?.() ?? UP,
        mqtt: publisher.status?.() ?? UP,
        lifecycle,
        failed: engine.hasFailed,
        trouble: engine.trouble,
      }),
  };
}

/** For hosts that are handed records (a Functions trigger): the same route without its source. */
export interface RecordHandler {
  /** Resolves when every record is delivered, expired, filtered or dead-lettered; rejects with a BridgeError when one is not. */
  deliver(records: readonly KafkaRecord[], timeoutMs: number): Promise<void>;
  status(): RouteStatus;
  stop(): Promise<void>;
}

/** The route without a source, not yet started. */
export async function openHandler(
  route: KafkaToMqttRoute,
  host: HostContext,
): Promise<LiveRoute & Pick<RecordHandler, "deliver">> {
  const { publisher, letters, deadLetters, counters, pump } = await parts(route, host);
  const handler = new BatchHandler(pump);
  let lifecycle: "starting" | "running" | "stopped" = "starting";
  return {
    async start(): Promise<void> {
      await handler.start();
      lifecycle = "running";
    },
    deliver: (records, timeoutMs) => handler.deliver(records, timeoutMs),
    async stop(drainMs): Promise<void> {
      lifecycle = "stopped";
      await handler.stop(drainMs);
      deadLetters.stop();
      await letters.stop();
    },
    status: () =>
      routeStatus(route, {
        instance: host.instance,
        counters,
        kafka: UP,
        mqtt: publisher.status?.() ?? UP,
        lifecycle,
        failed: false,
        trouble: handler.trouble,
      }),
  };
}
