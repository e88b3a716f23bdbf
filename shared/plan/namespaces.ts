/** The Event Hubs and Event Grid namespaces that the manifests need, as infra/main.bicep creates them. */
import type { KafkaConnection, MqttConnection } from "../model/connection.ts";
import type { Plan } from "../model/plan.ts";
import type { Route } from "../model/route.ts";
import { eventHubsNamespace } from "./connection-settings.ts";
import type { FunctionPlan, RoleScopeKind } from "./function-plan.ts";
import { isEventGridHost, RECEIVER, SENDER, usesIdentity } from "./roles.ts";
import { topicTemplates } from "./topic-templates.ts";

/** An event hub that has to exist, and what the app's identity does with it. */
export interface EventHubParameter {
  readonly name: string;
  /** Grants Azure Event Hubs Data Receiver. */
  readonly receive: boolean;
  /** Grants Azure Event Hubs Data Sender. */
  readonly send: boolean;
  /** Takes the dead letters of routes that only read, which `isthmus plan` has in its notes and not among the roles. */
  readonly deadLetters: boolean;
  readonly consumerGroups: readonly string[];
}

export interface EventHubsNamespaceParameter {
  readonly name: string;
  /** Some connection signs in with a key. */
  readonly localAuth: boolean;
  /** The role is needed on the whole namespace: hubs are listed by expression. */
  readonly receive: boolean;
  /** The same for writing: a template names the hub. */
  readonly send: boolean;
  readonly hubs: readonly EventHubParameter[];
}

/** An Event Grid namespace as MQTT broker. */
export interface MqttNamespaceParameter {
  readonly name: string;
  /** The region that the host name names. */
  readonly location: string;
  /** Whether the app signs in with its identity, and so needs roles. */
  readonly identity: boolean;
  /** Topic templates of what is published; none, no role. */
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The routes that have functions. */
function plannedRoutes(plan: Plan, functions: FunctionPlan): Route[] {
  const names = new Set(functions.functions.map(({ route }) => route));
  return plan.routes.filter(({ name }) => names.has(name));
}

/** The event hubs that a route needs, as far as they are known before messages come. */
function hubsOf(route: Route, functions: FunctionPlan): string[] {
  const own =
    route.direction === "kafkaToMqtt"
      ? functions.functions.flatMap((f) => (f.route === route.name ? [f.topic ?? ""] : []))
      : [route.kafkaTopic].filter((topic) => !topic.includes("${"));
  return [...own, route.deadLetterTopic];
}

/** Whether the app's identity is granted this role there. */
function isGranted(
  functions: FunctionPlan,
  roleId: string,
  kind: RoleScopeKind,
  name: string,
): boolean {
  return functions.roles.some(
    (granted) =>
      granted.roleId === roleId && granted.scope.kind === kind && granted.scope.name === name,
  );
}

interface Use<Connection> {
  readonly route: Route;
  readonly connection: Connection;
}

/** What is used, by the name of the namespace it is used in. */
function byNamespace<Connection>(
  uses: readonly Use<Connection>[],
  nameOf: (connection: Connection) => string,
): [string, Use<Connection>[]][] {
  const groups = new Map<string, Use<Connection>[]>();
  for (const use of uses) {
    const name = nameOf(use.connection);
    groups.set(name, [...(groups.get(name) ?? []), use]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function hubParameter(
  namespace: string,
  name: string,
  uses: readonly Use<KafkaConnection>[],
  functions: FunctionPlan,
): EventHubParameter {
  const send = isGranted(functions, SENDER.roleId, "eventHub", `${namespace}/${name}`);
  const groups = functions.consumerGroups.filter(
    (group) => group.namespace === namespace && group.eventHub === name,
  );
  return {
    name,
    receive: isGranted(functions, RECEIVER.roleId, "eventHub", `${namespace}/${name}`),
    send,
    deadLetters:
      !send &&
      uses.some(({ route, connection }) => {
        return route.deadLetterTopic === name && usesIdentity(connection);
      }),
    consumerGroups: groups.map(({ consumerGroup }) => consumerGroup).sort(),
  };
}

/** The Event Hubs namespaces of the routes that have functions. */
export function eventHubsNamespaces(
  plan: Plan,
  functions: FunctionPlan,
): EventHubsNamespaceParameter[] {
  const uses = plannedRoutes(plan, functions).flatMap((route) => {
    const connection = plan.kafkaConnections.get(route.kafkaConnection);
    return connection?.isEventHubs === true ? [{ route, connection }] : [];
  });
  return byNamespace(uses, eventHubsNamespace).map(([name, its]) => {
    const hubs = [...new Set(its.flatMap(({ route }) => hubsOf(route, functions)))];
    return {
      name,
      localAuth: its.some(({ connection }) => connection.authentication.method === "Sasl"),
      receive: isGranted(functions, RECEIVER.roleId, "eventHubsNamespace", name),
      send: isGranted(functions, SENDER.roleId, "eventHubsNamespace", name),
      hubs: hubs.sort().map((hub) => hubParameter(name, hub, its, functions)),
    };
  });
}

/** The Event Grid namespaces of the routes that have functions. */
export function mqttNamespaces(plan: Plan, functions: FunctionPlan): MqttNamespaceParameter[] {
  const uses = plannedRoutes(plan, functions).flatMap((route) => {
    const connection = plan.mqttConnections.get(route.mqttConnection);
    return connection !== undefined && isEventGridHost(connection.host)
      ? [{ route, connection }]
      : [];
  });
  return byNamespace(uses, ({ host }: MqttConnection) => host.toLowerCase()).map(([host, its]) => {
    const [name = "", region = ""] = host.split(".");
    const routes = its.map(({ route }) => route);
    return {
      name,
      location: region.replace(/-\d+$/, ""),
      identity: its.some(({ connection }) => usesIdentity(connection)),
      publish: topicTemplates(routes, "kafkaToMqtt"),
      subscribe: topicTemplates(routes, "mqttToKafka"),
    };
  });
}
