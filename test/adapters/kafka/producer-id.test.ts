import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type SandboxKafka,
  startSandboxKafka,
} from "../../../local/sandbox/kafka/sandbox-kafka.ts";
import { kafkaRecordProducer } from "../../../shared/adapters/kafka/kafka-record-producer.ts";
import { kafkaRecordSource } from "../../../shared/adapters/kafka/kafka-record-source.ts";
import { Collector, noLog, outgoing, plainEndpoint, unique } from "../../support/kafka-ends.ts";

const CLUSTER_AUTHORIZATION_FAILED = 31;
const COORDINATOR_LOAD_IN_PROGRESS = 14;

let broker: SandboxKafka;
/** What InitProducerId is answered with by client id, the first so often. */
const refusals = new Map<string, { errorCode: number; times: number }>();
const asked = new Map<string, number>();

beforeAll(async () => {
  broker = await startSandboxKafka({
    partitions: 1,
    faults: ({ apiName, ...request }) => {
      if (apiName !== "InitProducerId") return undefined;
      const clientId = request.clientId ?? "";
      asked.set(clientId, (asked.get(clientId) ?? 0) + 1);
      const refusal = refusals.get(clientId);
      if (refusal === undefined || refusal.times === 0) return undefined;
      refusal.times -= 1;
      return { errorCode: refusal.errorCode };
    },
  });
});
afterAll(() => broker.stop());

async function sendOne(clientId: string, over: { isEventHubs?: boolean; acks?: -1 | 0 | 1 } = {}) {
  const warnings: string[] = [];
  const endpoint = { ...plainEndpoint(broker.bootstrapServers.join()), ...over };
  const producer = kafkaRecordProducer({
    ...{ endpoint, clientId, acks: over.acks ?? -1, compression: "None" },
    log: (level, message) => {
      if (level === "warn") warnings.push(message);
    },
  });
  const topic = unique("ids");
  await producer.start();
  await producer.send([outgoing({ topic, value: Buffer.from("here") })]);
  await producer.stop();
  const source = kafkaRecordSource({
    ...{ endpoint: plainEndpoint(broker.bootstrapServers.join()), clientId: "reader" },
    ...{ consumerGroupId: unique("group"), log: noLog, topics: [{ kind: "name", topic }] },
  });
  const collector = new Collector(source);
  await source.start(collector);
  await collector.until(() => collector.received.length > 0);
  await source.stop();
  return { warnings, values: collector.received.map(({ value }) => `${value}`) };
}

const HERE = `${new Uint8Array(Buffer.from("here"))}`;

describe("a producer asks for a producer id [S-51]", () => {
  test("and goes on without one, with a warning, where it may not have one", async () => {
    refusals.set("forbidden", { errorCode: CLUSTER_AUTHORIZATION_FAILED, times: Infinity });
    const { warnings, values } = await sendOne("forbidden");
    expect(values).toEqual([HERE]);
    expect(warnings).toEqual(["Kafka gives no producer id: a late copy may be written"]);
  });

  test("and again while the broker is not ready to give one", async () => {
    refusals.set("early", { errorCode: COORDINATOR_LOAD_IN_PROGRESS, times: 2 });
    const { values } = await sendOne("early");
    expect(values).toEqual([HERE]);
    expect(asked.get("early")).toBe(3);
  });

  test.each([
    ["not of Event Hubs, where it has not been seen", "hub", { isEventHubs: true }],
    ["not where nobody acknowledges", "nobody", { acks: 0 as const }],
  ])("%s", async (_, clientId, over) => {
    const { values, warnings } = await sendOne(clientId, over);
    expect([values, warnings, asked.get(clientId)]).toEqual([[HERE], [], undefined]);
  });
});
