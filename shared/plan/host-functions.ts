/** Functions that every app has, whatever its routes. */
import type { FunctionRole, PlannedFunction } from "./function-plan.ts";

function httpFunction(
  name: string,
  role: FunctionRole,
  authLevel: "anonymous" | "function",
  purpose: string,
): PlannedFunction {
  return {
    name,
    kind: "http",
    role,
    purpose,
    trigger: { type: "httpTrigger", methods: ["GET"], authLevel, route: name },
    settings: [],
  };
}

/** Health says nothing but that the process answers, so it needs no key; the others tell of routes and do. */
export function httpFunctions(): PlannedFunction[] {
  return [
    httpFunction("healthz", "health", "anonymous", "Answers while the process is alive"),
    httpFunction(
      "readyz",
      "readiness",
      "function",
      "Whether the manifests and the routes here are well",
    ),
    httpFunction(
      "metrics",
      "metrics",
      "function",
      "Counters of the routes here, as Prometheus text",
    ),
    httpFunction("status", "status", "function", "Status page of the routes here"),
  ];
}

/** Looks for topics that a regular expression matches and that no function reads yet (S-30). */
export const TOPIC_WATCH: PlannedFunction = {
  name: "topic-watch",
  kind: "timer",
  role: "topicWatch",
  purpose: "Warns of topics that match an expression and are not in isthmus.lock.json",
  trigger: {
    type: "timerTrigger",
    schedule: "0 */5 * * * *",
    runOnStartup: false,
    useMonitor: false,
  },
  settings: [],
};
