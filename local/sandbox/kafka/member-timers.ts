import type { Clock } from "../../../shared/engine/ports.ts";

/** One running timer for each key; setting it again starts it anew. */
export class MemberTimers<Key> {
  private readonly clock: Clock;
  private readonly onExpiry: (key: Key) => void;
  private readonly running = new Map<Key, () => void>();

  constructor(clock: Clock, onExpiry: (key: Key) => void) {
    this.clock = clock;
    this.onExpiry = onExpiry;
  }

  get size(): number {
    return this.running.size;
  }

  has(key: Key): boolean {
    return this.running.has(key);
  }

  start(key: Key, ms: number): void {
    this.stop(key);
    const cancel = this.clock.after(ms, () => {
      this.running.delete(key);
      this.onExpiry(key);
    });
    this.running.set(key, cancel);
  }

  stop(key: Key): void {
    this.running.get(key)?.();
    this.running.delete(key);
  }

  stopAll(): void {
    for (const cancel of this.running.values()) cancel();
    this.running.clear();
  }
}
