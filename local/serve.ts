import { randomBytes } from "node:crypto";
import type { HttpAddress } from "./http/address.ts";
import type { PageSource } from "./http/pages.ts";
import { type HttpServer, startHttp } from "./http/server.ts";
import { RateSampler } from "./rates.ts";
import type { Runner } from "./runner.ts";

const SAMPLE_EVERY_MS = 1000;

function processFacts(): { residentBytes: number; cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}

/** Serves a runner's pages, with rates sampled once a second. @throws BridgeError when the address cannot be listened on. */
export async function serve(
  runner: Runner,
  address: HttpAddress,
  version: string,
): Promise<HttpServer> {
  const startedAt = Date.now();
  const sampler = new RateSampler();
  const source: PageSource = {
    view: () => {
      const recent = runner.recent();
      const assets = runner.assets();
      return {
        version,
        startedAt,
        now: Date.now(),
        routes: runner.status(),
        rates: sampler.rates(),
        workerRestarts: runner.workerRestarts(),
        ...(recent === undefined ? {} : { recent }),
        ...(assets.endpoints.length === 0 ? {} : { assets }),
      };
    },
    process: () => ({
      version,
      startedAt,
      workerRestarts: runner.workerRestarts(),
      ...processFacts(),
    }),
    nonce: () => randomBytes(16).toString("base64"),
  };
  const server = await startHttp(address, source);
  const sampling = setInterval(() => sampler.sample(runner.status(), Date.now()), SAMPLE_EVERY_MS);
  sampling.unref();
  return {
    address: server.address,
    stop: async () => {
      clearInterval(sampling);
      await server.stop();
    },
  };
}
