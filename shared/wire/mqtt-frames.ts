/**
 * One MQTT Control Packet inside `bytes`: its fixed header begins at `start`, its variable header and payload are
 * `bytes[body..end)`. The splitter reuses one Frame object, so a sink must copy out what it keeps.
 */
export interface Frame {
  bytes: Buffer;
  start: number;
  body: number;
  end: number;
}

export type FrameProblem = "malformed remaining length" | "packet too large";

/** The largest packet MQTT can express: a Remaining Length of 268,435,455 after five bytes of fixed header. */
export const LARGEST_PACKET = 268_435_460;

const FIRST_HOLD = 4096;
const INCOMPLETE = 0;
const MALFORMED = -1;

/** Cuts a byte stream into MQTT Control Packets without copying those that arrive whole in one chunk. */
export class FrameSplitter {
  private readonly maximumPacketSize: number;
  private readonly sink: (frame: Frame) => void;
  private readonly frame: Frame = { bytes: Buffer.alloc(0), start: 0, body: 0, end: 0 };
  /** The beginning of a packet whose end has not arrived; grows by doubling, so a large packet is copied a constant number of times. */
  private held: Buffer = this.frame.bytes;
  private heldLength = 0;
  private stopped = false;

  /** `maximumPacketSize` in bytes, fixed header included; what announces more is a problem before it is buffered. */
  constructor(maximumPacketSize: number, sink: (frame: Frame) => void) {
    this.maximumPacketSize = maximumPacketSize;
    this.sink = sink;
  }

  /** Nothing more is handed to the sink, not even the rest of the chunk being split. */
  stop(): void {
    this.stopped = true;
    this.held = Buffer.alloc(0);
    this.heldLength = 0;
  }

  /** Hands every packet that `chunk` completes to the sink. After a problem the stream cannot be read further. */
  push(chunk: Buffer): FrameProblem | undefined {
    let position = this.heldLength > 0 ? this.complete(chunk) : 0;
    while (position < chunk.length && position >= 0 && !this.stopped) {
      const size = packetSize(chunk, position, chunk.length);
      if (size === MALFORMED) return this.fail("malformed remaining length");
      if (size > this.maximumPacketSize) return this.fail("packet too large");
      if (size === INCOMPLETE || position + size > chunk.length) {
        this.hold(chunk, position, chunk.length, size);
        return undefined;
      }
      this.hand(chunk, position, size);
      position += size;
    }
    if (position === MALFORMED) return this.fail("malformed remaining length");
    return position < MALFORMED ? this.fail("packet too large") : undefined;
  }

  /** Fills the held packet from `chunk`; returns where the next packet begins, -1 when malformed, -2 when too large. */
  private complete(chunk: Buffer): number {
    let position = 0;
    let size = packetSize(this.held, 0, this.heldLength);
    while (size === INCOMPLETE) {
      if (position === chunk.length) return position;
      this.hold(chunk, position, position + 1, 0);
      position += 1;
      size = packetSize(this.held, 0, this.heldLength);
    }
    if (size === MALFORMED) return MALFORMED;
    if (size > this.maximumPacketSize) return MALFORMED - 1;
    const take = Math.min(size - this.heldLength, chunk.length - position);
    this.hold(chunk, position, position + take, size);
    position += take;
    if (this.heldLength === size) {
      const whole = this.held;
      this.held = Buffer.alloc(0);
      this.heldLength = 0;
      this.hand(whole, 0, size);
    }
    return position;
  }

  private hold(chunk: Buffer, from: number, to: number, size: number): void {
    const needed = this.heldLength + (to - from);
    if (needed > this.held.length) {
      const wanted = Math.max(needed, this.held.length * 2, FIRST_HOLD);
      const grown = Buffer.allocUnsafe(size > 0 ? Math.min(wanted, size) : wanted);
      this.held.copy(grown, 0, 0, this.heldLength);
      this.held = grown;
    }
    chunk.copy(this.held, this.heldLength, from, to);
    this.heldLength = needed;
  }

  private hand(bytes: Buffer, start: number, size: number): void {
    const { frame } = this;
    let body = start + 2;
    while ((bytes[body - 1] as number) > 127) body += 1;
    frame.bytes = bytes;
    frame.start = start;
    frame.body = body;
    frame.end = start + size;
    this.sink(frame);
  }

  private fail(problem: FrameProblem): FrameProblem {
    this.stop();
    return problem;
  }
}

/** Size of the packet at `start` with its fixed header; 0 while its length is not all there, -1 when it is malformed. */
function packetSize(bytes: Buffer, start: number, end: number): number {
  let length = 0;
  let multiplier = 1;
  for (let at = start + 1; at < end; at += 1) {
    const byte = bytes[at] as number;
    length += (byte & 127) * multiplier;
    if (byte < 128) return at - start + 1 + length;
    // [MQTT-1.5.5]: a Variable Byte Integer has at most four bytes
    if (at - start === 4) return MALFORMED;
    multiplier *= 128;
  }
  return INCOMPLETE;
}
