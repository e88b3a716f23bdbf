import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const SOURCE = resolve("bench/tools/mqtt-load.c");
const FOLDER = resolve(".isthmus/bench");

/** What `mqtt-load` reports; times in milliseconds since the Unix epoch, latencies in milliseconds. */
export interface LoadReport {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly unique?: number;
  readonly doubled?: number;
  readonly reordered?: number;
  /** Messages with all three User Properties. */
  readonly whole?: number;
  readonly p50?: number;
  readonly p99?: number;
}

export interface Load {
  /** Subscribed, for a subscriber. */
  readonly ready: Promise<void>;
  readonly report: Promise<LoadReport>;
}

/** Compiles the tool. @throws Error without a C compiler */
export function buildNativeLoad(): string {
  const program = join(FOLDER, "mqtt-load");
  mkdirSync(FOLDER, { recursive: true });
  execFileSync("cc", ["-O2", "-o", program, SOURCE], { stdio: "inherit" });
  return program;
}

export function runLoad(program: string, args: readonly (string | number)[]): Load {
  const child = spawn(program, args.map(String), { stdio: ["ignore", "pipe", "pipe"] });
  return { ready: firstLine(child), report: reportOf(child) };
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((done) => child.stderr?.once("data", () => done()));
}

function reportOf(child: ChildProcess): Promise<LoadReport> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((done, fail) => {
    child.once("close", () => {
      if (output === "")
        fail(new Error(`mqtt-load ended without a report: ${child.spawnargs.join(" ")}`));
      else done(JSON.parse(output) as LoadReport);
    });
  });
}
