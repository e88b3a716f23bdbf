import { setTimeout as pause } from "node:timers/promises";
import { Account } from "./account.ts";
import { arrivals, KafkaReader, KafkaSource } from "./kafka-ends.ts";
import type { PublishContent, RecordContent } from "./messages.ts";
import { MqttCollector, MqttSource } from "./mqtt-ends.ts";
import { type Lanes, lanesToKafka, lanesToMqtt } from "./names.ts";
import type { Pace } from "./pace.ts";
import type { World } from "./world.ts";

/** Between two looks at whether a topic is drained. */
const DRAINED_MS = 20;

export type Direction = "toMqtt" | "toKafka";

export interface FlowOptions {
  readonly world: World;
  readonly run: string;
  readonly messages: number;
  readonly perSecond: number;
}

/** The messages of one direction, from their source through the bridge to where they are compared and counted. */
export class Flow {
  readonly direction: Direction;
  readonly account: Account;
  readonly lanes: Lanes;
  /** No more than so many are sent for now. */
  limit = 0;
  /** The Kafka topic into whose lanes nothing is sent for now. */
  private avoided: string | undefined;
  readonly source: KafkaSource | MqttSource;
  readonly reader: KafkaReader | MqttCollector;
  private readonly perSecond: number;
  private turn = 0;
  private sending: Promise<void> = Promise.resolve();

  private constructor(
    direction: Direction,
    options: FlowOptions,
    ends: (account: Account, lanes: Lanes) => Pick<Flow, "source" | "reader">,
  ) {
    this.direction = direction;
    this.perSecond = options.perSecond;
    this.lanes = direction === "toMqtt" ? lanesToMqtt(options.run) : lanesToKafka(options.run);
    this.account = new Account(options.messages, this.lanes.mqttTopics.length);
    const { source, reader } = ends(this.account, this.lanes);
    this.source = source;
    this.reader = reader;
  }

  static async toMqtt(options: FlowOptions, content: RecordContent): Promise<Flow> {
    const { world, run } = options;
    const flow = new Flow("toMqtt", options, (account, lanes) => ({
      source: new KafkaSource({ port: world.kafkaPort, account, content, lanes }),
      reader: new MqttCollector({
        ...{ port: world.mqttPort, topicFilter: `out/${run}/#` },
        ...{ account, content, lanes },
      }),
    }));
    await (flow.reader as MqttCollector).connected();
    return flow;
  }

  static async toKafka(options: FlowOptions, content: PublishContent): Promise<Flow> {
    const { world } = options;
    const flow = new Flow("toKafka", options, (account, lanes) => ({
      source: new MqttSource({ port: world.mqttPort, account, content, lanes }),
      reader: new KafkaReader(
        world.kafkaPort,
        [...new Set(lanes.kafkaTopics)],
        arrivals({ account, content, lanes }),
      ),
    }));
    await (flow.source as MqttSource).connected();
    (flow.reader as KafkaReader).start();
    return flow;
  }

  start(): void {
    const pace: Pace = {
      perSecond: this.perSecond,
      limit: () => this.limit,
      lane: () => this.nextLane(),
    };
    this.sending = this.source.send(pace);
    // what goes wrong is told by allSent
    this.sending.catch(() => undefined);
  }

  /** Resolves when all are sent and acknowledged to the source. */
  async allSent(): Promise<void> {
    await this.sending;
  }

  /** Sends nothing into the lanes of this Kafka topic for now; into all again when none is given. */
  avoid(kafkaTopic?: string): void {
    this.avoided = kafkaTopic;
  }

  /** Resolves when all that was sent into the lanes of this Kafka topic has arrived. */
  async drained(kafkaTopic: string): Promise<void> {
    const { account, lanes } = this;
    while (account.missing().some((i) => lanes.kafkaTopics[account.laneOf(i)] === kafkaTopic)) {
      await pause(DRAINED_MS);
    }
  }

  async close(): Promise<void> {
    this.source.close();
    await this.reader.close();
  }

  private nextLane(): number {
    do this.turn = (this.turn + 1) % this.account.lanes;
    while (this.lanes.kafkaTopics[this.turn] === this.avoided);
    return this.turn;
  }
}
