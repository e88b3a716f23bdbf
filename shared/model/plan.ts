import type { KafkaConnection, MqttConnection } from "./connection.ts";
import type { Route } from "./route.ts";

/** Everything the manifests say, compiled: what a host runs. */
export interface Plan {
  readonly routes: readonly Route[];
  readonly kafkaConnections: ReadonlyMap<string, KafkaConnection>;
  readonly mqttConnections: ReadonlyMap<string, MqttConnection>;
}
