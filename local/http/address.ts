import { BridgeError } from "../../shared/errors.ts";

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";

/** Reads `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `PORT`; without a host it is loopback. @throws BridgeError USAGE. */
export function parseHttpAddress(text: string): HttpAddress {
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new BridgeError("USAGE", `Option --http must be HOST:PORT, as 127.0.0.1:8080: "${text}"`);
  }
  return { host: match[1] || match[2] || LOOPBACK, port };
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** A URL that a browser on this machine can open. */
export function httpUrl({ host, port }: HttpAddress): string {
  const reachable = host === "0.0.0.0" ? LOOPBACK : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}/`;
}
