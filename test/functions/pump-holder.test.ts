import { beforeEach, describe, expect, test } from "vitest";
import { PumpHolder } from "../../functions/pump-holder.ts";
import type { RunningPump } from "../../shared/compose.ts";
import { newCounters, type RouteState, type RouteStatus } from "../../shared/engine/status.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MINUTE = 60_000;

function statusOf(state: RouteState, detail?: string): RouteStatus {
  return {
    route: "line/up",
    direction: "mqttToKafka",
    from: "a/#",
    to: "topic",
    instance: 0,
    state,
    kafka: { connected: true },
    mqtt: { connected: true },
    ...(detail === undefined ? {} : { detail }),
    counters: newCounters(),
  };
}

describe("PumpHolder", () => {
  let clock: VirtualClock;
  let drains: (number | undefined)[];
  let opened: number;
  let status: RouteStatus;

  beforeEach(() => {
    clock = new VirtualClock();
    drains = [];
    opened = 0;
    status = statusOf("running");
  });

  function holder(over: { open?: () => Promise<RunningPump> } = {}): PumpHolder {
    const open = (): Promise<RunningPump> => {
      opened += 1;
      return Promise.resolve({
        status: () => status,
        stop: (drainMs) => {
          drains.push(drainMs);
          return Promise.resolve();
        },
      });
    };
    return new PumpHolder({
      name: "line_up",
      open,
      holdMs: 29 * MINUTE,
      drainMs: 10_000,
      clock,
      ...over,
    });
  }

  test("holds the pump until its time is over, drains it, and holds it again at the next tick (S-51)", async () => {
    const pump = holder();
    for (const round of [1, 2]) {
      const hold = pump.hold();
      await clock.advance(28 * MINUTE);
      expect(pump.status()?.state).toBe("running");
      expect(drains).toHaveLength(round - 1);
      await clock.advance(MINUTE);
      await expect(hold).resolves.toBe("renewed");
      expect(drains).toEqual(Array.from({ length: round }, () => 10_000));
      expect(pump.status()).toBeUndefined();
    }
    expect(opened).toBe(2);
  });

  test("a second invocation of the process does not open a second pump", async () => {
    const pump = holder();
    const first = pump.hold();
    await expect(pump.hold()).resolves.toBe("busy");
    await clock.advance(29 * MINUTE);
    await expect(first).resolves.toBe("renewed");
    expect(opened).toBe(1);
  });

  test("stop drains with the time it is given and lets nothing open again (S-55)", async () => {
    const pump = holder();
    const hold = pump.hold();
    await clock.advance(1000);
    await pump.stop(4000);
    await expect(hold).resolves.toBe("stopped");
    expect(drains).toEqual([4000]);
    await expect(pump.hold()).resolves.toBe("stopped");
    expect(opened).toBe(1);
  });

  test("stop while the pump is being opened closes it once it is open", async () => {
    let finish: (pump: RunningPump) => void = () => undefined;
    const pump = holder({ open: () => new Promise((resolve) => (finish = resolve)) });
    const hold = pump.hold();
    const stopping = pump.stop(4000);
    finish({
      status: () => status,
      stop: (drainMs) => {
        drains.push(drainMs);
        return Promise.resolve();
      },
    });
    await stopping;
    await expect(hold).resolves.toBe("stopped");
    expect(drains).toEqual([4000]);
  });

  test("a pump that has failed for good fails its invocation, within a second, with the reason", async () => {
    const pump = holder();
    const hold = pump.hold();
    const outcome = hold.catch((error: unknown) => error);
    await clock.advance(5000);
    status = statusOf("failed", "the broker refused the subscription");
    await clock.advance(1000);
    const error = await outcome;
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain("the broker refused the subscription");
    expect(drains).toEqual([10_000]);
  });

  test.each([
    { name: "an Error", thrown: new Error("refused"), says: "refused" },
    { name: "undefined", thrown: undefined, says: 'Cannot open "line_up": undefined' },
  ])(
    "throws an Error when opening throws $name; the next tick tries again",
    async ({ thrown, says }) => {
      let tries = 0;
      const pump = holder({
        open: () => {
          tries += 1;
          return Promise.reject(thrown);
        },
      });
      await expect(pump.hold()).rejects.toThrow(says);
      await expect(pump.hold()).rejects.toBeInstanceOf(Error);
      expect(tries).toBe(2);
    },
  );

  test("stop without a hold resolves", async () => {
    await expect(holder().stop(1)).resolves.toBeUndefined();
  });
});
