import { describe, expect, test } from "vitest";
import type { KafkaConnection, MqttConnection } from "../../shared/model/connection.ts";
import type { Plan } from "../../shared/model/plan.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../../shared/model/route.ts";
import { formatPlan } from "../../shared/plan/format-plan.ts";
import type { FunctionPlan } from "../../shared/plan/function-plan.ts";
import { planFunctions } from "../../shared/plan/functions-plan.ts";
import { shadowedNames } from "../../shared/plan/shadowed-names.ts";
import type { TopicLock } from "../../shared/plan/topic-lock.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";

const RECEIVER = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde";
const SENDER = "2b629674-e913-4c01-ae53-ef4638d8f975";
const SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6";
const PUBLISHER = "a12b0b94-b317-4dcd-84a8-502ce99884c6";
const SUBSCRIBER = "4b0f2fd7-60b4-4eca-896f-4435034f8bf5";
const SCOPE = "https://contoso.servicebus.windows.net/.default";

const location = { file: "m.yaml", line: 3, column: 1 };
const identity: KafkaConnection["authentication"] = {
  method: "SystemAssignedManagedIdentity",
  identity: { scope: SCOPE },
};

function eventHubs(over: Partial<KafkaConnection> = {}): KafkaConnection {
  return {
    id: "KafkaConnector/eh",
    location,
    bootstrapServers: ["contoso.servicebus.windows.net:9093"],
    tls: { enabled: true },
    authentication: identity,
    isEventHubs: true,
    protocol: "Kafka",
    ...over,
  };
}

function kafka(over: Partial<KafkaConnection> = {}): KafkaConnection {
  return eventHubs({
    bootstrapServers: ["a:9092", "b:9092"],
    tls: { enabled: false },
    authentication: { method: "Anonymous" },
    isEventHubs: false,
    ...over,
  });
}

function mqtt(over: Partial<MqttConnection> = {}): MqttConnection {
  return {
    id: "DataflowEndpoint/mq",
    location,
    host: "mqtt.example.com",
    port: 8883,
    protocol: "Mqtt",
    tls: { enabled: true },
    authentication: { method: "Anonymous" },
    keepAlive: 60,
    sessionExpiryInterval: 3600,
    maxInflightMessages: 100,
    ...over,
  };
}

function planOf(
  routes: readonly Route[],
  broker: KafkaConnection = eventHubs(),
  other: MqttConnection = mqtt(),
): Plan {
  return {
    routes,
    kafkaConnections: new Map([["kafka", broker]]),
    mqttConnections: new Map([["mqtt", other]]),
  };
}

const reads = (over: Partial<KafkaToMqttRoute> = {}): KafkaToMqttRoute =>
  kafkaToMqttRoute({ name: "line/down", topics: [{ kind: "name", topic: "commands" }], ...over });
const writes = (over: Partial<MqttToKafkaRoute> = {}): MqttToKafkaRoute =>
  mqttToKafkaRoute({ name: "line/up", kafkaTopic: "telemetry", ...over });

function roleIds(plan: FunctionPlan): string[] {
  const host = ["storageAccount", "applicationInsights"];
  return plan.roles.filter((r) => !host.includes(r.scope.kind)).map((r) => r.roleId);
}

function routed(plan: FunctionPlan): FunctionPlan["functions"] {
  return plan.functions.filter(({ route }) => route !== undefined);
}

describe("planFunctions()", () => {
  test("an event hub is read by an Event Hubs trigger with the app's identity, retried without end", () => {
    const plan = planFunctions(planOf([reads()]));
    expect(plan.problems).toEqual([]);
    expect(routed(plan)).toMatchObject([
      {
        name: "line_down_commands",
        kind: "eventHubTrigger",
        role: "deliver",
        topic: "commands",
        trigger: {
          type: "eventHubTrigger",
          eventHubName: "commands",
          connection: "ISTHMUS_EVENTHUBS_KAFKACONNECTOR_EH",
          consumerGroup: "group",
          cardinality: "many",
          dataType: "binary",
        },
        retry: { strategy: "exponentialBackoff", maxRetryCount: -1 },
      },
    ]);
    const settings = new Map(plan.settings.map((s) => [s.name, s.value]));
    const prefix = "ISTHMUS_EVENTHUBS_KAFKACONNECTOR_EH";
    expect(settings.get(`${prefix}__fullyQualifiedNamespace`)).toBe(
      "contoso.servicebus.windows.net",
    );
    expect(settings.get(`${prefix}__credential`)).toBe("managedidentity");
    expect(settings.has(`${prefix}__clientId`)).toBe(false);
    expect(plan.consumerGroups).toEqual([
      { namespace: "contoso", eventHub: "commands", consumerGroup: "group" },
    ]);
  });

  test("a user-assigned identity is named by its client id", () => {
    const authentication = {
      method: "UserAssignedManagedIdentity",
      identity: { clientId: "11111111-2222", scope: SCOPE },
    } as const;
    const plan = planFunctions(planOf([reads()], eventHubs({ authentication })));
    expect(plan.settings).toContainEqual(
      expect.objectContaining({
        name: "ISTHMUS_EVENTHUBS_KAFKACONNECTOR_EH__clientId",
        value: "11111111-2222",
      }),
    );
  });

  test("with a connection string the trigger's connection is the setting that holds it (S-4)", () => {
    const authentication = {
      method: "Sasl",
      mechanism: "plain",
      credential: { kind: "secret", name: "cs-secret" },
    } as const;
    const plan = planFunctions(planOf([reads()], eventHubs({ authentication })));
    const name = "ISTHMUS_SECRET_CS_SECRET_TOKEN";
    expect(routed(plan)[0]?.trigger).toMatchObject({ connection: name });
    const setting = plan.settings.find((s) => s.name === name);
    expect(setting).toMatchObject({ secret: true, required: true });
    expect(setting).not.toHaveProperty("value");
    expect(roleIds(plan)).toEqual([]);
  });

  test("a connection string in Key Vault is a reference, and its reader has a role on the vault alone", () => {
    const password = {
      from: "keyVault",
      vault: "kv",
      kind: "vaultSecret",
      name: "my-cs",
      version: "9",
    } as const;
    const username = { from: "literal", value: "$ConnectionString" } as const;
    const credential = { kind: "usernamePassword", username, password } as const;
    const authentication = { method: "Sasl", mechanism: "plain", credential } as const;
    const plan = planFunctions(planOf([reads()], eventHubs({ authentication })));
    expect(routed(plan)[0]?.trigger).toMatchObject({ connection: "ISTHMUS_KEYVAULT_KV_MY_CS" });
    expect(plan.settings).toContainEqual(
      expect.objectContaining({
        name: "ISTHMUS_KEYVAULT_KV_MY_CS",
        secret: false,
        value: "@Microsoft.KeyVault(VaultName=kv;SecretName=my-cs;SecretVersion=9)",
      }),
    );
    expect(plan.roles).toContainEqual(
      expect.objectContaining({ roleId: SECRETS_USER, scope: { kind: "keyVault", name: "kv" } }),
    );
  });

  const secret = { kind: "secret", name: "kafka" } as const;
  const secretName = "tls-1";
  const kafkaCases: {
    name: string;
    over: Partial<KafkaConnection>;
    trigger: Record<string, string>;
  }[] = [
    { name: "anonymous", over: {}, trigger: { protocol: "Plaintext" } },
    {
      name: "anonymous over TLS with its own authority",
      over: { tls: { enabled: true, trustedCa: { name: "my-ca" } } },
      trigger: { protocol: "Ssl", sslCaPEM: "%ISTHMUS_CONFIGMAP_MY_CA_CA_CRT%" },
    },
    {
      name: "SCRAM",
      over: {
        tls: { enabled: true },
        authentication: { method: "Sasl", mechanism: "scram-sha-512", credential: secret },
      },
      trigger: {
        protocol: "SaslSsl",
        authenticationMode: "ScramSha512",
        username: "%ISTHMUS_SECRET_KAFKA_USERNAME%",
        password: "%ISTHMUS_SECRET_KAFKA_PASSWORD%",
      },
    },
    {
      name: "PLAIN without TLS and a literal user name",
      over: {
        authentication: {
          method: "Sasl",
          mechanism: "plain",
          credential: {
            kind: "usernamePassword",
            username: { from: "literal", value: "alice" },
            password: { from: "secret", name: "kafka", key: "pw" },
          },
        },
      },
      trigger: {
        protocol: "SaslPlaintext",
        authenticationMode: "Plain",
        username: "alice",
        password: "%ISTHMUS_SECRET_KAFKA_PW%",
      },
    },
    {
      name: "a client certificate",
      over: {
        tls: { enabled: true },
        authentication: { method: "X509Certificate", credential: { secretName } },
      },
      trigger: {
        protocol: "Ssl",
        sslCertificatePEM: "%ISTHMUS_SECRET_TLS_1_TLS_CRT%",
        sslKeyPEM: "%ISTHMUS_SECRET_TLS_1_TLS_KEY%",
      },
    },
    {
      name: "a client certificate in Key Vault",
      over: {
        tls: { enabled: true },
        authentication: {
          method: "X509Certificate",
          credential: {
            certificate: { from: "keyVault", vault: "kv", kind: "vaultCert", name: "cert" },
          },
        },
      },
      trigger: { protocol: "Ssl", sslCertificateandKeyPEM: "%ISTHMUS_KEYVAULT_KV_CERT%" },
    },
  ];
  test.each(kafkaCases)("other Kafka is read by a Kafka trigger: $name", ({ over, trigger }) => {
    const plan = planFunctions(planOf([reads()], kafka(over)));
    expect(plan.problems).toEqual([]);
    const [planned] = routed(plan);
    expect(planned?.trigger).toEqual({
      type: "kafkaTrigger",
      brokerList: "a:9092,b:9092",
      topic: "commands",
      consumerGroup: "group",
      cardinality: "MANY",
      dataType: "binary",
      keyDataType: "Binary",
      ...trigger,
    });
    expect(planned?.retry?.maxRetryCount).toBe(-1);
    const referred = Object.values(trigger).flatMap((text) => /^%(.*)%$/.exec(text)?.[1] ?? []);
    expect(planned?.settings).toEqual(expect.arrayContaining(referred));
    expect(plan.settings.map(({ name }) => name)).toEqual(expect.arrayContaining(referred));
    expect(plan.alwaysReady).toEqual(["function:line_down_commands"]);
  });

  test.each([
    { name: "Kafka with a managed identity", broker: kafka({ authentication: identity }) },
    {
      name: "Event Hubs without one",
      broker: eventHubs({ authentication: { method: "Anonymous" } }),
    },
    {
      name: "Event Hubs with a certificate",
      broker: eventHubs({
        authentication: { method: "X509Certificate", credential: { secretName: "s" } },
      }),
    },
  ])("$name is a problem at the route, and no function", ({ broker }) => {
    const plan = planFunctions(planOf([reads()], broker));
    expect(plan.problems).toMatchObject([{ severity: "error", scope: "flow" }]);
    expect(routed(plan)).toEqual([]);
    expect(roleIds(plan)).toEqual([]);
  });

  test("an MQTT source is one timer that holds a pump", () => {
    const plan = planFunctions(planOf([writes()]));
    expect(routed(plan)).toMatchObject([
      {
        name: "line_up",
        kind: "timer",
        role: "pump",
        instance: 0,
        subscribers: 1,
        trigger: { type: "timerTrigger", runOnStartup: false },
      },
    ]);
    expect(plan.alwaysReady).toEqual(["function:line_up"]);
  });

  test.each([
    { minimumShareNumber: 3, instances: 1, want: 3 },
    { minimumShareNumber: 1, instances: 2, want: 2 },
  ])(
    "a shared subscription is one timer for each subscriber: $want of share $minimumShareNumber and $instances instances (S-33)",
    ({ minimumShareNumber, instances, want }) => {
      const sharedSubscription = { groupName: "g", minimumShareNumber };
      const plan = planFunctions(planOf([writes({ sharedSubscription, instances })]));
      const names = routed(plan).map(({ name, instance }) => [name, instance]);
      expect(names).toEqual(Array.from({ length: want }, (_, i) => [`line_up_${i}`, i]));
    },
  );

  test("every topic that is named has one function, and one only", () => {
    const topics = ["a", "b", "a"].map((topic) => ({ kind: "name", topic }) as const);
    const plan = planFunctions(planOf([reads({ topics })]));
    expect(routed(plan).map(({ topic }) => topic)).toEqual(["a", "b"]);
  });

  const pattern = [{ kind: "pattern", pattern: "^plant-.*$" }] as const;
  const lockOf = (locked: string, topics: readonly string[]): TopicLock => ({
    version: 1,
    routes: { "line/down": { pattern: locked, topics } },
  });

  test.each([
    { name: "no lock", lock: undefined, says: "isthmus plan --resolve" },
    {
      name: "a lock without the route",
      lock: { version: 1, routes: {} } as const,
      says: "--resolve",
    },
    { name: "a lock of another expression", lock: lockOf("^old$", ["old"]), says: '"^old$"' },
  ])(
    "a regular expression with $name is a problem that says what to run (S-30)",
    ({ lock, says }) => {
      const plan = planFunctions(planOf([reads({ topics: pattern })]), lock);
      expect(plan.problems).toMatchObject([{ severity: "error", location: { file: "test.yaml" } }]);
      expect(plan.problems[0]?.message).toContain(says);
      expect(routed(plan)).toEqual([]);
      expect(plan.functions.some(({ name }) => name === "topic-watch")).toBe(false);
    },
  );

  test("a lock gives each topic its function, and a timer watches for new ones (S-30)", () => {
    const lock = lockOf("^plant-.*$", ["plant-1", "plant-2"]);
    const plan = planFunctions(planOf([reads({ topics: pattern })]), lock);
    expect(plan.problems).toEqual([]);
    expect(routed(plan).map(({ topic }) => topic)).toEqual(["plant-1", "plant-2"]);
    expect(plan.functions.some(({ role }) => role === "topicWatch")).toBe(true);
    const scopes = plan.roles.filter(({ roleId }) => roleId === RECEIVER).map(({ scope }) => scope);
    expect(scopes).toEqual([
      { kind: "eventHub", name: "contoso/plant-1" },
      { kind: "eventHub", name: "contoso/plant-2" },
      { kind: "eventHubsNamespace", name: "contoso" },
    ]);
  });

  test("an expression that matched nothing is a warning", () => {
    const plan = planFunctions(planOf([reads({ topics: pattern })]), lockOf("^plant-.*$", []));
    expect(plan.problems).toMatchObject([{ severity: "warning" }]);
  });

  const roleCases = [
    { name: "Kafka to MQTT alone: Receiver", routes: [reads()], want: [RECEIVER] },
    { name: "MQTT to Kafka alone: Sender", routes: [writes()], want: [SENDER] },
    { name: "both directions: both", routes: [reads(), writes()], want: [RECEIVER, SENDER] },
    {
      name: "reading with a dead-letter topic of its own: Sender on that too",
      routes: [reads({ deadLetterTopic: "dead" })],
      want: [RECEIVER, SENDER],
    },
  ];
  test.each(roleCases)("roles on Event Hubs are the least: $name", ({ routes, want }) => {
    const plan = planFunctions(planOf(routes));
    expect([...new Set(roleIds(plan))]).toEqual(want);
    for (const { roleId, scope } of plan.roles) {
      if (roleId === RECEIVER)
        expect(scope).toEqual({ kind: "eventHub", name: "contoso/commands" });
      if (roleId === SENDER) expect(scope.kind).toBe("eventHub");
    }
  });

  test("a template for the event hub needs the namespace, for the hub is not known yet (S-17)", () => {
    const plan = planFunctions(planOf([writes({ kafkaTopic: "t-$" + "{inputTopic.1}" })]));
    const scopes = plan.roles
      .filter(({ roleId }) => roleId === SENDER)
      .map(({ scope }) => scope.kind);
    expect(scopes).toContain("eventHubsNamespace");
  });

  test("Kafka that is no Event Hubs needs no role", () => {
    expect(roleIds(planFunctions(planOf([reads(), writes()], kafka())))).toEqual([]);
  });

  test.each([
    { name: "publishes", route: reads(), want: PUBLISHER },
    { name: "subscribes", route: writes(), want: SUBSCRIBER },
  ])(
    "an Event Grid broker with an identity needs the role of what it does: $name",
    ({ route, want }) => {
      const host = "ns.westeurope-1.ts.eventgrid.azure.net";
      const scope = "https://eventgrid.azure.net/.default";
      const authentication = {
        method: "SystemAssignedManagedIdentity",
        identity: { scope },
      } as const;
      const plan = planFunctions(planOf([route], kafka(), mqtt({ host, authentication })));
      expect(roleIds(plan)).toEqual([want]);
      const byCertificate = mqtt({ host, authentication: { method: "Anonymous" } });
      expect(roleIds(planFunctions(planOf([route], kafka(), byCertificate)))).toEqual([]);
    },
  );

  test("the host's own roles and the HTTP functions are always there", () => {
    const plan = planFunctions(planOf([]));
    expect(plan.roles.map(({ role }) => role)).toEqual([
      "Storage Blob Data Owner",
      "Storage Table Data Contributor",
      "Monitoring Metrics Publisher",
    ]);
    expect(plan.functions.map(({ name, trigger }) => [name, trigger["authLevel"]])).toEqual([
      ["healthz", "anonymous"],
      ["readyz", "function"],
      ["metrics", "function"],
      ["status", "function"],
    ]);
  });

  test.each([
    {
      name: "user name and password",
      authentication: { method: "UsernamePassword", secretName: "mq" } as const,
      want: ["ISTHMUS_SECRET_MQ_USERNAME", "ISTHMUS_SECRET_MQ_PASSWORD"],
    },
    {
      name: "a certificate with its chain in Key Vault",
      authentication: {
        method: "X509Certificate",
        credential: {
          certificate: { from: "keyVault", vault: "kv", kind: "vaultCert", name: "c" },
          caChain: { from: "keyVault", vault: "kv", kind: "vaultCaChainSecret", name: "ca" },
        },
      } as const,
      want: ["ISTHMUS_KEYVAULT_KV_C", "ISTHMUS_KEYVAULT_KV_CA"],
    },
  ])("MQTT with $name needs its settings", ({ authentication, want }) => {
    const plan = planFunctions(planOf([writes()], kafka(), mqtt({ authentication })));
    expect(routed(plan)[0]?.settings).toEqual(want);
  });

  test("a service account token is a warning: a Functions app has none of its own", () => {
    const authentication = { method: "ServiceAccountToken", audience: "aio-internal" } as const;
    const plan = planFunctions(planOf([reads()], kafka(), mqtt({ authentication })));
    expect(plan.problems).toMatchObject([{ severity: "warning" }]);
    expect(routed(plan)).toHaveLength(1);
  });

  test.each([
    ["$Default", "$Default"],
    ["$default", "$Default"],
    ["plain.group_1", "plain.group_1"],
    ["with space", /^with-space-[a-z0-9]{7}$/],
    ["x".repeat(51), /^x{42}-[a-z0-9]{7}$/],
    ["---", /^[a-z0-9]{7}$/],
  ])("consumer group %j is one that Event Hubs allows", (consumerGroupId, want) => {
    const plan = planFunctions(planOf([reads({ consumerGroupId })]));
    const group = String(routed(plan)[0]?.trigger["consumerGroup"]);
    if (typeof want === "string") expect(group).toBe(want);
    else expect(group).toMatch(want);
    expect(group.length).toBeLessThanOrEqual(50);
    expect(plan.consumerGroups).toHaveLength(want === "$Default" ? 0 : 1);
  });

  test("names of functions are unique without regard to case", () => {
    const topics = ["Orders", "orders", "orders.1", "orders-1"].map(
      (topic) => ({ kind: "name", topic }) as const,
    );
    const plan = planFunctions(planOf([reads({ topics })]));
    const names = plan.functions.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(routed(plan)).toHaveLength(4);
  });

  test("a topic that is the name of an environment variable would be read as its value", () => {
    const topics = ["home", "orders"].map((topic) => ({ kind: "name", topic }) as const);
    const plan = planFunctions(planOf([reads({ topics })], kafka()));
    const problems = shadowedNames(plan.functions, ["HOME", "PATH"]);
    expect(problems).toMatchObject([{ severity: "error", path: "topic" }]);
    expect(shadowedNames(planFunctions(planOf([reads({ topics })])).functions, ["HOME"])).toEqual(
      [],
    );
  });
});

describe("formatPlan()", () => {
  test("shows functions, bindings, settings, roles and what is missing", () => {
    const plan = planOf([reads(), writes({ instances: 2 }), reads({ name: "x/y", instances: 2 })]);
    const text = formatPlan(planFunctions(plan));
    for (const part of [
      "line_down_commands  (eventHubTrigger)",
      "eventHubName: commands",
      "retry: exponentialBackoff, maxRetryCount -1, 1 s to 60 s",
      "ISTHMUS_EVENTHUBS_KAFKACONNECTOR_EH__credential = managedidentity",
      `Azure Event Hubs Data Receiver  ${RECEIVER}`,
      "on eventHub contoso/commands",
      "contoso/commands: group",
      "function:line_up = 1",
      'event hub "contoso/isthmus.dead-letter"',
      'instances has no effect on "x/y"',
    ]) {
      expect(text).toContain(part);
    }
  });

  test("one direction's text does not name the other's role", () => {
    expect(formatPlan(planFunctions(planOf([reads()])))).not.toContain(SENDER);
    expect(formatPlan(planFunctions(planOf([writes()])))).not.toContain(RECEIVER);
  });

  test("a problem is shown with its place", () => {
    const topics = [{ kind: "pattern", pattern: "^a" }] as const;
    expect(formatPlan(planFunctions(planOf([reads({ topics })])))).toContain(
      "test.yaml:1:1: error:",
    );
  });
});
