/**
 * The hooks of azure.yaml: `parameters` writes infra/main.parameters.json from the manifests, `package` fills infra/app, `secrets`
 * says which secrets the key vault still has to be given. The manifests are in the folder `manifests`, or in the one that
 * ISTHMUS_MANIFESTS names (azd env set ISTHMUS_MANIFESTS PATH).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const project = resolve(import.meta.dirname, "..");
const manifests = process.env["ISTHMUS_MANIFESTS"] ?? "manifests";
const LOCK = "isthmus.lock.json";

function run(program, ...args) {
  // npm is a script on Windows, which only a shell can start
  const shell = process.platform === "win32" && program === "npm";
  const { status, error } = spawnSync(program, args, { cwd: project, stdio: "inherit", shell });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
}

function parameters() {
  if (!existsSync(join(project, "node_modules"))) run("npm", "ci", "--no-audit", "--no-fund");
  run("npm", "run", "--silent", "build");
  const lock = existsSync(join(project, LOCK)) ? ["--lock", LOCK] : [];
  const file = join("infra", "main.parameters.json");
  const cli = join("dist", "local", "cli.js");
  run(process.execPath, cli, "plan", "-f", manifests, ...lock, "--bicep-parameters", file);
}

function packageApp() {
  const folder = join("infra", "app");
  run("npm", "run", "--silent", "package", "--", "-f", manifests, "--folder", folder);
}

function secrets() {
  const names = JSON.parse(process.env["ISTHMUS_SECRET_NAMES"] ?? "[]");
  if (names.length === 0) return;
  const vault = process.env["AZURE_KEY_VAULT_NAME"] ?? "VAULT";
  console.log("The key vault has to hold these secrets; the app reads them when it starts:");
  for (const name of names) {
    console.log(`  az keyvault secret set --vault-name ${vault} --name ${name} --file FILE`);
  }
}

const hooks = { parameters, package: packageApp, secrets };
const hook = hooks[process.argv[2] ?? ""];
try {
  if (hook === undefined) throw new Error(`Expected one of ${Object.keys(hooks).join(", ")}`);
  hook();
} catch (error) {
  console.error(`isthmus azd: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
