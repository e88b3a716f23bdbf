/** Bytes that are no request of the Kafka protocol. The connection they came over is closed. */
export class MalformedRequest extends Error {}

/** Reads the primitive types of the Kafka protocol, big endian, from one frame. Every method throws {@link MalformedRequest} past the end. */
export class ByteReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get remaining(): number {
    return this.buffer.length - this.at;
  }

  int8(): number {
    return this.buffer.readInt8(this.advance(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.advance(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.advance(4));
  }

  /** Offsets, timestamps and ids. All that occur are below 2^53. */
  int64(): number {
    const value = Number(this.buffer.readBigInt64BE(this.advance(8)));
    if (!Number.isSafeInteger(value)) throw new MalformedRequest("a 64-bit number is too large");
    return value;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer.readUInt8(this.advance(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedRequest("a variable-length number is too long");
  }

  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.take(length).toString("utf8");
  }

  string(): string {
    const text = this.nullableString();
    if (text === null) throw new MalformedRequest("a string must not be null");
    return text;
  }

  /** The bytes stay part of the frame: copy what outlives the request. */
  nullableBytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.take(length);
  }

  bytes(): Buffer {
    const bytes = this.nullableBytes();
    if (bytes === null) throw new MalformedRequest("a byte string must not be null");
    return bytes;
  }

  nullableArray<T>(item: (reader: ByteReader) => T): T[] | null {
    const length = this.int32();
    if (length < 0) return null;
    // every item takes at least one byte: a longer array is a lie that would cost memory
    if (length > this.remaining) throw new MalformedRequest("an array is longer than its request");
    const items: T[] = [];
    for (let i = 0; i < length; i += 1) items.push(item(this));
    return items;
  }

  array<T>(item: (reader: ByteReader) => T): T[] {
    return this.nullableArray(item) ?? [];
  }

  skip(length: number): void {
    this.advance(length);
  }

  private take(length: number): Buffer {
    const start = this.advance(length);
    return this.buffer.subarray(start, start + length);
  }

  private advance(length: number): number {
    const start = this.at;
    if (start + length > this.buffer.length) {
      throw new MalformedRequest("a request ends too early");
    }
    this.at = start + length;
    return start;
  }
}
