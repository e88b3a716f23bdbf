import { describe, expect, test } from "vitest";
import { hostTiming, timeSpan } from "../../functions/host-timing.ts";

const MINUTE = 60_000;

describe("timeSpan()", () => {
  test.each([
    ["00:30:00", 30 * MINUTE],
    ["1.00:00:01", 24 * 60 * MINUTE + 1000],
    ["00:05", 5 * MINUTE],
    ["-1", Number.POSITIVE_INFINITY],
    [-1, Number.POSITIVE_INFINITY],
    ["soon", undefined],
    [undefined, undefined],
  ])("%j is %j ms", (text, want) => {
    expect(timeSpan(text)).toBe(want);
  });
});

describe("hostTiming()", () => {
  test.each([
    { name: "host.json", hostJson: { functionTimeout: "00:10:00" }, env: {}, holdMs: 9 * MINUTE },
    { name: "nothing", hostJson: undefined, env: {}, holdMs: 29 * MINUTE },
    {
      name: "a timeout of a minute",
      hostJson: { functionTimeout: "00:01:00" },
      env: {},
      holdMs: MINUTE / 2,
    },
    { name: "no timeout", hostJson: { functionTimeout: "-1" }, env: {}, holdMs: 24 * 60 * MINUTE },
    {
      name: "an app setting over host.json",
      hostJson: { functionTimeout: "00:10:00" },
      env: { AzureFunctionsJobHost__functionTimeout: "00:20:00" },
      holdMs: 19 * MINUTE,
    },
    {
      name: "ISTHMUS_PUMP_SECONDS",
      hostJson: {},
      env: { ISTHMUS_PUMP_SECONDS: "120" },
      holdMs: 2 * MINUTE,
    },
    {
      name: "ISTHMUS_PUMP_SECONDS past the timeout",
      hostJson: { functionTimeout: "00:10:00" },
      env: { ISTHMUS_PUMP_SECONDS: "3600" },
      holdMs: 9 * MINUTE,
    },
    {
      name: "ISTHMUS_PUMP_SECONDS that is no number",
      hostJson: {},
      env: { ISTHMUS_PUMP_SECONDS: "long" },
      holdMs: 29 * MINUTE,
    },
  ])("$name decides how long a pump is held", ({ hostJson, env, holdMs }) => {
    const timing = hostTiming(hostJson, env);
    expect(timing.holdMs).toBe(holdMs);
    expect(timing.drainMs).toBeLessThanOrEqual(10_000);
    expect(timing.deliverMs).toBeLessThanOrEqual(MINUTE);
  });
});
