const LARGEST = 65_535;

/** Packet Identifiers 1 to 65,535 and what each stands for until it is acknowledged [MQTT-2.2.1-3]. */
export class PacketIdentifiers<T> {
  private readonly used = new Map<number, T>();
  private last = 0;

  get size(): number {
    return this.used.size;
  }

  /** The next free one, counting up and round; there must be one. */
  allocate(value: T): number {
    do {
      this.last = this.last === LARGEST ? 1 : this.last + 1;
    } while (this.used.has(this.last));
    this.used.set(this.last, value);
    return this.last;
  }

  /** Takes a certain one back into use. */
  keep(packetIdentifier: number, value: T): void {
    this.used.set(packetIdentifier, value);
  }

  /** Frees it; undefined when it was not in use. */
  release(packetIdentifier: number): T | undefined {
    const value = this.used.get(packetIdentifier);
    if (value !== undefined) this.used.delete(packetIdentifier);
    return value;
  }

  /** In the order in which they came into use. */
  values(): T[] {
    return [...this.used.values()];
  }

  clear(): void {
    this.used.clear();
  }
}
