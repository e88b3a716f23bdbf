const FIRST_SIZE = 256;
/** Longer byte strings are handed to the socket as they are instead of being copied. */
const COPY_BELOW = 2048;

/** Writes the primitive types of the Kafka protocol, big endian. */
export class ByteWriter {
  private readonly finished: Uint8Array[] = [];
  private finishedLength = 0;
  private buffer = Buffer.allocUnsafe(FIRST_SIZE);
  private at = 0;

  get length(): number {
    return this.finishedLength + this.at;
  }

  int8(value: number): this {
    const start = this.grow(1);
    this.buffer.writeInt8(value, start);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    const start = this.grow(2);
    this.buffer.writeInt16BE(value, start);
    return this;
  }

  int32(value: number): this {
    const start = this.grow(4);
    this.buffer.writeInt32BE(value, start);
    return this;
  }

  int64(value: number): this {
    const start = this.grow(8);
    this.buffer.writeBigInt64BE(BigInt(value), start);
    return this;
  }

  unsignedVarint(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.uint8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.uint8(rest);
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    const start = this.grow(length);
    this.buffer.write(value, start, "utf8");
    return this;
  }

  bytes(value: Uint8Array): this {
    this.int32(value.length);
    return this.raw(value);
  }

  /** A byte string in several pieces, one after the other. */
  pieces(values: readonly Uint8Array[]): this {
    this.int32(values.reduce((sum, piece) => sum + piece.length, 0));
    for (const piece of values) this.raw(piece);
    return this;
  }

  array<T>(items: readonly T[], item: (writer: ByteWriter, value: T) => void): this {
    this.int32(items.length);
    for (const value of items) item(this, value);
    return this;
  }

  /** What was written, in pieces, with its length as an int32 in front. The writer is used up. */
  frame(): Uint8Array[] {
    const prefix = Buffer.allocUnsafe(4);
    prefix.writeInt32BE(this.length);
    this.finishPiece();
    return [prefix, ...this.finished];
  }

  private uint8(value: number): this {
    const start = this.grow(1);
    this.buffer.writeUInt8(value, start);
    return this;
  }

  private raw(value: Uint8Array): this {
    if (value.length < COPY_BELOW) {
      const start = this.grow(value.length);
      this.buffer.set(value, start);
      return this;
    }
    this.finishPiece();
    this.finished.push(value);
    this.finishedLength += value.length;
    return this;
  }

  private finishPiece(): void {
    if (this.at === 0) return;
    this.finished.push(this.buffer.subarray(0, this.at));
    this.finishedLength += this.at;
    this.buffer = this.buffer.subarray(this.at);
    this.at = 0;
  }

  /** Makes room; may replace the buffer, so call it before looking at that. */
  private grow(length: number): number {
    const start = this.at;
    const needed = start + length;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2, FIRST_SIZE));
      this.buffer.copy(larger, 0, 0, start);
      this.buffer = larger;
    }
    this.at = needed;
    return start;
  }
}
