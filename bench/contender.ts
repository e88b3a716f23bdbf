import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export type Direction = "k2m" | "m2k";

/** A bridge to be timed: a program that takes DIR BROKERS URL QOS SRC DST. */
export interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export const CONTENDERS: readonly Contender[] = [
  { name: "isthmus", command: ["bash", "bench/bench-entry.sh"] },
  { name: "tuned", command: ["node", "bench/sketches/tuned.mjs"] },
  { name: "naive", command: ["node", "bench/sketches/naive.mjs"] },
];

export interface Task {
  readonly direction: Direction;
  readonly brokers: string;
  readonly url: string;
  readonly qos: 0 | 1;
  readonly source: string;
  readonly destination: string;
}

/** What a process has used since it began. */
export interface Usage {
  /** Seconds of CPU time, of all its threads. */
  readonly cpuSeconds: number;
  /** Most resident memory, in megabytes. */
  readonly residentMb: number;
}

const TICKS_PER_SECOND = 100;

export function startContender(
  { command: [program, ...args] }: Contender,
  task: Task,
): RunningContender {
  const { direction, brokers, url, qos, source, destination } = task;
  const all = [...args, direction, brokers, url, String(qos), source, destination];
  return new RunningContender(spawn(program, all, { stdio: ["ignore", "inherit", "inherit"] }));
}

/** A bridge under way. */
export class RunningContender {
  private readonly child: ChildProcess;

  constructor(child: ChildProcess) {
    this.child = child;
  }

  usage(): Usage {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, "utf8");
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11)
      .map(Number);
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    return { cpuSeconds: (user + system) / TICKS_PER_SECOND, residentMb: peak / 1024 };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const late = setTimeout(() => this.child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(late);
  }
}
