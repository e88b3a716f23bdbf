import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";

/** Another way to the same server: by a host name that its certificate does not have, or by TLS that it does not speak. */
export interface Forwarder {
  /** `host:port`. */
  readonly address: string;
  /** The certificates, in PEM, that clients have shown; one for each connection. */
  readonly shown: readonly string[];
  /** Asks whoever comes from now on by another certificate. Ends all connections, whose clients may come back. */
  change(tls: SecureContextOptions): void;
  /** From now on nothing passes, and no connection ends: the far side is gone without a word. */
  hold(): void;
  stop(): Promise<void>;
}

export interface ForwarderOptions {
  /** Default 127.0.0.2. */
  readonly host?: string;
  /** Speaks TLS to clients and asks them for a certificate that these authorities have signed. */
  readonly tls?: SecureContextOptions;
}

/** Passes on what comes to a port of 127.0.0.1. */
export async function forwardTo(
  port: number,
  { host = "127.0.0.2", tls }: ForwarderOptions = {},
): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const shown: string[] = [];
  let isHeld = false;
  const pass = (from: Socket): void => {
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
    if (!isHeld) from.pipe(to).pipe(from);
  };
  const secure =
    tls &&
    createTlsServer({ ...tls, requestCert: true }, (socket: TLSSocket) => {
      shown.push(String(socket.getPeerX509Certificate()));
      pass(socket);
    });
  const server = secure ?? createServer(pass);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    shown,
    change(context): void {
      secure?.setSecureContext(context);
      for (const socket of sockets) socket.destroy();
    },
    hold(): void {
      isHeld = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
