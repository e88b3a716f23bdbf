import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { BridgeError } from "../shared/errors.ts";
import { loadManifests } from "../shared/manifests/load.ts";
import { formatProblem, type Problem } from "../shared/manifests/problem.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { SecretStore } from "../shared/model/secret-store.ts";
import type { FunctionPlan } from "../shared/plan/function-plan.ts";
import { planFunctions } from "../shared/plan/functions-plan.ts";
import { shadowedNames } from "../shared/plan/shadowed-names.ts";
import { parseTopicLock, TOPIC_LOCK_FILE, type TopicLock } from "../shared/plan/topic-lock.ts";
import { secretStore } from "../shared/secrets/secret-store.ts";
import { type HostTiming, hostTiming } from "./host-timing.ts";
import { resolvedReference } from "./key-vault-reference.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything the app knows once its files are read; nothing is connected to. */
export interface LoadedApp {
  readonly plan: Plan;
  readonly functions: FunctionPlan;
  readonly lock: TopicLock | undefined;
  readonly secrets: SecretStore;
  readonly timing: HostTiming;
  readonly version: string;
  readonly memoryBudgetBytes: number | undefined;
  readonly serviceAccountTokenFile: string | undefined;
  /** The container of Azure Blob Storage where discovered assets are kept. */
  readonly assetContainer: string | undefined;
  /** What is wrong, one line each; empty when all routes have their functions. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const NO_ROUTES: Plan = {
  routes: [],
  kafkaConnections: new Map(),
  mqttConnections: new Map(),
};

/**
 * Reads the manifests packed with the app, or those that ISTHMUS_MANIFESTS names, and the lock file. `root` is the folder of host.json.
 * Total: what is wrong is in `errors`, for an entry point that throws looks to the host like an app without functions.
 */
export async function loadApp(root: string, env: Environment): Promise<LoadedApp> {
  const loaded = await loadManifests([resolve(root, env["ISTHMUS_MANIFESTS"] ?? "manifests")], {
    localBroker: env["ISTHMUS_LOCAL_BROKER"],
  });
  const errors: string[] = [];
  const lock = await readLock(root, errors);
  // a mistake that concerns one flow alone costs that flow; any other may concern all
  const usable = !loaded.problems.some((p) => p.severity === "error" && p.scope !== "flow");
  const plan = usable ? loaded.plan : NO_ROUTES;
  const functions = planFunctions(plan, lock);
  const problems = [
    ...loaded.problems,
    ...functions.problems,
    ...shadowedNames(functions.functions, Object.keys(env)),
  ];
  return {
    plan,
    functions,
    lock,
    secrets: secretStore({
      manifests: loaded,
      folder: env["ISTHMUS_SECRETS"],
      environment: env,
      keyVault: (ref) => resolvedReference(ref, env),
    }),
    timing: hostTiming(await readJson(resolve(root, "host.json")), env),
    version: await readVersion(root),
    memoryBudgetBytes: loaded.memoryBudgetBytes,
    serviceAccountTokenFile: env["ISTHMUS_SERVICE_ACCOUNT_TOKEN_FILE"],
    assetContainer: assetContainer(env),
    errors: [...errors, ...linesOf(problems, "error")],
    warnings: linesOf(problems, "warning"),
  };
}

/** In the account that the host keeps its own state in. */
function assetContainer(env: Environment): string | undefined {
  const account = env["AzureWebJobsStorage__accountName"];
  return account === undefined || account === ""
    ? undefined
    : `https://${account}.blob.core.windows.net/isthmus-assets`;
}

function linesOf(problems: readonly Problem[], severity: Problem["severity"]): string[] {
  return problems.filter((problem) => problem.severity === severity).map(formatProblem);
}

async function readLock(root: string, errors: string[]): Promise<TopicLock | undefined> {
  const text = await readFile(resolve(root, TOPIC_LOCK_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return parseTopicLock(text);
  } catch (cause) {
    if (!(cause instanceof BridgeError)) throw cause;
    errors.push(cause.message);
    return undefined;
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function readVersion(root: string): Promise<string> {
  const found = await readJson(resolve(root, "package.json"));
  const known = typeof found === "object" && found !== null && "version" in found;
  return known ? String(found.version) : "unknown";
}
