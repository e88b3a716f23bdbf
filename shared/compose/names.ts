import type { Route } from "../model/route.ts";

type Named = Pick<Route, "name" | "clientIdPrefix">;

/** A part of an identifier with only what every broker allows in one. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "");
}

/**
 * The Client Identifier of a subscriber: the same at every start, for the session is kept under it (S-51),
 * and another for each instance and each subscriber of a shared group.
 */
export function subscriberIdentifier(route: Named, instance: number, share: number): string {
  const prefix = route.clientIdPrefix === "" ? "" : `${plain(route.clientIdPrefix)}-`;
  return `${prefix}isthmus-${plain(route.name)}-${instance}-${share}`;
}

/** The Client Identifier of a publisher: it keeps no session, and several processes may publish for one route. */
export function publisherIdentifier(route: Named, unique: string): string {
  const prefix = route.clientIdPrefix === "" ? "" : `${plain(route.clientIdPrefix)}-`;
  return `${prefix}isthmus-${plain(route.name)}-${unique.slice(0, 8)}`;
}

/** The Kafka client.id, for the broker's logs and quotas. */
export function kafkaClientId(route: Route, instance: number): string {
  const prefix = route.clientIdPrefix === "" ? "" : `${plain(route.clientIdPrefix)}-`;
  return `${prefix}isthmus-${plain(route.name)}-${instance}`;
}

/** What `isthmus verify` calls itself, towards MQTT and Kafka: never what the route does, for the route is running. */
export function verifierIdentifier(route: Route, run: string): string {
  const prefix = route.clientIdPrefix === "" ? "" : `${plain(route.clientIdPrefix)}-`;
  return `${prefix}isthmus-verify-${run}`;
}

/** The longest name that Kafka takes for a group instance id. */
const LONGEST_INSTANCE_ID = 249;

/** The group instance id of a route's consumer: the same at every start on this host, and another on every other host. */
export function groupInstanceId(route: Route, instance: number, hostName: string): string {
  return `${kafkaClientId(route, instance)}.${plain(hostName)}`.slice(-LONGEST_INSTANCE_ID);
}
