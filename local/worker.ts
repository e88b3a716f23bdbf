/** A worker thread: one further instance of the routes that ask for more than one. Everything else is the main thread's. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type RunningBridge, startBridge } from "../shared/compose.ts";
import type { SecretStore } from "../shared/model/secret-store.ts";
import { crossingTap } from "./crossings.ts";
import { plain } from "./log.ts";
import {
  errorFromMessage,
  errorToMessage,
  type FromWorker,
  type SecretQuestion,
  type ToWorker,
  type WorkerBirth,
} from "./worker-messages.ts";

const STATUS_EVERY_MS = 250;

type Answers = Map<number, { resolve(value: unknown): void; reject(error: Error): void }>;

/** Asks the main thread for each secret, which alone knows where secrets are. */
function askingStore(post: (message: FromWorker) => void, answers: Answers): SecretStore {
  let lastId = 0;
  const ask = (question: SecretQuestion): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lastId++;
      answers.set(lastId, { resolve, reject });
      post({ kind: "question", id: lastId, question });
    });
  return {
    secret: (name) => ask({ about: "secret", name }) as ReturnType<SecretStore["secret"]>,
    configMap: (name) => ask({ about: "configMap", name }) as ReturnType<SecretStore["configMap"]>,
    value: (ref) => ask({ about: "value", ref }) as ReturnType<SecretStore["value"]>,
  };
}

/** Runs until it is told to stop: also while it still starts. @throws BridgeError when its routes cannot start. */
async function work(port: MessagePort, birth: WorkerBirth): Promise<void> {
  const post = (message: FromWorker): void => port.postMessage(message);
  const answers: Answers = new Map();
  const stopping = new Promise<void>((resolve) => {
    port.on("message", (message: ToWorker) => {
      if (message.kind === "stop") {
        resolve();
        return;
      }
      const waiting = answers.get(message.id);
      answers.delete(message.id);
      if (message.kind === "answer") waiting?.resolve(message.value);
      else waiting?.reject(errorFromMessage(message.error));
    });
  });
  let opened: RunningBridge | undefined;
  const tell = (): void => {
    if (opened !== undefined) post({ kind: "status", routes: opened.status() });
  };
  const started = startBridge({
    plan: birth.plan,
    instance: birth.instance,
    memoryBudgetBytes: birth.memoryBudgetBytes,
    drainMs: birth.drainMs,
    startTimeoutMs: birth.startTimeoutMs,
    checkpointFolder: birth.checkpointFolder,
    secrets: askingStore(post, answers),
    onOpened: (bridge) => {
      opened = bridge;
    },
    log: (level, message, fields = {}) => {
      const clean = JSON.parse(JSON.stringify(fields, plain));
      post({ kind: "log", level, message, fields: { ...clean, instance: birth.instance } });
    },
    ...(birth.tap
      ? { tap: crossingTap(Date.now, (crossing) => post({ kind: "crossing", crossing })) }
      : {}),
  }).then(() => {
    tell();
    post({ kind: "started" });
  });
  setInterval(tell, STATUS_EVERY_MS);
  await Promise.race([started, stopping]);
  await stopping;
  await opened?.stop();
  tell();
}

if (parentPort !== null) {
  const port = parentPort;
  // exit ends only this thread; what was posted before is still delivered
  work(port, workerData as WorkerBirth).then(
    () => process.exit(0),
    (error: unknown) => {
      const message: FromWorker = { kind: "failed", error: errorToMessage(error, "Worker failed") };
      port.postMessage(message);
      process.exit(1);
    },
  );
}
