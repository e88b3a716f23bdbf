import { describe, expect, test } from "vitest";
import type { LoadResult } from "../../shared/manifests/compile.ts";
import { compileManifests } from "../../shared/manifests/compile.ts";

const head = (kind: string, name: string): string =>
  `apiVersion: connectivity.iotoperations.azure.com/v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

/** One flow to MQTT and one to Kafka over two endpoints whose specs are given as JSON. */
function flowsOver(kafka: object, mqtt: object, others = ""): LoadResult {
  const flow = (name: string, [from, source]: string[], [to, target]: string[]) =>
    `${head("Dataflow", name)}spec:
  operations:
    - {operationType: SOURCE, sourceSettings: {endpointRef: ${from}, dataSources: [${source}]}}
    - {operationType: destination, destinationSettings: {endpointRef: ${to}, dataDestination: ${target}}}
`;
  const text = [
    `${head("DataflowEndpoint", "k")}spec: ${JSON.stringify(kafka)}\n`,
    `${head("DataflowEndpoint", "m")}spec: ${JSON.stringify(mqtt)}\n`,
    flow("down", ["k", "in"], ["m", "out"]),
    flow("up", ["m", "up/#"], ["k", "up"]),
    ...(others === "" ? [] : [others]),
  ].join("---\n");
  return compileManifests([{ path: "m.yaml", text }]);
}

const settings = { host: "kafka:9092", consumerGroupId: "g" };
const kafkaOf = (more: object) => ({
  endpointType: "Kafka",
  kafkaSettings: { ...settings, ...more },
});
const mqttOf = (more: object) => ({
  endpointType: "mqttSettings",
  mqttSettings: { host: "broker:8883", ...more },
});
const errorsOf = ({ problems }: LoadResult): unknown[] =>
  problems.filter(({ severity }) => severity !== "note");

describe("Kafka authentication", () => {
  test.each<[string, object, object]>([
    ["none", {}, { method: "Anonymous" }],
    ["anonymous", { method: "anonymous", anonymousSettings: {} }, { method: "Anonymous" }],
    [
      "SASL by tokenSecretName (S-8)",
      { method: "sasl", saslSettings: { saslType: "PLAIN", tokenSecretName: "s" } },
      { method: "Sasl", mechanism: "plain", credential: { kind: "secret", name: "s" } },
    ],
    [
      "SASL by token.secretName (S-2)",
      { method: "Sasl", saslSettings: { saslType: "scram-sha-256", token: { secretName: "s" } } },
      { method: "Sasl", mechanism: "scram-sha-256", credential: { kind: "secret", name: "s" } },
    ],
    [
      "X.509",
      { method: "X509Certificate", x509CertificateSettings: { secretRef: "s" } },
      { method: "X509Certificate", credential: { secretName: "s" } },
    ],
    [
      "X.509 by its older name (S-8)",
      { method: "x509Credentials", x509CredentialsSettings: { certificateSecretName: "s" } },
      { method: "X509Certificate", credential: { secretName: "s" } },
    ],
    [
      "the system's identity with an audience",
      {
        method: "SystemAssignedManagedIdentity",
        systemAssignedManagedIdentitySettings: { audience: "https://a/" },
      },
      { method: "SystemAssignedManagedIdentity", identity: { scope: "https://a/.default" } },
    ],
    [
      "a user's identity without settings",
      { method: "UserAssignedManagedIdentity", userAssignedManagedIdentitySettings: {} },
      { method: "UserAssignedManagedIdentity", identity: { scope: "https://kafka/.default" } },
    ],
    [
      "a user's identity",
      {
        method: "UserAssignedManagedIdentity",
        userAssignedManagedIdentitySettings: {
          clientId: "c",
          tenantId: "t",
          scope: "https://a/.default",
        },
      },
      {
        method: "UserAssignedManagedIdentity",
        identity: { clientId: "c", tenantId: "t", scope: "https://a/.default" },
      },
    ],
  ])("%s", (_, authentication, expected) => {
    const given = Object.keys(authentication).length === 0 ? {} : { authentication };
    const inside = flowsOver(kafkaOf(given), mqttOf({}));
    const outside = flowsOver({ ...kafkaOf({}), ...given }, mqttOf({}));
    for (const result of [inside, outside]) {
      expect(errorsOf(result)).toEqual([]);
      expect(result.plan.kafkaConnections.get("DataflowEndpoint/k")?.authentication).toEqual(
        expected,
      );
    }
  });
});

describe("MQTT authentication", () => {
  test.each<[string, object, object]>([
    ["none", {}, { method: "ServiceAccountToken", audience: "aio-internal" }],
    ["anonymous", { method: "Anonymous" }, { method: "Anonymous" }],
    [
      "a service account token",
      { method: "serviceAccountToken", serviceAccountTokenSettings: { audience: "a" } },
      { method: "ServiceAccountToken", audience: "a" },
    ],
    [
      "X.509",
      { method: "X509Certificate", x509CertificateSettings: { secretRef: "s" } },
      { method: "X509Certificate", credential: { secretName: "s" } },
    ],
    [
      "the system's identity",
      { method: "SystemAssignedManagedIdentity" },
      {
        method: "SystemAssignedManagedIdentity",
        identity: { scope: "https://eventgrid.azure.net/.default" },
      },
    ],
    [
      "a user's identity",
      {
        method: "UserAssignedManagedIdentity",
        userAssignedManagedIdentitySettings: { clientId: "c", audience: "https://a" },
      },
      {
        method: "UserAssignedManagedIdentity",
        identity: { clientId: "c", scope: "https://a/.default" },
      },
    ],
  ])("%s", (_, authentication, expected) => {
    const given = Object.keys(authentication).length === 0 ? {} : { authentication };
    const inside = flowsOver(kafkaOf({}), mqttOf(given));
    const outside = flowsOver(kafkaOf({}), { ...mqttOf({}), ...given });
    for (const result of [inside, outside]) {
      expect(errorsOf(result)).toEqual([]);
      expect(result.plan.mqttConnections.get("DataflowEndpoint/m")?.authentication).toEqual(
        expected,
      );
    }
  });
});

describe("MQTT endpoints", () => {
  test.each<[object, object]>([
    [
      { host: "b:8883" },
      {
        host: "b",
        port: 8883,
        protocol: "Mqtt",
        tls: { enabled: true },
        keepAlive: 60,
        sessionExpiryInterval: 600,
        maxInflightMessages: 100,
      },
    ],
    [{ host: "b" }, { port: 8883 }],
    [
      { host: "b", tls: { mode: "disabled" } },
      { port: 1883, tls: { enabled: false } },
    ],
    [
      { host: "b/mqtt", protocol: "WebSockets" },
      { host: "b", port: 443, protocol: "WebSockets" },
    ],
    [{ host: "b", protocol: "websockets", tls: { mode: "Disabled" } }, { port: 80 }],
    [{ host: "[::1]:1883" }, { host: "::1", port: 1883 }],
    [{ host: "<HOST>:<PORT>" }, { host: "<HOST>:<PORT>", port: 8883 }],
    [{ host: "<HOST>:1885" }, { host: "<HOST>", port: 1885 }],
    [
      { keepAliveSeconds: 5, sessionExpirySeconds: 0, maxInflightMessages: 7 },
      { host: "broker", keepAlive: 5, sessionExpiryInterval: 0, maxInflightMessages: 7 },
    ],
    [
      { tls: { mode: "Enabled", trustedCaCertificateConfigMap: "ca" } },
      { tls: { enabled: true, trustedCa: { name: "ca" } } },
    ],
    [
      { tls: { trustedCaCertificateConfigMapRef: "ca" } },
      { tls: { enabled: true, trustedCa: { name: "ca" } } },
    ],
  ])("%o", (more, expected) => {
    const { plan } = flowsOver(kafkaOf({}), mqttOf(more));
    expect(plan.mqttConnections.get("DataflowEndpoint/m")).toMatchObject(expected);
  });

  test("without a host, the local broker is meant, with what is said beside", () => {
    const { plan } = flowsOver(kafkaOf({}), { endpointType: "Mqtt", mqttSettings: { qos: 0 } });
    expect(plan.mqttConnections.get("DataflowEndpoint/m")).toMatchObject({
      host: "aio-broker",
      port: 18_883,
      authentication: { method: "ServiceAccountToken", audience: "aio-internal" },
    });
    expect(plan.routes.map(({ qos }) => qos)).toEqual([0, 0]);
  });

  test("an endpoint named default is used when the manifests define it", () => {
    const defined = `${head("DataflowEndpoint", "default")}spec: {endpointType: Mqtt, mqttSettings: {host: "mine:1883"}}
---
${head("Dataflow", "third")}spec:
  operations:
    - {operationType: Source, sourceSettings: {endpointRef: default, dataSources: [x]}}
    - {operationType: Destination, destinationSettings: {endpointRef: k, dataDestination: x}}
`;
    const { plan } = flowsOver(kafkaOf({}), mqttOf({}), defined);
    expect(plan.mqttConnections.get("DataflowEndpoint/default")).toMatchObject({ host: "mine" });
  });

  test("settings of the MQTT side reach both routes", () => {
    const { plan } = flowsOver(
      kafkaOf({ copyMqttProperties: "disabled" }),
      mqttOf({
        clientIdPrefix: "p",
        retain: "keep",
        maxInflightMessages: 9,
        mqttVersion: "v5",
        sharedSubscription: { groupName: "g", groupMinimumShareNumber: 4 },
      }),
    );
    expect(plan.routes).toMatchObject([
      {
        name: "down",
        clientIdPrefix: "p",
        retain: true,
        maxInflightMessages: 9,
        copyMqttProperties: false,
      },
      {
        name: "up",
        clientIdPrefix: "p",
        sharedSubscription: { groupName: "g", minimumShareNumber: 4 },
        copyMqttProperties: false,
      },
    ]);
  });

  test.each([
    ["Keep", undefined, true],
    ["Never", undefined, false],
    [undefined, undefined, false],
    ["Keep", "false", false],
    ["Never", "true", true],
  ])("retain %s with the annotation %s: %s (S-23)", (retain, annotation, expected) => {
    const text = [
      `${head("DataflowEndpoint", "k")}spec: ${JSON.stringify(kafkaOf({}))}\n`,
      `${head("DataflowEndpoint", "m")}spec: ${JSON.stringify(mqttOf(retain === undefined ? {} : { retain }))}\n`,
      `${head("Dataflow", "down")}spec: ${JSON.stringify({
        operations: [
          { operationType: "Source", sourceSettings: { endpointRef: "k", dataSources: ["a"] } },
          {
            operationType: "Destination",
            destinationSettings: { endpointRef: "m", dataDestination: "b" },
          },
        ],
      })}\n`.replace(
        "{name: down}",
        JSON.stringify({
          name: "down",
          annotations: annotation === undefined ? {} : { "isthmus.dev/retain": annotation },
        }),
      ),
    ].join("---\n");
    expect(compileManifests([{ path: "m", text }]).plan.routes).toMatchObject([
      { retain: expected },
    ]);
  });
});

describe("cloudEventAttributes (S-2, S-40)", () => {
  test.each<[string, object, object, string[]]>([
    ["nowhere", kafkaOf({}), mqttOf({}), ["None", "None"]],
    [
      "of the Kafka endpoint hold for both directions",
      kafkaOf({ cloudEventAttributes: "propagate" }),
      mqttOf({}),
      ["Propagate", "Propagate"],
    ],
    [
      "in any case",
      kafkaOf({ CloudEventAttributes: "CreateOrRemap" }),
      mqttOf({}),
      ["CreateOrRemap", "CreateOrRemap"],
    ],
    [
      "under mqttSettings of a Kafka endpoint",
      { ...kafkaOf({}), mqttSettings: { CloudEventAttributes: "Propagate" } },
      mqttOf({}),
      ["Propagate", "Propagate"],
    ],
    [
      "of the destination come first",
      kafkaOf({ cloudEventAttributes: "CreateOrRemap" }),
      mqttOf({ cloudeventattributes: "Propagate" }),
      ["Propagate", "CreateOrRemap"],
    ],
  ])("%s", (_, kafka, mqtt, expected) => {
    const result = flowsOver(kafka, mqtt);
    expect(errorsOf(result)).toEqual([]);
    expect(result.plan.routes.map(({ cloudEvents }) => cloudEvents)).toEqual(expected);
  });
});

describe("acks of data flows never promise less than the documents (S-14)", () => {
  test.each([
    ["None", 0],
    ["Zero", 1],
    ["One", -1],
    ["All", -1],
    [undefined, -1],
  ])("%s is %i", (kafkaAcks, acks) => {
    const { plan } = flowsOver(kafkaOf(kafkaAcks === undefined ? {} : { kafkaAcks }), mqttOf({}));
    expect(plan.routes).toMatchObject([{ name: "down" }, { name: "up", acks }]);
  });
});

describe("Event Hubs is known by its host", () => {
  test.each([
    ["a.servicebus.windows.net:9093", true],
    ["A.ServiceBus.Windows.Net:9093", true],
    ["a.servicebus.usgovcloudapi.net:9093", true],
    ["a.servicebus.chinacloudapi.cn:9093", true],
    ["<NAMESPACE>.servicebus.windows.net:9093", true],
    ["servicebus.windows.net.evil.example:9093", false],
    ["kafka:9092,b:9092", false],
  ])("%s: %s", (host, isEventHubs) => {
    const { plan } = flowsOver(kafkaOf({ host }), mqttOf({}));
    expect(plan.kafkaConnections.get("DataflowEndpoint/k")).toMatchObject({ isEventHubs });
  });
});

test.each([
  [
    {
      endpointType: "Kafka",
      kafkaSettings: { ...settings, authentication: { method: "Anonymous" } },
    },
    "x509",
    0,
  ],
  [
    {
      endpointType: "Kafka",
      kafkaSettings: {
        ...settings,
        authentication: { method: "x509Certificate", x509CredentialsSettings: {} },
      },
    },
    "secretRef",
    1,
  ],
  [
    {
      endpointType: "Kafka",
      kafkaSettings: {
        ...settings,
        authentication: {
          method: "Sasl",
          saslSettings: { saslType: "Plain", secretRef: "a", tokenSecretName: "b" },
        },
      },
    },
    "name different things",
    1,
  ],
])("%o: %s %i times", (kafka, message, count) => {
  const { problems } = flowsOver(kafka, mqttOf({}));
  expect(
    problems.filter((problem) => problem.severity === "error" && problem.message.includes(message)),
  ).toHaveLength(count);
});
