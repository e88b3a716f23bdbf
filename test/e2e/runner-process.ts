import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "../..");
const fixtures = join(root, "test/fixtures/e2e");
const KEPT_LINES = 200;

/** The built runner as a process of its own: `isthmus run`. */
export interface RunnerProcess {
  readonly pid: number;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  signal(signal: "SIGTERM" | "SIGKILL" | "SIGUSR2"): void;
  /** The last lines of its log. */
  log(): string;
}

/** Copies the manifests into `folder` with every `<NAME>` replaced by the address of that name. */
export function writeManifests(
  folder: string,
  addresses: Readonly<Record<string, string>>,
  files: readonly string[] = readdirSync(fixtures),
): void {
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    const text = readFileSync(join(fixtures, file), "utf8");
    const filled = text.replaceAll(/<([A-Z_]+)>/g, (_, name: string) => {
      const address = addresses[name];
      if (address === undefined) throw new Error(`${file} names <${name}>, which has no address`);
      return address;
    });
    writeFileSync(join(folder, file), filled);
  }
}

/** Writes Secrets and ConfigMaps as Kubernetes mounts them: `<folder>/<name>/<key>`. */
export function writeSecrets(
  folder: string,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): void {
  for (const [name, values] of Object.entries(secrets)) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [key, value] of Object.entries(values))
      writeFileSync(join(folder, name, key), value);
  }
}

export interface RunnerOptions {
  /** More arguments of `isthmus run`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the runner; resolves when all its routes run. @throws Error with its log when it ends before. */
export async function startRunner(
  manifests: string,
  secrets: string,
  { args = [], env = {} }: RunnerOptions = {},
): Promise<RunnerProcess> {
  const cli = join(root, "dist/local/cli.js");
  if (!existsSync(cli)) throw new Error(`${cli} is missing: npm run build makes it`);
  const child = spawn(
    process.execPath,
    [cli, "run", "-f", manifests, "--secrets", secrets, "--log", "json", ...args],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } },
  );
  const lines: string[] = [];
  const ended = new Promise<number | string>((settle) =>
    child.once("exit", (code, signal) => settle(code ?? signal ?? "unknown")),
  );
  await Promise.race([
    running(child, lines),
    ended.then((how) => {
      throw new Error([`isthmus run ended with ${how}:`, ...lines].join("\n"));
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (signal) => child.kill(signal),
    log: () => lines.join("\n"),
  };
}

function running(child: ChildProcess, lines: string[]): Promise<void> {
  const { stderr } = child;
  if (stderr === null) throw new Error("Cannot read the log of isthmus run");
  return new Promise((settle) => {
    createInterface({ input: stderr }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      if (line.includes('"message":"Running"')) settle();
    });
  });
}
