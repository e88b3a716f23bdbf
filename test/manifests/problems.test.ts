// biome-ignore-all lint/suspicious/noTemplateCurlyInString: topic templates are written so
import { describe, expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";
import { problemsOf } from "./support.ts";

const head = (kind: string, name = "x"): string => {
  const group = kind.startsWith("Kafka") ? "mq" : "connectivity";
  return `apiVersion: ${group}.iotoperations.azure.com/v1beta1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;
};

const connector = (spec = ""): string =>
  `${head("KafkaConnector", "c")}spec:\n  kafkaConnection:\n    endpoint: kafka:9092\n${spec}`;

/** A topic map behind a connector; its `spec` begins on line 15. */
const mapped = (spec: string): string =>
  `${connector("    tls: {tlsEnabled: false}\n")}---\n${head("KafkaConnectorTopicMap", "m")}spec:\n  kafkaConnectorRef: c\n${spec}`;

const entry = (fields: string): string => mapped(`  routes:\n    - mqttToKafka: {${fields}}\n`);
const up = "name: a, mqttTopic: t, kafkaTopic: k";
const down = "name: b, mqttTopic: u, kafkaTopic: l";

const endpoint = (settings: string, name = "k"): string =>
  `${head("DataflowEndpoint", name)}spec:\n  endpointType: Kafka\n  kafkaSettings:\n    host: kafka:9092\n${settings}`;

/** A flow; its `spec` begins on line 5. */
const flow = (from: string, sources: string, to: string, destination: string): string =>
  `${head("Dataflow", "f")}spec:
  operations:
    - operationType: Source
      sourceSettings: {endpointRef: ${from}, dataSources: ${sources}}
    - operationType: Destination
      destinationSettings: {endpointRef: ${to}, dataDestination: ${destination}}
`;

describe("what is wrong is told with its place, what is allowed and the nearest spelling (S-1)", () => {
  test.each<[string, string, string[]]>([
    [
      "QoS 2 (S-5)",
      entry(`${up}, qos: 2`),
      ["17:64: error: QoS 2 is not supported: use 0 or 1 (spec.routes[0].mqttToKafka.qos)"],
    ],
    [
      "another QoS",
      entry(`${up}, qos: one`),
      ['17:64: error: "one" is not allowed: use 0 or 1 (spec.routes[0].mqttToKafka.qos)'],
    ],
    [
      "an unknown field",
      entry(`${up}, kafkaAck: one`),
      [
        '17:59: warning: "kafkaAck" is not a known field and has no effect; did you mean kafkaAcks? (spec.routes[0].mqttToKafka.kafkaAck)',
      ],
    ],
    [
      "a wrong enumeration",
      entry(`${up}, kafkaAcks: oen`),
      [
        '17:70: error: "oen" is not allowed: use Zero, One or All; did you mean One? (spec.routes[0].mqttToKafka.kafkaAcks)',
      ],
    ],
    [
      "a missing field",
      entry("name: a, mqttTopic: t"),
      ['17:7: error: "kafkaTopic" is missing (spec.routes[0].mqttToKafka.kafkaTopic)'],
    ],
    [
      "a number where text belongs",
      entry("name: 7, mqttTopic: t, kafkaTopic: k"),
      ['17:27: error: found 7, expected text: write "7" (spec.routes[0].mqttToKafka.name)'],
    ],
    [
      "an empty text",
      mapped('  partitionKeyProperty: ""\n  partitionStrategy: property\n  routes: []\n'),
      ["16:25: error: this is empty: give a text (spec.partitionKeyProperty)"],
    ],
    [
      "a missing enumeration",
      `${head("DataflowEndpoint")}spec:\n  mqttSettings: {qos: 1}\n`,
      ['5:1: error: "endpointType" is missing (spec.endpointType)'],
    ],
    [
      "a name with a blank",
      entry('name: "a b", mqttTopic: t, kafkaTopic: k'),
      [
        '17:27: error: "a b" is not a name: use text without spaces and "/" (spec.routes[0].mqttToKafka.name)',
      ],
    ],
    [
      "text where true or false belongs",
      connector("    authentication: {enabled: yes, authType: {x509: {secretName: s}}}\n"),
      [
        '8:31: error: "yes" is not allowed: use true or false (spec.kafkaConnection.authentication.enabled)',
      ],
    ],
    [
      "a list where fields belong",
      mapped("  batching: [1]\n  routes: []\n"),
      ["16:13: error: found a list, expected fields (name: value, indented) (spec.batching)"],
    ],
    [
      "fields where a list belongs",
      mapped("  routes: {a: 1}\n"),
      [
        "16:11: error: found fields, expected a list (- … on a line of its own for each item) (spec.routes)",
      ],
    ],
    [
      "a number out of range",
      mapped("  batching: {latencyMs: 70000, maxMessages: 0.5}\n  routes: []\n"),
      [
        "16:25: error: 70000 is not allowed: use a whole number, between 0 and 65535 (spec.batching.latencyMs)",
        "16:45: error: 0.5 is not allowed: use a whole number, 1 or more (spec.batching.maxMessages)",
      ],
    ],
    [
      "text where a number belongs",
      mapped("  batching: {maxBytes: 1MB}\n  routes: []\n"),
      [
        '16:24: error: "1MB" is not allowed: use a whole number, 1 or more (spec.batching.maxBytes)',
      ],
    ],
    [
      "two settings of one thing that contradict each other (S-2)",
      mapped(
        `  batching: {enabled: true, mode: Disabled}\n  routes:\n    - mqttToKafka: {${up}}\n`,
      ),
      [
        '16:23: error: "enabled" and "mode" contradict each other: keep one (spec.batching.enabled)',
      ],
    ],
    [
      "a strategy without its property (S-13)",
      mapped(`  partitionStrategy: property\n  routes:\n    - mqttToKafka: {${up}}\n`),
      [
        '16:22: error: "partitionKeyProperty" is missing: the strategy Property needs the name of a user property (spec.partitionStrategy)',
      ],
    ],
    [
      "a property without its strategy",
      mapped(`  partitionKeyProperty: id\n  routes:\n    - mqttToKafka: {${up}}\n`),
      [
        '16:25: warning: "partitionKeyProperty" has no effect with the strategy Default: it needs partitionStrategy Property (spec.partitionKeyProperty)',
      ],
    ],
    [
      "an entry of two directions",
      mapped(`  routes:\n    - mqttToKafka: {${up}}\n      kafkaToMqtt: {${down}}\n`),
      [
        "17:7: error: two directions in one route: give one of mqttToKafka and kafkaToMqtt (spec.routes[0])",
      ],
    ],
    [
      "an entry of no direction",
      mapped("  routes:\n    - {}\n"),
      [
        "17:7: error: no direction in one route: give one of mqttToKafka and kafkaToMqtt (spec.routes[0])",
      ],
    ],
    [
      "a reference to a connector that is not there",
      mapped(`  routes:\n    - mqttToKafka: {${up}}\n`).replace("Ref: c", "Ref: cc"),
      [
        '15:22: error: there is no KafkaConnector named "cc" in the manifests; did you mean c? (spec.kafkaConnectorRef)',
      ],
    ],
    [
      "shared groups that differ",
      entry("name: a, mqttTopic: $share/g/t, kafkaTopic: k, sharedSubscription: {groupName: h}"),
      [
        '17:41: error: the topic\'s group "g" and sharedSubscription.groupName "h" differ: keep one (spec.routes[0].mqttToKafka.mqttTopic)',
      ],
    ],
    [
      "acks zero with QoS 1",
      entry(`${up}, kafkaAcks: zero`),
      [
        "17:70: warning: Kafka is not asked to acknowledge: a message may be lost although its QoS is 1 (spec.routes[0].mqttToKafka.kafkaAcks)",
      ],
    ],
    [
      "two routes of one name",
      mapped(`  routes:\n    - mqttToKafka: {${up}}\n    - mqttToKafka: {${up}}\n`),
      [
        '18:20: error: the route "c/a" is defined twice: the other one is at m.yaml:17:20 (spec.routes[1].mqttToKafka)',
      ],
    ],
    [
      "two resources of one name",
      `${endpoint("")}---\n${endpoint("")}`,
      [
        '13:9: error: the DataflowEndpoint "k" is defined twice: the other one is at m.yaml:4:9 (metadata.name)',
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});

describe("topics", () => {
  const filter = (text: string) =>
    entry(`name: a, mqttTopic: ${JSON.stringify(text)}, kafkaTopic: k`);
  const target = (text: string) =>
    entry(`name: a, mqttTopic: t, kafkaTopic: ${JSON.stringify(text)}`);
  const source = (text: string) =>
    mapped(
      `  routes:\n    - kafkaToMqtt: {name: b, mqttTopic: u, kafkaTopic: ${JSON.stringify(text)}}\n`,
    );
  const out = (text: string) =>
    mapped(
      `  routes:\n    - kafkaToMqtt: {name: b, kafkaTopic: l, mqttTopic: ${JSON.stringify(text)}}\n`,
    );

  test.each<[string, string, string]>([
    ["MQTT filter", filter("*"), '"*" is not a wildcard in MQTT: use "#" for every topic'],
    ["MQTT filter", filter(""), "Topic Filter must not be empty"],
    ["MQTT filter", filter("a/#/b"), 'must have "#" only as its whole last level'],
    ["MQTT filter", filter("a#"), 'must have "#" only as its whole last level'],
    ["MQTT filter", filter("a/b+"), 'must have "+" only as a whole level'],
    ["MQTT filter", filter("a\u0000"), "must not contain U+0000"],
    ["MQTT filter", filter("x".repeat(65_536)), "must have at most 65535 bytes"],
    ["MQTT filter", filter("$share/g"), "must be $share/<groupName>/<filter>"],
    ["MQTT filter", filter("$shared/+/a"), "must be $share/<groupName>/<filter>"],
    ["Kafka destination", target(""), "Kafka topic must not be empty"],
    ["Kafka destination", target(".."), 'Kafka topic must not be ".."'],
    [
      "Kafka destination",
      target("a b"),
      'must have only letters, digits, ".", "_" and "-": it has " "',
    ],
    ["Kafka destination", target("é-${inputTopic}"), 'it has "é"'],
    ["Kafka destination", target("x".repeat(250)), "must have at most 249 characters"],
    [
      "Kafka destination",
      target("${output}"),
      'must not contain "${output}": allowed are "${inputTopic}"',
    ],
    ["Kafka destination", target("${inputTopics}"), 'must not contain "${inputTopics}"'],
    ["Kafka destination", target("${inputTopic.0}"), 'must not contain "${inputTopic.0}"'],
    ["Kafka destination", target("a${inputTopic"), 'must not contain "${inputTopic"'],
    ["Kafka source (S-30)", source("hall-*"), 'must not contain the wildcard "*"'],
    ["Kafka source (S-30)", source("hall-?"), 'must not contain the wildcard "?"'],
    ["Kafka source (S-30)", source("hall.#"), 'must not contain the wildcard "#"'],
    ["Kafka source (S-30)", source(`^${"a".repeat(1000)}`), "at most 1000 are allowed"],
    ["Kafka source (S-30)", source("^hall-("), "must be a regular expression"],
    ["Kafka source (S-30)", source("hall/1"), 'it has "/"'],
    ["MQTT destination (S-32)", out("a/+"), 'must not contain the wildcards "+" and "#"'],
    ["MQTT destination (S-32)", out("a/#"), 'must not contain the wildcards "+" and "#"'],
    ["MQTT destination (S-32)", out(""), "Topic Name must not be empty"],
    ["MQTT destination (S-32)", out("x".repeat(65_536)), "must have at most 65535 bytes"],
    ["MQTT destination (S-31)", out("a/${topic}"), 'must not contain "${topic}"'],
  ])("%s: %#", (_, text, expected) => {
    const [problem, ...others] = problemsOf(text);
    expect(problem).toContain(expected);
    expect(problem).toContain(": error: ");
    expect(others).toEqual([]);
  });

  test.each([
    ["$share/g/a/#", "g", "a/#"],
    ["$shared/g/a/#", "g", "a/#"],
  ])("%s is the group %s and the filter %s (S-8)", (text, groupName, topicFilter) => {
    const { plan } = compileManifests([{ path: "m", text: filter(text) }]);
    expect(plan.routes).toMatchObject([
      { topicFilters: [topicFilter], sharedSubscription: { groupName, minimumShareNumber: 1 } },
    ]);
  });

  test.each(["a/b", "$${x}", "${inputTopic.2}-x", "x.${inputTopic}"])(
    "%s is a Kafka destination (S-17, S-31)",
    (text) => {
      const expected = text === "$${x}" ? 1 : 0;
      expect(problemsOf(target(text))).toHaveLength(expected);
    },
  );
});

describe("connections", () => {
  const auth = (fields: string) => connector(`    authentication: ${fields}\n`);
  const settings = (fields: string) => endpoint(`    authentication: ${fields}\n`);

  test.each<[string, string, string[]]>([
    [
      "no port",
      connector().replace("kafka:9092", "kafka"),
      ['7:15: error: "kafka" has no port: write "kafka:9092" (spec.kafkaConnection.endpoint)'],
    ],
    [
      "no port of Event Hubs",
      connector().replace("kafka:9092", "a.servicebus.windows.net"),
      [
        '7:15: error: "a.servicebus.windows.net" has no port: write "a.servicebus.windows.net:9093" (spec.kafkaConnection.endpoint)',
      ],
    ],
    [
      "a URL",
      connector().replace("kafka:9092", "sb://a:1"),
      [
        '7:15: error: "sb://a:1" is a URL: write it without "sb://", as host:port (spec.kafkaConnection.endpoint)',
      ],
    ],
    [
      "a port out of range",
      connector().replace("kafka:9092", "a:70000"),
      [
        '7:15: error: port 70000 of "a:70000" is not allowed: use 1 to 65535 (spec.kafkaConnection.endpoint)',
      ],
    ],
    [
      "no host at all",
      connector().replace("kafka:9092", "a b:1"),
      [
        '7:15: error: "a b:1" is not a host and port: write host:port (spec.kafkaConnection.endpoint)',
      ],
    ],
    [
      "Event Hubs without TLS and anonymous",
      connector("    tls: {tlsEnabled: false}\n").replace(
        "kafka:9092",
        "a.servicebus.windows.net:9093",
      ),
      [
        "6:3: warning: Event Hubs takes no anonymous connection: give an authentication method (spec.kafkaConnection.authentication)",
        "8:23: error: Event Hubs takes no connection without TLS: enable it (spec.kafkaConnection.tls.tlsEnabled)",
      ],
    ],
    [
      "no authentication method",
      auth("{enabled: true}"),
      [
        "8:5: error: no method is given: give one of sasl, x509 and systemAssignedManagedIdentity (spec.kafkaConnection.authentication.authType)",
      ],
    ],
    [
      "two authentication methods",
      auth("{authType: {x509: {secretName: a}, sasl: {saslType: plain, secretName: a}}}"),
      [
        "8:32: error: 2 methods are given: give one of sasl, x509 and systemAssignedManagedIdentity (spec.kafkaConnection.authentication.authType)",
      ],
    ],
    [
      "SASL without a credential",
      auth("{authType: {sasl: {saslType: plain}}}"),
      [
        "8:39: error: no credential is named: give one of secretName, token.secretName and token.keyVault (spec.kafkaConnection.authentication.authType.sasl)",
      ],
    ],
    [
      "SASL with two Secrets",
      auth("{authType: {sasl: {saslType: scramSha256, secretName: a, token: {secretName: b}}}}"),
      [
        '8:98: error: "secretName" and "token.secretName" name different things: keep one (spec.kafkaConnection.authentication.authType.sasl.token.secretName)',
      ],
    ],
    [
      "X.509 without a certificate",
      auth("{authType: {x509: {keyVault: {vault: {name: v}}}}}"),
      [
        '8:39: error: no certificate is named: give "secretName", or "keyVault" with "vaultCert" or "vaultCaChainSecret" (spec.kafkaConnection.authentication.authType.x509)',
      ],
    ],
    [
      "a password without TLS",
      `${auth("{authType: {sasl: {saslType: plain, secretName: a}}}")}    tls: {tlsEnabled: false}\n`,
      [
        "9:23: warning: the password crosses the network unencrypted: enable TLS, or use a ScramSha type (spec.kafkaConnection.tls.tlsEnabled)",
      ],
    ],
    [
      "AMQP towards something else",
      connector().replace(
        "  name: c\n",
        "  name: c\n  annotations: {isthmus.dev/protocol: Amqp}\n",
      ),
      [
        '8:15: error: "kafka:9092" is not an Event Hubs namespace: isthmus.dev/protocol Amqp needs one (*.servicebus.windows.net) (spec.kafkaConnection.endpoint)',
      ],
    ],
    [
      "an endpoint without its settings",
      `${head("DataflowEndpoint")}spec:\n  endpointType: Kafka\n`,
      ['6:3: error: "kafkaSettings" is missing: an endpoint of type Kafka needs it (spec)'],
    ],
    [
      "host outside kafkaSettings (S-8)",
      `${endpoint("")}  host: kafka:9092\n`,
      ['9:3: error: "host" does not belong here: write it as spec.kafkaSettings.host (spec.host)'],
    ],
    [
      "an MQTT method on a Kafka endpoint",
      settings("{method: ServiceAccountToken}"),
      [
        '9:30: error: "ServiceAccountToken" is for MQTT endpoints: use Sasl, X509Certificate, SystemAssignedManagedIdentity, UserAssignedManagedIdentity or Anonymous (spec.kafkaSettings.authentication.method)',
      ],
    ],
    [
      "Sasl without settings",
      settings("{method: Sasl}"),
      [
        '9:21: error: "saslSettings" is missing: the method Sasl needs it (spec.kafkaSettings.authentication)',
      ],
    ],
    [
      "Sasl without a Secret",
      settings("{method: Sasl, saslSettings: {saslType: Plain}}"),
      [
        '9:50: error: "secretRef" is missing: name the Secret that holds username and password (spec.kafkaSettings.authentication.saslSettings)',
      ],
    ],
    [
      "a certificate without a Secret",
      settings("{method: X509Certificate}"),
      [
        '9:5: error: "secretRef" is missing: name the Secret that holds the client certificate and its key (spec.kafkaSettings.authentication.x509CertificateSettings)',
      ],
    ],
    [
      "Sasl on an MQTT endpoint",
      `${head("DataflowEndpoint")}spec:\n  endpointType: Mqtt\n  mqttSettings: {host: "b:1883", authentication: {method: Sasl}}\n`,
      [
        '7:59: error: "Sasl" is for Kafka endpoints: use ServiceAccountToken, X509Certificate, SystemAssignedManagedIdentity, UserAssignedManagedIdentity or Anonymous, or name a Secret by the annotation isthmus.dev/mqtt-secret (spec.mqttSettings.authentication.method)',
      ],
    ],
    [
      "an MQTT host with a path",
      `${head("DataflowEndpoint")}spec:\n  endpointType: Mqtt\n  mqttSettings: {host: "b:443/mqtt"}\n`,
      [
        '7:24: error: "b:443/mqtt" has a path: only the protocol WebSockets takes one (spec.mqttSettings.host)',
      ],
    ],
    [
      "an MQTT host that is none",
      `${head("DataflowEndpoint")}spec:\n  endpointType: Mqtt\n  mqttSettings: {host: "mqtt://b"}\n`,
      [
        '7:24: error: "mqtt://b" is a URL: write it without "mqtt://", as host:port (spec.mqttSettings.host)',
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test("a secret where its name belongs is not repeated (S-3)", () => {
    const pasted = "Endpoint=sb://a/;SharedAccessKey=hunter2";
    const text = auth(`{authType: {sasl: {saslType: plain, secretName: "${pasted}"}}}`);
    const { problems } = compileManifests([{ path: "m", text }]);
    expect(problems.map(({ message }) => message).join()).toContain("is not the name of a Secret");
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });
});

describe("data flows", () => {
  const kafka = endpoint("    consumerGroupId: g\n");

  test.each<[string, string, string[]]>([
    [
      "no consumer group (S-26)",
      `${flow("k", "[a]", "default", "t")}---\n${endpoint("")}`,
      [
        '18:3: error: "consumerGroupId" is missing: the flow "f" reads from this endpoint, so add under kafkaSettings: consumerGroupId: f (spec.kafkaSettings.consumerGroupId)',
      ],
    ],
    [
      "a missing endpoint",
      `${flow("kk", "[a]", "default", "t")}---\n${kafka}`,
      [
        '8:37: error: there is no DataflowEndpoint named "kk" in the manifests; did you mean k? (spec.operations[0].sourceSettings.endpointRef)',
      ],
    ],
    [
      "a wildcard that is none",
      `${flow("default", '"*"', "k", "t")}---\n${kafka}`,
      [
        '8:59: error: "*" is not a wildcard in MQTT, and dataSources is a list: write - "#" for every topic (spec.operations[0].sourceSettings.dataSources)',
      ],
    ],
    [
      "dataSources that are no list",
      `${flow("default", '"a/#"', "k", "t")}---\n${kafka}`,
      [
        '8:59: error: "a/#" is not a list: write a list, one topic to a line: - "a/#" (spec.operations[0].sourceSettings.dataSources)',
      ],
    ],
    [
      "no dataSources",
      `${flow("default", "[]", "k", "t")}---\n${kafka}`,
      [
        "8:59: error: the list of dataSources is empty: give at least one topic (spec.operations[0].sourceSettings.dataSources)",
      ],
    ],
    [
      "MQTT to MQTT",
      flow("default", "[a]", "mq", "b"),
      [
        "10:28: error: a flow from Mqtt to Mqtt is not supported: one side must be Kafka and one MQTT (spec.operations[1].destinationSettings)",
      ],
    ],
    [
      "Kafka to Kafka",
      `${flow("k", "[a]", "k", "b")}---\n${kafka}`,
      [
        "10:28: error: a flow from Kafka to Kafka is not supported: one side must be Kafka and one MQTT (spec.operations[1].destinationSettings)",
      ],
    ],
    [
      "two shared groups",
      `${flow("mq", '["$share/a/x", "$share/b/x"]', "k", "t")}---\n${kafka}`,
      [
        "8:23: error: the topics of one source are in different shared groups: give all the same $share/<group>/, or none (spec.operations[0].sourceSettings)",
      ],
    ],
    [
      "a compression that Event Hubs does not take (S-15)",
      `${flow("mq", "[a]", "k", "t")}---\n${kafka.replace("kafka:9092", "a.servicebus.windows.net:9093")}    compression: snappy\n    authentication: {method: SystemAssignedManagedIdentity}\n`,
      [
        '21:18: error: "Snappy" is not supported by Event Hubs: use None or Gzip (spec.kafkaSettings.compression)',
      ],
    ],
    [
      "an endpoint of another type (S-8)",
      `${flow("mq", "[a]", "lake", "t")}---\n${head("DataflowEndpoint", "lake")}spec:\n  endpointType: dataLakeStorage\n  dataLakeStorageSettings: {host: "https://x"}\n`,
      [
        '10:42: error: the endpoint "lake" is of type DataLakeStorage, which is not supported: use a Kafka or an Mqtt endpoint (spec.operations[1].destinationSettings.endpointRef)',
        "17:17: warning: endpoints of type DataLakeStorage are not supported: flows that use this one are not run (spec.endpointType)",
      ],
    ],
    [
      "a profile that is not there",
      `${flow("mq", "[a]", "k", "t").replace("spec:\n", "spec:\n  profileRef: wide\n")}---\n${kafka}`,
      [
        '6:15: warning: there is no DataflowProfile named "wide" in the manifests: the flow runs in 1 instance (spec.profileRef)',
      ],
    ],
    [
      "no operations",
      `${head("Dataflow", "f")}spec:\n  operations: []\n`,
      [
        "6:15: error: the flow has 0 operations of type Source: it needs exactly one (spec.operations)",
        "6:15: error: the flow has no operation of type Destination: it needs at least one (spec.operations)",
      ],
    ],
    [
      "operations without settings",
      `${head("Dataflow", "f")}spec:\n  operations: [{operationType: Source}, {operationType: Destination}]\n`,
      [
        '6:16: error: "sourceSettings" is missing: an operation of type Source needs it (spec.operations[0])',
        '6:41: error: "destinationSettings" is missing: an operation of type Destination needs it (spec.operations[1])',
      ],
    ],
    [
      "no acks with QoS 1",
      `${flow("mq", "[a]", "k", "t")}---\n${kafka}    kafkaAcks: None\n`,
      [
        "21:16: warning: Kafka is not asked to acknowledge: a message may be lost although its QoS is 1 (spec.kafkaSettings.kafkaAcks)",
      ],
    ],
    [
      "a wildcard in a Kafka source (S-30)",
      `${flow("k", '["a-*"]', "mq", "t")}---\n${kafka}`,
      [
        '8:54: error: Kafka topic "a-*" must not contain the wildcard "*": write a regular expression that starts with "^", such as "^plant-.*" (spec.operations[0].sourceSettings.dataSources[0])',
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  const transformed = (settings: string): string =>
    `${flow("mq", "[a]", "k", "t")}    - operationType: BuiltInTransformation\n      builtInTransformationSettings: ${settings}\n---\n${kafka}`;

  test.each([
    "{}",
    "{map: []}",
    "{map: [{type: PassThrough, inputs: ['*'], output: '*'}]}",
    "{map: [{inputs: ['*'], output: '*', expression: ''}]}",
  ])("the transformation %s changes nothing and is allowed", (settings) => {
    expect(problemsOf(transformed(settings))).toEqual([]);
  });

  test.each([
    ['["^a("]', "t", "must be a regular expression"],
    ["[a]", "a/+", "must not contain the wildcards"],
  ])("a flow from %s to %s makes no route", (sources, target, message) => {
    const text = `${flow("k", sources, "mq", target)}---\n${kafka}`;
    const { plan, problems } = compileManifests([{ path: "m", text }]);
    expect(plan.routes).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining(message) }]);
  });

  test("a disabled flow is skipped with a note", () => {
    const text = flow("nowhere", "[a]", "k", "t").replace("spec:\n", "spec:\n  mode: disabled\n");
    expect(problemsOf(text, [])).toEqual([
      '6:9: note: the flow "f" is disabled: skipped (spec.mode)',
    ]);
  });

  test("only the flows that use an unsupported endpoint fail (S-8)", () => {
    const other = flow("mq", "[b]", "k", "u").replace("name: f", "name: g");
    const lake = `${head("DataflowEndpoint", "lake")}spec: {endpointType: FabricOneLake}\n`;
    const text = [flow("mq", "[a]", "lake", "t"), other, kafka, lake].join("---\n");
    const { plan, problems } = compileManifests([{ path: "m", text }]);
    expect(plan.routes.map(({ name }) => name)).toEqual(["g"]);
    expect(problems.filter(({ severity }) => severity === "error")).toMatchObject([
      { scope: "flow" },
    ]);
  });
});

describe("YAML itself", () => {
  test.each<[string, string, string[]]>([
    [
      "the documents' own dataSources: * (S-8)",
      "a: 1\nsourceSettings:\n  dataSources:\n    *\n",
      [
        '4:5: error: "*" must be in quotes, and MQTT has no wildcard "*": write dataSources: ["#"] for every topic',
      ],
    ],
    [
      "a star elsewhere",
      "a: *\n",
      ['1:4: error: "*" must be in quotes: YAML reads "*" as the name of an anchor'],
    ],
    [
      "{{VAR}} that is no YAML (S-8)",
      "tag: {{% version %}}\n",
      ['1:6: error: "{{% version %}}" must be in quotes: YAML reads {{ as the start of fields'],
    ],
    [
      "{{VAR}} with text behind it (S-8)",
      "host: {{ HOST }}:9093 # the hub\n",
      ['1:7: error: "{{ HOST }}:9093" must be in quotes: YAML reads {{ as the start of fields'],
    ],
    ["a tab", "a:\n\tb: 1\n", ["2:1: error: this line is indented with a tab: use spaces"]],
    ["a field twice", "a: 1\na: 2\n", ["2:1: error: this field is given twice: keep one"]],
    [
      "two colons",
      "a: b: c\n",
      ['1:4: error: there are two ": " in one line: put the value in quotes'],
    ],
    [
      "a reserved character",
      "a: @b\n",
      ["1:4: error: this text begins with a character that YAML reserves: put it in quotes"],
    ],
    [
      "an unknown directive",
      "%FOO\n---\n%BAR: x\n",
      ["3:1: error: this text begins with a character that YAML reserves: put it in quotes"],
    ],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text).filter((line) => !line.includes("no manifest"))).toEqual(expected);
  });

  test("{{VAR}} that YAML takes for fields (S-8)", () => {
    expect(problemsOf(connector().replace("kafka:9092", "{{HOST}}"))).toEqual([
      '7:15: error: "{{HOST}}" must be in quotes: YAML reads {{ as the start of fields (spec.kafkaConnection.endpoint)',
    ]);
  });

  test("an anchor that is not there", () => {
    expect(problemsOf(connector().replace("kafka:9092", "*kafka"))).toEqual([
      '7:15: error: "*kafka" must be in quotes: YAML reads "*" as the name of an anchor, and there is none of that name (spec.kafkaConnection.endpoint)',
    ]);
  });

  test("a resource whose YAML is broken is not told of as missing", () => {
    const broken = connector("    tls: {tlsEnabled: @no}\n");
    const map = `${head("KafkaConnectorTopicMap", "m")}spec:\n  kafkaConnectorRef: c\n  routes: []\n`;
    expect(problemsOf(`${broken}---\n${map}`)).toHaveLength(1);
  });

  test("control characters of a manifest reach no terminal", () => {
    const [line = ""] = problemsOf(entry(`${up}, kafkaAcks: "\\e[31m\\0\\u2028"`));
    expect(line).toContain("is not allowed: use Zero, One or All");
    expect(/[\p{Cc}\u2028]/u.test(line)).toBe(false);
    const [topic = ""] = problemsOf(
      mapped('  routes:\n    - mqttToKafka: {name: a, mqttTopic: "\\0", kafkaTopic: k}\n'),
    );
    expect(topic).toContain("must not contain U+0000");
    expect(/\p{Cc}/u.test(topic)).toBe(false);
  });

  test("no message repeats a value of a Secret", () => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    for (const broken of [
      "data: {a: hunter2!}\n",
      "stringData: {a: @hunter2}\n",
      "stringData: {a: [hunter2]}\n",
      "data: hunter2\n",
      "data: {a: *hunter2}\n",
      "data: {a: {{hunter2}}}\n",
      "data: {a: {{hunter2}}-x}\n",
      "data: {a: * hunter2}\n",
      "data: {a: <hunter2>}\n",
      "stringData:\n  a: |hunter2\n",
      "stringData:\n  a: b: hunter2\n",
    ]) {
      const { problems } = compileManifests([{ path: "m", text: secret + broken }]);
      expect(
        problems.some(({ severity }) => severity === "error"),
        broken,
      ).toBe(true);
      expect(JSON.stringify(problems), broken).not.toContain("hunter2");
    }
  });

  test("anchors, merged fields and lists of resources are read", () => {
    const text = `apiVersion: v1
kind: List
items:
  - apiVersion: connectivity.iotoperations.azure.com/v1
    kind: DataflowEndpoint
    metadata: {name: k}
    spec:
      endpointType: Kafka
      kafkaSettings: &settings {host: "kafka:9092", consumerGroupId: g, tls: {mode: disabled}}
  - apiVersion: connectivity.iotoperations.azure.com/v1
    kind: DataflowEndpoint
    metadata: {name: l}
    spec:
      endpointType: Kafka
      kafkaSettings: {<<: *settings, host: "other:9092"}
  - ${flow("l", "[a]", "mq", "t").trimEnd().replaceAll("\n", "\n    ")}
`;
    const { plan, problems } = compileManifests([{ path: "m", text }]);
    expect(problems).toEqual([]);
    expect(plan.routes).toMatchObject([{ consumerGroupId: "g" }]);
    expect([...plan.kafkaConnections.values()]).toMatchObject([
      { bootstrapServers: ["other:9092"], tls: { enabled: false } },
    ]);
  });
});

describe("kinds", () => {
  const resource = (apiVersion: string, kind: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\nspec: {}\n`;

  test.each<[string, string, string[]]>([
    [
      "a misspelt kind of a known group",
      resource("connectivity.iotoperations.azure.com/v1", "DataFlowEndpoints"),
      [
        '2:7: error: "DataFlowEndpoints" is not a kind of "connectivity.iotoperations.azure.com": known are DataflowEndpoint, Dataflow, DataflowProfile; did you mean DataflowEndpoint? (kind)',
      ],
    ],
    [
      "another product's kind of the same name (S-8)",
      resource("kafka.strimzi.io/v1beta2", "KafkaConnector"),
      [
        '2:7: note: "KafkaConnector" of "kafka.strimzi.io/v1beta2" is not read here: skipped (kind)',
      ],
    ],
    [
      "a kind of the group that is read elsewhere",
      resource("mq.iotoperations.azure.com/v1beta1", "BrokerListener"),
      [
        '2:7: note: "BrokerListener" of "mq.iotoperations.azure.com/v1beta1" is not read here: skipped (kind)',
      ],
    ],
    [
      "a resource without kind",
      "apiVersion: v1\nmetadata: {}\n",
      ['1:1: error: "kind" is missing or not text: each manifest begins with apiVersion and kind'],
    ],
    [
      "a resource without apiVersion",
      "kind: Dataflow\nspec: {}\n",
      [
        '1:1: error: "apiVersion" is missing or not text: each manifest begins with apiVersion and kind',
      ],
    ],
    [
      "something else altogether",
      "services: {}\n",
      [
        "1:1: error: there is no manifest here: give files with apiVersion and kind",
        "1:1: note: this is no manifest (no apiVersion and kind): skipped",
      ],
    ],
    ["nothing", "", ["1:1: error: there is no manifest here: give files with apiVersion and kind"]],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text, []).sort()).toEqual(expected);
  });
});

describe("annotations (S-6)", () => {
  const annotated = (annotations: string, kind = "KafkaConnector"): string =>
    (kind === "KafkaConnector" ? connector() : flow("mq", "[a]", "k", "t")).replace(
      /metadata:\n {2}name: (\w)\n/,
      `metadata:\n  name: $1\n  annotations: {${annotations}}\n`,
    );

  test.each<[string, string[]]>([
    [
      "isthmus.dev/amqp-header: Auto",
      [
        '5:42: error: "isthmus.dev/amqp-header" is not a known annotation; did you mean amqp-headers? (metadata.annotations["isthmus.dev/amqp-header"])',
      ],
    ],
    [
      "isthmus.dev/amqp-headers: Sometimes",
      [
        '5:43: error: "Sometimes" is not allowed: use Auto, Always or Never (metadata.annotations["isthmus.dev/amqp-headers"])',
      ],
    ],
    [
      "isthmus.dev/retain: true",
      [
        '5:37: warning: write "true" in quotes: annotations are text (metadata.annotations["isthmus.dev/retain"])',
      ],
    ],
    [
      'isthmus.dev/filter-drops: "true"',
      [
        '5:43: warning: "isthmus.dev/filter-drops" has no effect on a KafkaConnector: it belongs on Dataflow (metadata.annotations["isthmus.dev/filter-drops"])',
      ],
    ],
    [
      "isthmus.dev/cloudevents-prefix: ce",
      [
        '5:49: error: "ce" is not allowed: use ce_ or ce- (metadata.annotations["isthmus.dev/cloudevents-prefix"])',
      ],
    ],
    [
      "isthmus.dev/dead-letter-topic: a b",
      [
        '5:48: error: Kafka topic "a b" must have only letters, digits, ".", "_" and "-": it has " " (metadata.annotations["isthmus.dev/dead-letter-topic"])',
      ],
    ],
    [
      'isthmus.dev/max-inflight-messages: "0"',
      [
        '5:52: error: "0" is not allowed: use a whole number, between 1 and 65535 (metadata.annotations["isthmus.dev/max-inflight-messages"])',
      ],
    ],
    [
      "isthmus.dev/memory-budget: lots",
      [
        '5:44: error: "lots" is not allowed: use bytes, for example 256Mi (metadata.annotations["isthmus.dev/memory-budget"])',
      ],
    ],
    ["example.com/retain: perhaps", []],
  ])("%s", (annotation, expected) => {
    expect(problemsOf(annotated(annotation))).toEqual(expected);
  });

  test("of a flow come before those of its connection, and all reach the route", () => {
    const map = mapped(`  routes:\n    - mqttToKafka: {${up}}\n    - kafkaToMqtt: {${down}}\n`)
      .replace(
        "name: c\n",
        'name: c\n  annotations: {isthmus.dev/amqp-headers: never, isthmus.dev/retain: "true", isthmus.dev/memory-budget: 64Mi}\n',
      )
      .replace(
        "name: m\n",
        'name: m\n  annotations: {isthmus.dev/amqp-headers: Always, isthmus.dev/cloudevents-prefix: ce-, isthmus.dev/cloud-event-attributes: Propagate, isthmus.dev/max-inflight-messages: "7", isthmus.dev/memory-budget: 32Mi}\n',
      );
    const { plan, problems, memoryBudgetBytes } = compileManifests([{ path: "m", text: map }]);
    expect(problems).toEqual([]);
    expect(memoryBudgetBytes).toBe(32 * 1024 * 1024);
    expect(plan.routes).toMatchObject([
      { cloudEventsPrefix: "ce-", cloudEvents: "Propagate", maxInflightMessages: 7 },
      { amqpHeaders: "Always", retain: true, cloudEvents: "Propagate" },
    ]);
  });

  test("isthmus.dev/mqtt-secret names a user and password for MQTT", () => {
    const text = `${endpoint("    consumerGroupId: g\n")}---
${head("DataflowEndpoint", "b")}  annotations: {isthmus.dev/mqtt-secret: broker-user}
spec: {endpointType: mqtt, mqttSettings: {host: "b:1883", tls: {mode: disabled}}}
---
${flow("k", "[a]", "b", "t")}`;
    const { plan } = compileManifests([{ path: "m", text }]);
    expect([...plan.mqttConnections.values()]).toMatchObject([
      { authentication: { method: "UsernamePassword", secretName: "broker-user" } },
    ]);
  });
});
