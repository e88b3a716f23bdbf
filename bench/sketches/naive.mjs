// One message after the other, as the two libraries' first examples do. DIR BROKERS URL QOS SRC DST
import { Kafka, logLevel } from "kafkajs";
import mqtt from "mqtt";

const [direction, broker, url, qosText, source, destination] = process.argv.slice(2);
const qos = Number(qosText);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const client = await mqtt.connectAsync(url, { protocolVersion: 5 });

if (direction === "k2m") {
  const consumer = kafka.consumer({ groupId: `naive-${process.pid}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [source], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
      const properties = { userProperties: Object.fromEntries(headers) };
      await client.publishAsync(destination, message.value, { qos, properties });
    },
  });
} else {
  const producer = kafka.producer();
  await producer.connect();
  client.on("message", (topic, value, { properties }) => {
    const headers = { ...properties?.userProperties };
    void producer.send({ topic: destination, messages: [{ key: topic, value, headers }] });
  });
  await client.subscribeAsync(source, { qos });
}
