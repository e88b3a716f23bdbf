import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BridgeError } from "../../shared/errors.ts";
import type { LoadResult } from "../../shared/manifests/compile.ts";
import { secretStore } from "../../shared/secrets/secret-store.ts";
import { type Arguments, type Command, LOCAL_BROKER_OPTION, MANIFEST_OPTIONS } from "../command.ts";
import { type Crossed, crossed, type DevFacts, devScreen, progressLine } from "../dev-screen.ts";
import { HOST_OPTIONS, hostSettings } from "../host-options.ts";
import { type HttpAddress, httpUrl, parseHttpAddress } from "../http/address.ts";
import type { HttpServer } from "../http/server.ts";
import { loadToHost } from "../manifests.ts";
import { report } from "../report.ts";
import { runUntilStopped } from "../run-until-stopped.ts";
import type { Runner } from "../runner.ts";
import type { Traffic } from "../sandbox/traffic/generator.ts";
import { trafficTargets } from "../sandbox/traffic/targets.ts";
import type { Sandbox } from "../sandbox-brokers.ts";
import { serve } from "../serve.ts";
import { print, type Shell } from "../shell.ts";
import { stopSignal } from "../stop-signal.ts";
import { version } from "../version.ts";

const CANNOT_START = 2;
const PROGRESS_EVERY_MS = 5000;
const DEV_DRAIN_MS = 1500;
const DEFAULT_HTTP: HttpAddress = { host: "127.0.0.1", port: 8080 };
const DEV_MEMORY_BYTES = 128 * 1024 * 1024;

/** The manifests that come with the product, found from the sources as well as from dist/. */
function sampleManifests(): string {
  for (const place of ["../../examples/factory", "../../../examples/factory"]) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new BridgeError("MANIFEST_UNREADABLE", "The sample manifests in examples/factory are gone");
}

function withSamples(args: Arguments): Arguments {
  if (args.values("file").length > 0) return args;
  const samples = [sampleManifests()];
  return { ...args, values: (name) => (name === "file" ? samples : args.values(name)) };
}

async function serveDev(args: Arguments, runner: Runner): Promise<HttpServer> {
  const asked = args.value("http");
  if (asked !== undefined) return await serve(runner, parseHttpAddress(asked), await version());
  try {
    return await serve(runner, DEFAULT_HTTP, await version());
  } catch {
    return await serve(runner, { ...DEFAULT_HTTP, port: 0 }, await version());
  }
}

function tellStarted(shell: Shell, json: boolean, facts: DevFacts): void {
  if (!json) {
    print(shell, devScreen(facts));
    return;
  }
  const { plan, ...rest } = facts;
  print(
    shell,
    JSON.stringify({ event: "started", ...rest, routes: plan.routes.map((route) => route.name) }),
  );
}

/** Prints every few seconds what crossed; returns what stops it. */
function tellProgress(shell: Shell, json: boolean, runner: Runner): () => void {
  let before: Crossed = { kafkaToMqtt: 0, mqttToKafka: 0 };
  const timer = setInterval(() => {
    const now = crossed(runner.status());
    print(shell, json ? JSON.stringify({ event: "crossed", ...now }) : progressLine(now, before));
    before = now;
  }, PROGRESS_EVERY_MS);
  return () => clearInterval(timer);
}

/** Everything that dev opens, closed in the order of the messages' way: first what sends, last the brokers. */
interface Opened {
  traffic?: Promise<Traffic>;
  stopProgress?: () => void;
  http?: HttpServer;
  sandbox?: Sandbox;
}

async function close(opened: Opened): Promise<void> {
  opened.stopProgress?.();
  await opened.http?.stop();
  await opened.sandbox?.stop();
}

async function runSandbox(args: Arguments, shell: Shell, loaded: LoadResult, opened: Opened) {
  const { plan, configMaps } = loaded;
  const json = args.flag("json");
  const settings = hostSettings(args, shell, "warn");
  const stopped = stopSignal(shell);
  const { startSandbox } = await import("../sandbox-brokers.ts");
  const { startTraffic } = await import("../sandbox/traffic/generator.ts");
  const { memoryAssets } = await import("../sandbox/memory-assets.ts");
  const host = await import("../runner.ts");
  const targets = trafficTargets(plan);
  const sandbox = await startSandbox(plan, targets.kafka);
  opened.sandbox = sandbox;
  const runner = new host.Runner({
    plan: sandbox.plan,
    secrets: secretStore({
      manifests: { secrets: new Map(), configMaps },
      environment: {},
    }),
    log: settings.log,
    drainMs: args.value("drain") === undefined ? DEV_DRAIN_MS : settings.drainMs,
    memoryBudgetBytes: settings.memoryBudgetBytes ?? DEV_MEMORY_BYTES,
    startTimeoutMs: 30_000,
    tap: true,
    assetStore: memoryAssets(),
  });
  const http = await serveDev(args, runner);
  opened.http = http;
  const sending = stopped.then(async () => await (await opened.traffic)?.stop());
  const ending = await runUntilStopped(runner, stopped, settings.log, () => {
    const { kafka, mqtt } = sandbox;
    const page = httpUrl(http.address);
    tellStarted(shell, json, { plan: sandbox.plan, kafka, mqtt, page, silent: targets.silent });
    opened.stopProgress = tellProgress(shell, json, runner);
    opened.traffic = startTraffic(sandbox.plan, targets);
    opened.traffic.catch((error: unknown) => {
      settings.log("error", "Sample traffic cannot be sent", { error });
    });
  });
  if ("signal" in ending) {
    await sending.catch(() => undefined);
    const total = crossed(runner.status());
    print(
      shell,
      json
        ? JSON.stringify({ event: "stopped", ...total })
        : `Stopped. ${total.kafkaToMqtt + total.mqttToKafka} messages crossed.`,
    );
  }
  return ending;
}

async function dev(args: Arguments, shell: Shell): Promise<number> {
  if (args.value("http") !== undefined) parseHttpAddress(args.value("http") ?? "");
  const { log } = hostSettings(args, shell, "warn");
  const loaded = await loadToHost(withSamples(args), shell, log);
  const opened: Opened = {};
  const debug = args.flag("debug") || shell.env["ISTHMUS_DEBUG"] === "1";
  try {
    const ending = await runSandbox(args, shell, loaded, opened);
    if ("signal" in ending) return 0;
    report(shell, ending.error, debug);
    return CANNOT_START;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    report(shell, error, debug);
    return CANNOT_START;
  } finally {
    await close(opened);
  }
}

/** `isthmus dev`: the routes with embedded brokers and sample traffic, with nothing to install. */
export const devCommand: Command = {
  name: "dev",
  summary: "Runs manifests with brokers of its own and sample messages; needs nothing installed.",
  usage: "dev [-f PATH...] [--http HOST:PORT] [options]",
  options: {
    file: {
      ...MANIFEST_OPTIONS["file"],
      type: "string",
      text: "your manifests (default: examples/factory)",
    },
    http: {
      type: "string",
      value: "HOST:PORT",
      text: "where the status page is (default 127.0.0.1:8080, or a free port)",
    },
    ...LOCAL_BROKER_OPTION,
    ...HOST_OPTIONS,
    json: { type: "boolean", text: "print events as JSON lines for programs" },
  },
  notes: [
    "Every connection of the manifests is led to an embedded broker: your own brokers are not touched, and no secret is needed.",
    "Each route has one instance here, and a shared subscription becomes one subscriber: the embedded MQTT broker has none.",
    "Your own clients can join: Kafka at 127.0.0.1:9092 and MQTT 5 at 127.0.0.1:1883 where those ports are free.",
    "Exit code: 0 after SIGTERM or SIGINT, 1 for bad manifests or options, 2 when it cannot start.",
  ],
  run: dev,
};
