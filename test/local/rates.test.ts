import { expect, test } from "vitest";
import { RateSampler } from "../../local/rates.ts";
import { counters, routeStatus } from "../support/route-status.ts";

function delivered(...counts: number[]) {
  return counts.map((count, instance) =>
    routeStatus({ instance, counters: counters({ delivered: count }) }),
  );
}

test("RateSampler gives messages per second of all instances of a route together", () => {
  const sampler = new RateSampler();
  sampler.sample(delivered(10, 10), 0);
  sampler.sample(delivered(15, 25), 1000);
  sampler.sample(delivered(15, 65), 3000);
  expect(sampler.rates().get("flow/one")).toEqual({ perSecond: 20, history: [20, 20] });
});

test("RateSampler never shows a negative rate, and ignores a clock that stands still", () => {
  const sampler = new RateSampler();
  sampler.sample(delivered(10), 0);
  sampler.sample(delivered(4), 1000);
  sampler.sample(delivered(9), 1000);
  expect(sampler.rates().get("flow/one")?.history).toEqual([0]);
});

test("RateSampler keeps one minute, and shows the mean of the last five seconds", () => {
  const sampler = new RateSampler();
  for (let second = 0; second <= 100; second++)
    sampler.sample(delivered(second ** 2), second * 1000);
  const rate = sampler.rates().get("flow/one");
  expect(rate?.history).toHaveLength(60);
  expect(rate?.perSecond).toBe(195);
});
