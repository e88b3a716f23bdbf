import { Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import mqtt, { type MqttClient } from "mqtt";
import type { Plan } from "../../../shared/model/plan.ts";
import { machineEvent, type Sample, temperatureAlert } from "./samples.ts";
import type { TrafficTargets } from "./targets.ts";

const KAFKA_EVERY_MS = 250;
const MQTT_EVERY_MS = 400;

/** Sample traffic under way. */
export interface Traffic {
  /** Messages sent so far. */
  sent(): { readonly kafka: number; readonly mqtt: number };
  stop(): Promise<void>;
}

interface Sender {
  readonly every: number;
  send(topic: string, n: number): Promise<void>;
  readonly topics: readonly string[];
  stop(): Promise<void>;
}

async function kafkaSender(broker: string, topics: readonly string[]): Promise<Sender> {
  const kafka = new Kafka({
    clientId: "sample-factory",
    brokers: [broker],
    logLevel: logLevel.NOTHING,
  });
  const producer: Producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: true,
  });
  await producer.connect();
  const toMessage = (topic: string, sample: Sample) => ({
    key: topic,
    value: sample.payload,
    headers: { ...sample.properties },
  });
  return {
    every: KAFKA_EVERY_MS,
    topics,
    send: async (topic, n) => {
      const message = toMessage(topic, machineEvent(topic, n, Date.now()));
      await producer.send({ topic, messages: [message] });
    },
    stop: () => producer.disconnect(),
  };
}

async function mqttSender(url: string, topics: readonly string[]): Promise<Sender> {
  const client: MqttClient = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    clientId: "sample-factory",
  });
  return {
    every: MQTT_EVERY_MS,
    topics,
    send: async (topic, n) => {
      const sample = temperatureAlert(topic, n, Date.now());
      await client.publishAsync(topic, sample.payload, {
        qos: 1,
        properties: {
          payloadFormatIndicator: true,
          contentType: "application/json",
          messageExpiryInterval: 300,
          responseTopic: `${topic}/acknowledged`,
          correlationData: Buffer.from(`alert-${n}`),
          userProperties: { ...sample.properties },
        },
      });
    },
    stop: () => client.endAsync(true),
  };
}

/** Sends one message after another, each after the one before is taken, until the returned function is called. */
function pace(sender: Sender, onSent: () => void): () => void {
  let n = 0;
  let busy = false;
  const timer = setInterval(() => {
    const topic = sender.topics[n % sender.topics.length];
    if (busy || topic === undefined) return;
    busy = true;
    sender
      .send(topic, n)
      .then(onSent, () => {
        // sample traffic may fail, as a factory's may: the next one is tried all the same
      })
      .finally(() => {
        busy = false;
      });
    n++;
  }, sender.every);
  return () => clearInterval(timer);
}

/** Sends sample factory traffic to the plan's own connections, a few messages a second, until stopped. */
export async function startTraffic(plan: Plan, targets: TrafficTargets): Promise<Traffic> {
  const count = { kafka: 0, mqtt: 0 };
  const stops: (() => void)[] = [];
  const senders: Sender[] = [];
  for (const [id, topics] of targets.kafka) {
    const [broker] = plan.kafkaConnections.get(id)?.bootstrapServers ?? [];
    if (broker === undefined) continue;
    const sender = await kafkaSender(broker, topics);
    senders.push(sender);
    stops.push(pace(sender, () => count.kafka++));
  }
  for (const [id, topics] of targets.mqtt) {
    const connection = plan.mqttConnections.get(id);
    if (connection === undefined) continue;
    const sender = await mqttSender(`mqtt://${connection.host}:${connection.port}`, topics);
    senders.push(sender);
    stops.push(pace(sender, () => count.mqtt++));
  }
  return {
    sent: () => ({ ...count }),
    stop: async () => {
      for (const stop of stops) stop();
      await Promise.allSettled(senders.map((sender) => sender.stop()));
    },
  };
}
