import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root: string = resolve(import.meta.dirname, "../..");
const cli: string = join(root, "dist/local/cli.js");

/** How one run of the command line ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** `npm test` builds before; whoever runs vitest by hand gets a build when there is none. */
function ensureBuilt(): void {
  if (existsSync(cli)) return;
  const { status, stdout } = spawnSync("npm", ["run", "--silent", "build"], {
    cwd: root,
    encoding: "utf8",
  });
  if (!existsSync(cli)) throw new Error(`The build failed with ${status}: ${stdout}`);
}

function environment(extra: CliOptions["env"]): NodeJS.ProcessEnv {
  const { ISTHMUS_DEBUG: _, ...rest } = process.env;
  return { ...rest, ...extra };
}

/** Runs the built command line to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  ensureBuilt();
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? root,
    env: environment(options.env),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.input ?? "");
  return new Promise((settle, reject) => {
    child.once("error", reject);
    child.once("close", (code) => settle({ code, stdout, stderr }));
  });
}

/** A command that goes on until it is told to stop. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** The first line of stdout or stderr that `is` takes. Rejects when the process ends before. */
  line(is: (line: string) => boolean): Promise<string>;
}

/** Starts the built command line and leaves it running. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  ensureBuilt();
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? root,
    env: environment(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const seen: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    createInterface({ input: child[name] }).on("line", (line) => {
      text[name] += `${line}\n`;
      seen.push(line);
      for (const watch of watchers) watch(line);
    });
  }
  const ended = new Promise<CliResult>((settle) => {
    child.once("close", (code) => settle({ code, ...text }));
  });
  const line = (is: (line: string) => boolean): Promise<string> =>
    new Promise((settle, reject) => {
      const found = seen.find(is);
      if (found !== undefined) {
        settle(found);
        return;
      }
      watchers.add((candidate) => {
        if (is(candidate)) settle(candidate);
      });
      void ended.then(() => reject(new Error(`It ended: ${text.stdout}${text.stderr}`)));
    });
  return { child, ended, line };
}
