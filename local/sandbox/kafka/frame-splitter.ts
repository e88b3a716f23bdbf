import { MalformedRequest } from "./byte-reader.ts";

const PREFIX = 4;

/** Cuts what arrives on a connection into the protocol's frames: an int32 length, and so many bytes. */
export class FrameSplitter {
  private readonly maxBytes: number;
  private readonly prefix = Buffer.alloc(PREFIX);
  private prefixFilled = 0;
  private frame: Buffer | undefined;
  private frameFilled = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The frames that are whole with this chunk, without their length. @throws MalformedRequest for a length that is not allowed */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.frame === undefined) {
        const copied = chunk.copy(this.prefix, this.prefixFilled, at);
        this.prefixFilled += copied;
        at += copied;
        if (this.prefixFilled < PREFIX) break;
        this.begin(this.prefix.readInt32BE());
      }
      const frame = this.frame as Buffer | undefined;
      if (frame === undefined) continue;
      const copied = chunk.copy(frame, this.frameFilled, at);
      this.frameFilled += copied;
      at += copied;
      if (this.frameFilled < frame.length) continue;
      frames.push(frame);
      this.frame = undefined;
      this.prefixFilled = 0;
    }
    return frames;
  }

  private begin(length: number): void {
    if (length <= 0 || length > this.maxBytes) {
      throw new MalformedRequest(
        `a request must have 1 to ${this.maxBytes} bytes: it says ${length}`,
      );
    }
    this.frame = Buffer.allocUnsafe(length);
    this.frameFilled = 0;
  }
}
