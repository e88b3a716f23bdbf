import type { DeadLetters } from "../../shared/engine/dead-letters.ts";
import type { RouteCounters } from "../../shared/engine/status.ts";
import type { Faults } from "./faults.ts";
import { type Death, Life, type World } from "./world.ts";

/** One route in one life of its host. */
export interface Hosted {
  readonly life: Life;
  readonly route: { start(): Promise<void>; stop(drainMs: number): Promise<void> };
  readonly deadLetters: DeadLetters;
  readonly counters: RouteCounters;
}

export interface LifecycleOptions {
  readonly world: World;
  readonly faults: Faults;
  violation(text: string): void;
  /** Composes the route; `onFailed` is for it to say that it can never go on. */
  host(life: Life, onFailed: () => void): Hosted;
}

/** Starts the host, lets it be killed and told to stop, starts it again, and stops it for good in the end. */
export class Lifecycle {
  private readonly options: LifecycleOptions;
  private running: Hosted | undefined;
  private lives = 0;

  constructor(options: LifecycleOptions) {
    this.options = options;
  }

  begin(): void {
    const { world, violation } = this.options;
    this.lives += 1;
    const life = new Life(world, `host ${this.lives}`, this.drawDeath(), () => this.beginLater());
    // a route that has failed is what an operator starts again
    const hosted: Hosted = this.options.host(life, () => this.stop(hosted));
    this.running = hosted;
    void hosted.route.start().catch((error: unknown) => {
      if (life.alive) violation(`cannot start: ${String(error)}`);
    });
    this.stopLater(hosted);
  }

  async end(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    let isStopped = false;
    void this.ended(running, 1000).then(() => {
      isStopped = true;
    });
    const { world, violation } = this.options;
    const hasEnded = await world.run(() => isStopped || !running.life.alive, 10_000);
    if (!hasEnded) violation("does not stop");
  }

  private beginLater(): void {
    const { world } = this.options;
    // no sooner than what the life before has sent has arrived
    world.after(10 + world.random.next() * 40, () => this.begin());
  }

  private drawDeath(): Death | undefined {
    const { world, faults } = this.options;
    if (!world.hasFaults || faults.killsAfterEffects === Number.POSITIVE_INFINITY) return undefined;
    return {
      atEffect: world.random.whole(1, 2 * faults.killsAfterEffects),
      after: world.random.chance(0.5),
    };
  }

  private stopLater(hosted: Hosted): void {
    const { world, faults } = this.options;
    if (faults.stopsEveryMs === Number.POSITIVE_INFINITY) return;
    world.after(faults.stopsEveryMs * (0.5 + world.random.next()), () => {
      if (world.hasFaults) this.stop(hosted);
    });
  }

  /** SIGTERM, and a new start (S-55). */
  private stop(hosted: Hosted): void {
    const { life } = hosted;
    const { world } = this.options;
    if (!life.alive || this.running !== hosted) return;
    this.running = undefined;
    world.note(`${life.name} is told to stop`);
    void this.ended(hosted, world.random.whole(20, 200)).then(() => {
      if (!life.alive) return;
      life.alive = false;
      this.beginLater();
    });
  }

  /** Every message that was taken has been counted once, as one of the ways to end. */
  private async ended({ life, route, deadLetters, counters }: Hosted, ms: number): Promise<void> {
    await route.stop(ms);
    deadLetters.stop();
    // a dead letter that is being written ends by itself
    await this.options.world.wait(20);
    if (!life.alive) return;
    const { received, delivered, expired, filtered, deadLettered, released } = counters;
    const ended = delivered + expired + filtered + deadLettered + released;
    if (received !== ended || counters.inFlight !== 0 || counters.inFlightBytes !== 0) {
      const counted = JSON.stringify(counters);
      this.options.violation(`${life.name} has not counted everything: ${counted}`);
    }
  }
}
