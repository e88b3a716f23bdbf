import { describe, expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";
import type { Route } from "../../shared/model/route.ts";
import { compiled, fixture } from "./support.ts";

const withoutNotes = (result: ReturnType<typeof compiled>): unknown[] =>
  result.problems.filter(({ severity }) => severity !== "note");

function routeNamed(routes: readonly Route[], name: string): Route {
  const route = routes.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`no route ${name} among ${routes.map((r) => r.name)}`);
  return route;
}

describe("a KafkaConnector with its topic map", () => {
  const result = compiled(["connector-identity.yaml", "topic-map.yaml"]);

  test("is read without problems", () => {
    expect(withoutNotes(result)).toEqual([]);
  });

  test("becomes one route to Kafka with what the entry says and the connector's defaults (S-14, S-16)", () => {
    expect(routeNamed(result.plan.routes, "plant-connector/alarms")).toEqual({
      name: "plant-connector/alarms",
      targetName: "plant-connector",
      location: { file: "topic-map.yaml", line: 19, column: 9 },
      kafkaConnection: "KafkaConnector/plant-connector",
      mqttConnection: "KafkaConnector/plant-connector",
      copyMqttProperties: true,
      cloudEvents: "None",
      deadLetterTopic: "isthmus.dead-letter",
      qos: 1,
      instances: 2,
      clientIdPrefix: "plant",
      direction: "mqttToKafka",
      topicFilters: ["alarms/#"],
      sharedSubscription: { groupName: "alarm-readers", minimumShareNumber: 3 },
      kafkaTopic: "plant-alarms",
      acks: 1,
      compression: "None",
      batching: { enabled: true, latencyMs: 1000, maxMessages: 100, maxBytes: 1024 },
      partitionStrategy: { kind: "Property", property: "machine" },
      cloudEventsPrefix: "ce_",
    });
  });

  test("becomes one route to MQTT whose group is prefix and route name (S-26)", () => {
    expect(routeNamed(result.plan.routes, "plant-connector/setpoints")).toEqual({
      name: "plant-connector/setpoints",
      targetName: "plant-connector",
      location: { file: "topic-map.yaml", line: 28, column: 9 },
      kafkaConnection: "KafkaConnector/plant-connector",
      mqttConnection: "KafkaConnector/plant-connector",
      copyMqttProperties: true,
      cloudEvents: "None",
      deadLetterTopic: "isthmus.dead-letter",
      qos: 0,
      instances: 2,
      clientIdPrefix: "plant",
      direction: "kafkaToMqtt",
      topics: [{ kind: "name", topic: "plant-setpoints" }],
      consumerGroupId: "plant-setpoints",
      mqttTopic: "setpoints",
      retain: false,
      amqpHeaders: "Auto",
      restoreMqttProperties: false,
      binaryHeaders: "Remove",
    });
  });

  test("names both connections, Event Hubs known by its host", () => {
    expect(result.plan.kafkaConnections.get("KafkaConnector/plant-connector")).toEqual({
      id: "KafkaConnector/plant-connector",
      location: { file: "connector-identity.yaml", line: 5, column: 9 },
      bootstrapServers: ["plant-hub.servicebus.windows.net:9093"],
      tls: { enabled: true },
      authentication: {
        method: "SystemAssignedManagedIdentity",
        identity: { scope: "https://plant-hub.servicebus.windows.net/.default" },
      },
      isEventHubs: true,
      protocol: "Kafka",
    });
    expect(result.plan.mqttConnections.get("KafkaConnector/plant-connector")).toEqual({
      id: "KafkaConnector/plant-connector",
      location: { file: "connector-identity.yaml", line: 5, column: 9 },
      host: "broker.plant",
      port: 8883,
      protocol: "Mqtt",
      tls: { enabled: true, trustedCa: { name: "plant-ca" } },
      authentication: { method: "ServiceAccountToken", audience: "aio-mq" },
      keepAlive: 60,
      sessionExpiryInterval: 600,
      maxInflightMessages: 100,
    });
  });

  test("says where a ConfigMap that no manifest holds will be looked up (S-3)", () => {
    expect(result.problems.map(({ severity, message }) => [severity, message])).toEqual([
      [
        "note",
        'ConfigMap "plant-ca" is in no manifest: it will be looked up in the folder of mounted secrets (plant-ca/<key>) and in the environment (ISTHMUS_CONFIGMAP_PLANT_CA_<KEY>)',
      ],
    ]);
  });
});

describe("the older spellings of a KafkaConnector (S-2)", () => {
  const result = compiled(["connector-sasl.yaml", "topic-map.yaml"]);

  test("are read", () => {
    expect(withoutNotes(result)).toEqual([]);
    expect(result.plan.kafkaConnections.get("KafkaConnector/plant-connector")).toMatchObject({
      bootstrapServers: ["kafka-1.example:9093", "kafka-2.example:9093"],
      tls: { enabled: true, trustedCa: { name: "kafka-ca" } },
      authentication: {
        method: "Sasl",
        mechanism: "scram-sha-512",
        credential: { kind: "secret", name: "kafka-user" },
      },
      isEventHubs: false,
    });
  });

  test("without localBrokerConnection the broker is the cluster's own", () => {
    expect([...result.plan.mqttConnections.values()]).toMatchObject([
      {
        host: "aio-mq-dmqtt-frontend",
        port: 8883,
        tls: { enabled: true },
        authentication: { method: "ServiceAccountToken" },
      },
    ]);
  });
});

describe("credentials in Key Vault", () => {
  const { plan, problems } = compiled(["connector-key-vault.yaml"]);

  test("become references that hold no value (S-3)", () => {
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const vaultOf = (id: string) => plan.kafkaConnections.get(id)?.authentication;
    expect(vaultOf("KafkaConnector/vault-sasl")).toEqual({
      method: "Sasl",
      mechanism: "plain",
      credential: {
        kind: "usernamePassword",
        username: { from: "literal", value: "$ConnectionString" },
        password: {
          from: "keyVault",
          vault: "plant-vault",
          kind: "vaultSecret",
          name: "hub-connection",
          version: "7",
          directoryId: "11111111-2222-3333-4444-555555555555",
          servicePrincipalSecretName: "vault-principal",
        },
      },
    });
    expect(vaultOf("KafkaConnector/vault-x509")).toEqual({
      method: "X509Certificate",
      credential: {
        certificate: { from: "keyVault", vault: "plant-vault", kind: "vaultCert", name: "client" },
        caChain: {
          from: "keyVault",
          vault: "plant-vault",
          kind: "vaultCaChainSecret",
          name: "client-chain",
        },
      },
    });
  });
});

describe("data flows", () => {
  const result = compiled(["dataflows.yaml"]);

  test("are read without problems", () => {
    expect(withoutNotes(result)).toEqual([]);
  });

  test("several destinations become several numbered routes with all data sources in each", () => {
    expect(result.plan.routes.map(({ name }) => name)).toEqual([
      "upwards/1",
      "upwards/2",
      "hubs-in",
    ]);
    expect(routeNamed(result.plan.routes, "upwards/1")).toEqual({
      name: "upwards/1",
      targetName: "kafka",
      location: { file: "dataflows.yaml", line: 69, column: 9 },
      kafkaConnection: "DataflowEndpoint/kafka",
      mqttConnection: "local/aio-broker:18883",
      copyMqttProperties: true,
      cloudEvents: "Propagate",
      deadLetterTopic: "isthmus.dead-letter",
      qos: 1,
      instances: 3,
      clientIdPrefix: "",
      direction: "mqttToKafka",
      topicFilters: ["factory/+/state", "alarms/#"],
      sharedSubscription: { groupName: "isthmus-upwards-1", minimumShareNumber: 3 },
      kafkaTopic: "plant-state",
      acks: -1,
      compression: "Gzip",
      batching: { enabled: false, latencyMs: 5, maxMessages: 100_000, maxBytes: 1_000_000 },
      partitionStrategy: { kind: "Topic" },
      cloudEventsPrefix: "ce_",
    });
  });

  test("batching is on by default towards a data flow's Kafka (S-16)", () => {
    expect(routeNamed(result.plan.routes, "upwards/2")).toMatchObject({
      batching: { enabled: true, latencyMs: 5, maxMessages: 100_000, maxBytes: 1_000_000 },
      acks: -1,
      cloudEvents: "None",
    });
  });

  test("a Kafka source keeps expressions and names, the endpoint's group and the annotations (S-22, S-24, S-26, S-30)", () => {
    expect(routeNamed(result.plan.routes, "hubs-in")).toMatchObject({
      direction: "kafkaToMqtt",
      topics: [
        { kind: "pattern", pattern: "^(hall-1-.*|hall-2-.*)$" },
        { kind: "name", topic: "orders" },
      ],
      consumerGroupId: "plant-readers",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a topic template
      mqttTopic: "factory/${inputTopic}",
      retain: false,
      amqpHeaders: "Always",
      restoreMqttProperties: true,
      binaryHeaders: "Base64",
      deadLetterTopic: "plant.dead",
      instances: 1,
    });
  });

  test("the audience of a managed identity is the namespace unless it is given", () => {
    expect(result.plan.kafkaConnections.get("DataflowEndpoint/hub")?.authentication).toEqual({
      method: "SystemAssignedManagedIdentity",
      identity: { scope: "https://plant-hub.servicebus.windows.net/.default" },
    });
  });
});

describe("options", () => {
  test.each([
    [
      "mqtt://127.0.0.1:1884",
      {
        host: "127.0.0.1",
        port: 1884,
        tls: { enabled: false },
        authentication: { method: "Anonymous" },
      },
    ],
    ["mqtts://broker.example", { host: "broker.example", port: 8883, tls: { enabled: true } }],
    ["ws://[::1]:8083", { host: "::1", port: 8083, protocol: "WebSockets" }],
    [
      "wss://broker.example?secret=mq-user&ca=mq-ca",
      {
        port: 443,
        tls: { enabled: true, trustedCa: { name: "mq-ca" } },
        authentication: { method: "UsernamePassword", secretName: "mq-user" },
      },
    ],
  ])("localBroker %s is used where no manifest names a broker", (localBroker, expected) => {
    const flows = compiled(["dataflows.yaml"], { localBroker });
    expect([...flows.plan.mqttConnections.values()]).toMatchObject([expected]);
    const connector = compiled(["connector-sasl.yaml", "topic-map.yaml"], { localBroker });
    expect([...connector.plan.mqttConnections.values()]).toMatchObject([expected]);
  });

  test.each([
    ["not a url", "is not a URL"],
    ["http://broker", "has no known scheme"],
    ["mqtt://user:hunter2@broker", "holds a user name or password"],
  ])("localBroker %s is refused without being repeated", (localBroker, message) => {
    const { problems } = compiled(["dataflows.yaml"], { localBroker });
    const [problem] = problems.filter(({ severity }) => severity === "error");
    expect(problem?.message).toContain(message);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  test("strict counts warnings as errors", () => {
    const text = fixture("topic-map.yaml").text.replace("compression: none", "compresion: none");
    const files = [fixture("connector-identity.yaml"), { path: "map.yaml", text }];
    const severities = (strict: boolean) =>
      compileManifests(files, { strict }).problems.map(({ severity }) => severity);
    expect(severities(false)).toContain("warning");
    expect(severities(false)).not.toContain("error");
    expect(severities(true)).toContain("error");
    expect(severities(true)).not.toContain("warning");
  });
});

describe("devices and assets (S-60, S-61)", () => {
  const result = compiled(["devices.yaml"]);

  test("are handed on for discovery, their configuration read", () => {
    expect(withoutNotes(result)).toEqual([]);
    expect(result.devices).toEqual([
      {
        name: "hubs",
        location: { file: "devices.yaml", line: 4, column: 9 },
        enabled: true,
        endpoints: [
          {
            name: "mqtt-in",
            endpointType: "Microsoft.Mqtt",
            address: "mqtt://broker.plant:1883",
            authentication: { method: "Anonymous" },
            configuration: {
              useBuiltInMqttBroker: true,
              assetDiscoveryConfiguration: {
                topicFilter: "factory/+",
                assetLevel: 2,
                topicMappingPrefix: "processed",
              },
            },
          },
        ],
      },
    ]);
    expect(result.assets).toMatchObject([
      {
        kind: "Asset",
        name: "hall-1-press-kblj",
        deviceRef: { deviceName: "hubs", endpointName: "mqtt-in" },
        datasets: [
          {
            name: "press",
            dataSource: "factory/hall-1-press",
            destinations: [
              {
                target: "Mqtt",
                configuration: { topic: "processed/factory/hall-1-press", retain: "Never", qos: 1 },
              },
            ],
          },
        ],
      },
    ]);
  });
});
