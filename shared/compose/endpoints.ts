import { BridgeError } from "../errors.ts";
import type { KafkaEndpoint, MqttEndpoint } from "../model/endpoint.ts";
import type { Route } from "../model/route.ts";
import { resolveKafkaEndpoint, resolveMqttEndpoint } from "../secrets/resolve-endpoint.ts";
import type { HostContext } from "./context.ts";

export interface Endpoints {
  readonly kafka: KafkaEndpoint;
  readonly mqtt: MqttEndpoint;
}

/** Both ends of a route with their secrets read. @throws BridgeError that names what is missing. */
export async function resolveEndpoints(route: Route, host: HostContext): Promise<Endpoints> {
  const kafka = host.plan.kafkaConnections.get(route.kafkaConnection);
  const mqtt = host.plan.mqttConnections.get(route.mqttConnection);
  if (kafka === undefined || mqtt === undefined) {
    throw new BridgeError(
      "MANIFEST_INVALID",
      `Cannot open route "${route.name}": its connections are not in the plan`,
    );
  }
  const options = {
    now: host.clock.now(),
    serviceAccountTokenFile: host.serviceAccountTokenFile,
  };
  return {
    kafka: await resolveKafkaEndpoint(kafka, host.secrets, host.identity, options),
    mqtt: await resolveMqttEndpoint(mqtt, host.secrets, host.identity, options),
  };
}
