import type { Clock } from "../../shared/engine/ports.ts";
import type { Random } from "../support/random.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

const START = 1_700_000_000_000;

/** Virtual time. Events run one by one; between two of them every promise that is ready runs. */
export class World {
  readonly random: Random;
  /** What happened, when anybody wants to read it. */
  readonly trace: string[] | undefined;
  /** Faults happen until this moment; afterwards everything must end well. */
  readonly faultsUntil: number;
  now: number = START;
  /** Soonest last. */
  private readonly events: Event[] = [];
  private order = 0;

  constructor(random: Random, faultsForMs: number, trace?: string[]) {
    this.random = random;
    this.faultsUntil = START + faultsForMs;
    this.trace = trace;
  }

  get hasFaults(): boolean {
    return this.now < this.faultsUntil;
  }

  /** True now and then, as long as there are faults. */
  fault(probability: number): boolean {
    return this.hasFaults && this.random.chance(probability);
  }

  /** Calls `fn` after `ms`; what it returns cancels that. */
  after(ms: number, fn: () => void): () => void {
    const event = { at: this.now + ms, order: this.order++, fn };
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.events[middle];
      if (other !== undefined && other.at > event.at) low = middle + 1;
      else high = middle;
    }
    this.events.splice(low, 0, event);
    return () => {
      const index = this.events.indexOf(event);
      if (index >= 0) this.events.splice(index, 1);
    };
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  note(text: string): void {
    this.trace?.push(`${(this.now - START).toFixed(2)} ${text}`);
  }

  /** Runs events until `isOver`; false when that has not come after `limitMs`. */
  async run(isOver: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.now + limitMs;
    await ready();
    while (!isOver()) {
      const event = this.events.pop();
      if (event === undefined || event.at > end) return false;
      this.now = Math.max(this.now, event.at);
      event.fn();
      await ready();
    }
    return true;
  }
}

/** Every promise that is ready has run when the next turn of the event loop begins. */
function ready(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface Death {
  /** With which of its effects on the world it dies. */
  readonly atEffect: number;
  /** Whether that effect still takes place. */
  readonly after: boolean;
}

/** One life of the host's process: its clock, and its effects on the world, which end when it is killed. */
export class Life implements Clock {
  readonly world: World;
  readonly name: string;
  alive = true;
  private readonly death: Death | undefined;
  private readonly onDeath: () => void;
  private effects = 0;
  private ids = 0;

  constructor(world: World, name: string, death: Death | undefined, onDeath: () => void) {
    this.world = world;
    this.name = name;
    this.death = death;
    this.onDeath = onDeath;
  }

  now(): number {
    return this.world.now;
  }

  after(ms: number, fn: () => void): () => void {
    return this.world.after(ms, () => {
      if (this.alive) fn();
    });
  }

  random(): number {
    return this.world.random.next();
  }

  newId(): string {
    this.ids += 1;
    return `${this.name}-${this.ids}`;
  }

  /** Does something to the world, unless this life is over or ends with it: kill -9 at any await is one of these. */
  effect(what: string, fn: () => void): void {
    if (!this.alive) return;
    this.effects += 1;
    const dies = this.death !== undefined && this.effects === this.death.atEffect;
    if (!dies || this.death?.after === true) {
      this.world.note(`${this.name} ${what}`);
      fn();
    }
    if (dies) this.kill(what);
  }

  kill(during: string): void {
    if (!this.alive) return;
    this.alive = false;
    this.world.note(`${this.name} is killed at "${during}"`);
    this.onDeath();
  }
}
