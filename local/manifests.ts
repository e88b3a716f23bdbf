import { BridgeError } from "../shared/errors.ts";
import type { LoadResult } from "../shared/manifests/compile.ts";
import { loadManifests } from "../shared/manifests/load.ts";
import { formatProblem, type Problem } from "../shared/manifests/problem.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { SecretStore } from "../shared/model/secret-store.ts";
import { secretStore } from "../shared/secrets/secret-store.ts";
import type { Arguments } from "./command.ts";
import { complain, type Shell } from "./shell.ts";

/** Reads the manifests that `-f` names; what is wrong with them is in the result. @throws BridgeError USAGE without `-f`. */
export async function load(args: Arguments): Promise<LoadResult> {
  const paths = args.values("file");
  if (paths.length === 0) {
    throw new BridgeError("USAGE", "No manifests given: name a file or a folder with -f PATH");
  }
  return await loadManifests(paths, {
    localBroker: args.value("local-broker"),
    strict: args.flag("strict"),
  });
}

/** An error that concerns one flow costs that flow alone; any other may concern all (S-8). */
function isFatal(problem: Problem): boolean {
  return problem.severity === "error" && problem.scope !== "flow";
}

/**
 * Reads manifests that something is to be made of. Errors and warnings are told on stderr.
 * @throws BridgeError MANIFEST_INVALID when nothing can be made of them.
 */
export async function loadToUse(args: Arguments, shell: Shell): Promise<LoadResult> {
  const loaded = await load(args);
  const worthTelling = loaded.problems.filter(({ severity }) => severity !== "note");
  for (const problem of worthTelling) complain(shell, formatProblem(problem));
  const errors = loaded.problems.filter(({ severity }) => severity === "error").length;
  if (loaded.problems.some(isFatal) || (errors > 0 && loaded.plan.routes.length === 0)) {
    const count = errors === 1 ? "1 error" : `${errors} errors`;
    throw new BridgeError("MANIFEST_INVALID", `${count} in the manifests, as told above`);
  }
  if (loaded.plan.routes.length === 0) {
    const paths = args.values("file").join(", ");
    throw new BridgeError(
      "MANIFEST_INVALID",
      `There is no route in ${paths}: a Dataflow or a KafkaConnectorTopicMap makes one`,
    );
  }
  return loaded;
}

/** Finds the values that these manifests refer to, by the order of S-3. */
export function secretsOf(args: Arguments, shell: Shell, loaded: LoadResult): SecretStore {
  return secretStore({
    manifests: loaded,
    folder: args.value("secrets"),
    environment: shell.env,
  });
}

/** What a host runs. */
export interface Runnable {
  readonly plan: Plan;
  readonly secrets: SecretStore;
  readonly memoryBudgetBytes: number | undefined;
}

/** Reads manifests to run them, with their secrets (S-3). @throws BridgeError as {@link loadToUse}. */
export async function loadToRun(args: Arguments, shell: Shell): Promise<Runnable> {
  const loaded = await loadToUse(args, shell);
  const secrets = secretsOf(args, shell, loaded);
  return { plan: loaded.plan, secrets, memoryBudgetBytes: loaded.memoryBudgetBytes };
}
