import { expect, test } from "vitest";
import { readiness } from "../../shared/pages/readiness.ts";
import { routeStatus } from "../support/route-status.ts";

test.each([
  { name: "is ready when every route runs with both sides up", routes: [routeStatus()], want: [] },
  {
    name: "is not ready before any route exists",
    routes: [],
    want: [{ route: "", reason: "no route has started yet" }],
  },
  {
    name: "says which side is down and why",
    routes: [
      routeStatus({
        state: "waiting",
        detail: "refused",
        kafka: { connected: false, detail: "refused" },
      }),
    ],
    want: [{ route: "flow/one", reason: "waiting: Kafka is not connected: refused" }],
  },
  {
    name: "says why a route failed, and which instance",
    routes: [routeStatus({ instance: 2, state: "failed", detail: "not authorized" })],
    want: [{ route: "flow/one (instance 2)", reason: "failed: not authorized" }],
  },
  {
    name: "names both sides when both are down",
    routes: [
      routeStatus({ state: "starting", kafka: { connected: false }, mqtt: { connected: false } }),
    ],
    want: [
      {
        route: "flow/one",
        reason: "starting: Kafka is not connected, MQTT is not connected",
      },
    ],
  },
])("readiness() $name", ({ routes, want }) => {
  expect(readiness(routes)).toEqual({ ready: want.length === 0, reasons: want });
});
