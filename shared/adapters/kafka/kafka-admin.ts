import type { Admin } from "kafkajs";
import type { Log } from "../../engine/ports.ts";
import type { KafkaEndpoint } from "../../model/endpoint.ts";
import { within } from "../../within.ts";
import { kafkaClient } from "./kafka-client.ts";

export interface PartitionOffsets {
  readonly partition: number;
  /** Of the oldest record that is left. */
  readonly low: bigint;
  /** One past the newest record. */
  readonly high: bigint;
}

/** What a bridge asks of a Kafka cluster besides reading and writing. Every call connects and disconnects by itself. */
export interface KafkaAdmin {
  /** All topics that this user may see. @throws BridgeError */
  listTopics(): Promise<readonly string[]>;
  /** Where the partitions of a topic begin and end. @throws BridgeError */
  topicOffsets(topic: string): Promise<readonly PartitionOffsets[]>;
  /** Makes topics that are not there yet, by default with the broker's number of partitions. @throws BridgeError */
  createTopics(topics: readonly { topic: string; partitions?: number }[]): Promise<void>;
}

const DISCONNECT_MS = 3_000;

export function kafkaAdmin(endpoint: KafkaEndpoint, clientId: string, log: Log): KafkaAdmin {
  async function use<T>(doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const client = kafkaClient({ endpoint, clientId, log });
    const admin = client.kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (cause) {
      throw client.error(cause, doing);
    } finally {
      await within(DISCONNECT_MS, admin.disconnect());
      client.abandon();
    }
  }

  return {
    listTopics: () => use("Cannot list the topics of", (admin) => admin.listTopics()),
    topicOffsets: (topic) =>
      use(`Cannot read the offsets of topic "${topic}" of`, async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.map(({ partition, low, high }) => ({
          partition,
          low: BigInt(low),
          high: BigInt(high),
        }));
      }),
    createTopics: (topics) =>
      use("Cannot create topics in", async (admin) => {
        await admin.createTopics({
          topics: topics.map(({ topic, partitions }) => ({
            topic,
            numPartitions: partitions ?? -1,
          })),
        });
      }),
  };
}
