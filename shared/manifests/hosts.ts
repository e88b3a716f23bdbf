/** Addresses as manifests write them. */
import { isIP } from "node:net";
import { quote } from "./quote.ts";

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const clouds = [
  "servicebus.windows.net",
  "servicebus.chinacloudapi.cn",
  "servicebus.usgovcloudapi.net",
  "servicebus.cloudapi.de",
];

/** Whether a `host` or `host:port` is an Event Hubs namespace, in the public or a sovereign cloud. */
export function isEventHubsHost(address: string): boolean {
  const host = address.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
  return clouds.some((cloud) => host.endsWith(`.${cloud}`));
}

/** Text such as `<HOST>` that an author has still to replace; told of as a warning where it was read. */
export function hasPlaceholder(text: string): boolean {
  return /<[A-Za-z][\w .-]*>/.test(text);
}

const notAHost = (text: string): string => `${quote(text)} is not a host and port: write host:port`;

/** Reads `host:port` or `[v6]:port`; the reason why not as text. */
export function parseHostAndPort(text: string, defaultPort?: number): HostAndPort | string {
  if (text.includes("://")) {
    return `${quote(text)} is a URL: write it without ${quote(text.replace(/:\/\/.*$/s, "://"))}, as host:port`;
  }
  const match = /^(\[[^\]]+\]|[^\s:/[\]]+)(?::(\d{1,6}))?$/.exec(text);
  const host = (match?.[1] ?? "").replace(/^\[|\]$/g, "");
  if (match === null || !isHostName(host)) return notAHost(text);
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port === undefined)
    return `${quote(text)} has no port: write ${quote(`${text}:${usualPort(text)}`)}`;
  if (port < 1 || port > 65_535)
    return `port ${port} of ${quote(text)} is not allowed: use 1 to 65535`;
  return { host, port };
}

function isHostName(host: string): boolean {
  if (host.includes(":")) return isIP(host) === 6;
  return host.length <= 253 && /^[\w]([\w.-]*[\w.])?$/.test(host);
}

function usualPort(host: string): number {
  return isEventHubsHost(host) ? 9093 : 9092;
}

/** Reads Kafka's bootstrap servers, separated by commas; the reason why not as text. */
export function parseBootstrapServers(text: string): readonly string[] | string {
  const servers = text.split(",").map((server) => server.trim());
  for (const server of servers) {
    if (hasPlaceholder(server)) continue;
    const parsed = parseHostAndPort(server);
    if (typeof parsed === "string") return parsed;
  }
  return servers;
}
