/** Over HTTP the bridge can be looked at, and nothing can be done to it: replaying and importing are commands. */
import { describe, expect, test } from "vitest";
import { startHttp } from "../../local/http/server.ts";
import { httpFunctions } from "../../shared/plan/host-functions.ts";

const PATHS = ["/", "/status.json", "/assets.json", "/metrics", "/healthz", "/readyz", "/replay"];

describe("HTTP", () => {
  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "the runner answers no %s, whatever the path",
    async (method) => {
      const server = await startHttp(
        { host: "127.0.0.1", port: 0 },
        {
          view: () => ({ version: "1", startedAt: 0, now: 0, routes: [] }),
          process: () => ({ version: "1", startedAt: 0 }),
          nonce: () => "abc",
        },
      );
      try {
        for (const path of PATHS) {
          const url = `http://127.0.0.1:${server.address.port}${path}`;
          const { status } = await fetch(url, { method });
          expect(status).toBe(405);
        }
      } finally {
        await server.stop();
      }
    },
  );

  test("on Functions every page takes GET only, and all but the liveness want a function key", () => {
    const open = httpFunctions().map(({ name, trigger }) => ({
      name,
      methods: trigger["methods"],
      authLevel: trigger["authLevel"],
    }));
    for (const { name, methods, authLevel } of open) {
      expect(methods).toEqual(["GET"]);
      expect(authLevel).toBe(name === "healthz" ? "anonymous" : "function");
    }
    expect(open.map(({ name }) => name)).toContain("status");
  });
});
