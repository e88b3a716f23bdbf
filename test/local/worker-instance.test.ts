import { afterEach, describe, expect, test, vi } from "vitest";
import { WorkerInstance } from "../../local/worker-instance.ts";
import { BridgeError } from "../../shared/errors.ts";
import type { SecretStore } from "../../shared/model/secret-store.ts";
import { imbalance } from "../../shared/pages/ledger.ts";
import { counters } from "../support/route-status.ts";
import { kafkaToMqttRoute, planOf } from "../support/sample-routes.ts";

const program = new URL("../fixtures/workers/worker.mjs", import.meta.url);
const living: WorkerInstance[] = [];

interface Logged {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

function worker(name: string, secrets: Partial<SecretStore> = {}) {
  const logged: Logged[] = [];
  const instance = new WorkerInstance({
    birth: {
      plan: planOf([kafkaToMqttRoute({ name })]),
      instance: 1,
      memoryBudgetBytes: 1000,
      drainMs: 1000,
      startTimeoutMs: 1000,
      tap: false,
    },
    secrets: secrets as SecretStore,
    log: (level, message, fields) => logged.push({ level, message, fields }),
    onCrossing: () => undefined,
    program,
  });
  living.push(instance);
  return { instance, logged };
}

afterEach(async () => {
  await Promise.all(living.splice(0).map((instance) => instance.stop(1000)));
});

describe("WorkerInstance", () => {
  test("is starting, then shows what its thread tells, then ends with it", async () => {
    const { instance } = worker("lives");
    expect(instance.status()[0]).toMatchObject({ state: "starting", instance: 1 });
    await instance.start();
    expect(instance.status()[0]).toMatchObject({ state: "running", counters: { received: 10 } });
    await instance.stop(1000);
    expect(instance.status()[0]).toMatchObject({ state: "stopped", counters: { received: 10 } });
    expect(instance.restarts).toBe(0);
  });

  test("does not start when its bridge cannot, and says why", async () => {
    const { instance } = worker("fails");
    await expect(instance.start()).rejects.toMatchObject({
      code: "KAFKA_AUTHENTICATION_FAILED",
      message: "Wrong password",
    });
    expect(instance.restarts).toBe(0);
  });

  test("answers its thread's question for a secret", async () => {
    const value = vi.fn(() => Promise.resolve(new Uint8Array([1, 2])));
    const { instance, logged } = worker("asks", { value });
    await instance.start();
    expect(value).toHaveBeenCalledWith({ from: "secret", name: "s", key: "k" });
    expect(logged[0]?.fields).toMatchObject({ kind: "answer", value: new Uint8Array([1, 2]) });
  });

  test("tells its thread why there is no secret", async () => {
    const value = () => Promise.reject(new BridgeError("SECRET_MISSING", "Cannot find it"));
    const { instance, logged } = worker("asks", { value });
    await instance.start();
    expect(logged[0]?.fields).toMatchObject({
      kind: "refusal",
      error: { code: "SECRET_MISSING", message: "Cannot find it" },
    });
  });

  test("is started again when it dies: counters go on and what it held counts as given back", async () => {
    let lives = 0;
    const secret = () => {
      lives++;
      return Promise.resolve(lives === 1 ? undefined : new Map());
    };
    const { instance, logged } = worker("dies", { secret });
    await instance.start();
    await vi.waitFor(() => expect(instance.restarts).toBe(1), { timeout: 5000 });
    const [dead] = instance.status();
    expect(dead).toMatchObject({
      state: "waiting",
      detail: expect.stringContaining("out of luck"),
      counters: { received: 10, delivered: 6, released: 3, inFlight: 0 },
    });
    expect(imbalance(dead?.counters ?? counters())).toBe(0);
    expect(logged[0]).toMatchObject({ level: "warn", fields: { instance: 1, waitMs: 1000 } });
    await vi.waitFor(() => expect(instance.status()[0]?.state).toBe("running"), { timeout: 5000 });
    expect(instance.status()[0]?.counters).toMatchObject({
      received: 20,
      released: 3,
      inFlight: 3,
    });
  });
});
