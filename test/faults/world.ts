import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { freePorts } from "../support/free-ports.ts";
import { type KafkaBroker, type KafkaOptions, startKafka } from "../support/kafka-broker.ts";
import { type MosquittoBroker, startMosquitto } from "../support/mosquitto-broker.ts";
import { FaultProxy } from "./fault-proxy.ts";

export interface WorldOptions {
  readonly kafka?: Pick<KafkaOptions, "dataFolder" | "properties">;
}

/** Anonymous clients may do everything until an access rule says otherwise. */
const KAFKA_PROPERTIES = [
  "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "allow.everyone.if.no.acl.found=true",
];

const ALL_TOPICS = "topic readwrite #\n";

function portOf(address: string): number {
  return Number(new URL(address.includes("://") ? address : `tcp://${address}`).port);
}

/**
 * Kafka and Mosquitto, each with a proxy before it through which the bridge alone goes: the ends of the bridge use the brokers' own ports.
 * Everything is on free ports and in folders of its own, so that several worlds can be side by side.
 */
export class World {
  readonly kafka: KafkaBroker;
  readonly mosquitto: MosquittoBroker;
  readonly kafkaProxy: FaultProxy;
  readonly mqttProxy: FaultProxy;
  readonly kafkaPort: number;
  readonly mqttPort: number;
  readonly folder: string;
  private readonly mqttBehind: number;
  private readonly rules: string;

  private constructor(parts: {
    folder: string;
    kafka: KafkaBroker;
    mosquitto: MosquittoBroker;
    kafkaProxyPort: number;
    mqttProxyPort: number;
    mqttBehind: number;
  }) {
    this.folder = parts.folder;
    this.kafka = parts.kafka;
    this.mosquitto = parts.mosquitto;
    this.mqttBehind = parts.mqttBehind;
    this.rules = join(parts.folder, "rules");
    this.kafkaPort = portOf(parts.kafka.addresses.plain);
    this.mqttPort = portOf(parts.mosquitto.addresses.plain);
    const behind = portOf(parts.kafka.addresses.behindProxy ?? "");
    this.kafkaProxy = new FaultProxy(parts.kafkaProxyPort, behind);
    this.mqttProxy = new FaultProxy(parts.mqttProxyPort, parts.mqttBehind);
  }

  /** @throws Error when a broker is not to be had here */
  static async open(options: WorldOptions = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-faults-"));
    const [kafkaProxyPort = 0, mqttProxyPort = 0, mqttBehind = 0] = await freePorts(3);
    writeFileSync(join(folder, "rules"), ALL_TOPICS);
    const properties = [...KAFKA_PROPERTIES, ...(options.kafka?.properties ?? [])];
    const [kafka, mosquitto] = await Promise.all([
      startKafka({ ...options.kafka, properties, proxyPort: kafkaProxyPort }),
      startMosquitto({ lines: mosquittoLines(folder, mqttBehind, []) }),
    ]);
    if ("missing" in kafka) throw new Error(kafka.missing);
    if ("missing" in mosquitto) throw new Error(mosquitto.missing);
    const ports = { kafkaProxyPort, mqttProxyPort, mqttBehind };
    const world = new World({ folder, kafka, mosquitto, ...ports });
    await Promise.all([world.kafkaProxy.accept(), world.mqttProxy.accept()]);
    return world;
  }

  get proxies(): readonly FaultProxy[] {
    return [this.kafkaProxy, this.mqttProxy];
  }

  /** Global settings of Mosquitto besides the usual ones, from its next start on. */
  async configureMosquitto(lines: readonly string[]): Promise<void> {
    await this.mosquitto.configure(mosquittoLines(this.folder, this.mqttBehind, lines));
  }

  /** The bridge may use all topics but these; the ends may use all. */
  forbid(mqttTopics: readonly string[]): void {
    const denied = mqttTopics.map((topic) => `topic deny ${topic}\n`);
    writeFileSync(this.rules, [ALL_TOPICS, ...denied].join(""));
    this.mosquitto.reload();
  }

  async admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Kafka({
      brokers: [this.kafka.addresses.plain],
      clientId: "faults-admin",
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 },
    }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.refuse()));
    await Promise.all([this.kafka.dispose(), this.mosquitto.dispose()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The bridge has a listener of its own, whose access rules can be changed. */
function mosquittoLines(folder: string, port: number, more: readonly string[]): string[] {
  const listener = [`listener ${port} 127.0.0.1`, "allow_anonymous true"];
  // what it has written to disk is that of a stop, never half of a run
  return [
    "max_inflight_messages 1000",
    "autosave_interval 0",
    ...more,
    ...listener,
    `acl_file ${join(folder, "rules")}`,
  ];
}
