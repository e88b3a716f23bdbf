import type { KafkaConnection, MqttConnection } from "../shared/model/connection.ts";
import type { Plan } from "../shared/model/plan.ts";
import type { Route } from "../shared/model/route.ts";

/** Where a sandbox broker listens. */
export interface SandboxAddress {
  readonly host: string;
  readonly port: number;
}

/** Different brokers stay different in the sandbox: routes between two clusters must not become a cycle through one. */
export function kafkaBrokerKey(connection: KafkaConnection): string {
  return connection.bootstrapServers
    .map((server) => server.toLowerCase())
    .sort()
    .join(",");
}

/** The same for MQTT. */
export function mqttBrokerKey(connection: MqttConnection): string {
  return `${connection.host.toLowerCase()}:${connection.port}`;
}

function inSandbox(
  connection: KafkaConnection,
  brokers: ReadonlyMap<string, SandboxAddress>,
): KafkaConnection {
  const address = brokers.get(kafkaBrokerKey(connection));
  if (address === undefined) return connection;
  return {
    ...connection,
    bootstrapServers: [`${address.host}:${address.port}`],
    tls: { enabled: false },
    authentication: { method: "Anonymous" },
    protocol: "Kafka",
    isEventHubs: false,
  };
}

function mqttInSandbox(
  connection: MqttConnection,
  brokers: ReadonlyMap<string, SandboxAddress>,
): MqttConnection {
  const address = brokers.get(mqttBrokerKey(connection));
  if (address === undefined) return connection;
  return {
    ...connection,
    host: address.host,
    port: address.port,
    protocol: "Mqtt",
    tls: { enabled: false },
    authentication: { method: "Anonymous" },
  };
}

/** The embedded MQTT broker has no Shared Subscriptions: one instance with a subscription of its own carries the same messages. */
function alone(route: Route): Route {
  if (route.direction === "kafkaToMqtt") return { ...route, instances: 1 };
  const { sharedSubscription: _, ...rest } = route;
  return { ...rest, instances: 1 };
}

/**
 * The same routes with every connection led to its sandbox broker: no TLS, no credentials, nothing leaves this machine.
 * Each route has one instance.
 */
export function sandboxedPlan(
  plan: Plan,
  kafkaBrokers: ReadonlyMap<string, SandboxAddress>,
  mqttBrokers: ReadonlyMap<string, SandboxAddress>,
): Plan {
  return {
    ...plan,
    routes: plan.routes.map(alone),
    kafkaConnections: new Map(
      [...plan.kafkaConnections].map(([id, connection]) => [
        id,
        inSandbox(connection, kafkaBrokers),
      ]),
    ),
    mqttConnections: new Map(
      [...plan.mqttConnections].map(([id, connection]) => [
        id,
        mqttInSandbox(connection, mqttBrokers),
      ]),
    ),
  };
}
