// The same two libraries at their best: many publishes under way, PUBACKs held back until Kafka has the batch. DIR BROKERS URL QOS SRC DST
import { Kafka, logLevel } from "kafkajs";
import mqtt from "mqtt";

const [direction, broker, url, qosText, source, destination] = process.argv.slice(2);
const qos = Number(qosText);
const WINDOW = qos === 0 ? 200 : 1000;
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const connect = { protocolVersion: 5, writeCache: true, properties: { receiveMaximum: 2000 } };

async function kafkaToMqtt() {
  const client = await mqtt.connectAsync(url, connect);
  const consumer = kafka.consumer({ groupId: `tuned-${process.pid}` });
  const publishAll = (messages) =>
    new Promise((resolve, reject) => {
      let next = 0;
      let open = 0;
      const acknowledged = (error) => {
        open -= 1;
        if (error) reject(error);
        else if (next === messages.length && open === 0) resolve();
        else if (open < WINDOW / 2) more();
      };
      const more = () => {
        while (next < messages.length && open < WINDOW) {
          const { value, headers } = messages[next];
          next += 1;
          open += 1;
          const userProperties = {};
          for (const name in headers) userProperties[name] = String(headers[name]);
          client.publish(destination, value, { qos, properties: { userProperties } }, acknowledged);
        }
      };
      more();
    });
  await consumer.connect();
  await consumer.subscribe({ topics: [source], fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch: { messages }, resolveOffset, heartbeat }) => {
      await publishAll(messages);
      resolveOffset(messages.at(-1).offset);
      await heartbeat();
    },
  });
}

async function mqttToKafka() {
  const producer = kafka.producer({ maxInFlightRequests: 4 });
  await producer.connect();
  const client = mqtt.connect(url, connect);
  const write = client._sendPacket.bind(client);
  const messages = [];
  const held = [];
  let sending = 0;
  client._sendPacket = (packet, done, ...rest) => {
    if (packet.cmd !== "puback") return write(packet, done, ...rest);
    held.push(packet);
    return done?.();
  };
  const send = async () => {
    if (messages.length === 0 || sending === 4) return;
    const batch = messages.splice(0, 1000);
    const acknowledgements = held.splice(0, batch.length);
    sending += 1;
    await producer.send({ topic: destination, messages: batch });
    sending -= 1;
    for (const packet of acknowledgements) write(packet);
    if (messages.length >= 500) void send();
  };
  client.on("message", (topic, value, { properties }) => {
    messages.push({ key: topic, value, headers: { ...properties?.userProperties } });
    if (messages.length >= 500) setImmediate(send);
  });
  setInterval(send, 5);
  client.on("connect", () => client.subscribe(source, { qos }));
}

await (direction === "k2m" ? kafkaToMqtt() : mqttToKafka());
