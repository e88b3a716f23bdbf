import { describe, expect, test } from "vitest";
import { SharedHandler } from "../../functions/shared-handler.ts";
import type { RecordHandler } from "../../shared/compose.ts";
import { BridgeError } from "../../shared/errors.ts";

function recordHandler(stopped: string[] = []): RecordHandler {
  return {
    deliver: () => Promise.resolve(),
    status: () => {
      throw new Error("not asked");
    },
    stop: () => {
      stopped.push("stopped");
      return Promise.resolve();
    },
  };
}

describe("SharedHandler", () => {
  test("opens once for all invocations of a process", async () => {
    let opened = 0;
    const shared = new SharedHandler(() => {
      opened += 1;
      return Promise.resolve(recordHandler());
    });
    const [a, b] = await Promise.all([shared.open(), shared.open()]);
    expect(a).toBe(b);
    expect(shared.opened).toBe(a);
    expect(opened).toBe(1);
  });

  test("what failed to open is opened again by the next invocation", async () => {
    let tries = 0;
    const shared = new SharedHandler(() => {
      tries += 1;
      return tries === 1 ? Promise.reject(new Error("offline")) : Promise.resolve(recordHandler());
    });
    await expect(Promise.allSettled([shared.open(), shared.open()])).resolves.toMatchObject([
      { status: "rejected" },
      { status: "rejected" },
    ]);
    expect(shared.opened).toBeUndefined();
    await expect(shared.open()).resolves.toBeDefined();
    expect(tries).toBe(2);
  });

  test("stop closes what is open, waits for what is opening, and lets nothing open again (S-55)", async () => {
    const stopped: string[] = [];
    const shared = new SharedHandler(() => Promise.resolve(recordHandler(stopped)));
    const opening = shared.open();
    await shared.stop();
    await opening;
    expect(stopped).toEqual(["stopped"]);
    await expect(shared.open()).rejects.toBeInstanceOf(BridgeError);
  });

  test("stop without anything open, or after a failure, does nothing", async () => {
    const failing = new SharedHandler(() => Promise.reject(new Error("offline")));
    await failing.stop();
    const tried = new SharedHandler(() => Promise.reject(new Error("offline")));
    await tried.open().catch(() => undefined);
    await expect(tried.stop()).resolves.toBeUndefined();
  });
});
