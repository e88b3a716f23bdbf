import type { HostOptions, RecordHandler, RunningDevice, RunningPump } from "../shared/compose.ts";
import type { AssetStore, Clock, LogLevel } from "../shared/engine/ports.ts";
import type { RouteStatus } from "../shared/engine/status.ts";
import { BridgeError } from "../shared/errors.ts";
import type { DeviceEndpoint } from "../shared/model/device.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../shared/model/route.ts";
import type { AssetsView } from "../shared/pages/status-view.ts";
import type { PlannedFunction } from "../shared/plan/function-plan.ts";
import {
  eventHubsToMqttHandler,
  kafkaToMqttHandler,
  type TriggerHandler,
} from "./delivery-handlers.ts";
import { type Invocation, InvocationLog } from "./invocation-log.ts";
import type { LoadedApp } from "./load-app.ts";
import { PumpHolder } from "./pump-holder.ts";
import { SharedHandler } from "./shared-handler.ts";

/** The part of the composition root that functions use; passed in so that nothing of it is loaded before it is needed. */
export interface Openers {
  openRecordHandler(route: KafkaToMqttRoute, options: HostOptions): Promise<RecordHandler>;
  openPump(route: MqttToKafkaRoute, options: HostOptions): Promise<RunningPump>;
  openDevice(endpoint: DeviceEndpoint, options: HostOptions): Promise<RunningDevice>;
  /** Where discovered assets are kept, in a container of blobs. */
  assetStore(container: string): Promise<AssetStore>;
}

export interface RuntimeOptions {
  readonly app: LoadedApp;
  readonly openers: Openers;
  readonly clock: Pick<Clock, "now" | "after">;
  /** Where log lines go that belong to no invocation. */
  readonly print: (level: LogLevel, line: string) => void;
}

const DEFAULT_BUDGET = 256 * 1024 * 1024;
/** The host ends the process 5 s after it has asked. */
const TERMINATE_DRAIN_MS = 4000;
/** A route whose broker does not answer fails its invocation after this, so that the failure is seen; the host tries again. */
const LONGEST_START_MS = 30_000;

/** The routes of this process: opened when their first invocation comes, closed when the host ends. */
export class RouteRuntime {
  private readonly options: RuntimeOptions;
  private readonly handlers = new Map<string, SharedHandler>();
  private readonly pumps = new Map<string, PumpHolder>();
  private readonly devices = new Map<string, RunningDevice>();
  private readonly logs = new Map<string, InvocationLog>();

  constructor(options: RuntimeOptions) {
    this.options = options;
  }

  /** Of what is open in this process. */
  statuses(): RouteStatus[] {
    const handlers = [...this.handlers.values()].map((handler) => handler.opened?.status());
    const pumps = [...this.pumps.values()].map((pump) => pump.status());
    return [...handlers, ...pumps].filter((status) => status !== undefined);
  }

  /** What the devices of this process have found; undefined where the manifests have none. */
  assets(): AssetsView | undefined {
    const { plan } = this.options.app;
    if (plan.devices === undefined) return undefined;
    return {
      endpoints: [...this.devices.values()].flatMap((device) => device.discovered() ?? []),
      imported: new Set(plan.assets?.map(({ name }) => name)),
    };
  }

  /** The handler of a function that delivers what a trigger reads. */
  deliveryHandler(planned: PlannedFunction): TriggerHandler {
    const route = this.route(planned, "kafkaToMqtt");
    const { deliverMs } = this.options.app.timing;
    const isEventHub = planned.kind === "eventHubTrigger";
    const shared = this.sharedHandler(route, isEventHub);
    const make = isEventHub ? eventHubsToMqttHandler : kafkaToMqttHandler;
    const deliver = make(() => shared.open(), {
      ...(planned.topic === undefined ? {} : { topic: planned.topic }),
      timeoutMs: deliverMs,
    });
    const log = this.logOf(route.name);
    return (payload, invocation) => log.during(invocation, () => deliver(payload, invocation));
  }

  /** The handler of a function that holds a pump open. */
  pumpHandler(planned: PlannedFunction): (timer: unknown, invocation: Invocation) => Promise<void> {
    const log = this.logOf(planned.name);
    const { timing } = this.options.app;
    const pump = new PumpHolder({
      name: planned.name,
      holdMs: timing.holdMs,
      drainMs: timing.drainMs,
      clock: this.options.clock,
      open: planned.device === undefined ? this.opensRoute(planned) : this.opensDevice(planned),
    });
    this.pumps.set(planned.name, pump);
    return async (_timer, invocation) => {
      await log.during(invocation, () => pump.hold());
    };
  }

  private opensRoute(planned: PlannedFunction): () => Promise<RunningPump> {
    const route = this.route(planned, "mqttToKafka");
    const { instance = 0, subscribers = 1 } = planned;
    return () =>
      this.options.openers.openPump(oneSubscriber(route, subscribers), {
        ...this.hostOptions(this.logOf(planned.name)),
        instance,
        drainMs: this.options.app.timing.drainMs,
      });
  }

  private opensDevice(planned: PlannedFunction): () => Promise<RunningPump> {
    const { app, openers } = this.options;
    const endpoint = app.plan.devices?.find(({ name }) => name === planned.device);
    if (endpoint === undefined) throw notPlanned(planned, `device "${planned.device}"`);
    return async () => {
      if (app.assetContainer === undefined) {
        throw new BridgeError(
          "STATE_UNAVAILABLE",
          "Discovered assets are kept in Azure Blob Storage: AzureWebJobsStorage__accountName has to name the account",
        );
      }
      const device = await openers.openDevice(endpoint, {
        ...this.hostOptions(this.logOf(planned.name)),
        assetStore: await openers.assetStore(app.assetContainer),
        drainMs: app.timing.drainMs,
      });
      this.devices.set(endpoint.name, device);
      return device;
    };
  }

  /** Drains and closes everything, within the 5 s that the host allows. */
  async stop(): Promise<void> {
    await Promise.allSettled([
      ...[...this.pumps.values()].map((pump) => pump.stop(TERMINATE_DRAIN_MS)),
      ...[...this.handlers.values()].map((handler) => handler.stop()),
    ]);
  }

  private sharedHandler(route: KafkaToMqttRoute, isEventHub: boolean): SharedHandler {
    let shared = this.handlers.get(route.name);
    if (shared === undefined) {
      // what the Event Hubs trigger hands over is decoded already (S-22)
      const handed: KafkaToMqttRoute = isEventHub ? { ...route, amqpHeaders: "Never" } : route;
      const log = this.logOf(route.name);
      shared = new SharedHandler(() =>
        this.options.openers.openRecordHandler(handed, {
          ...this.hostOptions(log),
          drainMs: TERMINATE_DRAIN_MS,
        }),
      );
      this.handlers.set(route.name, shared);
    }
    return shared;
  }

  private hostOptions(log: InvocationLog): HostOptions {
    const { plan, secrets, functions, timing, memoryBudgetBytes, serviceAccountTokenFile } =
      this.options.app;
    const users = functions.functions.filter(
      ({ route, device }) => route !== undefined || device !== undefined,
    ).length;
    return {
      plan,
      secrets,
      log: log.log,
      eventHubsByAmqp: true,
      startTimeoutMs: Math.min(LONGEST_START_MS, timing.deliverMs),
      memoryBudgetBytes: Math.floor((memoryBudgetBytes ?? DEFAULT_BUDGET) / Math.max(1, users)),
      ...(serviceAccountTokenFile === undefined ? {} : { serviceAccountTokenFile }),
    };
  }

  private logOf(name: string): InvocationLog {
    let log = this.logs.get(name);
    if (log === undefined) {
      log = new InvocationLog(this.options.print);
      this.logs.set(name, log);
    }
    return log;
  }

  private route<D extends Route["direction"]>(
    planned: PlannedFunction,
    direction: D,
  ): Extract<Route, { direction: D }> {
    const route = this.options.app.plan.routes.find(({ name }) => name === planned.route);
    if (route?.direction !== direction) {
      throw notPlanned(planned, `route "${planned.route}"`);
    }
    return route as Extract<Route, { direction: D }>;
  }
}

function notPlanned({ name }: PlannedFunction, what: string): BridgeError {
  const message = `Cannot register function "${name}": its ${what} is not in the plan`;
  return new BridgeError("MANIFEST_INVALID", message);
}

/** The route as one of `subscribers` equal functions runs it: with one subscriber of its own (S-33). */
function oneSubscriber(route: MqttToKafkaRoute, subscribers: number): MqttToKafkaRoute {
  const { sharedSubscription: shared } = route;
  if (shared === undefined) return { ...route, instances: 1 };
  return {
    ...route,
    instances: subscribers,
    sharedSubscription: { ...shared, minimumShareNumber: subscribers },
  };
}
