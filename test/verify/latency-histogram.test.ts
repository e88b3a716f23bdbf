import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatencyHistogram } from "../../shared/verify/latency-histogram.ts";

/** The nearest-rank quantile of all values, kept and sorted. */
function exactQuantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? 0;
}

function filled(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

/** Every order of magnitude as likely as any other. */
const latency = fc
  .double({ min: Math.log(0.001), max: Math.log(100_000_000), noNaN: true })
  .map(Math.exp);

describe("LatencyHistogram", () => {
  test("knows every quantile with its relative error, whatever the latencies", () => {
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.0001, max: 1, noNaN: true }),
        (values, q) => {
          const exact = exactQuantile(values, q);
          const error = Math.abs(filled(values).quantile(q) - exact) / exact;
          expect(error).toBeLessThanOrEqual(LatencyHistogram.RELATIVE_ERROR + 1e-9);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("knows the largest exactly, and no quantile exceeds it", () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 50 }), (values) => {
        const histogram = filled(values);
        expect(histogram.max).toBe(Math.max(...values));
        expect(histogram.quantile(1)).toBeLessThanOrEqual(histogram.max);
      }),
    );
  });

  test.each([
    { name: "none", values: [], p50: 0, max: 0 },
    { name: "a clock that stood still", values: [0, 0, 0], p50: 0, max: 0 },
    { name: "a clock that stepped back", values: [-5, -4, -3], p50: 0, max: 0 },
    { name: "longer than it tells apart", values: [1e12], p50: 1e8, max: 1e12 },
  ])("bears $name", ({ values, p50, max }) => {
    const histogram = filled(values);
    expect(Math.abs(histogram.quantile(0.5) - p50)).toBeLessThanOrEqual(p50 * 0.03);
    expect(histogram.max).toBe(max);
  });
});
