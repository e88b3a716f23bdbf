/**
 * The Functions app: reads the manifests packed with it and registers a function for each topic, each MQTT subscriber and the
 * status pages. Connects to nothing: routes open with their first invocation.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { app, trigger } from "@azure/functions";
import { systemClock } from "../shared/adapters/system/system-clock.ts";
import type { LogLevel } from "../shared/engine/ports.ts";
import { logLine } from "./invocation-log.ts";
import { loadApp } from "./load-app.ts";
import { registerFunctions } from "./register-functions.ts";
import { RouteRuntime } from "./route-runtime.ts";

/** The folder of host.json: above this file, in the sources, in dist and in the package. */
function appRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let at = here; ; at = dirname(at)) {
    if (existsSync(join(at, "host.json"))) return at;
    if (dirname(at) === at) return process.cwd();
  }
}

const print = (level: LogLevel, line: string): void => console[level](line);
const startedAt = systemClock.now();
const loaded = await loadApp(appRoot(), process.env);
for (const warning of loaded.warnings) print("warn", warning);
for (const error of loaded.errors) print("error", error);

// loaded when the first route opens, so that an app with many functions starts fast
const compose = (): Promise<typeof import("../shared/compose.ts")> =>
  import("../shared/compose.ts");

const runtime = new RouteRuntime({
  app: loaded,
  clock: systemClock,
  print,
  openers: {
    openRecordHandler: async (route, options) =>
      (await compose()).openRecordHandler(route, options),
    openPump: async (route, options) => (await compose()).openPump(route, options),
    openDevice: async (endpoint, options) => (await compose()).openDevice(endpoint, options),
    assetStore: async (container) => (await compose()).blobAssetStore(container),
  },
});

registerFunctions(
  { app, trigger },
  {
    functions: loaded.functions.functions,
    runtime,
    topicWatch: {
      plan: loaded.plan,
      lock: loaded.lock,
      listTopics: async (connection) => {
        const { listTopics } = await compose();
        return listTopics(connection, {
          plan: loaded.plan,
          secrets: loaded.secrets,
          log: (level, message, fields) => print(level, logLine(message, fields)),
        });
      },
    },
    view: {
      version: loaded.version,
      startedAt,
      routes: loaded.plan.routes,
      errors: loaded.errors,
      statuses: () => runtime.statuses(),
      assets: () => runtime.assets(),
      now: () => systemClock.now(),
    },
  },
);
