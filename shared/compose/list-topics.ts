import { kafkaAdmin } from "../adapters/kafka/kafka-admin.ts";
import { BridgeError } from "../errors.ts";
import { resolveKafkaEndpoint } from "../secrets/resolve-endpoint.ts";
import type { HostContext } from "./context.ts";

/** The topics that a Kafka connection of the plan has now. @throws BridgeError when it cannot be asked. */
export async function topicsOf(
  kafkaConnection: string,
  { plan, secrets, log, identity }: HostContext,
): Promise<readonly string[]> {
  const connection = plan.kafkaConnections.get(kafkaConnection);
  if (connection === undefined) {
    throw new BridgeError(
      "MANIFEST_INVALID",
      `Cannot list topics: connection "${kafkaConnection}" is not in the plan`,
    );
  }
  const endpoint = await resolveKafkaEndpoint(connection, secrets, identity);
  return kafkaAdmin(endpoint, "isthmus-topics", log).listTopics();
}
