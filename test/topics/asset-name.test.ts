import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assetName } from "../../shared/topics/asset-name.ts";

const at = (topic: string, level = 2, attempt = 0): string =>
  assetName({ device: "d", endpoint: "e", topic }, level, attempt);

describe("assetName() (S-60)", () => {
  test.each([
    ["factory/factory-f1-robot-r1", 2, /^factory-f1-robot-r1-[a-z]{4}$/],
    ["factory/robot/temperature", 1, /^factory-[a-z]{4}$/],
    ["factory/Robot 1.A", 2, /^robot-1.a-[a-z]{4}$/],
    ["factory/--é--", 2, /^asset-[a-z]{4}$/],
    ["factory/", 2, /^asset-[a-z]{4}$/],
    ["factory", 2, /^asset-[a-z]{4}$/],
    [`factory/${"x".repeat(400)}`, 2, /^x{200}-[a-z]{4}$/],
  ])("of %s at level %d is that level and four letters", (topic, level, name) => {
    expect(at(topic, level)).toMatch(name);
  });

  test("is the same for the same topic at every start and in every instance", () => {
    expect(at("factory/factory-f1-robot-r1")).toBe("factory-f1-robot-r1-sbjc");
    expect(at("factory/factory-f1-robot-r1")).toBe(at("factory/factory-f1-robot-r1"));
  });

  test("differs by topic, device, endpoint and attempt", () => {
    const origin = { device: "d", endpoint: "e", topic: "a/x" };
    const names = [
      assetName(origin, 2, 0),
      assetName(origin, 2, 1),
      assetName({ ...origin, topic: "b/x" }, 2, 0),
      assetName({ ...origin, device: "c" }, 2, 0),
      assetName({ ...origin, endpoint: "c" }, 2, 0),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test("is a Kubernetes name and a file name, whatever the topic", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 5 }), (topic, level) => {
        expect(at(topic, level)).toMatch(/^[a-z0-9]([a-z0-9.-]{0,203}[a-z0-9])?-[a-z]{4}$/);
      }),
    );
  });
});
