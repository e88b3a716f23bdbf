import { readFile, writeFile } from "node:fs/promises";
import { BridgeError } from "../../shared/errors.ts";
import type { LoadResult } from "../../shared/manifests/compile.ts";
import { hasErrors } from "../../shared/manifests/compile.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";
import type { Plan } from "../../shared/model/plan.ts";
import { bicepParameters, formatBicepParameters } from "../../shared/plan/bicep-parameters.ts";
import { formatPlan } from "../../shared/plan/format-plan.ts";
import type { FunctionPlan } from "../../shared/plan/function-plan.ts";
import { planFunctions } from "../../shared/plan/functions-plan.ts";
import {
  formatTopicLock,
  parseTopicLock,
  patternRoutes,
  resolveTopicLock,
  TOPIC_LOCK_FILE,
  type TopicLock,
} from "../../shared/plan/topic-lock.ts";
import { type Arguments, type Command, LOCAL_BROKER_OPTION, MANIFEST_OPTIONS } from "../command.ts";
import { createLog } from "../log.ts";
import { loadToUse, secretsOf } from "../manifests.ts";
import { complain, print, type Shell } from "../shell.ts";

async function readLock(path: string): Promise<TopicLock> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BridgeError("MANIFEST_UNREADABLE", `Cannot read the lock file "${path}": ${why}`, {
      cause,
    });
  }
  return parseTopicLock(text, path);
}

/** Asks the brokers which topics the regular expressions stand for, and writes it down. */
async function resolveLock(
  args: Arguments,
  shell: Shell,
  loaded: LoadResult,
): Promise<TopicLock | undefined> {
  if (patternRoutes(loaded.plan).length === 0) return undefined;
  const { listTopics } = await import("../../shared/compose.ts");
  const log = createLog(shell.stderr, { format: "text", level: "error", now: Date.now });
  const { plan } = loaded;
  const secrets = secretsOf(args, shell, loaded);
  const lock = await resolveTopicLock(plan, (id) => listTopics(id, { plan, secrets, log }));
  const path = args.value("lock") ?? TOPIC_LOCK_FILE;
  await writeFile(path, formatTopicLock(lock));
  complain(shell, `isthmus: wrote ${path}`);
  return lock;
}

async function lockOf(
  args: Arguments,
  shell: Shell,
  loaded: LoadResult,
): Promise<TopicLock | undefined> {
  if (args.flag("resolve")) return await resolveLock(args, shell, loaded);
  const path = args.value("lock");
  return path === undefined ? undefined : await readLock(path);
}

/** The parameters of infra/main.bicep that follow from the manifests, into a file whose other parameters stay. */
async function writeBicepParameters(
  path: string,
  shell: Shell,
  plan: Plan,
  planned: FunctionPlan,
): Promise<void> {
  const earlier = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new BridgeError("USAGE", `Cannot read "${path}": ${error.message}`, { cause: error });
  });
  await writeFile(path, formatBicepParameters(bicepParameters(plan, planned), earlier));
  complain(shell, `isthmus: wrote ${path}`);
}

async function plan(args: Arguments, shell: Shell): Promise<number> {
  const loaded = await loadToUse(args, shell);
  const planned = planFunctions(loaded.plan, await lockOf(args, shell, loaded));
  if (args.flag("json")) {
    print(shell, JSON.stringify(planned, null, 2));
  } else {
    print(shell, formatPlan({ ...planned, problems: [] }).trimEnd());
    for (const problem of planned.problems) complain(shell, formatProblem(problem));
  }
  if (hasErrors([...loaded.problems, ...planned.problems])) return 1;
  const path = args.value("bicep-parameters");
  if (path !== undefined) await writeBicepParameters(path, shell, loaded.plan, planned);
  return 0;
}

/** `isthmus plan`: what the manifests become on Azure Functions. */
export const planCommand: Command = {
  name: "plan",
  summary: "Shows what would be deployed to Azure Functions: functions, app settings, roles.",
  usage: "plan -f PATH... [--resolve] [--lock FILE] [--bicep-parameters FILE] [--json]",
  options: {
    ...MANIFEST_OPTIONS,
    resolve: {
      type: "boolean",
      text: "ask the brokers which topics the regular expressions match, and write the lock file",
    },
    lock: {
      type: "string",
      value: "FILE",
      text: `the lock file to read, or with --resolve to write (there: default ${TOPIC_LOCK_FILE})`,
    },
    secrets: {
      type: "string",
      value: "FOLDER",
      text: "with --resolve: mounted Secrets and ConfigMaps, FOLDER/NAME/KEY",
    },
    ...LOCAL_BROKER_OPTION,
    "bicep-parameters": {
      type: "string",
      value: "FILE",
      text: "write the parameters of infra/main.bicep; others that FILE has stay as they are",
    },
    json: { type: "boolean", text: "print the plan for programs" },
  },
  notes: [
    "A trigger reads one topic: a route with a regular expression is planned from the lock file.",
    "Parameters are written when there is no error; they hold no secret.",
    "Without --resolve nothing is connected to. Exit code: 0, or 1 when something cannot be planned.",
  ],
  run: plan,
};
