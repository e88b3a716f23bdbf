import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PageSource } from "../../../local/http/pages.ts";
import { type HttpServer, startHttp } from "../../../local/http/server.ts";
import type { RouteStatus } from "../../../shared/engine/status.ts";
import { routeStatus } from "../../support/route-status.ts";

let routes: RouteStatus[] = [];
let broken = false;
let server: HttpServer;

const source: PageSource = {
  view: () => {
    if (broken) throw new Error("secret detail");
    return { version: "1.2.3", startedAt: 0, now: 1000, routes };
  },
  process: () => ({ version: "1.2.3", startedAt: 0 }),
  nonce: () => "abc",
};

interface Reply {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function get(path: string, method = "GET", headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { host, port } = server.address;
    const asked = request({ host, port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

beforeAll(async () => {
  server = await startHttp({ host: "127.0.0.1", port: 0 }, source);
});
afterAll(async () => {
  await server.stop();
});

describe("startHttp()", () => {
  test.each([
    { path: "/healthz", type: "application/json; charset=utf-8", has: '"alive"' },
    { path: "/readyz", type: "application/json; charset=utf-8", has: '"ready": true' },
    { path: "/status.json", type: "application/json; charset=utf-8", has: '"flow/one"' },
    {
      path: "/metrics",
      type: "text/plain; version=0.0.4; charset=utf-8",
      has: "isthmus_messages_received_total{",
    },
    { path: "/", type: "text/html; charset=utf-8", has: "<h1>Isthmus</h1>" },
    { path: "/?x=1", type: "text/html; charset=utf-8", has: "<h1>Isthmus</h1>" },
  ])("serves $path, uncached and with a policy", async ({ path, type, has }) => {
    routes = [routeStatus()];
    const reply = await get(path);
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe(type);
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(reply.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
    expect(reply.body).toContain(has);
  });

  test("is alive but not ready, with reasons, while a side is down", async () => {
    routes = [routeStatus({ state: "waiting", mqtt: { connected: false, detail: "refused" } })];
    expect((await get("/healthz")).status).toBe(200);
    const reply = await get("/readyz");
    expect(reply.status).toBe(503);
    expect(JSON.parse(reply.body)).toEqual({
      ready: false,
      reasons: [{ route: "flow/one", reason: "waiting: MQTT is not connected: refused" }],
    });
  });

  test.each([
    { name: "another path", path: "/secrets", method: "GET", status: 404 },
    { name: "a path that climbs", path: "/../package.json", method: "GET", status: 404 },
    { name: "POST", path: "/", method: "POST", status: 405 },
  ])("answers $name with $status", async ({ path, method, status }) => {
    expect((await get(path, method)).status).toBe(status);
  });

  test("answers HEAD without a body", async () => {
    routes = [routeStatus()];
    const reply = await get("/", "HEAD");
    expect(reply.status).toBe(200);
    expect(reply.body).toBe("");
    expect(Number(reply.headers["content-length"])).toBeGreaterThan(1000);
  });

  test.each([
    { host: "localhost:8080", path: "/", status: 200 },
    { host: "[::1]:8080", path: "/", status: 200 },
    { host: "evil.example", path: "/", status: 403 },
    { host: "evil.example", path: "/status.json", status: 403 },
    { host: "prometheus.internal", path: "/metrics", status: 200 },
  ])("bound to loopback, answers $path under the name $host with $status", async (given) => {
    routes = [routeStatus()];
    expect((await get(given.path, "GET", { host: given.host })).status).toBe(given.status);
  });

  test("tells nothing of a fault of its own", async () => {
    broken = true;
    const reply = await get("/");
    broken = false;
    expect(reply.status).toBe(500);
    expect(reply.body).toBe("The page could not be made\n");
  });

  test("says so when the port is in use", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(startHttp({ host: "127.0.0.1", port }, source)).rejects.toThrow(
      `Cannot serve HTTP on "127.0.0.1:${port}": the port is in use`,
    );
    await new Promise((resolve) => holder.close(resolve));
  });
});
