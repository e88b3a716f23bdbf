import type { MqttAuthentication, MqttConnection, TlsSettings } from "../model/connection.ts";
import type { SourceLocation } from "../model/route.ts";
import { defaultKeepAlive, defaultMaxInflight, defaultSessionExpiry } from "./defaults.ts";
import { type HostAndPort, hasPlaceholder, parseHostAndPort } from "./hosts.ts";
import { systemIdentity, userIdentity } from "./identities.ts";
import { connectorTls, endpointTls } from "./kafka-connection.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import { connectorX509, type References } from "./references.ts";
import type { Resource } from "./resource.ts";
import type {
  DataflowEndpointSpec,
  EndpointAuthentication,
  MqttSettings,
} from "./schema/dataflow-endpoint.ts";
import type { KafkaConnectorSpec, LocalBrokerConnection } from "./schema/kafka-connector.ts";
import { x509Settings } from "./x509-settings.ts";

const eventGrid = "https://eventgrid.azure.net";
const anonymous: MqttAuthentication = { method: "Anonymous" };
const tokenOf = (audience: string): MqttAuthentication => ({
  method: "ServiceAccountToken",
  audience,
});

const usual = {
  keepAlive: defaultKeepAlive,
  sessionExpiryInterval: defaultSessionExpiry,
  maxInflightMessages: defaultMaxInflight,
};

/** The broker beside the flows, where no manifest says which: known by the names it has in its cluster. */
export function clusterBroker(
  of: "connector" | "dataflow",
  location: SourceLocation,
): MqttConnection {
  const [host, port, audience] =
    of === "connector"
      ? (["aio-mq-dmqtt-frontend", 8883, "aio-mq"] as const)
      : (["aio-broker", 18_883, "aio-internal"] as const);
  return {
    id: `local/${host}:${port}`,
    location,
    host,
    port,
    protocol: "Mqtt",
    tls: { enabled: true },
    authentication: tokenOf(audience),
    ...usual,
  };
}

const schemes: Readonly<
  Record<string, { tls: boolean; protocol: "Mqtt" | "WebSockets"; port: number }>
> = {
  "mqtt:": { tls: false, protocol: "Mqtt", port: 1883 },
  "mqtts:": { tls: true, protocol: "Mqtt", port: 8883 },
  "ws:": { tls: false, protocol: "WebSockets", port: 80 },
  "wss:": { tls: true, protocol: "WebSockets", port: 443 },
};

/**
 * Reads `mqtt://host:port`, `mqtts://…`, `ws://…` or `wss://…`, with `?secret=NAME` for a Secret of username and password and
 * `?ca=NAME` for a ConfigMap of trusted certificates; the reason why not as text, without the URL: it may hold a password.
 */
export function parseLocalBroker(url: string, location: SourceLocation): MqttConnection | string {
  return parseBrokerUrl(url, location, "the address of the local broker");
}

/** The same for the URL of any broker; `what` names it in the reason. */
export function parseBrokerUrl(
  url: string,
  location: SourceLocation,
  what: string,
): MqttConnection | string {
  if (!URL.canParse(url)) return `${what} is not a URL: write mqtt://host:port`;
  const parsed = new URL(url);
  const scheme = schemes[parsed.protocol];
  if (scheme === undefined || parsed.hostname === "") {
    return `${what} has no known scheme: write mqtt://, mqtts://, ws:// or wss://, then host:port`;
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return `${what} holds a user name or password: put them into a Secret and write ?secret=NAME`;
  }
  const port = parsed.port === "" ? scheme.port : Number(parsed.port);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const secretName = parsed.searchParams.get("secret");
  const ca = parsed.searchParams.get("ca");
  return {
    id: `local/${host}:${port}`,
    location,
    host,
    port,
    protocol: scheme.protocol,
    tls: { enabled: scheme.tls, ...(ca === null ? {} : { trustedCa: { name: ca } }) },
    authentication: secretName === null ? anonymous : { method: "UsernamePassword", secretName },
    ...usual,
  };
}

/** The MQTT side of a KafkaConnector that says where its broker is. */
export function connectorMqtt(
  resource: Resource<KafkaConnectorSpec>,
  local: LocalBrokerConnection,
  references: References,
): MqttConnection | undefined {
  const path = ["spec", "localBrokerConnection"];
  const tls = connectorTls(resource, [...path, "tls"], local.tls, references);
  const endpoint = local.endpoint ?? "aio-mq-dmqtt-frontend:8883";
  const address = mqttAddress(resource, [...path, "endpoint"], endpoint, tls);
  const authentication = localAuthentication(resource, local, references);
  if (address === undefined || authentication === undefined) return undefined;
  return {
    id: `KafkaConnector/${resource.name}`,
    location: resource.location,
    ...address,
    protocol: "Mqtt",
    tls,
    authentication: withSecret(resource, authentication, references),
    ...usual,
    maxInflightMessages: resource.annotations.maxInflightMessages ?? defaultMaxInflight,
  };
}

function localAuthentication(
  resource: Resource,
  local: LocalBrokerConnection,
  references: References,
): MqttAuthentication | undefined {
  const { kubernetes, x509 } = local.authentication ?? {};
  if (kubernetes !== undefined) return tokenOf("aio-mq");
  if (x509 === undefined) return anonymous;
  const path = ["spec", "localBrokerConnection", "authentication", "x509"];
  const credential = connectorX509(x509, resource, path, references);
  return credential === undefined ? undefined : { method: "X509Certificate", credential };
}

/** `isthmus.dev/mqtt-secret` names what the documents' fields cannot: a user name and a password. */
function withSecret(
  resource: Resource,
  authentication: MqttAuthentication,
  references: References,
): MqttAuthentication {
  const secretName = resource.annotations.mqttSecret;
  if (secretName === undefined) return authentication;
  references.use("Secret", secretName, resource, [
    "metadata",
    "annotations",
    "isthmus.dev/mqtt-secret",
  ]);
  return { method: "UsernamePassword", secretName };
}

/** The MQTT connection of a DataflowEndpoint of type Mqtt; `local` is the broker that holds where no host is given. */
export function endpointMqtt(
  resource: Resource<DataflowEndpointSpec>,
  local: MqttConnection,
  references: References,
): MqttConnection | undefined {
  const settings = resource.spec.mqttSettings ?? {};
  const path = ["spec", "mqttSettings"];
  const tls =
    settings.tls === undefined && settings.host === undefined
      ? local.tls
      : endpointTls(resource, [...path, "tls"], settings.tls, references);
  const address =
    settings.host === undefined
      ? { host: local.host, port: local.port }
      : mqttAddress(resource, [...path, "host"], settings.host, tls, settings.protocol);
  const authentication = endpointAuthentication(resource, settings, local, references);
  if (address === undefined || authentication === undefined) return undefined;
  return {
    id: `DataflowEndpoint/${resource.name}`,
    location: resource.location,
    ...address,
    protocol: settings.protocol ?? (settings.host === undefined ? local.protocol : "Mqtt"),
    tls,
    authentication: withSecret(resource, authentication, references),
    keepAlive: settings.keepAliveSeconds ?? defaultKeepAlive,
    sessionExpiryInterval: settings.sessionExpirySeconds ?? defaultSessionExpiry,
    maxInflightMessages: settings.maxInflightMessages ?? defaultMaxInflight,
  };
}

function endpointAuthentication(
  resource: Resource<DataflowEndpointSpec>,
  settings: MqttSettings,
  local: MqttConnection,
  references: References,
): MqttAuthentication | undefined {
  const spec = settings.authentication ?? resource.spec.authentication;
  if (spec === undefined)
    return settings.host === undefined ? local.authentication : tokenOf("aio-internal");
  const path =
    settings.authentication === undefined
      ? ["spec", "authentication"]
      : ["spec", "mqttSettings", "authentication"];
  return mqttAuthentication(resource, path, spec, references);
}

function mqttAuthentication(
  resource: Resource,
  path: FieldPath,
  spec: EndpointAuthentication,
  references: References,
): MqttAuthentication | undefined {
  switch (spec.method) {
    case "Anonymous":
      return anonymous;
    case "ServiceAccountToken":
      return tokenOf(spec.serviceAccountTokenSettings?.audience ?? "aio-internal");
    case "X509Certificate": {
      const credential = x509Settings(resource, path, spec, references);
      return credential === undefined ? undefined : { method: spec.method, credential };
    }
    case "SystemAssignedManagedIdentity": {
      const audience = spec.systemAssignedManagedIdentitySettings?.audience;
      return { method: spec.method, identity: systemIdentity(audience, eventGrid) };
    }
    case "UserAssignedManagedIdentity": {
      const identity = userIdentity(spec.userAssignedManagedIdentitySettings, eventGrid);
      return { method: spec.method, identity };
    }
    case "Sasl":
      resource.report(
        "error",
        [...path, "method"],
        '"Sasl" is for Kafka endpoints: use ServiceAccountToken, X509Certificate, SystemAssignedManagedIdentity, UserAssignedManagedIdentity or Anonymous, or name a Secret by the annotation isthmus.dev/mqtt-secret',
      );
      return undefined;
  }
}

function mqttAddress(
  resource: Resource,
  path: FieldPath,
  text: string,
  ...[tls, protocol = "Mqtt"]: [TlsSettings, ("Mqtt" | "WebSockets")?]
): HostAndPort | undefined {
  const withoutPath = text.replace(/\/mqtt$/, "");
  if (hasPlaceholder(text))
    return { host: withoutPath.replace(/:\d+$/, ""), port: portOf(withoutPath) };
  if (withoutPath !== text && protocol !== "WebSockets") {
    resource.report(
      "error",
      path,
      `${quote(text)} has a path: only the protocol WebSockets takes one`,
    );
    return undefined;
  }
  const plainPort = protocol === "WebSockets" ? 80 : 1883;
  const tlsPort = protocol === "WebSockets" ? 443 : 8883;
  const parsed = parseHostAndPort(withoutPath, tls.enabled ? tlsPort : plainPort);
  if (typeof parsed !== "string") return parsed;
  resource.report("error", path, parsed);
  return undefined;
}

function portOf(text: string): number {
  return Number(/:(\d{1,5})$/.exec(text)?.[1] ?? 8883);
}
