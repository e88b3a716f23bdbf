import {
  type HttpHandler,
  HttpRequest,
  type HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import { describe, expect, test } from "vitest";
import {
  type HostView,
  healthHandler,
  metricsHandler,
  readinessHandler,
  statusHandler,
} from "../../functions/status-handlers.ts";
import { newCounters, type RouteStatus } from "../../shared/engine/status.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";

const up: RouteStatus = {
  route: "connector/to-mqtt",
  direction: "kafkaToMqtt",
  from: "source",
  to: "factory/x",
  instance: 0,
  state: "running",
  kafka: { connected: true },
  mqtt: { connected: true },
  counters: { ...newCounters(), received: 5, delivered: 5 },
};

function view(over: Partial<HostView> = {}): HostView {
  return {
    version: "1.2.3",
    startedAt: 1000,
    routes: [kafkaToMqttRoute(), mqttToKafkaRoute()],
    errors: [],
    statuses: () => [up],
    now: () => 61_000,
    ...over,
  };
}

async function call(handler: HttpHandler): Promise<HttpResponseInit> {
  const request = new HttpRequest({ url: "http://localhost/api/x", method: "GET" });
  return (await handler(request, new InvocationContext())) as HttpResponseInit;
}

describe("the HTTP functions", () => {
  test("healthz answers 200 and nothing else", async () => {
    expect(await call(healthHandler())).toMatchObject({ status: 200, jsonBody: { status: "ok" } });
  });

  test.each([
    { name: "all routes here run", over: {}, status: 200 },
    { name: "no route is open in this process", over: { statuses: () => [] }, status: 200 },
    {
      name: "a side is down",
      over: { statuses: () => [{ ...up, mqtt: { connected: false, detail: "refused" } }] },
      status: 503,
    },
    { name: "a manifest is wrong", over: { errors: ["m.yaml:1:1: error: x"] }, status: 503 },
  ])("readyz answers $status when $name", async ({ over, status }) => {
    const response = await call(readinessHandler(view(over)));
    expect(response.status).toBe(status);
    expect(response.jsonBody).toMatchObject({ ready: status === 200 });
  });

  test("metrics is Prometheus text with the counters of this process", async () => {
    const response = await call(metricsHandler(view()));
    expect(new Headers(response.headers).get("content-type")).toMatch(
      /^text\/plain; version=0\.0\.4/,
    );
    expect(response.body).toMatch(
      /isthmus_messages_delivered_total\{route="connector\/to-mqtt",.*\} 5\n/,
    );
    expect(response.body).toMatch(/process_resident_memory_bytes [1-9]/);
  });

  test("status shows every route, those of other instances too, under a strict policy", async () => {
    const response = await call(statusHandler(view()));
    const headers = new Headers(response.headers);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.body).toContain("connector/to-mqtt");
    expect(response.body).toContain("connector/to-kafka");
    expect(response.body).toContain("not open in this process");
  });
});
