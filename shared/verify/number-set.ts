/** A set of the numbers from 0 below `size`, at one bit each. */
export class NumberSet {
  private readonly bits: Uint8Array;
  private count = 0;

  constructor(size: number) {
    this.bits = new Uint8Array(Math.ceil(size / 8));
  }

  /** How many numbers are in it. */
  get size(): number {
    return this.count;
  }

  has(number: number): boolean {
    return ((this.bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  /** Whether the number was new. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    const at = number >>> 3;
    this.bits[at] = (this.bits[at] ?? 0) | (1 << (number & 7));
    this.count += 1;
    return true;
  }
}
