import { expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";

const connectorWith = (local: object, annotations: object = {}): string => {
  const head = (kind: string, metadata: object) =>
    `apiVersion: mq.iotoperations.azure.com/v1beta1\nkind: ${kind}\nmetadata: ${JSON.stringify(metadata)}\n`;
  return `${head("KafkaConnector", { name: "c", annotations })}spec: ${JSON.stringify({
    kafkaConnection: { endpoint: "kafka:9092", authentication: { enabled: false } },
    ...local,
  })}
---
${head("KafkaConnectorTopicMap", { name: "m" })}spec: ${JSON.stringify({
    kafkaConnectorRef: "c",
    routes: [{ mqttToKafka: { name: "a", mqttTopic: "t", kafkaTopic: "k" } }],
  })}
`;
};

const vaultRef = { from: "keyVault", vault: "v", kind: "vaultCert", name: "n" };

test.each<[string, object, object, object]>([
  [
    "anonymous",
    { endpoint: "b:1883", tls: { tlsEnabled: false } },
    {},
    { host: "b", port: 1883, tls: { enabled: false }, authentication: { method: "Anonymous" } },
  ],
  [
    "no endpoint",
    { authentication: { kubernetes: {} } },
    {},
    {
      host: "aio-mq-dmqtt-frontend",
      port: 8883,
      authentication: { method: "ServiceAccountToken" },
    },
  ],
  [
    "a Secret's certificate",
    { authentication: { x509: { secretName: "s" } } },
    {},
    { authentication: { method: "X509Certificate", credential: { secretName: "s" } } },
  ],
  [
    "a vault's certificate",
    { authentication: { x509: { keyVault: { vault: { name: "v" }, vaultCert: { name: "n" } } } } },
    {},
    { authentication: { method: "X509Certificate", credential: { certificate: vaultRef } } },
  ],
  [
    "a user by annotation",
    { endpoint: "b:1883" },
    { "isthmus.dev/mqtt-secret": "user" },
    { authentication: { method: "UsernamePassword", secretName: "user" } },
  ],
  [
    "a window by annotation",
    { endpoint: "b:1883" },
    { "isthmus.dev/max-inflight-messages": "5" },
    { maxInflightMessages: 5 },
  ],
])("localBrokerConnection: %s", (_, localBrokerConnection, annotations, expected) => {
  const text = connectorWith({ localBrokerConnection }, annotations);
  const { plan, problems } = compileManifests([{ path: "m", text }]);
  expect(problems.filter(({ severity }) => severity !== "note")).toEqual([]);
  expect([...plan.mqttConnections.values()]).toMatchObject([expected]);
});

test("a broker that cannot be reached as written leaves no route behind", () => {
  const text = connectorWith({
    localBrokerConnection: { endpoint: "mqtt://b", authentication: { x509: {} } },
  });
  const { plan, problems } = compileManifests([{ path: "m", text }]);
  expect(plan.routes).toEqual([]);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('"mqtt://b" is a URL'),
    expect.stringContaining("no certificate is named"),
  ]);
});

test("several instances share one subscription of a name of our own (S-33)", () => {
  const text = connectorWith({ instances: 3 });
  expect(compileManifests([{ path: "m", text }]).plan.routes).toMatchObject([
    { instances: 3, sharedSubscription: { groupName: "isthmus-c-a", minimumShareNumber: 3 } },
  ]);
});

test("one instance shares nothing (S-33)", () => {
  const [route] = compileManifests([{ path: "m", text: connectorWith({ instances: 1 }) }]).plan
    .routes;
  expect(route).not.toHaveProperty("sharedSubscription");
});
