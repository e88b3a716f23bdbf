import { connectAsync, type MqttClient } from "mqtt";
import type { Tally } from "../support/tally.ts";
import {
  difference,
  expectedProperties,
  type SourcePublish,
  type SourceRecord,
} from "./messages.ts";
import { type Series, sendSeries } from "./series.ts";

/** Unacknowledged at once. */
const WINDOW = 400;

/** An MQTT client at one end of the bridge: mqtt.js alone, none of our code. Its session outlives a restart of the broker. */
export class MqttEnd {
  private readonly client: MqttClient;

  private constructor(client: MqttClient) {
    this.client = client;
  }

  static async connect(url: string, clientId: string): Promise<MqttEnd> {
    const client = await connectAsync(url, {
      protocolVersion: 5,
      clientId,
      clean: false,
      reconnectPeriod: 200,
      properties: { sessionExpiryInterval: 600, receiveMaximum: 1000 },
    });
    return new MqttEnd(client);
  }

  /** Publishes the series at QoS 1, in order; resolves when all are acknowledged. */
  async publish(series: Series<SourcePublish>): Promise<void> {
    await sendSeries(series, WINDOW, async (messages) => {
      await Promise.all(
        messages.map(({ topic, payload, properties }) =>
          this.client.publishAsync(topic, payload, { qos: 1, properties }),
        ),
      );
    });
  }

  /** Subscribes and counts every message of `run`; the lane is the partition it came from. */
  async collect(options: {
    readonly topicFilter: string;
    readonly qos: 0 | 1;
    readonly run: string;
    readonly tally: Tally;
    record(index: number): SourceRecord;
    topicOf(record: SourceRecord): string;
  }): Promise<void> {
    this.client.on("message", (topic, payload, packet) => {
      const { userProperties, ...others } = packet.properties ?? {};
      const properties = Object.fromEntries(
        Object.entries(userProperties ?? {}).map(([name, value]) => [name, [value].flat()]),
      );
      if (properties["run"]?.[0] !== options.run) return;
      const index = Number(properties["index"]?.[0]);
      const record = options.record(index);
      const problem =
        difference("topic", topic, options.topicOf(record)) ??
        difference("payload", payload.toString("hex"), record.value?.toString("hex") ?? "") ??
        difference("QoS", packet.qos, options.qos) ??
        difference("retain", packet.retain, false) ??
        difference("other properties", others, {}) ??
        difference("User Properties", properties, expectedProperties(record, index));
      options.tally.add(index, `${record.topic}/${record.partition}`, problem);
    });
    await this.client.subscribeAsync(options.topicFilter, { qos: options.qos });
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}
