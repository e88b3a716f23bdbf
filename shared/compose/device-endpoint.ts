import { mqttPublisher } from "../adapters/mqtt/mqtt-publisher.ts";
import { mqttSubscriber } from "../adapters/mqtt/mqtt-subscriber.ts";
import { AssetDiscovery, MOST_DISCOVERED } from "../engine/asset-discovery.ts";
import { type Forward, MqttForwarder } from "../engine/mqtt-forwarder.ts";
import type { ConnectionStatus, Publisher, Subscriber } from "../engine/ports.ts";
import { newCounters, type RouteStatus } from "../engine/status.ts";
import { type BridgeError, toBridgeError } from "../errors.ts";
import type { Asset, AssetDataset, DeviceEndpoint } from "../model/device.ts";
import type { MqttEndpoint } from "../model/endpoint.ts";
import type { Plan } from "../model/plan.ts";
import type { DiscoveryView } from "../pages/status-view.ts";
import { topicFilterMatches } from "../topics/topic-filter.ts";
import { forwardPublish } from "../translate/forward-publish.ts";
import { memoByTopic } from "../translate/topic-memo.ts";
import type { HostContext, LiveRoute } from "./context.ts";
import { mqttEndpointOf } from "./endpoints.ts";
import { publisherIdentifier, subscriberIdentifier } from "./names.ts";

/** One endpoint of a Device at work: what it discovers and what it forwards. */
export interface LiveEndpoint extends LiveRoute {
  setAssets(assets: readonly Asset[]): void;
  /** Undefined where nothing is to be discovered. */
  discovered(): DiscoveryView | undefined;
}

const UP: ConnectionStatus = { connected: true };
const MOST_SHOWN = 3;

/** Opens an endpoint with its secrets read; it connects when it is started. @throws BridgeError that names what is missing. */
export async function openEndpoint(
  endpoint: DeviceEndpoint,
  host: HostContext,
): Promise<LiveEndpoint> {
  const source = await mqttEndpointOf(endpoint.source, host);
  const target = await mqttEndpointOf(endpoint.target, host);
  return new DeviceEndpointRuntime(endpoint, host, { source, target });
}

interface Ends {
  readonly source: MqttEndpoint;
  readonly target: MqttEndpoint;
}

interface Forwarding {
  readonly engine: MqttForwarder;
  readonly subscriber: Subscriber;
  readonly publisher: Publisher;
}

class DeviceEndpointRuntime implements LiveEndpoint {
  private readonly endpoint: DeviceEndpoint;
  private readonly host: HostContext;
  private readonly ends: Ends;
  private readonly counters = newCounters();
  private readonly discovery: { engine: AssetDiscovery; subscriber: Subscriber } | undefined;
  private datasets: readonly AssetDataset[] = [];
  private forwarding: Forwarding | undefined;
  /** Changes are made one after the other. */
  private changing: Promise<void> = Promise.resolve();
  private lifecycle: "starting" | "running" | "stopped" = "starting";
  private fault: BridgeError | undefined;

  constructor(endpoint: DeviceEndpoint, host: HostContext, ends: Ends) {
    this.endpoint = endpoint;
    this.host = host;
    this.ends = ends;
    this.discovery = this.createDiscovery();
    this.datasets = this.own(host.plan.assets ?? []);
  }

  async start(): Promise<void> {
    await this.discovery?.engine.start();
    const forwarding = this.changing.then(() => this.forward());
    this.changing = forwarding.catch(() => undefined);
    await forwarding;
    this.lifecycle = "running";
  }

  async stop(drainMs: number): Promise<void> {
    this.lifecycle = "stopped";
    const forwarding = this.forwarding;
    await Promise.all([
      this.discovery?.engine.stop(),
      forwarding === undefined ? undefined : forwarding.engine.stop(drainMs),
    ]);
  }

  setAssets(assets: readonly Asset[]): void {
    this.changing = this.changing
      .then(() => this.change(this.own(assets)))
      .catch((cause: unknown) => this.failed(cause));
  }

  discovered(): DiscoveryView | undefined {
    const { discovery } = this.endpoint;
    if (discovery === undefined || this.discovery === undefined) return undefined;
    const { displaced } = this.discovery.engine.counts();
    return {
      endpoint: this.endpoint.name,
      topicFilter: discovery.topicFilter,
      assets: this.discovery.engine.list(),
      displaced,
      limit: MOST_DISCOVERED,
    };
  }

  status(): RouteStatus {
    const { name, topicMappingPrefix: prefix } = this.endpoint;
    const mqtt = this.connection();
    const trouble = this.fault ?? this.forwarding?.engine.trouble;
    const failed = this.fault !== undefined || this.forwarding?.engine.hasFailed === true;
    const detail = trouble?.message ?? mqtt.detail;
    const waits = !mqtt.connected || trouble !== undefined;
    const running = waits ? "waiting" : "running";
    const state = this.lifecycle === "running" ? running : this.lifecycle;
    return {
      route: name,
      direction: "mqttToMqtt",
      from: shortList(this.datasets.map((dataset) => dataset.topicFilter)),
      to: prefix === undefined ? "as each dataset says" : `${prefix}/…`,
      instance: this.host.instance,
      state: failed ? "failed" : state,
      kafka: UP,
      mqtt,
      ...(detail === undefined ? {} : { detail }),
      counters: this.counters,
    };
  }

  private connection(): ConnectionStatus {
    const { forwarding, discovery } = this;
    const ends = [discovery?.subscriber, forwarding?.subscriber, forwarding?.publisher];
    const statuses = ends.flatMap((end) => end?.status?.() ?? []);
    return statuses.find((status) => !status.connected) ?? UP;
  }

  private own(assets: readonly Asset[]): AssetDataset[] {
    const { device, endpoint } = this.endpoint;
    return assets
      .filter((asset) => asset.device === device && asset.endpoint === endpoint)
      .flatMap(({ datasets }) => datasets);
  }

  private async change(datasets: readonly AssetDataset[]): Promise<void> {
    if (this.lifecycle === "stopped") return;
    if (JSON.stringify(datasets) === JSON.stringify(this.datasets)) return;
    this.datasets = datasets;
    const before = this.forwarding;
    this.forwarding = undefined;
    if (before !== undefined) await before.engine.stop(this.host.drainMs);
    await this.forward();
    this.fault = undefined;
    const fields = { endpoint: this.endpoint.name, datasets: datasets.length };
    this.host.log("info", "Forwarding other assets from now on", fields);
  }

  private failed(cause: unknown): void {
    const error = toBridgeError(cause, "MQTT_UNAVAILABLE", "Cannot forward assets");
    this.fault = error;
    this.host.log("error", "The assets' forwarding has stopped: an operator must act", {
      route: this.endpoint.name,
      code: error.code,
      error: error.message,
    });
  }

  /** Begins to forward, if there is anything to be forwarded. @throws BridgeError */
  private async forward(): Promise<void> {
    if (this.datasets.length === 0 || this.lifecycle === "stopped") return;
    const forwarding = this.createForwarding();
    this.forwarding = forwarding;
    await forwarding.engine.start();
  }

  private subscriberOf(purpose: string): Subscriber {
    const { endpoint, host, ends } = this;
    const named = { name: `${endpoint.name}-${purpose}`, clientIdPrefix: "" };
    const { maximumPacketSize, connectTimeoutMs } = endpoint;
    return mqttSubscriber({
      endpoint: ends.source,
      clientIdentifier: subscriberIdentifier(named, host.instance, 0),
      receiveMaximum: ends.source.maxInflightMessages,
      log: host.log,
      clock: host.clock,
      ...(maximumPacketSize === undefined ? {} : { maximumPacketSize }),
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    });
  }

  private createDiscovery(): { engine: AssetDiscovery; subscriber: Subscriber } | undefined {
    const { endpoint, host } = this;
    const { discovery } = endpoint;
    const store = host.assetStore;
    if (discovery === undefined || store === undefined) return undefined;
    const subscriber = this.subscriberOf("discovery");
    const engine = new AssetDiscovery({
      endpoint: { ...endpoint, discovery },
      subscriber,
      store,
      clock: host.clock,
      log: host.log,
      isOwn: forwardedTo(host.plan, endpoint),
    });
    return { engine, subscriber };
  }

  private createForwarding(): Forwarding {
    const { endpoint, host, ends, datasets, counters } = this;
    const { clock, log } = host;
    const subscriber = this.subscriberOf("assets");
    const named = { name: endpoint.name, clientIdPrefix: "" };
    const publisher = mqttPublisher({
      endpoint: ends.target,
      clientIdentifier: publisherIdentifier(named, clock.newId()),
      window: ends.target.maxInflightMessages,
      log,
      clock,
    });
    const engine = new MqttForwarder({
      name: endpoint.name,
      topicFilters: [...new Set(datasets.map(({ topicFilter }) => topicFilter))],
      forwardsOf: memoByTopic(forwardsOf(endpoint, datasets)),
      subscriber,
      publisher,
      clock,
      log,
      counters,
      budgetBytes: host.routeBudgetBytes,
    });
    return { engine, subscriber, publisher };
  }
}

/** Where messages of a topic go. What was forwarded already is let lie, whatever filter it matches. */
function forwardsOf(
  endpoint: DeviceEndpoint,
  datasets: readonly AssetDataset[],
): (topicName: string) => readonly Forward[] {
  const { topicMappingPrefix: prefix, source, target } = endpoint;
  const own = prefix === undefined || source !== target ? undefined : `${prefix}/`;
  const forwards = datasets.map((dataset) => ({
    filter: dataset.topicFilter,
    forward: forwardPublish(dataset, prefix),
  }));
  return (topicName) => {
    if (own !== undefined && topicName.startsWith(own)) return [];
    return forwards
      .filter(({ filter }) => topicFilterMatches(filter, topicName))
      .map(({ forward }) => forward);
  };
}

/** Whether a topic of the endpoint's broker is one that endpoints forward to. */
function forwardedTo(plan: Plan, { source }: DeviceEndpoint): (topicName: string) => boolean {
  const address = addressOf(plan, source);
  const prefixes = (plan.devices ?? []).flatMap(({ topicMappingPrefix: prefix, target }) =>
    prefix !== undefined && addressOf(plan, target) === address ? [`${prefix}/`] : [],
  );
  return (topicName) => prefixes.some((prefix) => topicName.startsWith(prefix));
}

function addressOf(plan: Plan, id: string): string {
  const connection = plan.mqttConnections.get(id);
  return `${connection?.host.toLowerCase()}:${connection?.port}`;
}

function shortList(texts: readonly string[]): string {
  if (texts.length === 0) return "no asset yet";
  const shown = texts.slice(0, MOST_SHOWN).join(", ");
  return texts.length > MOST_SHOWN ? `${shown} and ${texts.length - MOST_SHOWN} more` : shown;
}
