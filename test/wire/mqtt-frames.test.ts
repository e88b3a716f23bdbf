import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { FrameSplitter, LARGEST_PACKET } from "../../shared/wire/mqtt-frames.ts";

interface Seen {
  readonly frames: string[];
  readonly problem: string | undefined;
}

function split(chunks: readonly Uint8Array[], maximum: number = LARGEST_PACKET): Seen {
  const frames: string[] = [];
  const splitter = new FrameSplitter(maximum, ({ bytes, start, body, end }) => {
    const digest = createHash("sha1").update(bytes.subarray(body, end)).digest("hex");
    frames.push(`${bytes.toString("hex", start, body)} ${digest}`);
  });
  for (const chunk of chunks) {
    const problem = splitter.push(Buffer.from(chunk));
    if (problem !== undefined) return { frames, problem };
  }
  return { frames, problem: undefined };
}

/** A packet of type 3 whose body has `length` bytes, with its Remaining Length encoded by hand. */
function packet(length: number, fill = 7): Uint8Array {
  const header = [0x30];
  let rest = length;
  do {
    header.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, fill)]);
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

describe("FrameSplitter", () => {
  test.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])(
    "hands over a packet of Remaining Length %i whole, however it arrives",
    (length) => {
      const bytes = packet(length);
      const whole = split([bytes]);
      expect(whole.frames).toHaveLength(1);
      expect(split(cut(bytes, [1, 2, 3, 4, 5, 6, 100, 70_000]))).toEqual(whole);
    },
  );

  test("hands over the same packets however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(6000), { maxLength: 30 }),
        (lengths, places) => {
          const packets = lengths.map((length, i) => packet(length, i));
          const whole = split([Buffer.concat(packets)]);
          expect(whole.frames).toHaveLength(packets.length);
          expect(split(cut(Buffer.concat(packets), places))).toEqual(whole);
        },
      ),
    );
  });

  test.each([
    { name: "in one chunk", chunks: [[0x30, 0xff, 0xff, 0xff, 0xff, 1]] },
    { name: "byte by byte", chunks: [[0x30], [0xff], [0xff], [0xff], [0xff]] },
    { name: "after a good packet", chunks: [[0xd0, 0, 0x30, 0xff, 0xff, 0xff, 0x80]] },
  ])("reports a Remaining Length of five bytes as malformed, $name [MQTT-1.5.5]", ({ chunks }) => {
    expect(split(chunks.map((chunk) => Uint8Array.from(chunk))).problem).toBe(
      "malformed remaining length",
    );
  });

  test.each([
    { name: "in one chunk", places: [] },
    { name: "cut in the fixed header", places: [1, 2] },
  ])("refuses a packet above the maximum before its body arrives, $name", ({ places }) => {
    const bytes = packet(200);
    expect(split(cut(bytes, places), 203).problem).toBeUndefined();
    expect(split(cut(bytes.subarray(0, 3), places), 202).problem).toBe("packet too large");
  });

  test("is total over arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const { problem } = split(chunks, 1000);
        expect([undefined, "malformed remaining length", "packet too large"]).toContain(problem);
      }),
    );
  });

  test("a large packet in many chunks costs at most four times its bytes in buffers", () => {
    const size = 8_000_000;
    const allocate = vi.spyOn(Buffer, "allocUnsafe");
    try {
      const frames = split(
        cut(
          packet(size),
          Array.from({ length: 5000 }, (_, i) => i * 1600),
        ),
      );
      expect(frames.frames).toHaveLength(1);
      const allocated = allocate.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
      expect(allocated).toBeGreaterThan(size);
      expect(allocated).toBeLessThan(4 * size);
    } finally {
      allocate.mockRestore();
    }
  });

  test("stop() ends the handing over within the chunk", () => {
    const seen: number[] = [];
    const splitter = new FrameSplitter(LARGEST_PACKET, ({ start }) => {
      seen.push(start);
      splitter.stop();
    });
    splitter.push(Buffer.from([0xd0, 0, 0xd0, 0]));
    expect(seen).toEqual([0]);
  });
});
