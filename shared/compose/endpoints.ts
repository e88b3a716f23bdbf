import { BridgeError } from "../errors.ts";
import type { KafkaEndpoint, MqttEndpoint } from "../model/endpoint.ts";
import type { Route } from "../model/route.ts";
import { rereading } from "../secrets/rereading.ts";
import {
  type ResolveOptions,
  resolveKafkaEndpoint,
  resolveMqttEndpoint,
} from "../secrets/resolve-endpoint.ts";
import { checkConnectionString } from "./check-connection-string.ts";
import type { HostContext } from "./context.ts";

export interface Endpoints {
  readonly kafka: KafkaEndpoint;
  readonly mqtt: MqttEndpoint;
}

/** Both ends of a route with their secrets read. @throws BridgeError that names what is missing. */
export async function resolveEndpoints(route: Route, host: HostContext): Promise<Endpoints> {
  const kafka = await kafkaEndpointOf(route.kafkaConnection, host);
  checkConnectionString(route, kafka, host.log);
  return { kafka, mqtt: await mqttEndpointOf(route.mqttConnection, host) };
}

/** A Kafka connection of the plan with its secrets read, and read again as they change. @throws BridgeError that names what is missing. */
export async function kafkaEndpointOf(id: string, host: HostContext): Promise<KafkaEndpoint> {
  const connection = host.plan.kafkaConnections.get(id);
  if (connection === undefined) throw notInPlan(id);
  return await rereadable(id, host, () =>
    resolveKafkaEndpoint(connection, host.secrets, host.identity, options(host)),
  );
}

/** The same for MQTT. */
export async function mqttEndpointOf(id: string, host: HostContext): Promise<MqttEndpoint> {
  const connection = host.plan.mqttConnections.get(id);
  if (connection === undefined) throw notInPlan(id);
  return await rereadable(id, host, () =>
    resolveMqttEndpoint(connection, host.secrets, host.identity, options(host)),
  );
}

function rereadable<E extends KafkaEndpoint | MqttEndpoint>(
  connection: string,
  { clock, log }: HostContext,
  read: () => Promise<E>,
): Promise<E> {
  return rereading({
    read,
    now: () => clock.now(),
    changed: () =>
      log("info", "Secrets have changed, the next connection uses the new ones", { connection }),
    failed: ({ code, message }) =>
      log("warn", "Secrets cannot be read anew, the old ones are used on", {
        connection,
        code,
        error: message,
      }),
  });
}

function options(host: HostContext): ResolveOptions {
  return { now: host.clock.now(), serviceAccountTokenFile: host.serviceAccountTokenFile };
}

function notInPlan(id: string): BridgeError {
  return new BridgeError("MANIFEST_INVALID", `Cannot connect: "${id}" is not in the plan`);
}
