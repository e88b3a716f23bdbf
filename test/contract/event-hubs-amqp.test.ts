import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { eventHubsRecordProducer } from "../../shared/adapters/event-hubs/event-hubs-record-producer.ts";
import { eventHubsRecordSource } from "../../shared/adapters/event-hubs/event-hubs-record-source.ts";
import type { KafkaEndpoint } from "../../shared/model/endpoint.ts";
import { EventHubsServer } from "../support/event-hubs/event-hubs-server.ts";
import { noLog, unique } from "../support/kafka-ends.ts";
import { recordPortsContract } from "./record-ports.ts";

describe("Event Hubs over AMQP keeps the contracts of the record ports", () => {
  let server: EventHubsServer;
  let folder: string;
  beforeAll(async () => {
    server = await EventHubsServer.start({ hubs: {} });
    folder = await mkdtemp(join(tmpdir(), "isthmus-checkpoints-"));
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const endpoint = (): KafkaEndpoint => ({
    bootstrapServers: ["127.0.0.1:9093"],
    isEventHubs: true,
    sasl: {
      mechanism: "plain",
      username: "$ConnectionString",
      password: server.connectionString(),
    },
  });

  recordPortsContract(() => ({
    async topic() {
      const name = unique("hub");
      server.addHub(name, 2);
      return name;
    },
    producer: () => eventHubsRecordProducer({ endpoint: endpoint(), log: noLog }),
    source: (topic, consumerGroupId) =>
      eventHubsRecordSource({
        endpoint: endpoint(),
        topics: [{ kind: "name", topic }],
        consumerGroupId,
        ownerId: unique("owner"),
        checkpoints: folder,
        shared: false,
        log: noLog,
        timing: { updateMs: 200, expiryMs: 5000 },
      }),
    cut: () => server.cut(),
  }));
});
