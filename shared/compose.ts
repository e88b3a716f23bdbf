/**
 * The composition root: resolves connections, builds adapters, starts the engine. Both shells call this and nothing below it.
 */

import { hostname } from "node:os";
import { assetBlobs } from "./adapters/files/asset-blobs.ts";
import { azureTokenSource } from "./adapters/identity/azure-token-source.ts";
import { azureKeyVault } from "./adapters/key-vault/azure-key-vault.ts";
import { systemClock } from "./adapters/system/system-clock.ts";
import type { ArrivedCanary, CanaryRequest } from "./compose/canary-end.ts";
import { openEnds, partitionsOf } from "./compose/canary-ends.ts";
import type { CanarySender } from "./compose/canary-sender.ts";
import {
  type HostContext,
  type HostOptions,
  type LiveRoute,
  type RunningBridge,
  routeBudget,
  type Tap,
} from "./compose/context.ts";
import { type LiveEndpoint, openEndpoint } from "./compose/device-endpoint.ts";
import { openHandler, openKafkaToMqtt, type RecordHandler } from "./compose/kafka-to-mqtt-route.ts";
import { topicsOf } from "./compose/list-topics.ts";
import { openMqttToKafka } from "./compose/mqtt-to-kafka-route.ts";
import { deadLettersOf, type SendSettings, sendDeadLetters } from "./compose/replay.ts";
import { startInTime } from "./compose/start-in-time.ts";
import type { LetterSelection, StoredLetter } from "./engine/dead-letter-log.ts";
import type { AssetStore } from "./engine/ports.ts";
import type { ReplayResult } from "./engine/replay.ts";
import type { RouteStatus } from "./engine/status.ts";
import type { DeviceEndpoint } from "./model/device.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "./model/route.ts";
import type { KeyVaultReader } from "./model/secret-store.ts";
import type { DiscoveryView } from "./pages/status-view.ts";

export type {
  ArrivedCanary,
  CanaryRequest,
  CanarySender,
  HostOptions,
  LetterSelection,
  RecordHandler,
  ReplayResult,
  RunningBridge,
  StoredLetter,
  Tap,
};

/** One MQTT to Kafka route held open, for hosts that run it for a while (a Functions timer). */
export interface RunningPump {
  status(): RouteStatus;
  stop(drainMs?: number): Promise<void>;
}

/** One endpoint of a Device held open, for hosts that run it for a while. */
export interface RunningDevice extends RunningPump {
  /** Undefined where nothing is to be discovered. */
  discovered(): DiscoveryView | undefined;
}

const DEFAULT_DRAIN_MS = 10_000;
const DEFAULT_START_TIMEOUT_MS = 30_000;

/** Runs all routes of the plan in this process that have this instance. @throws BridgeError when one can not start. */
export async function startBridge(options: HostOptions): Promise<RunningBridge> {
  const instance = options.instance ?? 0;
  const routes = options.plan.routes.filter((route) => instance < route.instances);
  const devices = instance === 0 && options.assetStore ? (options.plan.devices ?? []) : [];
  const host = context(options, routes.length + devices.length);
  const live: LiveRoute[] = [];
  const endpoints: LiveEndpoint[] = [];
  const bridge: RunningBridge = {
    status: () => live.map((route) => route.status()),
    discovered: () => endpoints.flatMap((endpoint) => endpoint.discovered() ?? []),
    setAssets: (assets) => {
      for (const endpoint of endpoints) endpoint.setAssets(assets);
    },
    async stop(): Promise<void> {
      await Promise.all(live.map((route) => route.stop(host.drainMs)));
    },
  };
  try {
    for (const route of routes) live.push(await openRoute(route, host));
    for (const device of devices) endpoints.push(await openEndpoint(device, host));
    live.push(...endpoints);
    options.onOpened?.(bridge);
    await Promise.all(live.map((route) => startInTime(route, host)));
  } catch (cause) {
    await Promise.allSettled(live.map((route) => route.stop(0)));
    throw cause;
  }
  return bridge;
}

/**
 * The same Kafka to MQTT route for a host that reads the records itself (a Functions trigger).
 * @throws BridgeError when it can not start; then nothing is left open and it may be opened again.
 */
export async function openRecordHandler(
  route: KafkaToMqttRoute,
  options: HostOptions,
): Promise<RecordHandler> {
  const host = context(options, 1);
  const live = await openHandler(route, host);
  await startOrStop(live, host);
  return {
    deliver: (records, timeoutMs) => live.deliver(records, timeoutMs),
    status: () => live.status(),
    stop: () => live.stop(host.drainMs),
  };
}

/** The same MQTT to Kafka route, held open until it is stopped. @throws BridgeError when it can not start. */
export async function openPump(
  route: MqttToKafkaRoute,
  options: HostOptions,
): Promise<RunningPump> {
  const host = context(options, 1);
  const live = await openMqttToKafka(route, host);
  await startOrStop(live, host);
  return { status: () => live.status(), stop: (drainMs = host.drainMs) => live.stop(drainMs) };
}

/** The same endpoint of a Device, held open until it is stopped. @throws BridgeError when it can not start. */
export async function openDevice(
  endpoint: DeviceEndpoint,
  options: HostOptions,
): Promise<RunningDevice> {
  const host = context(options, 1);
  const live = await openEndpoint(endpoint, host);
  await startOrStop(live, host);
  return {
    status: () => live.status(),
    stop: (drainMs = host.drainMs) => live.stop(drainMs),
    discovered: () => live.discovered(),
  };
}

/** Discovered assets in a container of Azure Blob Storage, which is reached with the app's own identity. */
export function blobAssetStore(container: string): AssetStore {
  const identity = azureTokenSource();
  const scope = "https://storage.azure.com/.default";
  return assetBlobs({ container, token: async () => (await identity.token({ scope })).value });
}

/** The topics that a Kafka connection of the plan has now, for its regular expressions (S-30). @throws BridgeError */
export function listTopics(
  kafkaConnection: string,
  options: HostOptions,
): Promise<readonly string[]> {
  return topicsOf(kafkaConnection, context(options, 1));
}

/** How many partitions a Kafka topic has. @throws BridgeError when it is not there or cannot be asked for */
export function countPartitions(
  kafkaConnection: string,
  topic: string,
  options: HostOptions,
): Promise<number> {
  return partitionsOf(kafkaConnection, topic, context(options, 1));
}

/** Both ends of a way of canaries beside a running bridge, connected: see {@link openEnds}. @throws BridgeError */
export function openCanaryEnds(
  request: CanaryRequest,
  options: HostOptions,
): Promise<CanarySender> {
  return openEnds(request, context(options, 1));
}

/**
 * The dead letters of all routes of the plan that are selected, `limit` at the most: topic by topic, the oldest of each first.
 * Nothing is sent, and no MQTT broker is asked. @throws BridgeError
 */
export function listDeadLetters(
  options: HostOptions,
  selection: LetterSelection,
  limit: number,
): AsyncGenerator<StoredLetter> {
  return deadLettersOf(context(options, 1), { selection, limit });
}

/** Sends dead letters through their routes again (S-54). @throws BridgeError when it had to end before its time */
export function replayDeadLetters(
  options: HostOptions,
  settings: SendSettings,
): Promise<ReplayResult> {
  return sendDeadLetters(context(options, options.plan.routes.length), settings);
}

/** Reads Azure Key Vault with the app's own identity, or with the service principals that manifests name. */
export function keyVaultReader(): KeyVaultReader {
  return azureKeyVault({ identity: azureTokenSource() });
}

async function startOrStop(live: LiveRoute, host: HostContext): Promise<void> {
  try {
    await startInTime(live, host);
  } catch (cause) {
    await live.stop(0);
    throw cause;
  }
}

function context(options: HostOptions, routes: number): HostContext {
  return {
    ...options,
    clock: options.clock ?? systemClock,
    identity: options.identity ?? azureTokenSource(),
    instance: options.instance ?? 0,
    hostName: options.hostName ?? hostname(),
    drainMs: options.drainMs ?? DEFAULT_DRAIN_MS,
    startTimeoutMs: options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS,
    routeBudgetBytes: routeBudget(options, routes),
  };
}

function openRoute(route: Route, host: HostContext): Promise<LiveRoute> {
  return route.direction === "kafkaToMqtt"
    ? openKafkaToMqtt(route, host)
    : openMqttToKafka(route, host);
}
