import type { BridgeError } from "../errors.ts";
import type { DeadLetter } from "../translate/read-dead-letter.ts";
import { isSelected, type LetterSelection, type StoredLetter } from "./dead-letter-log.ts";
import type { ReplayMarks } from "./replay-marks.ts";
import type { RouteCounters } from "./status.ts";

/** What a {@link ReplayRoute} calls. */
export interface ReplayOwner {
  /** The message is delivered, expired, filtered or dead-lettered again: may be called more than once. */
  done(letter: StoredLetter): void;
  /** A message can be neither delivered nor dead-lettered again. */
  failed(error: BridgeError): void;
}

/** A route that takes its messages from dead letters instead of its source. */
export interface ReplayRoute {
  readonly counters: RouteCounters;
  /** @throws BridgeError */
  start(): Promise<void>;
  take(letter: StoredLetter): void;
  /** Resolves when there is room for more; undefined while there is. */
  whenRoom(): Promise<void> | undefined;
  /** Lets what it took end, for so long; what has not ended then was not sent. */
  stop(drainMs: number): Promise<void>;
}

export interface ReplayOptions {
  readonly letters: AsyncIterable<StoredLetter>;
  readonly selection: LetterSelection;
  /** How many letters are sent at most. */
  readonly limit: number;
  /** The route of a letter, started, or undefined when these manifests have none. Asked once per route name. @throws BridgeError */
  readonly routeOf: (letter: DeadLetter, owner: ReplayOwner) => Promise<ReplayRoute | undefined>;
  /** Undefined for a trial, which marks nothing. */
  readonly marks: ((owner: MarksOwner) => ReplayMarks) | undefined;
  readonly drainMs: number;
  /** Ends the replay early: what was taken is let end. */
  readonly stopped: Promise<unknown>;
  /** How many may be taken and not yet marked. Default {@link REPLAY_WINDOW}. */
  readonly window?: number;
}

/** What {@link ReplayMarks} call. */
export interface MarksOwner {
  marked(letters: readonly StoredLetter[]): void;
  failed(error: BridgeError): void;
}

/** What became of the letters that were selected. */
export interface ReplayResult {
  /** Those that were handed to a route: the sum of what the routes received. */
  readonly taken: number;
  /** Letters of routes that the manifests do not have, by the route's name. */
  readonly noRoute: ReadonlyMap<string, number>;
  /** What each route counted, once per topic that its letters came from. */
  readonly routes: ReadonlyMap<string, readonly RouteCounters[]>;
  readonly interrupted: boolean;
}

/** The results of several topics as one; a route may have letters in more than one. */
export function mergedResults(results: readonly ReplayResult[]): ReplayResult {
  const noRoute = new Map<string, number>();
  const routes = new Map<string, readonly RouteCounters[]>();
  for (const result of results) {
    for (const [name, count] of result.noRoute) noRoute.set(name, (noRoute.get(name) ?? 0) + count);
    for (const [name, counters] of result.routes) {
      routes.set(name, [...(routes.get(name) ?? []), ...counters]);
    }
  }
  return {
    taken: results.reduce((sum, { taken }) => sum + taken, 0),
    noRoute,
    routes,
    interrupted: results.some(({ interrupted }) => interrupted),
  };
}

/** So many may be taken and not yet marked as sent: the most that comes twice after a crash. */
export const REPLAY_WINDOW = 200;

/**
 * Puts dead letters through their routes again, each one marked after the acknowledgement of what became of it. So it may be ended at
 * any moment and begun again: nothing is lost, and at most {@link REPLAY_WINDOW} messages are sent twice.
 * @throws BridgeError when a message could be neither delivered nor dead-lettered again, or could not be marked
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  return await new Replay(options).run();
}

class Replay implements ReplayOwner {
  private readonly options: ReplayOptions;
  private readonly marks: ReplayMarks | undefined;
  private readonly routes = new Map<string, ReplayRoute | undefined>();
  private readonly noRoute = new Map<string, number>();
  /** Taken by a route and not done. */
  private readonly open = new Set<StoredLetter>();
  /** Taken and not marked. */
  private unmarked = 0;
  private taken = 0;
  private interrupted = false;
  private failure: BridgeError | undefined;
  private wakers: (() => void)[] = [];
  private readonly over: Promise<void>;
  private end: () => void = () => undefined;

  constructor(options: ReplayOptions) {
    this.options = options;
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
    this.marks = options.marks?.({
      marked: (letters) => this.marked(letters.length),
      failed: (error) => this.failed(error),
    });
  }

  async run(): Promise<ReplayResult> {
    void this.options.stopped.then(() => {
      this.interrupted = true;
      this.end();
      this.wake();
    });
    try {
      await this.takeAll();
      await this.until(() => this.unmarked === 0);
    } finally {
      await this.stop();
    }
    if (this.failure !== undefined) throw this.failure;
    return this.result();
  }

  done(letter: StoredLetter): void {
    if (!this.open.delete(letter)) return;
    if (this.marks === undefined) this.marked(1);
    else this.marks.add(letter);
  }

  failed(error: BridgeError): void {
    this.failure ??= error;
    this.end();
    this.wake();
  }

  private marked(letters: number): void {
    this.unmarked -= letters;
    this.wake();
  }

  private async takeAll(): Promise<void> {
    const { letters, selection, limit } = this.options;
    if (limit <= 0) return;
    for await (const letter of letters) {
      if (this.isOver) return;
      if (!isSelected(letter, selection)) continue;
      await this.take(letter);
      if (this.taken >= limit) return;
    }
  }

  private async take(letter: StoredLetter): Promise<void> {
    const { route: name } = letter.letter.why;
    const window = this.options.window ?? REPLAY_WINDOW;
    await this.until(() => this.unmarked < window);
    if (this.isOver) return;
    const route = await this.routeOf(letter.letter);
    if (route === undefined) {
      this.noRoute.set(name, (this.noRoute.get(name) ?? 0) + 1);
      return;
    }
    this.taken += 1;
    this.unmarked += 1;
    this.open.add(letter);
    route.take(letter);
    const room = route.whenRoom();
    if (room !== undefined) await Promise.race([room, this.over]);
  }

  private async routeOf(letter: DeadLetter): Promise<ReplayRoute | undefined> {
    // a route of the same name and another direction is another route
    const key = `${letter.source} ${letter.why.route}`;
    if (!this.routes.has(key)) this.routes.set(key, await this.options.routeOf(letter, this));
    return this.routes.get(key);
  }

  private get isOver(): boolean {
    return this.interrupted || this.failure !== undefined;
  }

  /** Resolves when it is reached, or all is over. */
  private async until(reached: () => boolean): Promise<void> {
    while (!reached() && !this.isOver) {
      await new Promise<void>((resolve) => this.wakers.push(resolve));
    }
  }

  private wake(): void {
    const wakers = this.wakers;
    this.wakers = [];
    for (const wake of wakers) wake();
  }

  private async stop(): Promise<void> {
    const { drainMs } = this.options;
    await Promise.all([...this.routes.values()].map((route) => route?.stop(drainMs)));
    await this.marks?.stop(drainMs);
  }

  private result(): ReplayResult {
    const routes = new Map<string, readonly RouteCounters[]>();
    for (const [key, route] of this.routes) {
      if (route !== undefined) routes.set(key.slice(key.indexOf(" ") + 1), [route.counters]);
    }
    const { taken, noRoute, interrupted } = this;
    return { taken, noRoute, routes, interrupted };
  }
}
