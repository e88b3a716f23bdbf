import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type ConsumerRunConfig,
  Kafka,
  type KafkaConfig,
  type KafkaMessage,
  logLevel,
  Partitioners,
  type Producer,
  type ProducerConfig,
} from "kafkajs";
import {
  type SandboxKafka,
  type SandboxKafkaOptions,
  startSandboxKafka,
} from "../../../../local/sandbox/kafka/sandbox-kafka.ts";

export interface Consumed {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
}

export interface ReadingOptions extends Partial<ConsumerConfig> {
  readonly groupId: string;
  readonly topics: readonly (string | RegExp)[];
  readonly fromBeginning?: boolean;
  readonly run?: ConsumerRunConfig;
}

/** A consumer under way and what it has read. */
export interface Reading {
  readonly consumer: Consumer;
  readonly read: readonly Consumed[];
  /** Resolves when so many were read. */
  until(count: number): Promise<readonly Consumed[]>;
  /** Resolves when this member has joined a generation that it had not when the call was made. */
  joined(): Promise<void>;
}

/** A sandbox broker with kafkajs clients that are all closed with it. */
export interface Lab {
  readonly broker: SandboxKafka;
  /** Problems that only a defect of the broker can cause. */
  readonly defects: readonly unknown[];
  kafka(config?: Partial<KafkaConfig>): Kafka;
  producer(config?: ProducerConfig, client?: Partial<KafkaConfig>): Promise<Producer>;
  admin(client?: Partial<KafkaConfig>): Promise<Admin>;
  reading(options: ReadingOptions): Promise<Reading>;
  close(): Promise<void>;
}

export async function openLab(options: SandboxKafkaOptions = {}): Promise<Lab> {
  const defects: unknown[] = [];
  const broker = await startSandboxKafka({
    minSessionTimeoutMs: 300,
    log: (level, message, fields) => {
      if (level === "error") defects.push({ message, fields });
    },
    ...options,
  });
  const open: { disconnect(): Promise<void> }[] = [];
  const kafka = (config: Partial<KafkaConfig> = {}): Kafka =>
    new Kafka({
      clientId: "lab",
      brokers: [...broker.bootstrapServers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, retries: 8 },
      ...config,
    });
  return {
    broker,
    defects,
    kafka,
    producer: async (config = {}, client = {}) => {
      const producer = kafka(client).producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        ...config,
      });
      open.push(producer);
      await producer.connect();
      return producer;
    },
    admin: async (client = {}) => {
      const admin = kafka(client).admin();
      open.push(admin);
      await admin.connect();
      return admin;
    },
    reading: async ({ topics, fromBeginning = true, run = {}, ...config }) => {
      const consumer = kafka().consumer({ maxWaitTimeInMs: 50, heartbeatInterval: 100, ...config });
      open.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning });
      const read: Consumed[] = [];
      const waiting = new Set<() => void>();
      const joined = (): Promise<void> =>
        new Promise((resolve) => {
          const off = consumer.on("consumer.group_join", () => {
            off();
            resolve();
          });
        });
      const first = joined();
      await consumer.run({
        eachMessage: async ({ topic, partition, message }) => {
          read.push({ topic, partition, message });
          for (const wake of [...waiting]) wake();
        },
        ...run,
      });
      await first;
      return { consumer, read, joined, until: (count) => untilRead(read, waiting, count) };
    },
    close: async () => {
      await Promise.allSettled(open.map((client) => client.disconnect()));
      await broker.close();
    },
  };
}

function untilRead(
  read: readonly Consumed[],
  waiting: Set<() => void>,
  count: number,
): Promise<readonly Consumed[]> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (read.length < count) return;
      waiting.delete(look);
      resolve(read);
    };
    waiting.add(look);
    look();
  });
}

export function valuesOf(read: readonly Consumed[]): string[] {
  return read.map(({ message }) => message.value?.toString() ?? "(null)");
}
