import type { Log } from "../../engine/ports.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import { kafkaClient } from "./kafka-client.ts";
import { kafkaError } from "./kafka-errors.ts";

/** What a bridge asks of a Kafka cluster besides reading and writing. Every call connects and disconnects by itself. */
export interface KafkaAdmin {
  /** All topics that this user may see. @throws BridgeError */
  listTopics(): Promise<readonly string[]>;
  /** Makes topics that are not there yet. @throws BridgeError */
  createTopics(topics: readonly { topic: string; partitions: number }[]): Promise<void>;
}

export function kafkaAdmin(endpoint: KafkaEndpoint, clientId: string, log: Log): KafkaAdmin {
  const client = kafkaClient({ endpoint, clientId, log });
  const servers = endpoint.bootstrapServers.join(", ");

  async function use<T>(
    doing: string,
    work: (admin: ReturnType<typeof client.admin>) => Promise<T>,
  ): Promise<T> {
    const admin = client.admin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (cause) {
      throw kafkaError(cause, `Cannot ${doing} Kafka at ${servers}`);
    } finally {
      await admin.disconnect();
    }
  }

  return {
    listTopics: () => use("list the topics of", (admin) => admin.listTopics()),
    createTopics: (topics) =>
      use("create topics in", async (admin) => {
        await admin.createTopics({
          topics: topics.map(({ topic, partitions }) => ({ topic, numPartitions: partitions })),
        });
      }),
  };
}
