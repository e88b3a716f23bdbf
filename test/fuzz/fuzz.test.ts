import { describe, expect, test } from "vitest";
import { Random } from "../support/random.ts";
import { DECODERS, type FuzzedDecoder } from "./decoders.ts";
import { fuzz } from "./fuzz.ts";
import { hostileBytes } from "./mutate.ts";

/** `npm run fuzz` takes a million of each. */
const COUNT = 1000;
/** The manifests are read whole, schemas and all. */
const MANIFESTS = 200;
const SLOWEST_MS = 2000;

describe("decoders and hostile bytes: they neither throw nor run on", () => {
  test.each(DECODERS.map((decoder) => [decoder.name, decoder] as const))(
    "%s",
    { timeout: 60_000 },
    async (_name, decoder) => {
      const count = decoder.name === "manifests" ? MANIFESTS : COUNT;
      const { slowestMs } = await fuzz({ decoder, seed: 7, first: 0, count });
      expect(slowestMs).toBeLessThan(SLOWEST_MS);
    },
  );

  test("what throws is told of with its seed, its number and its bytes", async () => {
    const decoder: FuzzedDecoder = {
      name: "brittle",
      examples: [Buffer.from("abc")],
      scraps: ["x"],
      decode(bytes): void {
        if (bytes.includes("x")) throw new TypeError("no x");
      },
    };
    const failing = fuzz({ decoder, seed: 1, first: 0, count: 1000 });
    await expect(failing).rejects.toThrow(
      /^brittle, seed 1, input \d+: TypeError: no x\n(?:..)*78/u,
    );
  });

  test("the same seed makes the same bytes", () => {
    const bytesOf = (seed: number): string =>
      hostileBytes(new Random(seed), [Buffer.from("example")], [Buffer.from("scrap")]).toString(
        "hex",
      );
    expect(bytesOf(5)).toBe(bytesOf(5));
    expect(new Set(Array.from({ length: 50 }, (_, seed) => bytesOf(seed))).size).toBeGreaterThan(
      40,
    );
  });
});
