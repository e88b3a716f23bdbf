import { type RunningBridge, startBridge } from "../shared/compose.ts";
import type { AssetStore, Log } from "../shared/engine/ports.ts";
import type { RouteStatus } from "../shared/engine/status.ts";
import type { Asset } from "../shared/model/device.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { SecretStore } from "../shared/model/secret-store.ts";
import type { AssetsView, Crossing } from "../shared/pages/status-view.ts";
import { crossingTap, RecentCrossings } from "./crossings.ts";
import { startingStatus } from "./starting-status.ts";
import { WorkerInstance } from "./worker-instance.ts";

const CROSSINGS_KEPT = 25;

export interface RunnerOptions {
  readonly plan: Plan;
  readonly secrets: SecretStore;
  readonly log: Log;
  /** Bytes that all routes and workers together may hold. */
  readonly memoryBudgetBytes: number;
  readonly drainMs: number;
  /** How long a broker is waited for at the start; 0 waits for ever. */
  readonly startTimeoutMs: number;
  /** Where discovered assets are kept; without it none are discovered or forwarded. */
  readonly assetStore?: AssetStore;
  /** Where the places of readers of Event Hubs by AMQP are kept. */
  readonly checkpointFolder?: string | undefined;
  /** Whether messages that cross are kept for the status page, with the beginning of their payload. */
  readonly tap: boolean;
  /** Only this instance of each route, from 0: other processes run the others. Absent: all of them, here. */
  readonly instance?: number | undefined;
}

/** The routes that have an instance of this number; what Devices ask for is done once, by instance 0. */
function planOfInstance(plan: Plan, instance: number): Plan {
  const { devices, assets, ...rest } = plan;
  const routes = plan.routes.filter((route) => route.instances > instance);
  return {
    ...rest,
    routes,
    ...(instance > 0 || devices === undefined ? {} : { devices }),
    ...(instance > 0 || assets === undefined ? {} : { assets }),
  };
}

/** All instances of all routes in one process: instance 0 here, each further one in a worker thread (spec: Hosts, Runner). */
export class Runner {
  private readonly options: RunnerOptions;
  private readonly workers: readonly WorkerInstance[];
  private readonly crossings = new RecentCrossings(CROSSINGS_KEPT);
  private bridge: RunningBridge | undefined;
  private imported: ReadonlySet<string>;

  constructor(options: RunnerOptions) {
    const { plan, instance } = options;
    this.options =
      instance === undefined ? options : { ...options, plan: planOfInstance(plan, instance) };
    this.imported = new Set(plan.assets?.map(({ name }) => name));
    const most =
      instance === undefined ? Math.max(1, ...plan.routes.map((route) => route.instances)) : 1;
    this.workers = Array.from({ length: most - 1 }, (_, i) => this.createWorker(i + 1));
  }

  /** Resolves when every instance of every route runs. @throws BridgeError when one can never start. */
  async start(): Promise<void> {
    const { plan, secrets, log, drainMs, startTimeoutMs, tap, assetStore } = this.options;
    const main = startBridge({
      plan,
      secrets,
      log,
      drainMs,
      startTimeoutMs,
      instance: this.options.instance ?? 0,
      checkpointFolder: this.options.checkpointFolder,
      memoryBudgetBytes: this.budget(plan, plan.devices?.length),
      ...(assetStore === undefined ? {} : { assetStore }),
      onOpened: (bridge) => {
        this.bridge = bridge;
      },
      ...(tap ? { tap: crossingTap(Date.now, (crossing) => this.crossings.add(crossing)) } : {}),
    });
    try {
      await Promise.all([main, ...this.workers.map((worker) => worker.start())]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** One per route and instance. */
  status(): readonly RouteStatus[] {
    const main =
      this.bridge?.status() ??
      this.options.plan.routes.map((route) =>
        startingStatus(route, this.options.instance ?? 0, "starting"),
      );
    return [...main, ...this.workers.flatMap((worker) => worker.status())];
  }

  /** What the endpoints of Devices have found, and the names of the assets that are imported. */
  assets(): AssetsView {
    const endpoints = this.bridge?.discovered() ?? [];
    return { endpoints, imported: this.imported };
  }

  /** Forwards these assets from now on. */
  setAssets(assets: readonly Asset[]): void {
    this.imported = new Set(assets.map(({ name }) => name));
    this.bridge?.setAssets(assets);
  }

  /** Newest first; undefined without a tap. */
  recent(): readonly Crossing[] | undefined {
    return this.options.tap ? this.crossings.list() : undefined;
  }

  workerRestarts(): number {
    return this.workers.reduce((sum, worker) => sum + worker.restarts, 0);
  }

  /** Stops intake, drains, commits, disconnects, in all threads at once (S-55). */
  async stop(): Promise<void> {
    // a worker is given a little longer than its own drain takes before it is ended
    const deadlineMs = this.options.drainMs + 1000;
    await Promise.all([
      this.bridge?.stop(),
      ...this.workers.map((worker) => worker.stop(deadlineMs)),
    ]);
  }

  /** This instance's part of the memory, by the number of its routes and of what else it runs. */
  private budget(plan: Plan, others = 0): number {
    const { routes, devices = [] } = this.options.plan;
    const ofRoutes =
      this.options.instance === undefined
        ? routes.reduce((sum, route) => sum + route.instances, 0)
        : routes.length;
    const own = plan.routes.length + others;
    const all = Math.max(1, ofRoutes + devices.length);
    return Math.floor((this.options.memoryBudgetBytes * own) / all);
  }

  private createWorker(instance: number): WorkerInstance {
    const { plan, secrets, log, drainMs, startTimeoutMs, tap } = this.options;
    const own = planOfInstance(plan, instance);
    return new WorkerInstance({
      birth: {
        plan: own,
        instance,
        memoryBudgetBytes: this.budget(own),
        drainMs,
        startTimeoutMs,
        checkpointFolder: this.options.checkpointFolder,
        tap,
      },
      secrets,
      log,
      onCrossing: (crossing) => this.crossings.add(crossing),
    });
  }
}
