import { randomUUID } from "node:crypto";
import type { HttpHandler, HttpResponseInit } from "@azure/functions";
import type { RouteStatus } from "../shared/engine/status.ts";
import { newCounters } from "../shared/engine/status.ts";
import type { Route } from "../shared/model/route.ts";
import { METRICS_CONTENT_TYPE, metricsPage } from "../shared/pages/metrics.ts";
import { readiness } from "../shared/pages/readiness.ts";
import { statusPage, statusPagePolicy } from "../shared/pages/status-page.ts";
import type { AssetsView } from "../shared/pages/status-view.ts";

/** What the HTTP functions tell of. */
export interface HostView {
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** The routes that have functions. */
  readonly routes: readonly Route[];
  /** One line each: why routes of the manifests have no function. */
  readonly errors: readonly string[];
  /** Of the routes that are open in this process. */
  statuses(): readonly RouteStatus[];
  /** What the devices that are open in this process have found. */
  assets?(): AssetsView | undefined;
  now(): number;
}

const NO_STORE = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };

function json(status: number, body: object): HttpResponseInit {
  return { status, jsonBody: body, headers: NO_STORE };
}

/** Liveness: the process answers. Tells nothing else, for it needs no key. */
export function healthHandler(): HttpHandler {
  return () => json(200, { status: "ok" });
}

/** 200 when the manifests are well and every route that is open in this process runs with both sides connected, else 503. */
export function readinessHandler(view: HostView): HttpHandler {
  return () => {
    const statuses = view.statuses();
    // the platform may run each function in a process of its own: no route here is no fault
    const routes = statuses.length === 0 ? { ready: true, reasons: [] } : readiness(statuses);
    const ready = routes.ready && view.errors.length === 0;
    const body = {
      ready,
      routesHere: statuses.length,
      reasons: routes.reasons,
      errors: view.errors,
    };
    return json(ready ? 200 : 503, body);
  };
}

/** The counters of the routes that are open in this process. */
export function metricsHandler(view: HostView): HttpHandler {
  return () => ({
    status: 200,
    headers: { ...NO_STORE, "Content-Type": METRICS_CONTENT_TYPE },
    body: metricsPage(view.statuses(), {
      version: view.version,
      startedAt: view.startedAt,
      residentBytes: process.memoryUsage.rss(),
      discovery: view.assets?.()?.endpoints ?? [],
      cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1_000_000,
    }),
  });
}

/** The status page; shows no payloads and no secrets. */
export function statusHandler(view: HostView): HttpHandler {
  return () => {
    const nonce = randomUUID();
    const open = view.statuses();
    const assets = view.assets?.();
    const here = new Set(open.map(({ route }) => route));
    const elsewhere = view.routes.filter(({ name }) => !here.has(name)).map(notHere);
    return {
      status: 200,
      headers: {
        ...NO_STORE,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": statusPagePolicy(nonce),
      },
      body: statusPage(
        {
          version: view.version,
          startedAt: view.startedAt,
          now: view.now(),
          routes: [...open, ...elsewhere],
          ...(assets === undefined ? {} : { assets }),
        },
        nonce,
      ),
    };
  };
}

function notHere(route: Route): RouteStatus {
  const unknown = { connected: false };
  const reads = route.direction === "kafkaToMqtt";
  return {
    route: route.name,
    direction: route.direction,
    from: reads
      ? route.topics.map((t) => (t.kind === "name" ? t.topic : t.pattern)).join(", ")
      : route.topicFilters.join(", "),
    to: reads ? route.mqttTopic : route.kafkaTopic,
    instance: 0,
    state: "stopped",
    kafka: unknown,
    mqtt: unknown,
    detail: "not open in this process: it runs on another instance, or nothing has come yet",
    counters: newCounters(),
  };
}
