import { kafkaTopicTail } from "../adapters/kafka/kafka-topic-tail.ts";
import { mqttPublisher } from "../adapters/mqtt/mqtt-publisher.ts";
import { mqttSubscriber } from "../adapters/mqtt/mqtt-subscriber.ts";
import type { MqttEndpoint } from "../model/endpoint.ts";
import { canaryMark } from "../verify/canary.ts";
import type { CanaryPoint } from "../verify/canary-path.ts";
import { publishShape, recordShape } from "../verify/canary-shape.ts";
import { type CanaryEnd, type CanaryRequest, inTime, pause } from "./canary-end.ts";
import type { HostContext } from "./context.ts";
import { kafkaEndpointOf, mqttEndpointOf } from "./endpoints.ts";
import { verifierIdentifier } from "./names.ts";

/** A session that outlives a lost connection, and not much more. */
const SESSION_SECONDS = 300;
const STOP_MS = 2_000;

/** Hears canaries at their end. @throws BridgeError when it cannot, or not in time */
export async function listenToKafka(
  { connection, topic }: CanaryPoint,
  request: CanaryRequest,
  host: HostContext,
): Promise<CanaryEnd> {
  const endpoint = await kafkaEndpointOf(connection, host);
  const clientId = identifier(request);
  const tail = kafkaTopicTail({ endpoint, clientId, topic, log: host.log });
  const started = tail.start((records) => {
    for (const record of records) {
      const mark = canaryMark(record.value, record.headers);
      if (mark?.run !== request.run) continue;
      request.arrived({ mark, shape: recordShape(record), partition: record.partition });
    }
  });
  return inTime(started, tail, host, "KAFKA_UNAVAILABLE");
}

/** The same for MQTT. */
export async function listenToMqtt(
  { connection, topic }: CanaryPoint,
  request: CanaryRequest,
  host: HostContext,
): Promise<CanaryEnd> {
  const { clock, log } = host;
  const found = await mqttEndpointOf(connection, host);
  const endpoint = { ...found, sessionExpiryInterval: SESSION_SECONDS };
  const clientIdentifier = identifier(request);
  const receiveMaximum = endpoint.maxInflightMessages;
  const subscriber = mqttSubscriber({ endpoint, clientIdentifier, receiveMaximum, log, clock });
  let subscribed = false;
  const hears = subscriber.start({ topicFilters: [topic], qos: 1 }, (delivery) => {
    const { publish } = delivery;
    const mark = canaryMark(publish.payload, publish.properties.userProperties);
    if (mark?.run === request.run) {
      request.arrived({ mark, shape: publishShape(publish), partition: 0 });
    }
    delivery.acknowledge();
  });
  const started = hears.then(() => {
    subscribed = true;
  });
  const listener = {
    async stop(): Promise<void> {
      await subscriber.stop();
      if (subscribed) await eraseSession(endpoint, clientIdentifier, host);
    },
    status: () => subscriber.status?.(),
  };
  return inTime(started, listener, host, "MQTT_UNAVAILABLE");
}

/** Connects once more with Clean Start and without expiry: what the broker kept of the session ends with this connection. */
async function eraseSession(
  endpoint: MqttEndpoint,
  clientIdentifier: string,
  { log, clock }: HostContext,
): Promise<void> {
  const eraser = mqttPublisher({
    endpoint: { ...endpoint, sessionExpiryInterval: 0 },
    ...{ clientIdentifier, window: 1, log, clock },
  });
  await Promise.race([eraser.start(() => undefined).catch(() => undefined), pause(STOP_MS)]);
  await eraser.stop(0);
}

function identifier({ path, run }: CanaryRequest): string {
  return verifierIdentifier(path.last, run);
}
