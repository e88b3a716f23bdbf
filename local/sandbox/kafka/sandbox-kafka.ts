import { systemClock } from "../../../shared/adapters/system/system-clock.ts";
import type { Clock, Log } from "../../../shared/engine/ports.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import type { BrokerState } from "./broker-state.ts";
import { ERROR } from "./error-codes.ts";
import type { FaultHook } from "./faults.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import { KafkaServer } from "./kafka-server.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { recordsOf } from "./stored-records.ts";
import { TopicStore } from "./topic-store.ts";

const MEBIBYTE = 1024 * 1024;

export interface SandboxKafkaOptions {
  /** Default "127.0.0.1". */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Whether a topic begins to be when a client asks for it. Default true. */
  readonly autoCreateTopics?: boolean;
  /** Of a topic that nobody gave a number. Default 4. */
  readonly partitions?: number;
  /** Name to password, looked at when they log in. When given, clients must log in by SASL/PLAIN. */
  readonly users?: ReadonlyMap<string, string>;
  /** Memory for all records together; when it is full the oldest go. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Largest record batch. Default 1,048,588, as Kafka has it. */
  readonly maxMessageBytes?: number;
  /** Largest request. Default 32 MiB. */
  readonly maxRequestBytes?: number;
  /** Shortest session timeout that a group member may ask for. Default 6,000, as Kafka has it. */
  readonly minSessionTimeoutMs?: number;
  readonly faults?: FaultHook;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** A Kafka broker of one node within this process. Everything is in memory: a sandbox, and no place for data of worth. */
export interface SandboxKafka {
  readonly host: string;
  readonly port: number;
  readonly bootstrapServers: readonly string[];
  /** @throws RangeError when the topic exists already, or its name or number of partitions is not allowed */
  createTopic(name: string, partitions?: number, configs?: Readonly<Record<string, string>>): void;
  topics(): readonly string[];
  /** Every record of a topic that can still be read: by partition, then by offset. */
  records(topic: string): readonly KafkaRecord[];
  /** One past the last record of each partition. */
  endOffsets(topic: string): readonly bigint[];
  /** The group's position, or undefined when it has none. */
  committed(group: string, topic: string, partition: number): bigint | undefined;
  /** From now on this hook decides what goes wrong; undefined ends all faults. */
  fault(hook: FaultHook | undefined): void;
  /** Closes every connection; clients may come back at once. */
  dropConnections(): void;
  /** Goes down: nothing listens, nobody is connected, and what is stored stays. */
  goDown(): Promise<void>;
  /** Comes up again on the same port. */
  comeUp(): Promise<void>;
  /** {@link goDown} and {@link comeUp}. */
  restart(): Promise<void>;
  counters(): SandboxKafkaCounters;
  /** Goes down for good and forgets everything. */
  stop(): Promise<void>;
  /** The same as {@link SandboxKafka.stop}. */
  close(): Promise<void>;
}

export interface SandboxKafkaCounters {
  readonly connections: number;
  /** What records and their index take. */
  readonly storedBytes: number;
  /** How often the oldest records went because memory was short. */
  readonly droppedSegments: number;
}

/** Starts a broker and resolves when it can be connected to. @throws BridgeError when the port is taken */
export async function startSandboxKafka(options: SandboxKafkaOptions = {}): Promise<SandboxKafka> {
  const { host = "127.0.0.1", port = 0 } = options;
  let server: KafkaServer | undefined;
  const state = brokerState(options, () => server?.port ?? port);
  server = new KafkaServer(state, options.faults);
  await server.listen(host, port);
  return sandbox(server, host);
}

function brokerState(options: SandboxKafkaOptions, port: () => number): BrokerState {
  const { host = "127.0.0.1", maxBytes = 256 * MEBIBYTE, clock = systemClock } = options;
  const log: Log = options.log ?? (() => {});
  const budget = new MemoryBudget(maxBytes, () => {
    log("warn", "The sandbox Kafka broker is full: its oldest records are dropped", { maxBytes });
  });
  let lastProducerId = 0;
  return {
    settings: {
      autoCreateTopics: options.autoCreateTopics ?? true,
      users: options.users,
      maxRequestBytes: options.maxRequestBytes ?? 32 * MEBIBYTE,
      minSessionTimeoutMs: options.minSessionTimeoutMs ?? 6000,
    },
    clock,
    log,
    budget,
    topics: new TopicStore(budget, {
      partitions: options.partitions ?? 4,
      maxMessageBytes: options.maxMessageBytes ?? 1_048_588,
    }),
    groups: new GroupCoordinator(clock),
    nextProducerId: () => {
      lastProducerId += 1;
      return lastProducerId;
    },
    advertised: (localAddress) => ({
      // whoever reached one address of many can reach it again
      host: host === "0.0.0.0" || host === "::" ? localAddress.replace(/^::ffff:/, "") : host,
      port: port(),
    }),
  };
}

function sandbox(server: KafkaServer, host: string): SandboxKafka {
  const { state, port } = server;
  const goDown = async (): Promise<void> => {
    state.groups.suspend();
    await server.close();
  };
  const comeUp = async (): Promise<void> => {
    await server.listen(host, port);
    state.groups.resume();
  };
  const stop = async (): Promise<void> => {
    await goDown();
    for (const { name } of state.topics.all()) state.topics.delete(name);
  };
  return {
    host,
    port,
    bootstrapServers: [`${host}:${port}`],
    createTopic: (name, partitions = -1, configs = {}) => {
      const settings = { partitions, configs: new Map(Object.entries(configs)) };
      const errorCode = state.topics.create(name, settings);
      if (errorCode !== ERROR.none) {
        throw new RangeError(`Cannot create the Kafka topic "${name}": error code ${errorCode}`);
      }
    },
    topics: () => state.topics.all().map(({ name }) => name),
    records: (topic) => readAll(state, topic),
    endOffsets: (topic) =>
      (state.topics.get(topic)?.partitions ?? []).map((log) => BigInt(log.endOffset)),
    committed: (group, topic, partition) => {
      const position = state.groups.committed(group, topic, partition);
      return position === undefined ? undefined : BigInt(position.offset);
    },
    fault: (hook) => {
      server.faults = hook;
    },
    dropConnections: () => server.dropConnections(),
    goDown,
    comeUp,
    restart: async () => {
      await goDown();
      await comeUp();
    },
    counters: () => ({
      connections: server.connectionCount,
      storedBytes: state.budget.used,
      droppedSegments: state.budget.dropped,
    }),
    stop,
    close: stop,
  };
}

function readAll({ topics }: BrokerState, topic: string): readonly KafkaRecord[] {
  const partitions = topics.get(topic)?.partitions ?? [];
  return partitions.flatMap((log, partition) => {
    const pieces = log.read(log.startOffset, Number.POSITIVE_INFINITY, true);
    const { records, problem } = recordsOf(Buffer.concat(pieces), { topic, partition });
    if (problem !== undefined) {
      throw new Error(`Cannot read the records of "${topic}": ${problem}`);
    }
    return records.filter(({ offset }) => offset >= log.startOffset);
  });
}
