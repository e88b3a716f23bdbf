import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PacketIdentifiers } from "../../../shared/adapters/mqtt/packet-identifiers.ts";

describe("PacketIdentifiers", () => {
  test("count from 1 to twice as many as may be in use, and again [MQTT-2.2.1-3]", () => {
    const identifiers = new PacketIdentifiers<string>(2);
    const given = Array.from({ length: 6 }, () => {
      const one = identifiers.allocate("x");
      identifiers.release(one);
      return one;
    });
    expect(given).toEqual([1, 2, 3, 4, 1, 2]);
  });

  test("are at most 65,535", () => {
    const identifiers = new PacketIdentifiers<number>(65_535);
    const given = new Set(Array.from({ length: 65_535 }, (_, i) => identifiers.allocate(i)));
    expect([given.size, Math.min(...given), Math.max(...given)]).toEqual([65_535, 1, 65_535]);
  });

  test("are never given twice while they are in use, and stand for what they were given to", () => {
    const steps = fc.array(fc.oneof(fc.constant("give"), fc.nat(30)), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (plan) => {
        const identifiers = new PacketIdentifiers<number>(8);
        const open = new Map<number, number>();
        for (const [value, step] of plan.entries()) {
          if (step === "give") {
            if (open.size === 8) continue;
            const given = identifiers.allocate(value);
            expect(open.has(given)).toBe(false);
            open.set(given, value);
          } else {
            expect(identifiers.release(step)).toBe(open.get(step));
            open.delete(step);
          }
          expect(identifiers.size).toBe(open.size);
        }
        expect(identifiers.values().sort()).toEqual([...open.values()].sort());
      }),
    );
  });

  test("may be taken back into use one by one after all were forgotten", () => {
    const identifiers = new PacketIdentifiers<string>(4);
    identifiers.allocate("a");
    identifiers.clear();
    expect([identifiers.size, identifiers.values()]).toEqual([0, []]);
    identifiers.keep(2, "b");
    expect([identifiers.allocate("c"), identifiers.allocate("d")]).toEqual([3, 4]);
    expect(identifiers.release(2)).toBe("b");
  });
});
