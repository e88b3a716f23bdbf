import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export interface RegisteredMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly retryOptions?: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  readonly kind: "done" | "failed";
  readonly isError?: boolean;
  readonly message?: string;
}

export interface LoadedWorker {
  readonly functions: readonly RegisteredMetadata[];
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly hooks: Readonly<Record<string, number>>;
  readonly loadMs: number;
  /** Promises that nobody waited for, as they come. */
  readonly unhandled: readonly string[];
  invoke(name: string, payload: unknown, triggerMetadata: object): Promise<Outcome>;
  terminate(): Promise<Outcome>;
  close(): Promise<void>;
}

interface Message extends Outcome {
  readonly id: number;
}

/** Loads an app's entry point in a process of its own, as the Functions worker does. */
export async function loadInWorker(
  main: string,
  options: { cwd: string; env?: Record<string, string> },
): Promise<LoadedWorker> {
  const script = new URL("./fake-functions-worker.mjs", import.meta.url);
  const child = fork(script, [main], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`The app ended before it had registered its functions: ${stderr}`);
  });
  const [first] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  const unhandled: string[] = [];
  child.on("message", (message: { kind: string; message: string }) => {
    if (message.kind === "unhandled") unhandled.push(message.message);
  });
  let lastId = 0;
  const ask = (message: object): Promise<Outcome> => {
    lastId += 1;
    return answer(child, lastId, message);
  };
  return {
    ...(first as Pick<LoadedWorker, "functions" | "capabilities" | "hooks" | "loadMs">),
    unhandled,
    invoke: (name, payload, triggerMetadata) =>
      ask({ kind: "invoke", name, payload: wire(payload), triggerMetadata }),
    terminate: () => ask({ kind: "terminate" }),
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill();
      await exit;
    },
  };
}

function answer(child: ChildProcess, id: number, message: object): Promise<Outcome> {
  return new Promise((resolve) => {
    const listen = (reply: Message): void => {
      if (reply.id !== id) return;
      child.off("message", listen);
      resolve(reply);
    };
    child.on("message", listen);
    child.send({ ...message, id });
  });
}

/** Bytes cross between the processes as Base64. */
function wire(payload: unknown): unknown {
  return Array.isArray(payload)
    ? payload.map((item) =>
        item instanceof Uint8Array ? { base64: Buffer.from(item).toString("base64") } : item,
      )
    : payload;
}
