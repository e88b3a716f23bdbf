import type { KafkaHeader } from "../model/kafka-record.ts";
import { headerNameAt } from "./kafka-header-names.ts";

/** Bytes that are not what they say. Thrown inside the codec only, and caught at its edge. */
export class Corrupt extends Error {}

const MAXIMUM_INT32 = 0x7fffffff;
const NO_HEADERS: readonly KafkaHeader[] = [];

/** Reads what a record is made of. Bytes that it hands out are views: nothing is copied. */
export class RecordReader {
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  skip(count: number): void {
    this.at += count;
  }

  /** A zigzag varint. Lengths and offset deltas have 32 bits at most, timestamp deltas 64; beyond 53 bits none is legal. */
  varint(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.longVarint();
  }

  /** `null` for a length of -1. */
  nullable(): Uint8Array | null {
    const length = this.varint();
    if (length < 0) return null;
    return this.take(length);
  }

  headers(): readonly KafkaHeader[] {
    const count = this.varint();
    if (count <= 0) return NO_HEADERS;
    // a header has two bytes at least
    if (count > (this.bytes.length - this.at) / 2) throw new Corrupt("a record ends too early");
    const headers = new Array<KafkaHeader>(count);
    for (let i = 0; i < count; i += 1) headers[i] = [this.name(), this.nullable()];
    return headers;
  }

  take(length: number): Uint8Array {
    const start = this.at;
    this.advance(length);
    // a third of what subarray() costs
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, length);
  }

  private name(): string {
    const length = this.varint();
    if (length < 0) throw new Corrupt("the name of a header is null");
    const start = this.at;
    this.advance(length);
    return headerNameAt(this.bytes, start, this.at);
  }

  private advance(length: number): void {
    const end = this.at + length;
    if (end > this.bytes.length) throw new Corrupt("a record ends too early");
    this.at = end;
  }

  private longVarint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new Corrupt("a record ends too early");
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
      if (factor > 2 ** 49) throw new Corrupt("a number of a record is too long");
    }
    if (value > MAXIMUM_INT32) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    return (value >>> 1) ^ -(value & 1);
  }
}
