import type { Log } from "../shared/engine/ports.ts";
import { BridgeError } from "../shared/errors.ts";
import type { LoadResult } from "../shared/manifests/compile.ts";
import { loadManifests } from "../shared/manifests/load.ts";
import { formatProblem, type Problem } from "../shared/manifests/problem.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { KeyVaultReader, SecretStore } from "../shared/model/secret-store.ts";
import { secretStore } from "../shared/secrets/secret-store.ts";
import type { Arguments } from "./command.ts";
import { complain, type Shell } from "./shell.ts";

/** Reads the manifests that `-f` names, and those at `more` paths; what is wrong with them is in the result. @throws BridgeError USAGE without `-f`. */
export async function load(args: Arguments, more: readonly string[] = []): Promise<LoadResult> {
  const paths = args.values("file");
  if (paths.length === 0) {
    throw new BridgeError("USAGE", "No manifests given: name a file or a folder with -f PATH");
  }
  return await loadManifests([...paths, ...more], {
    localBroker: args.value("local-broker"),
    strict: args.flag("strict"),
  });
}

/** An error that concerns one flow costs that flow alone; any other may concern all (S-8). */
function isFatal(problem: Problem): boolean {
  return problem.severity === "error" && problem.scope !== "flow";
}

/** Tells of one problem that does not keep the rest from being used. */
type Tell = (problem: Problem) => void;

/** Whether there is anything to run. */
function isEmpty({ routes, devices = [] }: Plan): boolean {
  return routes.length === 0 && devices.length === 0;
}

/**
 * Reads manifests that something is to be made of. Errors and warnings are told on stderr, or where `tell` puts them.
 * @throws BridgeError MANIFEST_INVALID when nothing can be made of them.
 */
export async function loadToUse(
  args: Arguments,
  shell: Shell,
  options: { readonly tell?: Tell; readonly more?: readonly string[] } = {},
): Promise<LoadResult> {
  const { tell, more } = options;
  const loaded = await load(args, more);
  const { problems, plan } = loaded;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const unusable = problems.some(isFatal) || (errors > 0 && isEmpty(plan));
  const print: Tell = (problem) => complain(shell, formatProblem(problem));
  const told = unusable ? print : (tell ?? print);
  for (const problem of problems) if (problem.severity !== "note") told(problem);
  if (unusable) {
    const count = errors === 1 ? "1 error" : `${errors} errors`;
    throw new BridgeError("MANIFEST_INVALID", `${count} in the manifests, as told above`);
  }
  if (isEmpty(plan)) {
    const paths = args.values("file").join(", ");
    throw new BridgeError(
      "MANIFEST_INVALID",
      `There is no route in ${paths}: a Dataflow or a KafkaConnectorTopicMap makes one`,
    );
  }
  return loaded;
}

/** Tells of a problem in a host's log. */
export function logProblem(log: Log, problem: Problem): void {
  const level = problem.severity === "error" ? "error" : "warn";
  log(level, "Manifest", { problem: formatProblem(problem) });
}

/** The same for a host that goes on: what is wrong with single flows is a line of its log. */
export async function loadToHost(
  args: Arguments,
  shell: Shell,
  log: Log,
  more: readonly string[] = [],
): Promise<LoadResult> {
  return await loadToUse(args, shell, { tell: (problem) => logProblem(log, problem), more });
}

/** Finds the values that these manifests refer to, by the order of S-3. */
export function secretsOf(args: Arguments, shell: Shell, loaded: LoadResult): SecretStore {
  return secretStore({
    manifests: loaded,
    folder: args.value("secrets"),
    environment: shell.env,
    keyVault: keyVault(),
  });
}

/** Loaded when a manifest refers to a vault: most commands and most manifests do without. */
function keyVault(): KeyVaultReader {
  let reader: Promise<KeyVaultReader> | undefined;
  return async (ref, secretNamed) => {
    reader ??= import("../shared/compose.ts").then(({ keyVaultReader }) => keyVaultReader());
    return (await reader)(ref, secretNamed);
  };
}

/** What a host runs. */
export interface Runnable {
  readonly plan: Plan;
  readonly secrets: SecretStore;
  readonly memoryBudgetBytes: number | undefined;
}

/** Reads manifests to run them, with their secrets (S-3), and imported assets. @throws BridgeError as {@link loadToUse}. */
export async function loadToRun(
  args: Arguments,
  shell: Shell,
  log: Log,
  more: readonly string[],
): Promise<Runnable> {
  const loaded = await loadToHost(args, shell, log, more);
  const secrets = secretsOf(args, shell, loaded);
  return { plan: loaded.plan, secrets, memoryBudgetBytes: loaded.memoryBudgetBytes };
}
