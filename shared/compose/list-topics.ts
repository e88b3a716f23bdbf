import { azureTokenSource } from "../adapters/identity/azure-token-source.ts";
import { kafkaAdmin } from "../adapters/kafka/kafka-admin.ts";
import { BridgeError } from "../errors.ts";
import { resolveKafkaEndpoint } from "../secrets/resolve-endpoint.ts";
import type { HostOptions } from "./context.ts";

/** The topics that a Kafka connection of the plan has now, for its regular expressions (S-30). @throws BridgeError */
export async function listTopics(
  kafkaConnection: string,
  { plan, secrets, log, identity = azureTokenSource() }: HostOptions,
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
