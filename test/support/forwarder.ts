import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Another address for the same server, which its certificate does not name. */
export interface Forwarder {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Passes on what comes to 127.0.0.2 to a port of 127.0.0.1. */
export async function forwardTo(port: number): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((from) => {
    const to = connect({ host: "127.0.0.1", port });
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.2", resolve);
  });
  return {
    address: `127.0.0.2:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
