/** Least-privilege roles of the app's identity. */
import type { KafkaConnection, MqttConnection, SecretRef } from "../model/connection.ts";
import type { Plan } from "../model/plan.ts";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../model/route.ts";
import { eventHubsNamespace } from "./connection-settings.ts";
import type { RoleAssignment, RoleScope } from "./function-plan.ts";

interface Role {
  readonly role: string;
  readonly roleId: string;
}

/** Reads an event hub. */
export const RECEIVER: Role = {
  role: "Azure Event Hubs Data Receiver",
  roleId: "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
};
/** Writes an event hub. */
export const SENDER: Role = {
  role: "Azure Event Hubs Data Sender",
  roleId: "2b629674-e913-4c01-ae53-ef4638d8f975",
};
const SECRETS_USER: Role = {
  role: "Key Vault Secrets User",
  roleId: "4633458b-17de-408a-b874-0445c86b69e6",
};
const TOPIC_SPACES_PUBLISHER: Role = {
  role: "EventGrid TopicSpaces Publisher",
  roleId: "a12b0b94-b317-4dcd-84a8-502ce99884c6",
};
const TOPIC_SPACES_SUBSCRIBER: Role = {
  role: "EventGrid TopicSpaces Subscriber",
  roleId: "4b0f2fd7-60b4-4eca-896f-4435034f8bf5",
};
const BLOB_OWNER: Role = {
  role: "Storage Blob Data Owner",
  roleId: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
};
const TABLE_CONTRIBUTOR: Role = {
  role: "Storage Table Data Contributor",
  roleId: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
};
const METRICS_PUBLISHER: Role = {
  role: "Monitoring Metrics Publisher",
  roleId: "3913510d-42f4-4e42-8a64-420c390055eb",
};

/** What the manifest compiler gives a route that names no topic for dead letters. */
export const DEFAULT_DEAD_LETTER_TOPIC = "isthmus.dead-letter";

/** Whether an MQTT host is the broker of an Event Grid namespace. */
export function isEventGridHost(host: string): boolean {
  return /\.ts\.eventgrid\.azure\.(net|us|cn)$/i.test(host);
}

/** Whether a connection signs in with the app's identity. */
export function usesIdentity(connection: KafkaConnection | MqttConnection): boolean {
  return connection.authentication.method.endsWith("ManagedIdentity");
}

function eventHub(connection: KafkaConnection, name: string): RoleScope {
  return { kind: "eventHub", name: `${eventHubsNamespace(connection)}/${name}` };
}

function namespaceOf(connection: KafkaConnection): RoleScope {
  return { kind: "eventHubsNamespace", name: eventHubsNamespace(connection) };
}

/** Collects assignments; one that several routes need is listed once. */
class Assignments {
  readonly #all = new Map<string, { base: RoleAssignment; routes: Set<string> }>();

  add(role: Role, scope: RoleScope, reason: string, route?: string): void {
    const key = `${role.roleId} ${scope.kind} ${scope.name}`;
    let entry = this.#all.get(key);
    if (entry === undefined) {
      entry = { base: { ...role, scope, reason, routes: [] }, routes: new Set() };
      this.#all.set(key, entry);
    }
    if (route !== undefined) entry.routes.add(route);
  }

  list(): RoleAssignment[] {
    return [...this.#all.values()].map(({ base, routes }) => ({ ...base, routes: [...routes] }));
  }
}

function readingRoles(
  into: Assignments,
  route: KafkaToMqttRoute,
  connection: KafkaConnection,
  topics: readonly string[],
): void {
  for (const topic of topics) {
    into.add(RECEIVER, eventHub(connection, topic), "reads this event hub", route.name);
  }
  if (route.topics.some((selector) => selector.kind === "pattern")) {
    into.add(RECEIVER, namespaceOf(connection), "lists event hubs by expression", route.name);
  }
  // the default hub for dead letters is spoken of in the notes: it is not there unless somebody made it
  if (route.deadLetterTopic !== DEFAULT_DEAD_LETTER_TOPIC) {
    const scope = eventHub(connection, route.deadLetterTopic);
    into.add(SENDER, scope, "writes dead letters", route.name);
  }
}

function writingRoles(
  into: Assignments,
  route: MqttToKafkaRoute,
  connection: KafkaConnection,
): void {
  // the event hubs that a template names are known only when messages come
  const templated = route.kafkaTopic.includes("${");
  const scope = templated ? namespaceOf(connection) : eventHub(connection, route.kafkaTopic);
  into.add(SENDER, scope, "writes what MQTT sends", route.name);
  into.add(SENDER, eventHub(connection, route.deadLetterTopic), "writes dead letters", route.name);
}

function kafkaRoles(
  into: Assignments,
  route: Route,
  connection: KafkaConnection,
  topics: readonly string[],
): void {
  if (!(connection.isEventHubs && usesIdentity(connection))) return;
  if (route.direction === "kafkaToMqtt") readingRoles(into, route, connection, topics);
  else writingRoles(into, route, connection);
}

function mqttRoles(into: Assignments, route: Route, connection: MqttConnection): void {
  if (!(isEventGridHost(connection.host) && usesIdentity(connection))) return;
  const name = connection.host.split(".")[0] ?? connection.host;
  const scope: RoleScope = { kind: "eventGridNamespace", name };
  if (route.direction === "kafkaToMqtt") {
    into.add(TOPIC_SPACES_PUBLISHER, scope, "publishes what Kafka sends", route.name);
  } else {
    into.add(TOPIC_SPACES_SUBSCRIBER, scope, "subscribes", route.name);
  }
}

/** Every reference into Key Vault that a connection holds. */
export function vaultReferences(connection: KafkaConnection | MqttConnection): SecretRef[] {
  const { authentication } = connection;
  if (!("credential" in authentication)) return [];
  const { credential } = authentication;
  const refs: (SecretRef | { readonly from: "literal" } | undefined)[] =
    "kind" in credential
      ? credential.kind === "secret"
        ? []
        : [credential.username, credential.password]
      : [credential.certificate, credential.caChain];
  return refs.filter((ref) => ref?.from === "keyVault") as SecretRef[];
}

function vaultRoles(
  into: Assignments,
  route: Route,
  connection: KafkaConnection | MqttConnection,
): void {
  for (const ref of vaultReferences(connection)) {
    if (ref.from !== "keyVault") continue;
    into.add(SECRETS_USER, { kind: "keyVault", name: ref.vault }, "reads secrets", route.name);
  }
}

/** The roles of these routes and of the host. `topicsOf` gives the event hubs that a route reads. */
export function planRoles(
  plan: Plan,
  routes: readonly Route[],
  topicsOf: (route: KafkaToMqttRoute) => readonly string[],
): RoleAssignment[] {
  const all = new Assignments();
  for (const route of routes) {
    const kafka = plan.kafkaConnections.get(route.kafkaConnection);
    const mqtt = plan.mqttConnections.get(route.mqttConnection);
    if (kafka !== undefined) {
      kafkaRoles(all, route, kafka, route.direction === "kafkaToMqtt" ? topicsOf(route) : []);
      vaultRoles(all, route, kafka);
    }
    if (mqtt !== undefined) {
      mqttRoles(all, route, mqtt);
      vaultRoles(all, route, mqtt);
    }
  }
  const storage: RoleScope = { kind: "storageAccount", name: "AzureWebJobsStorage" };
  all.add(BLOB_OWNER, storage, "the host keeps locks, checkpoints and keys there");
  all.add(TABLE_CONTRIBUTOR, storage, "the host writes its diagnostic events there");
  const insights: RoleScope = { kind: "applicationInsights", name: "Application Insights" };
  all.add(METRICS_PUBLISHER, insights, "logs and metrics without a key");
  return all.list();
}
