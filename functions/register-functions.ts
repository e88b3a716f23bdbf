import type { app as functionsApp, InvocationContext } from "@azure/functions";
import type { PlannedFunction } from "../shared/plan/function-plan.ts";
import type { RouteRuntime } from "./route-runtime.ts";
import {
  type HostView,
  healthHandler,
  metricsHandler,
  readinessHandler,
  statusHandler,
} from "./status-handlers.ts";
import { type TopicWatchOptions, topicWatchHandler } from "./topic-watch.ts";

type Generic = typeof functionsApp.generic;
type GenericTrigger = Parameters<Generic>[1]["trigger"];

/** What of @azure/functions is registered with. */
export interface FunctionsHost {
  readonly app: {
    readonly generic: Generic;
    readonly timer: typeof functionsApp.timer;
    readonly http: typeof functionsApp.http;
    readonly setup: typeof functionsApp.setup;
    readonly hook: Pick<typeof functionsApp.hook, "appTerminate">;
  };
  readonly trigger: { generic(options: { type: string }): GenericTrigger };
}

export interface Registration {
  readonly functions: readonly PlannedFunction[];
  readonly runtime: RouteRuntime;
  readonly view: HostView;
  readonly topicWatch: TopicWatchOptions;
}

/** Registers every planned function. Connects to nothing. */
export function registerFunctions(host: FunctionsHost, registration: Registration): void {
  // without it the host leaves empty texts out of lists, and lists no longer fit their batch
  host.app.setup({ capabilities: { IncludeEmptyEntriesInMessagePayload: true } });
  host.app.hook.appTerminate(() => registration.runtime.stop());
  for (const planned of registration.functions) register(host, planned, registration);
}

function register(host: FunctionsHost, planned: PlannedFunction, registration: Registration): void {
  switch (planned.kind) {
    case "eventHubTrigger":
    case "kafkaTrigger":
      registerDelivery(host, planned, registration.runtime);
      break;
    case "timer":
      registerTimer(host, planned, registration);
      break;
    case "http":
      registerHttp(host, planned, registration.view);
      break;
  }
}

function registerDelivery(
  host: FunctionsHost,
  planned: PlannedFunction,
  runtime: RouteRuntime,
): void {
  const deliver = runtime.deliveryHandler(planned);
  host.app.generic(planned.name, {
    trigger: host.trigger.generic({ type: planned.kind, ...planned.trigger }),
    ...(planned.retry === undefined ? {} : { retry: planned.retry }),
    handler: (payload: unknown, context: InvocationContext) => deliver(payload, context),
  });
}

function registerTimer(
  host: FunctionsHost,
  planned: PlannedFunction,
  { runtime, topicWatch }: Registration,
): void {
  const run =
    planned.role === "pump" ? runtime.pumpHandler(planned) : topicWatchHandler(topicWatch);
  const { schedule, runOnStartup, useMonitor } = planned.trigger as {
    schedule: string;
    runOnStartup: boolean;
    useMonitor: boolean;
  };
  host.app.timer(planned.name, {
    schedule,
    runOnStartup,
    useMonitor,
    handler: (timer, context) => run(timer, context),
  });
}

function registerHttp(host: FunctionsHost, planned: PlannedFunction, view: HostView): void {
  const { authLevel, route } = planned.trigger as {
    authLevel: "anonymous" | "function";
    route: string;
  };
  host.app.http(planned.name, {
    methods: ["GET"],
    authLevel,
    route,
    handler: httpHandler(planned, view),
  });
}

function httpHandler(planned: PlannedFunction, view: HostView): ReturnType<typeof healthHandler> {
  switch (planned.role) {
    case "readiness":
      return readinessHandler(view);
    case "metrics":
      return metricsHandler(view);
    case "status":
      return statusHandler(view);
    default:
      return healthHandler();
  }
}
