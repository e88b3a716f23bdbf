/** The largest Packet Identifier; 0 is none. */
const LARGEST = 65_535;

/**
 * Packet Identifiers from 1 on and what each stands for until it is acknowledged [MQTT-2.2.1-3]. They come round after twice as many as may be
 * in use: a table of that length costs less memory than one of all, and less time than a Map, whose dead tables keep dead messages alive.
 */
export class PacketIdentifiers<T> {
  private readonly slots: (T | undefined)[];
  private used = 0;
  private last = 0;

  /** `most` that are in use at once. */
  constructor(most: number) {
    this.slots = new Array<T | undefined>(Math.min(LARGEST, 2 * most) + 1).fill(undefined);
  }

  get size(): number {
    return this.used;
  }

  /** The next free one, counting up and round; there must be one. */
  allocate(value: T): number {
    const { slots } = this;
    do {
      this.last = this.last === slots.length - 1 ? 1 : this.last + 1;
    } while (slots[this.last] !== undefined);
    this.keep(this.last, value);
    return this.last;
  }

  /** Takes a certain one, which is free, back into use. */
  keep(packetIdentifier: number, value: T): void {
    this.slots[packetIdentifier] = value;
    this.used += 1;
  }

  /** Frees it; undefined when it was not in use. */
  release(packetIdentifier: number): T | undefined {
    const value = this.slots[packetIdentifier];
    if (value === undefined) return undefined;
    this.slots[packetIdentifier] = undefined;
    this.used -= 1;
    return value;
  }

  /** In no order that means something. */
  values(): T[] {
    return this.slots.filter((value) => value !== undefined);
  }

  clear(): void {
    this.slots.fill(undefined);
    this.used = 0;
  }
}
