import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PacketBuffer } from "../../shared/wire/mqtt-packet-buffer.ts";
import { propertiesLength, publishSize } from "../../shared/wire/mqtt-publish-encoder.ts";
import { parsePackets } from "../support/mqtt-packet.ts";
import { publishOf } from "../support/publishes.ts";

function gather(packets: PacketBuffer, packetIdentifier: number, size: number): void {
  const publish = publishOf({ payload: Buffer.alloc(size, packetIdentifier) });
  const identity = {
    packetIdentifier,
    dup: false,
    propertiesLength: propertiesLength(publish.properties),
  };
  packets.publish(publish, identity, publishSize(publish));
}

describe("PacketBuffer", () => {
  test("what was taken is never written over, whatever comes behind it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40_000), fc.boolean()), { minLength: 1, maxLength: 30 }),
        (steps) => {
          const packets = new PacketBuffer();
          const taken: Buffer[] = [];
          for (const [index, [size, take]] of steps.entries()) {
            gather(packets, index + 1, size);
            packets.puback(index + 1);
            if (take) taken.push(packets.take());
          }
          taken.push(packets.take());
          const seen = parsePackets(Buffer.concat(taken));
          expect(seen.map(({ cmd, messageId }) => [cmd, messageId])).toEqual(
            steps.flatMap((_, i) => [
              ["publish", i + 1],
              ["puback", i + 1],
            ]),
          );
          const payloads = seen.filter(({ cmd }) => cmd === "publish");
          for (const [i, { payload }] of payloads.entries()) {
            expect(Buffer.alloc(steps[i]?.[0] ?? 0, i + 1).equals(payload as Buffer)).toBe(true);
          }
        },
      ),
    );
  });

  test("a packet that goes to the last byte of a chunk leaves what was taken alone", () => {
    for (let over = 0; over < 5; over += 1) {
      const packets = new PacketBuffer();
      gather(packets, 1, 65_536 - publishSize(publishOf({ payload: Buffer.alloc(0) })) - 8 + over);
      const taken = packets.take();
      const before = Buffer.from(taken);
      packets.puback(2);
      packets.puback(3);
      const after = packets.take();
      expect([...after]).toEqual([0x40, 2, 0, 2, 0x40, 2, 0, 3]);
      expect(taken.equals(before)).toBe(true);
    }
  });

  test("a head has all but the payload, which comes right behind it", () => {
    const publish = publishOf({ payload: Buffer.from("payload") });
    const size = publishSize(publish);
    const identity = {
      packetIdentifier: 7,
      dup: false,
      propertiesLength: propertiesLength(publish.properties),
    };
    const packets = new PacketBuffer();
    for (const before of [0, 1]) {
      for (let i = 0; i < before; i += 1) packets.puback(1);
      packets.publishHead(publish, identity, size);
      expect(packets.length).toBe(before * 4 + size - publish.payload.length);
      const seen = parsePackets(Buffer.concat([packets.take(), publish.payload]));
      expect(seen.map(({ cmd, messageId }) => [cmd, messageId])).toEqual([
        ...(before === 0 ? [] : [["puback", 1]]),
        ["publish", 7],
      ]);
      expect(seen.at(-1)?.["payload"]).toEqual(Buffer.from("payload"));
    }
  });

  test("length counts what waits, take() and clear() empty it", () => {
    const packets = new PacketBuffer();
    packets.puback(1);
    expect(packets.length).toBe(4);
    packets.clear();
    expect(packets.length).toBe(0);
    packets.puback(2);
    expect([...packets.take()]).toEqual([0x40, 2, 0, 2]);
    expect(packets.length).toBe(0);
  });
});
