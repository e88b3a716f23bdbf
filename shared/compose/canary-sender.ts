import { kafkaRecordProducer } from "../adapters/kafka/kafka-record-producer.ts";
import { mqttPublisher } from "../adapters/mqtt/mqtt-publisher.ts";
import type { RecordProducer } from "../engine/ports.ts";
import { BridgeError, toBridgeError } from "../errors.ts";
import type { OutgoingRecord } from "../model/kafka-record.ts";
import type { Publish } from "../model/publish.ts";
import type { CanaryPoint } from "../verify/canary-path.ts";
import { type CanaryEnd, type CanaryRequest, inTime, pause } from "./canary-end.ts";
import type { HostContext } from "./context.ts";
import { kafkaEndpointOf, mqttEndpointOf } from "./endpoints.ts";
import { verifierIdentifier } from "./names.ts";

/** Sends canaries. */
export interface CanarySender extends CanaryEnd {
  /**
   * Sends the canaries numbered from `first` up to `end`, which is not one of them. Resolves when the source has acknowledged all of them;
   * what passes is waited out. One call at a time. @throws BridgeError when the source refuses
   */
  send(first: number, end: number): Promise<void>;
  /** How many were sent once more, because it was not known whether the source had them. */
  resent(): number;
}

const RETRY_MS = 250;
const STOP_MS = 2_000;

/** Sends canaries to a Kafka topic, each to the partition of its lane. @throws BridgeError when it cannot, or not in time */
export async function sendToKafka(
  { connection }: CanaryPoint,
  request: CanaryRequest,
  host: HostContext,
): Promise<CanarySender> {
  const producer = kafkaRecordProducer({
    endpoint: await kafkaEndpointOf(connection, host),
    clientId: verifierIdentifier(request.path.first, request.run),
    acks: -1,
    compression: "None",
    log: host.log,
  });
  let stopped = false;
  let resent = 0;
  const send: CanarySender["send"] = async (first, end) => {
    const records: OutgoingRecord[] = [];
    for (let number = first; number < end; number += 1) {
      const message = request.path.message({ run: request.run, number, sentAt: request.now() });
      if (message.kind === "kafka") records.push(message.record);
    }
    while (!(await taken(producer, records))) {
      if (stopped) throw new BridgeError("STOPPED", "Stopped before Kafka had all canaries");
      resent += records.length;
      await pause(RETRY_MS);
    }
  };
  const stop = (): Promise<void> => {
    stopped = true;
    return producer.stop();
  };
  const end = { stop, status: () => producer.status?.(), send, resent: () => resent };
  return inTime(producer.start(), end, host, "KAFKA_UNAVAILABLE");
}

/** False when it is not known that the source has them all. @throws BridgeError when it never can have them */
async function taken(
  producer: RecordProducer,
  records: readonly OutgoingRecord[],
): Promise<boolean> {
  try {
    await producer.send(records);
    return true;
  } catch (cause) {
    const error = toBridgeError(cause, "KAFKA_UNAVAILABLE", "Cannot send canaries");
    if (!error.retryable) throw error;
    return false;
  }
}

/** The same for MQTT. */
export async function sendToMqtt(
  { connection }: CanaryPoint,
  request: CanaryRequest,
  host: HostContext,
): Promise<CanarySender> {
  const endpoint = await mqttEndpointOf(connection, host);
  const publisher = mqttPublisher({
    endpoint,
    clientIdentifier: `${verifierIdentifier(request.path.first, request.run)}-sender`,
    window: endpoint.maxInflightMessages,
    log: host.log,
    clock: host.clock,
  });
  /** Numbers that wait for room, of the call under way. */
  let waiting: number[] = [];
  let left = 0;
  let resent = 0;
  let settled: { resolve(): void; reject(error: BridgeError): void } | undefined;

  const outcome = (number: number, error: BridgeError | undefined): void => {
    if (error !== undefined && !error.retryable) {
      settled?.reject(error);
    } else if (error !== undefined) {
      resent += 1;
      host.clock.after(RETRY_MS, () => {
        waiting.unshift(number);
        fill();
      });
    } else {
      left -= 1;
      if (left === 0) settled?.resolve();
    }
  };
  const fill = (): void => {
    while (publisher.room > 0) {
      const number = waiting.shift();
      if (number === undefined) break;
      publisher.publish(messageOf(request, number), { settle: (error) => outcome(number, error) });
    }
    publisher.flush();
  };
  const send: CanarySender["send"] = (first, end) =>
    new Promise((resolve, reject) => {
      settled = { resolve, reject };
      waiting = Array.from({ length: end - first }, (_, index) => first + index);
      left = waiting.length;
      fill();
    });
  const end = {
    stop: () => publisher.stop(STOP_MS),
    status: () => publisher.status?.(),
    send,
    resent: () => resent,
  };
  return inTime(publisher.start(fill), end, host, "MQTT_UNAVAILABLE");
}

function messageOf({ run, path, now }: CanaryRequest, number: number): Publish {
  const message = path.message({ run, number, sentAt: now() });
  if (message.kind === "mqtt") return message.publish;
  throw new TypeError("a canary for Kafka was to be published");
}
