/**
 * The composition root: resolves connections, builds adapters, starts the engine. Both shells call this and nothing below it.
 */
import type { Clock, Log } from "./engine/ports.ts";
import type { RouteStatus } from "./engine/status.ts";
import type { KafkaRecord } from "./model/kafka-record.ts";
import type { Plan } from "./model/plan.ts";
import type { Publish } from "./model/publish.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute } from "./model/route.ts";
import type { SecretStore } from "./model/secret-store.ts";

/** Watches messages cross, for the status page; called after delivery, must not throw. */
export interface Tap {
  published?(route: KafkaToMqttRoute, record: KafkaRecord, publish: Publish): void;
  produced?(route: MqttToKafkaRoute, publish: Publish, topic: string): void;
}

export interface HostOptions {
  readonly plan: Plan;
  readonly secrets: SecretStore;
  readonly log: Log;
  readonly clock?: Clock;
  /** Which of the instances this process (or worker) is, from 0. Part of Client Identifiers and of S-13 Static. */
  readonly instance?: number;
  /** Bytes that all routes of this process together may hold in memory. Default 256 MiB. */
  readonly memoryBudgetBytes?: number;
  /** How long stopping may take (S-55). Default 10 s. */
  readonly drainMs?: number;
  readonly tap?: Tap;
}

export interface RunningBridge {
  status(): readonly RouteStatus[];
  /** Stops intake, drains, commits, disconnects (S-55). */
  stop(): Promise<void>;
}

/** Runs all routes of the plan in this process. @throws BridgeError when a route can never start. */
export function startBridge(_options: HostOptions): Promise<RunningBridge> {
  return Promise.reject(new Error("being written"));
}

/** For hosts that are handed records (a Functions trigger): the same route without its source. */
export interface RecordHandler {
  /** Resolves when every record is delivered, expired, filtered or dead-lettered; rejects with a BridgeError when one is not. */
  deliver(records: readonly KafkaRecord[], timeoutMs: number): Promise<void>;
  status(): RouteStatus;
  stop(): Promise<void>;
}

export function openRecordHandler(
  _route: KafkaToMqttRoute,
  _options: HostOptions,
): Promise<RecordHandler> {
  return Promise.reject(new Error("being written"));
}

/** One MQTT to Kafka route held open, for hosts that run it for a while (a Functions timer). */
export interface RunningPump {
  status(): RouteStatus;
  stop(drainMs?: number): Promise<void>;
}

export function openPump(_route: MqttToKafkaRoute, _options: HostOptions): Promise<RunningPump> {
  return Promise.reject(new Error("being written"));
}
