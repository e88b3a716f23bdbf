import { createServer } from "node:net";

/**
 * Below the range that Linux hands out to outgoing connections: a broker that restarts must get its port back,
 * and a client that keeps dialling a closed port inside that range can end up connected to itself.
 */
const FIRST = 15_000;
const LAST = 32_000;

/** So many distinct TCP ports of 127.0.0.1 on which nobody listens now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > 1000) throw new Error(`Cannot find ${count} free ports on 127.0.0.1`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
