import { describe, expect, test } from "vitest";
import { compileManifests, type LoadResult } from "../../shared/manifests/compile.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";

const head = (kind: string, name: string): string =>
  `apiVersion: namespaces.deviceregistry.microsoft.com/v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const found =
  '"assetDiscoveryConfiguration": {"topicFilter": "factory/+", "assetLevel": 2, "topicMappingPrefix": "processed"}';

interface DeviceText {
  readonly configuration?: string;
  readonly address?: string;
  readonly more?: string;
  readonly name?: string;
}

function device({
  configuration = `"useBuiltInMqttBroker": true, ${found}`,
  address = "mqtt://aio-broker:1883",
  more = "",
  name = "kafka-incoming",
}: DeviceText = {}): string {
  return `${head("Device", name)}spec:
  endpoints:
    inbound:
      mqtt:
        endpointType: Microsoft.Mqtt
        address: ${address}
        additionalConfiguration: '{${configuration}}'
${more}`;
}

function asset(
  datasets: string,
  { name = "robot-abcd", more = "", endpoint = "mqtt" } = {},
): string {
  return `${head("Asset", name)}spec:
  deviceRef: {deviceName: kafka-incoming, endpointName: ${endpoint}}
${more}  datasets: ${datasets}
`;
}

const localBroker = "mqtt://localhost:1883";
const load = (texts: readonly string[], options: object = { localBroker }): LoadResult =>
  compileManifests([{ path: "m", text: texts.join("---\n") }], options);
const problemsOf = (...texts: string[]): string[] =>
  load(texts)
    .problems.filter(({ severity }) => severity !== "note")
    .map((problem) => formatProblem(problem).replace(/^m:\d+:\d+: /, ""));

describe("a Device's endpoint (S-60)", () => {
  test("of the recipe for a Kafka source is read as it says", () => {
    const { plan, problems } = load([device(), asset("[{name: factory/robot}]")]);
    expect(problems).toEqual([]);
    expect(plan.devices).toEqual([
      {
        name: "kafka-incoming/mqtt",
        device: "kafka-incoming",
        endpoint: "mqtt",
        location: { file: "m", line: 8, column: 9 },
        source: "local/localhost:1883",
        target: "local/localhost:1883",
        discovery: { topicFilter: "factory/+", assetLevel: 2 },
        topicMappingPrefix: "processed",
        connectTimeoutMs: 30_000,
      },
    ]);
    expect(plan.assets).toEqual([
      {
        name: "robot-abcd",
        device: "kafka-incoming",
        endpoint: "mqtt",
        datasets: [{ name: "factory/robot", topicFilter: "factory/robot", qos: 1, retain: false }],
      },
    ]);
    expect([...plan.mqttConnections.keys()]).toEqual(["local/localhost:1883"]);
    expect(plan.routes).toEqual([]);
  });

  const sourceOf = (text: DeviceText, options?: object) => {
    const { plan } = load([device(text)], options);
    const [endpoint] = plan.devices ?? [];
    return { endpoint, source: plan.mqttConnections.get(endpoint?.source ?? "") };
  };

  test.each([
    ["useBuiltInMqttBroker", { address: "mqtt://elsewhere:1" }, { localBroker }, "localhost:1883"],
    [
      "useBuiltInMqttBroker, in the cluster",
      { address: "mqtt://elsewhere:1" },
      {},
      "aio-broker:18883",
    ],
    ["the built-in broker's name", { configuration: found }, { localBroker }, "localhost:1883"],
    ["the built-in broker's name, in the cluster", { configuration: found }, {}, "aio-broker:1883"],
    [
      "its whole name",
      { configuration: found, address: "mqtts://aio-broker.ns:8883" },
      { localBroker },
      "localhost:1883",
    ],
    [
      "another broker",
      { configuration: found, address: "mqtt://plant:1885" },
      { localBroker },
      "plant:1885",
    ],
  ])("reads the broker that is meant: %s", (_, text, options, address) => {
    const { source } = sourceOf(text, options);
    expect(`${source?.host}:${source?.port}`).toBe(address);
  });

  test("forwards from another broker to the built-in one, with the connection that it describes", () => {
    const external =
      '"externalBrokerConfiguration": {"keepAlive": 20, "receiveMax": 50, "receivePacketSizeMax": 9000, "sessionExpiry": 70, "connectionTimeout": 5}';
    const { endpoint, source } = sourceOf({
      configuration: `${found}, ${external}`,
      address: "mqtts://plant:8884",
    });
    expect(endpoint).toMatchObject({
      source: "Device/kafka-incoming/mqtt",
      target: "local/localhost:1883",
      maximumPacketSize: 9000,
      connectTimeoutMs: 5000,
    });
    expect(source).toMatchObject({
      host: "plant",
      port: 8884,
      tls: { enabled: true },
      authentication: { method: "Anonymous" },
      keepAlive: 20,
      sessionExpiryInterval: 70,
      maxInflightMessages: 50,
    });
    expect(sourceOf({ configuration: "", address: "mqtt://plant:1" }).source).toMatchObject({
      keepAlive: 60,
      sessionExpiryInterval: 3600,
      maxInflightMessages: 65_535,
    });
  });

  const external = { configuration: found, address: "mqtts://plant:8884" };
  test("reads its credentials and whom it trusts", () => {
    const password =
      "        authentication: {method: UsernamePassword, usernamePasswordCredentials: {usernameSecretName: s/user, passwordSecretName: t}}\n        trustSettings: {trustList: plant-ca}\n";
    expect(sourceOf({ ...external, more: password }).source).toMatchObject({
      authentication: {
        method: "UserAndPassword",
        username: { from: "secret", name: "s", key: "user" },
        password: { from: "secret", name: "t", key: "password" },
      },
      tls: { enabled: true, trustedCa: { name: "plant-ca" } },
    });
    const x509 =
      "        authentication: {method: Certificate, x509Credentials: {certificateSecretName: s/tls.crt, keySecretName: s/tls.key}}\n";
    expect(sourceOf({ ...external, more: x509 }).source).toMatchObject({
      authentication: { method: "X509Certificate", credential: { secretName: "s" } },
    });
  });

  test.each([
    [
      { ...external, address: "plant:1883" },
      "error: the address has no known scheme: write mqtt://, mqtts://, ws:// or wss://, then host:port (spec.endpoints.inbound.mqtt.address)",
    ],
    [
      { ...external, address: "mqtt://u:p@plant:1883" },
      "error: the address holds a user name or password: put them into a Secret and write ?secret=NAME (spec.endpoints.inbound.mqtt.address)",
    ],
    [
      { configuration: found.replace("2", "3") },
      'error: assetLevel is 3, and "factory/+" has 2 levels (spec.endpoints.inbound.mqtt.additionalConfiguration.assetDiscoveryConfiguration.assetLevel)',
    ],
    [
      {
        ...external,
        more: "        authentication: {method: UsernamePassword, usernamePasswordCredentials: {usernameSecretName: s}}\n",
      },
      'error: "usernamePasswordCredentials.passwordSecretName" is missing: UsernamePassword needs it (spec.endpoints.inbound.mqtt.authentication)',
    ],
    [
      { ...external, more: "        authentication: {method: X509Certificate}\n" },
      'error: "x509Credentials.certificateSecretName" is missing: X509Certificate needs it (spec.endpoints.inbound.mqtt.authentication)',
    ],
    [
      {
        ...external,
        more: "        authentication: {method: X509Certificate, x509Credentials: {certificateSecretName: a/tls.crt, keySecretName: b/tls.key}}\n",
      },
      "error: certificate and key are in different Secrets: put them into one, as tls.crt and tls.key (spec.endpoints.inbound.mqtt.authentication.x509Credentials.keySecretName)",
    ],
  ])("says what is wrong: %#", (text, line) => {
    expect(problemsOf(device(text))).toEqual([line]);
  });

  test("that is disabled is skipped, and so are assets that are", () => {
    const disabled = device().replace("spec:\n", "spec:\n  enabled: false\n");
    const { plan, problems } = load([disabled]);
    expect(plan.devices).toBeUndefined();
    expect(problems).toMatchObject([{ severity: "note" }]);
    const off = load([device(), asset("[{name: a/b}]", { more: "  enabled: false\n" })]);
    expect(off.plan.assets).toEqual([]);
  });
});

describe("an Asset (S-61)", () => {
  const datasetsOf = (datasets: string, more = "") => {
    const { plan, problems } = load([device(), asset(datasets, { more })]);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    return plan.assets?.[0]?.datasets;
  };

  test("may say where its datasets go, one by one or all at once", () => {
    expect(
      datasetsOf(
        "[{name: a, dataSource: factory/a, destinations: [{target: Mqtt, configuration: {topic: x/a, retain: Keep, qos: Qos0, ttl: 60}}]}, {name: factory/b}]",
        "  defaultDatasetsDestinations: [{target: Storage}, {target: Mqtt, configuration: {topic: x/rest}}]\n",
      ),
    ).toEqual([
      { name: "a", topicFilter: "factory/a", topic: "x/a", qos: 0, retain: true, ttl: 60 },
      { name: "factory/b", topicFilter: "factory/b", topic: "x/rest", qos: 1, retain: false },
    ]);
  });

  test.each([
    [
      "has the name of the discovered asset",
      [asset("[{name: a/b}]", { more: "  discoveredAssetRefs: [robot-wxyz]\n" })],
      'error: the asset is named "robot-abcd": its name must be that of the discovered asset, "robot-wxyz" (metadata.name)',
    ],
    [
      "has a device",
      [`${head("Asset", "a")}spec: {datasets: [{name: a/b}]}\n`],
      'warning: "deviceRef" is missing: the asset is not forwarded (spec)',
    ],
    [
      "has a device that is there",
      [asset("[{name: a/b}]", { endpoint: "mqt" })],
      'error: there is no Device with the endpoint "kafka-incoming/mqt" in the manifests; did you mean kafka-incoming/mqtt? (spec.deviceRef)',
    ],
    [
      "has a dataset",
      [asset("[]")],
      "warning: the asset has no dataset: nothing is forwarded (spec)",
    ],
    [
      "goes to MQTT",
      [asset("[{name: a/b, destinations: [{target: BrokerStateStore}]}]")],
      "warning: the dataset goes to no MQTT topic: it is not forwarded (spec.datasets[0])",
    ],
    [
      "goes to a legal topic",
      [asset("[{name: a/b, destinations: [{target: Mqtt, configuration: {topic: a/+}}]}]")],
      'error: Topic Name "a/+" must not contain the wildcards "+" and "#" (spec.datasets[0].destinations[0].configuration.topic)',
    ],
    [
      "comes from a legal topic",
      [asset("[{name: a/#/b}]")],
      'error: Topic Name "a/#/b" must not contain the wildcards "+" and "#" (spec.datasets[0].name)',
    ],
  ])("%s", (_, texts, line) => {
    expect(problemsOf(device(), ...texts)).toEqual([line]);
  });

  test("has the name of the discovered asset, one of several", () => {
    expect(
      problemsOf(
        device(),
        asset("[{name: a/b}]", { more: "  discoveredAssetRefs: [robot-abcd]\n" }),
      ),
    ).toEqual([]);
  });
});

describe("nothing is forwarded in a circle (S-7)", () => {
  const bare = device({ configuration: '"useBuiltInMqttBroker": true' });
  const to = (source: string, topic: string): string =>
    `[{name: d, dataSource: "${source}", destinations: [{target: Mqtt, configuration: {topic: ${topic}}}]}]`;

  test("to the topic it comes from", () => {
    expect(problemsOf(bare, asset("[{name: factory/robot}]"))).toEqual([
      "error: the dataset would be forwarded to the topic it comes from: give the endpoint a topicMappingPrefix, or the dataset a destination topic (spec.datasets[0])",
    ]);
    // from another broker that is no circle
    const external = device({ configuration: "", address: "mqtt://plant:1883" });
    expect(problemsOf(external, asset("[{name: factory/robot}]"))).toEqual([]);
  });

  test("through a topic that it reads itself, or another asset", () => {
    expect(problemsOf(bare, asset(to("factory/#", "factory/all")))).toEqual([
      "error: these routes and assets feed themselves: robot-abcd/d -> mqtt:factory/all -> robot-abcd/d (spec.datasets[0])",
    ]);
    expect(
      problemsOf(bare, asset(to("a/+", "b/x")), asset(to("b/+", "a/x"), { name: "other" })),
    ).toEqual([
      "error: these routes and assets feed themselves: robot-abcd/d -> mqtt:b/x -> other/d -> mqtt:a/x -> robot-abcd/d (spec.datasets[0])",
    ]);
  });

  test("through Kafka", () => {
    const flow = (name: string, [from, source]: string[], [end, topic]: string[]): string =>
      `apiVersion: connectivity.iotoperations.azure.com/v1\nkind: Dataflow\nmetadata: {name: ${name}}\nspec:\n  operations:\n    - {operationType: Source, sourceSettings: {endpointRef: ${from}, dataSources: [${source}]}}\n    - {operationType: Destination, destinationSettings: {endpointRef: ${end}, dataDestination: "${topic}"}}\n`;
    const kafka = `apiVersion: connectivity.iotoperations.azure.com/v1\nkind: DataflowEndpoint\nmetadata: {name: k}\nspec: {endpointType: Kafka, kafkaSettings: {host: "k:9092", consumerGroupId: g}}\n`;
    const texts = [
      kafka,
      flow("in", ["k", "robots"], ["default", "factory/robots"]),
      flow("out", ["default", "processed/#"], ["k", "robots"]),
      device(),
    ];
    expect(problemsOf(...texts)).toEqual([]);
    expect(problemsOf(...texts, asset("[{name: factory/robots}]"))).toEqual([
      "error: these routes and assets feed themselves: in -> mqtt:factory/robots -> robot-abcd/factory/robots -> mqtt:processed/factory/robots -> out -> kafka:robots -> in (spec.operations[1].destinationSettings)",
    ]);
  });

  test("what lies under the endpoint's own prefix is let lie, so a filter may match it", () => {
    expect(problemsOf(device(), asset('[{name: all, dataSource: "#"}]'))).toEqual([]);
  });
});
