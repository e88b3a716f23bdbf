import { afterAll, beforeAll, describe } from "vitest";
import { type SandboxKafka, startSandboxKafka } from "../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../shared/adapters/kafka/kafka-record-source.ts";
import { noLog, plainEndpoint, unique } from "../support/kafka-ends.ts";
import { recordPortsContract } from "./record-ports.ts";

describe("Kafka keeps the contracts of the record ports", () => {
  let broker: SandboxKafka;
  beforeAll(async () => {
    broker = await startSandboxKafka();
  });
  afterAll(() => broker.stop());

  const endpoint = () => plainEndpoint(broker.bootstrapServers.join(","));

  recordPortsContract(() => ({
    async topic() {
      const name = unique("topic");
      broker.createTopic(name, 2);
      return name;
    },
    producer: () =>
      kafkaRecordProducer({
        endpoint: endpoint(),
        clientId: "contract",
        acks: -1,
        compression: "None",
        log: noLog,
      }),
    source: (topic, consumerGroupId) =>
      kafkaRecordSource({
        endpoint: endpoint(),
        clientId: "contract",
        topics: [{ kind: "name", topic }],
        consumerGroupId,
        log: noLog,
      }),
    cut: () => broker.dropConnections(),
  }));
});
