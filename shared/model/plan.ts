import type { KafkaConnection, MqttConnection } from "./connection.ts";
import type { Asset, DeviceEndpoint } from "./device.ts";
import type { Route } from "./route.ts";

/** Everything the manifests say, compiled: what a host runs. */
export interface Plan {
  readonly routes: readonly Route[];
  readonly kafkaConnections: ReadonlyMap<string, KafkaConnection>;
  readonly mqttConnections: ReadonlyMap<string, MqttConnection>;
  /** Where assets are found and forwarded from. */
  readonly devices?: readonly DeviceEndpoint[];
  /** What is forwarded; a host may know of more. */
  readonly assets?: readonly Asset[];
}
