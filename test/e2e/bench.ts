import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBrokerCertificates } from "../support/broker-certificates.ts";
import {
  KAFKA_PASSWORD,
  KAFKA_USER,
  type KafkaBroker,
  startKafka,
} from "../support/kafka-broker.ts";
import { type MosquittoBroker, startMosquitto } from "../support/mosquitto-broker.ts";
import { type Result, Tally } from "../support/tally.ts";
import { KafkaEnd } from "./kafka-end.ts";
import { type SourcePublish, type SourceRecord, sourcePublish, sourceRecord } from "./messages.ts";
import { MqttEnd } from "./mqtt-end.ts";
import { type RunnerProcess, startRunner, writeManifests, writeSecrets } from "./runner-process.ts";
import type { Series } from "./series.ts";

/** The four topics that the regular expression of kafka-source.yaml matches. */
export const FACTORY: readonly string[] = [
  "factory-f1-robot-r1",
  "warehouse-w1-machine-m1",
  "warehouse-w1-machine-m2",
  "warehouse-w1-machine-m3",
];
const OTHER_TOPICS = ["receiving-event-hub", "sending-event-hub", "thermostat-telemetry"];

/** Messages from one end to the other; both ends are ready, nothing is sent before `start`. */
export interface Flow {
  readonly run: string;
  start(): void;
  /** How many different messages have come. */
  arrived(): number;
  /** Starts what is not started and ends what has no end, waits until all are sent, and then until all have come, the latter `timeoutMs` at most. */
  finish(timeoutMs: number): Promise<Result>;
}

export interface FlowOptions {
  /** Tells the messages of this flow from those of others. */
  readonly run: string;
  /** How many; without it, until the flow is told to finish. */
  readonly count?: number;
  readonly perSecond?: number;
}

/** Brokers of its own, which it may stop and start, the runner between them, and the clients at both ends. */
export class Bench {
  readonly kafka: KafkaBroker;
  readonly mosquitto: MosquittoBroker;
  readonly kafkaEnd: KafkaEnd;
  private readonly folder: string;

  private constructor(folder: string, kafka: KafkaBroker, mosquitto: MosquittoBroker) {
    this.folder = folder;
    this.kafka = kafka;
    this.mosquitto = mosquitto;
    this.kafkaEnd = new KafkaEnd(kafka.addresses.plain);
  }

  static async open(): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-e2e-"));
    const certificates = join(folder, "certificates");
    if (!makeBrokerCertificates(certificates)) throw new Error("openssl is not on PATH");
    const [kafka, mosquitto] = await Promise.all([
      startKafka({ certificates }),
      startMosquitto({ certificates }),
    ]);
    if ("missing" in kafka) throw new Error(kafka.missing);
    if ("missing" in mosquitto) throw new Error(mosquitto.missing);
    const bench = new Bench(folder, kafka, mosquitto);
    bench.configure(readFileSync(join(certificates, "ca.crt"), "utf8"));
    await bench.kafkaEnd.connect();
    await bench.kafkaEnd.createTopics([...FACTORY, ...OTHER_TOPICS]);
    return bench;
  }

  private configure(authority: string): void {
    const { plain, saslSsl } = this.kafka.addresses;
    const { plain: mqtt, tls } = this.mosquitto.addresses;
    writeManifests(join(this.folder, "manifests"), {
      KAFKA: plain,
      KAFKA_SASL_SSL: saslSsl ?? "",
      MQTT: new URL(mqtt).host,
      MQTT_TLS: new URL(tls ?? "").host,
    });
    const user = { username: KAFKA_USER, password: KAFKA_PASSWORD };
    writeSecrets(join(this.folder, "secrets"), {
      "cs-secret": user,
      "sasl-secret": user,
      "aio-ca-trust-bundle-test-only": { "ca.crt": authority },
      "client-ca-configmap": { "ca.crt": authority },
    });
  }

  startRunner(): Promise<RunnerProcess> {
    return startRunner(join(this.folder, "manifests"), join(this.folder, "secrets"));
  }

  /** Kafka to MQTT: the four factory topics, or others, to `topicFilter`. */
  async toMqtt(
    options: FlowOptions & {
      readonly topics: readonly string[];
      readonly topicFilter: string;
      readonly qos: 0 | 1;
      topicOf(record: SourceRecord): string;
    },
  ): Promise<Flow> {
    const { run, topics } = options;
    const tally = new Tally();
    const record = (index: number): SourceRecord => sourceRecord(run, index, topics);
    const end = await MqttEnd.connect(this.mosquitto.addresses.plain, `collector ${run}`);
    await end.collect({ ...options, tally, record });
    return flow(options, tally, {
      send: (series) =>
        this.kafkaEnd.send({ ...series, message: (i) => record(series.message(i)) }),
      leave: () => end.close(),
    });
  }

  /** MQTT to Kafka: `topics` to one Kafka topic. */
  async toKafka(
    options: FlowOptions & {
      readonly topics: readonly string[];
      readonly kafkaTopic: string;
      readonly lane: "topic" | "none";
      keyOf(publish: SourcePublish): string;
    },
  ): Promise<Flow> {
    const { run, topics, kafkaTopic: topic } = options;
    const tally = new Tally();
    const publish = (index: number): SourcePublish => sourcePublish(run, index, topics);
    const leave = await this.kafkaEnd.collect({ ...options, topic, tally, publish });
    const end = await MqttEnd.connect(this.mosquitto.addresses.plain, `publisher ${run}`);
    return flow(options, tally, {
      send: (series) => end.publish({ ...series, message: (i) => publish(series.message(i)) }),
      leave: async () => {
        await Promise.all([leave(), end.close()]);
      },
    });
  }

  async close(): Promise<void> {
    await this.kafkaEnd.close();
    await Promise.all([this.kafka.dispose(), this.mosquitto.dispose()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Ends {
  send(series: Series<number>): Promise<void>;
  leave(): Promise<void>;
}

function flow({ run, count, perSecond }: FlowOptions, tally: Tally, ends: Ends): Flow {
  let last = count ?? Number.POSITIVE_INFINITY;
  let sent: Promise<void> | undefined;
  const series: Series<number> = {
    message(index) {
      tally.sending(index);
      return index;
    },
    ended: (index) => index >= last,
    perSecond,
  };
  const start = (): Promise<void> => {
    sent ??= ends.send(series);
    return sent;
  };
  return {
    run,
    // what goes wrong is told at the finish
    start: () => void start().catch(() => undefined),
    arrived: () => tally.different,
    async finish(timeoutMs): Promise<Result> {
      const all = start();
      if (count === undefined) last = 0;
      await all;
      const result = await tally.settled(timeoutMs);
      await ends.leave();
      return result;
    },
  };
}
