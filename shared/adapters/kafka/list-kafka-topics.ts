import type { Log } from "../../engine/ports.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import { kafkaClient } from "./kafka-client.ts";
import { kafkaError } from "./kafka-errors.ts";

/** The names of all topics that the endpoint's credentials may see. @throws BridgeError when it cannot be asked. */
export async function listKafkaTopics(endpoint: KafkaEndpoint, log: Log): Promise<string[]> {
  const admin = kafkaClient({ endpoint, clientId: "isthmus-topics", log }).admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } catch (cause) {
    throw kafkaError(
      cause,
      `Cannot list the topics of Kafka at ${endpoint.bootstrapServers.join(",")}`,
    );
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
