/** The schemas of Azure's resources, for a checker that may be beside the checkout: what infra/ says is compared with them. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root: string = resolve(import.meta.dirname, "../..");

/** The folder of the checker, or undefined when it is not there. ISTHMUS_BICEP_CHECK names another than the usual one. */
export function bicepChecker(): string | undefined {
  const folder = resolve(root, process.env["ISTHMUS_BICEP_CHECK"] ?? "../shared/bicep-check");
  return ["cli.mjs", "pack.json.gz"].every((file) => existsSync(join(folder, file)))
    ? folder
    : undefined;
}

/** Why its tests are left out. */
export const NO_CHECKER = "there is no bicep-check beside the checkout (ISTHMUS_BICEP_CHECK)";

export interface CheckResult {
  readonly status: number | null;
  readonly output: string;
}

/** Checks every Bicep and parameter file under `folder`; warnings count as errors. */
export function checkBicep(checker: string, folder: string): CheckResult {
  const types = join(checker, "pack.json.gz");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(checker, "cli.mjs"), "--strict", "--types", types, folder],
    { cwd: root, encoding: "utf8" },
  );
  return { status, output: stdout + stderr };
}
