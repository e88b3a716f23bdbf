import type { Publish } from "../model/publish.ts";
import {
  encodePuback,
  encodePublish,
  encodePublishHead,
  type PublishIdentity,
} from "./mqtt-publish-encoder.ts";

const CHUNK = 65_536;

/**
 * Gathers packets so that one turn is one write. What was taken stays untouched for as long as the network needs it:
 * later packets go behind it or into a new chunk.
 */
export class PacketBuffer {
  private chunk: Buffer = Buffer.alloc(0);
  private from = 0;
  private to = 0;

  /** Bytes gathered and not yet taken. */
  get length(): number {
    return this.to - this.from;
  }

  /** `size` is what publishSize() said of the message; -1 is not allowed here. */
  publish(publish: Publish, identity: PublishIdentity, size: number): void {
    this.reserve(size);
    this.to = encodePublish(this.chunk, this.to, publish, identity);
  }

  /** As {@link publish} without the payload, which the caller writes right behind what it takes. */
  publishHead(publish: Publish, identity: PublishIdentity, size: number): void {
    this.reserve(size - publish.payload.length);
    this.to = encodePublishHead(this.chunk, this.to, publish, identity);
  }

  puback(packetIdentifier: number): void {
    this.reserve(4);
    this.to = encodePuback(this.chunk, this.to, packetIdentifier);
  }

  /** All that was gathered, in order; the buffer is empty after it. */
  take(): Buffer {
    const taken = this.chunk.subarray(this.from, this.to);
    this.from = this.to;
    return taken;
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.to = this.from;
  }

  private reserve(bytes: number): void {
    if (this.to + bytes <= this.chunk.length) return;
    const gathered = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(CHUNK, 2 * gathered + bytes));
    this.chunk.copy(grown, 0, this.from, this.to);
    this.chunk = grown;
    this.from = 0;
    this.to = gathered;
  }
}
