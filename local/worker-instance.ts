import { Worker } from "node:worker_threads";
import type { Log } from "../shared/engine/ports.ts";
import { newCounters, type RouteCounters, type RouteStatus } from "../shared/engine/status.ts";
import { BridgeError } from "../shared/errors.ts";
import type { SecretStore } from "../shared/model/secret-store.ts";
import { addCounters } from "../shared/pages/ledger.ts";
import type { Crossing } from "../shared/pages/status-view.ts";
import { startingStatus } from "./starting-status.ts";
import {
  errorFromMessage,
  errorToMessage,
  type FromWorker,
  type SecretQuestion,
  type ToWorker,
  type WorkerBirth,
} from "./worker-messages.ts";

const FIRST_RESTART_MS = 1000;
const LONGEST_RESTART_MS = 30_000;
/** A worker that ran so long is forgiven its earlier deaths. */
const FORGIVEN_AFTER_MS = 60_000;

export interface WorkerInstanceOptions {
  readonly birth: WorkerBirth;
  readonly secrets: SecretStore;
  readonly log: Log;
  onCrossing(crossing: Crossing): void;
  /** The program of the thread. Default: worker.ts beside this file. */
  readonly program?: URL;
}

function workerProgram(): URL {
  // compiled, this file and the worker end in .js
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
}

/** What a dead worker held goes back to its source: it was never acknowledged, so it is read again. */
function buried(counters: Readonly<RouteCounters>): RouteCounters {
  const released = counters.released + counters.inFlight;
  return { ...counters, released, inFlight: 0, inFlightBytes: 0 };
}

/** One worker thread, started again when it dies; its counters never fall. */
export class WorkerInstance {
  private readonly options: WorkerInstanceOptions;
  private readonly past = new Map<string, RouteCounters>();
  private live: readonly RouteStatus[];
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private deathsInARow = 0;
  private bornAt = 0;
  private stopping = false;
  private lastError: BridgeError | undefined;
  private gone: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(options: WorkerInstanceOptions) {
    this.options = options;
    this.live = this.idle("starting");
  }

  /** Resolves when the worker's routes run. @throws BridgeError when its first start fails. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.spawn(resolve, reject));
  }

  status(): readonly RouteStatus[] {
    return this.live.map((status) => {
      const past = this.past.get(status.route);
      return past === undefined
        ? status
        : { ...status, counters: addCounters(past, status.counters) };
    });
  }

  /** Lets the worker drain and end; one that takes longer than `deadlineMs` is ended. */
  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const worker = this.worker;
    if (worker === undefined) return;
    this.post({ kind: "stop" });
    const killer = setTimeout(() => void worker.terminate(), deadlineMs);
    await this.gone;
    clearTimeout(killer);
  }

  private idle(state: "starting" | "waiting", detail?: string): readonly RouteStatus[] {
    const { plan, instance } = this.options.birth;
    return plan.routes.map((route) => startingStatus(route, instance, state, detail));
  }

  private post(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  private spawn(onStarted: () => void, onFailed: (error: BridgeError) => void): void {
    const worker = new Worker(this.options.program ?? workerProgram(), {
      workerData: this.options.birth,
      name: `isthmus-${this.options.birth.instance}`,
    });
    this.worker = worker;
    this.bornAt = performance.now();
    let started = false;
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "started") {
        started = true;
        onStarted();
      } else {
        this.heard(message);
      }
    });
    worker.on("error", (error) => {
      this.lastError = errorFromMessage(errorToMessage(error, "Worker died"));
    });
    this.gone = new Promise((resolve) => {
      worker.once("exit", () => {
        this.died(started, onFailed);
        resolve();
      });
    });
  }

  private heard(message: FromWorker): void {
    if (message.kind === "status") this.live = message.routes;
    else if (message.kind === "crossing") this.options.onCrossing(message.crossing);
    else if (message.kind === "failed") this.lastError = errorFromMessage(message.error);
    else if (message.kind === "log")
      this.options.log(message.level, message.message, message.fields);
    else if (message.kind === "question") void this.answer(message.id, message.question);
  }

  private async answer(id: number, question: SecretQuestion): Promise<void> {
    const { secrets } = this.options;
    try {
      let value: unknown;
      if (question.about === "value") value = await secrets.value(question.ref);
      else if (question.about === "secret") value = await secrets.secret(question.name);
      else value = await secrets.configMap(question.name);
      this.post({ kind: "answer", id, value });
    } catch (error) {
      this.post({ kind: "refusal", id, error: errorToMessage(error, "Reading a secret") });
    }
  }

  private died(started: boolean, onFailed: (error: BridgeError) => void): void {
    this.worker = undefined;
    const error = this.lastError ?? new BridgeError("STOPPED", "Worker ended by itself");
    this.lastError = undefined;
    if (this.stopping) {
      if (!started) onFailed(error);
      return;
    }
    for (const { route, counters } of this.live) {
      const past = this.past.get(route) ?? newCounters();
      this.past.set(route, addCounters(past, buried(counters)));
    }
    this.live = this.idle("waiting", `its worker thread died: ${error.message}`);
    if (started || this.restarts > 0) this.restartLater(error);
    else onFailed(error);
  }

  private restartLater(error: BridgeError): void {
    if (performance.now() - this.bornAt > FORGIVEN_AFTER_MS) this.deathsInARow = 0;
    const waitMs = Math.min(FIRST_RESTART_MS * 2 ** this.deathsInARow, LONGEST_RESTART_MS);
    this.deathsInARow++;
    this.restarts++;
    const { instance } = this.options.birth;
    const fields = { instance, waitMs, code: error.code, error: error.message };
    this.options.log("warn", "A worker thread died and is started again", fields);
    this.timer = setTimeout(() => this.spawn(ignore, ignore), waitMs);
  }
}

function ignore(): void {}
