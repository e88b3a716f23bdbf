import type { MqttAuthentication, MqttConnection, SecretRef } from "../model/connection.ts";
import type { Asset, AssetDataset, AssetDiscovery, DeviceEndpoint } from "../model/device.ts";
import { topicNameProblem } from "../topics/topic-name.ts";
import type { Context } from "./context.ts";
import { type DeviceManifest, readDevice } from "./devices.ts";
import { parseBrokerUrl } from "./mqtt-connection.ts";
import { didYouMean } from "./nearest.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import type { Resource } from "./resource.ts";
import type { CompiledForward } from "./route-checks.ts";
import type {
  AssetSpec,
  DeviceSpec,
  InboundEndpoint,
  MqttEndpointConfiguration,
} from "./schema/device.ts";

/** What the Devices and Assets of the manifests come to. */
export interface DevicePlan {
  readonly manifests: readonly DeviceManifest[];
  readonly devices: readonly DeviceEndpoint[];
  readonly assets: readonly Asset[];
  readonly connections: readonly MqttConnection[];
  readonly forwards: readonly CompiledForward[];
}

/** The names that the broker of a cluster has within it. */
const builtInHost = /^aio-broker(?:[.-]|$)/;
const defaultSession = 3600;
const largestReceiveMaximum = 65_535;
const defaultConnectSeconds = 30;

interface Planning {
  readonly context: Context;
  /** Whether the host says which broker the built-in one is. */
  readonly knowsLocalBroker: boolean;
  readonly connections: Map<string, MqttConnection>;
}

/** Compiles Devices and Assets (S-60, S-61). */
export function planDevices(
  context: Context,
  resources: {
    readonly devices: readonly Resource<DeviceSpec>[];
    readonly assets: readonly Resource<AssetSpec>[];
  },
  knowsLocalBroker: boolean,
): DevicePlan {
  const planning: Planning = { context, knowsLocalBroker, connections: new Map() };
  const read = resources.devices.map((resource) => ({ resource, device: readDevice(resource) }));
  const devices = read.flatMap(({ resource, device }) => endpointsOf(planning, resource, device));
  const known = new Map(devices.map((endpoint) => [endpoint.name, endpoint]));
  const assets: Asset[] = [];
  const forwards: CompiledForward[] = [];
  for (const resource of resources.assets) {
    const compiled = compileAsset(resource, known, context);
    if (compiled === undefined) continue;
    assets.push(compiled.asset);
    forwards.push(...compiled.forwards);
  }
  return {
    manifests: read.map(({ device }) => device),
    devices,
    assets,
    connections: [...planning.connections.values()],
    forwards,
  };
}

function endpointsOf(
  planning: Planning,
  resource: Resource<DeviceSpec>,
  device: DeviceManifest,
): DeviceEndpoint[] {
  if (!device.enabled) {
    resource.report(
      "note",
      ["spec", "enabled"],
      `the device ${quote(device.name)} is disabled: skipped`,
    );
    return [];
  }
  return device.endpoints.flatMap((endpoint): DeviceEndpoint[] => {
    const path = ["spec", "endpoints", "inbound", endpoint.name];
    const source = sourceOf(planning, resource, path, endpoint);
    if (source === undefined) return [];
    const target = planning.context.localBroker("dataflow", resource.location);
    for (const connection of [source, target]) planning.connections.set(connection.id, connection);
    const { assetDiscoveryConfiguration: found, externalBrokerConfiguration: external } =
      endpoint.configuration;
    const prefix = found?.topicMappingPrefix || undefined;
    const discovery = found && discoveryOf(resource, path, found);
    return [
      {
        name: `${device.name}/${endpoint.name}`,
        device: device.name,
        endpoint: endpoint.name,
        location: resource.locate(path),
        source: source.id,
        target: target.id,
        ...(discovery === undefined ? {} : { discovery }),
        ...(prefix === undefined ? {} : { topicMappingPrefix: prefix }),
        ...(external?.receivePacketSizeMax === undefined
          ? {}
          : { maximumPacketSize: external.receivePacketSizeMax }),
        connectTimeoutMs: (external?.connectionTimeout ?? defaultConnectSeconds) * 1000,
      },
    ];
  });
}

function discoveryOf(
  resource: Resource,
  path: FieldPath,
  { topicFilter, assetLevel = 1 }: FoundConfiguration,
): AssetDiscovery {
  const levels = topicFilter.split("/").length;
  if (assetLevel > levels) {
    const field = ["additionalConfiguration", "assetDiscoveryConfiguration", "assetLevel"];
    const message = `assetLevel is ${assetLevel}, and ${quote(topicFilter)} has ${levels} levels`;
    resource.report("error", [...path, ...field], message);
  }
  return { topicFilter, assetLevel };
}

type FoundConfiguration = NonNullable<MqttEndpointConfiguration["assetDiscoveryConfiguration"]>;

/** The broker that an endpoint reads: the built-in one where it says so or is meant by its name in the cluster. */
function sourceOf(
  { context, knowsLocalBroker }: Planning,
  resource: Resource<DeviceSpec>,
  path: FieldPath,
  endpoint: DeviceManifest["endpoints"][number],
): MqttConnection | undefined {
  const { configuration, address } = endpoint;
  const id = `Device/${resource.name}/${endpoint.name}`;
  const own = parseBrokerUrl(address, resource.locate(path), "the address");
  const isBuiltIn =
    configuration.useBuiltInMqttBroker === true ||
    (knowsLocalBroker && typeof own !== "string" && builtInHost.test(own.host));
  if (isBuiltIn) return context.localBroker("dataflow", resource.location);
  if (typeof own === "string") {
    resource.report("error", [...path, "address"], own);
    return undefined;
  }
  const authentication = authenticationOf(context, resource, path, endpoint);
  if (authentication === undefined) return undefined;
  const trusted = endpoint.trustSettings?.trustList;
  if (trusted !== undefined) {
    context.references.use("ConfigMap", trusted, resource, [...path, "trustSettings", "trustList"]);
  }
  const external = configuration.externalBrokerConfiguration ?? {};
  return {
    ...own,
    id,
    tls: { ...own.tls, ...(trusted === undefined ? {} : { trustedCa: { name: trusted } }) },
    authentication,
    keepAlive: external.keepAlive ?? own.keepAlive,
    sessionExpiryInterval: external.sessionExpiry ?? defaultSession,
    maxInflightMessages: external.receiveMax ?? largestReceiveMaximum,
  };
}

function authenticationOf(
  context: Context,
  resource: Resource,
  path: FieldPath,
  { authentication }: Pick<InboundEndpoint, "authentication">,
): MqttAuthentication | undefined {
  const method = authentication?.method ?? "Anonymous";
  if (method === "Anonymous") return { method };
  const at = [...path, "authentication"];
  const use = (text: string | undefined, field: FieldPath, key: string): SecretRef | undefined => {
    if (text === undefined || text === "") {
      resource.report("error", at, `"${field.join(".")}" is missing: ${method} needs it`);
      return undefined;
    }
    const slash = text.lastIndexOf("/");
    const name = slash < 0 ? text : text.slice(0, slash);
    context.references.use("Secret", name, resource, [...at, ...field]);
    return { from: "secret", name, key: slash < 0 ? key : text.slice(slash + 1) };
  };
  if (method === "UsernamePassword") {
    const section = "usernamePasswordCredentials";
    const given = authentication?.usernamePasswordCredentials;
    const username = use(given?.usernameSecretName, [section, "usernameSecretName"], "username");
    const password = use(given?.passwordSecretName, [section, "passwordSecretName"], "password");
    return username && password && { method: "UserAndPassword", username, password };
  }
  const given = authentication?.x509Credentials;
  const field = ["x509Credentials", "certificateSecretName"];
  const certificate = use(given?.certificateSecretName, field, "tls.crt");
  if (certificate?.from !== "secret") return undefined;
  const key = given?.keySecretName?.replace(/\/[^/]*$/, "") || certificate.name;
  if (key !== certificate.name) {
    const message =
      "certificate and key are in different Secrets: put them into one, as tls.crt and tls.key";
    resource.report("error", [...at, "x509Credentials", "keySecretName"], message);
  }
  return { method: "X509Certificate", credential: { secretName: certificate.name } };
}

function compileAsset(
  resource: Resource<AssetSpec>,
  known: ReadonlyMap<string, DeviceEndpoint>,
  context: Context,
): { readonly asset: Asset; readonly forwards: readonly CompiledForward[] } | undefined {
  const { enabled, deviceRef, datasets = [], discoveredAssetRefs: found } = resource.spec;
  const { name } = resource;
  if (found !== undefined && found.length > 0 && !found.includes(name)) {
    const message = `the asset is named ${quote(name)}: its name must be that of the discovered asset, ${quote(found[0] ?? "")}`;
    resource.report("error", ["metadata", "name"], message);
  }
  if (enabled === false) {
    resource.report("note", ["spec", "enabled"], `the asset ${quote(name)} is disabled: skipped`);
    return undefined;
  }
  const endpoint = deviceRef && endpointNamed(resource, deviceRef, known, context);
  if (endpoint === undefined) {
    if (deviceRef === undefined) {
      resource.report("warning", ["spec"], '"deviceRef" is missing: the asset is not forwarded');
    }
    return undefined;
  }
  const forwards = datasets.flatMap((_, index) => compileDataset(resource, index, endpoint));
  if (datasets.length === 0) {
    resource.report("warning", ["spec"], "the asset has no dataset: nothing is forwarded");
  }
  const { device, endpoint: of } = endpoint;
  const asset = { name, device, endpoint: of, datasets: forwards.map(({ dataset }) => dataset) };
  return { asset, forwards };
}

function endpointNamed(
  resource: Resource,
  { deviceName, endpointName }: { readonly deviceName: string; readonly endpointName: string },
  known: ReadonlyMap<string, DeviceEndpoint>,
  context: Context,
): DeviceEndpoint | undefined {
  const name = `${deviceName}/${endpointName}`;
  const endpoint = known.get(name);
  if (endpoint === undefined && !context.broken.has(`Device/${deviceName}`)) {
    const hint = didYouMean(name, known.keys());
    const message = `there is no Device with the endpoint ${quote(name)} in the manifests${hint}`;
    resource.report("error", ["spec", "deviceRef"], message, "flow");
  }
  return endpoint;
}

function compileDataset(
  resource: Resource<AssetSpec>,
  index: number,
  endpoint: DeviceEndpoint,
): CompiledForward[] {
  const spec = resource.spec.datasets?.[index];
  if (spec === undefined) return [];
  const path = ["spec", "datasets", index];
  const topicFilter = spec.dataSource ?? spec.name;
  const given = spec.destinations ?? resource.spec.defaultDatasetsDestinations ?? [];
  const destination = given.find(({ target }) => target === "Mqtt");
  if (given.length > 0 && destination === undefined) {
    resource.report("warning", path, "the dataset goes to no MQTT topic: it is not forwarded");
    return [];
  }
  const { topic, qos = 1, retain, ttl } = destination?.configuration ?? {};
  const problem = spec.dataSource === undefined ? topicNameProblem(topicFilter) : undefined;
  if (problem !== undefined) resource.report("error", [...path, "name"], problem);
  const prefix = endpoint.topicMappingPrefix;
  if (topic === undefined && prefix === undefined && endpoint.source === endpoint.target) {
    resource.report(
      "error",
      path,
      "the dataset would be forwarded to the topic it comes from: give the endpoint a topicMappingPrefix, or the dataset a destination topic",
      "flow",
    );
    return [];
  }
  const dataset: AssetDataset = {
    name: spec.name,
    topicFilter,
    ...(topic === undefined ? {} : { topic }),
    qos,
    retain: retain === "Keep",
    ...(ttl === undefined ? {} : { ttl }),
  };
  const name = `${resource.name}/${spec.name}`;
  return problem === undefined ? [{ endpoint, name, dataset, resource, path }] : [];
}
