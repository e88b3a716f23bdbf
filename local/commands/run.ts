import { setFlagsFromString } from "node:v8";
import type { Log } from "../../shared/engine/ports.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { Plan } from "../../shared/model/plan.ts";
import {
  type AssetState,
  assetState,
  assetStoreOf,
  importedManifests,
  watchImported,
} from "../asset-state.ts";
import {
  type Arguments,
  type Command,
  LOCAL_BROKER_OPTION,
  MANIFEST_OPTIONS,
  SECRETS_OPTION,
  STATE_OPTION,
} from "../command.ts";
import { HOST_OPTIONS, type HostSettings, hostSettings } from "../host-options.ts";
import { httpUrl, parseHttpAddress } from "../http/address.ts";
import type { HttpServer } from "../http/server.ts";
import { load, loadToRun, logProblem } from "../manifests.ts";
import { numberOption } from "../parse-arguments.ts";
import { report } from "../report.ts";
import { runUntilStopped } from "../run-until-stopped.ts";
import type { Runner } from "../runner.ts";
import { serve } from "../serve.ts";
import type { Shell } from "../shell.ts";
import { stopSignal } from "../stop-signal.ts";
import { version } from "../version.ts";

const CANNOT_START = 2;
const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
/** V8 collects after its heap has grown up to fourfold: all of it would be resident. Measured: twice costs no time. */
const HEAP_GROWTH = "--heap-growing-percent=100";

async function serveWhenAsked(
  args: Arguments,
  runner: Runner,
  settings: HostSettings,
): Promise<HttpServer | undefined> {
  const text = args.value("http");
  if (text === undefined) return undefined;
  const http = await serve(runner, parseHttpAddress(text), await version());
  settings.log("info", "Serving HTTP", { url: httpUrl(http.address) });
  return http;
}

/** Which instance `--instance` asks for. @throws BridgeError USAGE when no route has it. */
function instanceOf(args: Arguments, plan: Plan): number | undefined {
  const instance = numberOption(args, "instance", { min: 0, max: 10_000 });
  if (instance === undefined) return undefined;
  const most = Math.max(1, ...plan.routes.map(({ instances }) => instances));
  if (Number.isInteger(instance) && instance < most) return instance;
  throw new BridgeError(
    "USAGE",
    `No route has instance ${instance}: the manifests ask for ${most}, counted from 0 (instances of a KafkaConnector, instanceCount of a DataflowProfile)`,
  );
}

async function run(args: Arguments, shell: Shell): Promise<number> {
  const settings = hostSettings(args, shell, "info");
  const startSeconds = numberOption(args, "start-timeout", { min: 0, max: 86_400 }) ?? 30;
  if (args.value("http") !== undefined) parseHttpAddress(args.value("http") ?? "");
  const state = assetState(args);
  const more = await importedManifests(state);
  const { plan, secrets, memoryBudgetBytes } = await loadToRun(args, shell, settings.log, more);
  const instance = instanceOf(args, plan);
  const stopped = stopSignal(shell);
  // the broker clients are loaded only by what connects, so that the other commands start at once
  setFlagsFromString(HEAP_GROWTH);
  const host = await import("../runner.ts");
  const runner = new host.Runner({
    plan,
    secrets,
    log: settings.log,
    drainMs: settings.drainMs,
    memoryBudgetBytes: settings.memoryBudgetBytes ?? memoryBudgetBytes ?? DEFAULT_MEMORY_BYTES,
    startTimeoutMs: startSeconds * 1000,
    tap: args.flag("tap"),
    instance,
    checkpointFolder: state.checkpoints,
    ...(plan.devices === undefined ? {} : { assetStore: await assetStoreOf(state) }),
  });
  const stopWatching =
    plan.devices === undefined ? undefined : watchAssets(args, state, runner, settings.log);
  let http: HttpServer | undefined;
  const debug = args.flag("debug") || shell.env["ISTHMUS_DEBUG"] === "1";
  try {
    http = await serveWhenAsked(args, runner, settings);
    const ending = await runUntilStopped(runner, stopped, settings.log, () =>
      settings.log("info", "Running", { routes: plan.routes.length }),
    );
    if ("signal" in ending) return 0;
    report(shell, ending.error, debug);
    return CANNOT_START;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    report(shell, error, debug);
    return CANNOT_START;
  } finally {
    stopWatching?.();
    await http?.stop();
  }
}

/** Imported assets are forwarded without a restart: what else has changed in the manifests is not looked at. */
function watchAssets(args: Arguments, state: AssetState, runner: Runner, log: Log): () => void {
  return watchImported(state, log, async () => {
    const { plan, problems } = await load(args, await importedManifests(state));
    for (const problem of problems) {
      const isOfAssets = problem.location.file.startsWith(state.imported);
      if (isOfAssets && problem.severity !== "note") logProblem(log, problem);
    }
    runner.setAssets(plan.assets ?? []);
  });
}

/** `isthmus run`: the routes of the manifests in one always-on process. */
export const runCommand: Command = {
  name: "run",
  summary: "Runs the routes of the manifests until it is told to stop.",
  usage: "run -f PATH... [--http HOST:PORT] [options]",
  options: {
    ...MANIFEST_OPTIONS,
    http: {
      type: "string",
      value: "HOST:PORT",
      text: "serve / (status page), /status.json, /assets.json, /metrics, /healthz and /readyz; a PORT alone is loopback",
    },
    ...STATE_OPTION,
    ...SECRETS_OPTION,
    ...LOCAL_BROKER_OPTION,
    "start-timeout": {
      type: "string",
      value: "SECONDS",
      text: "how long a broker is waited for at the start, 0 for ever (default 30)",
    },
    instance: {
      type: "string",
      value: "N",
      text: "run only instance N of each route, from 0, where other processes run the others",
    },
    ...HOST_OPTIONS,
    tap: {
      type: "boolean",
      text: "show the beginning of payloads that cross on the status page (default: never)",
    },
    json: { type: "boolean", text: "the same as --log json" },
  },
  notes: [
    "SIGTERM and SIGINT stop intake, drain, commit and disconnect; a second one ends at once.",
    "Exit code: 0 after SIGTERM or SIGINT, 1 for bad manifests or options, 2 when it cannot start.",
  ],
  run,
};
