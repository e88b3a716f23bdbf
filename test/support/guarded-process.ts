import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface GuardedCommand {
  /** For messages: "Kafka". */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The line of its output that says that it is ready. */
  readonly ready: RegExp;
  readonly readyTimeoutMs: number;
}

/** A server that ends when this process ends, however that ends. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Sends the signal to the server itself; resolves when it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/**
 * The shell reads standard input until this process closes it or dies, and only then ends the server. So a test run that is
 * killed leaves no broker behind. Ctrl-C, which a terminal sends to all of them, is for this process alone to act on.
 */
const GUARD = `
trap "" INT
exec 3<&0
"$@" </dev/null 2>&1 &
server=$!
echo "guarded $server"
( read -r _ <&3; kill "$server" ) >/dev/null 2>&1 &
wait "$server"
`;

const KEPT_LINES = 40;

/** Starts a server and waits for its ready line. @throws Error with the last lines of its output when that does not come. */
export async function startGuarded(command: GuardedCommand): Promise<GuardedProcess> {
  const shell = spawn("sh", ["-c", GUARD, "guard", command.program, ...command.args], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, ...command.env },
  });
  const exited = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  // the guard that still reads standard input goes with the server
  exited.then(
    () => shell.stdin.destroy(),
    () => undefined,
  );
  try {
    const pid = await readiness(shell, command);
    return {
      pid,
      exited,
      async end(signal): Promise<void> {
        if (shell.exitCode === null && shell.signalCode === null) process.kill(pid, signal);
        await exited;
      },
    };
  } catch (error) {
    shell.stdin?.end();
    throw error;
  }
}

function readiness(shell: ChildProcess, command: GuardedCommand): Promise<number> {
  const { stdout } = shell;
  if (stdout === null) throw new Error(`Cannot read the output of ${command.name}`);
  const kept: string[] = [];
  let pid = 0;
  return new Promise((resolve, reject) => {
    const fail = (what: string): void =>
      reject(new Error([`${command.name} ${what}:`, ...kept].join("\n")));
    const timer = setTimeout(
      () => fail(`was not ready within ${command.readyTimeoutMs / 1000} s`),
      command.readyTimeoutMs,
    );
    shell.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
    // never closed: a full pipe would stop the server
    createInterface({ input: stdout }).on("line", (line) => {
      if (pid === 0) pid = Number(/^guarded (\d+)$/.exec(line)?.[1] ?? 0);
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      if (!command.ready.test(line)) return;
      clearTimeout(timer);
      resolve(pid);
    });
  });
}
