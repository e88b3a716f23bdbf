import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./free-ports.ts";
import { type GuardedProcess, startGuarded } from "./guarded-process.ts";
import { kafkaDistribution } from "./kafka-distribution.ts";

/** The users of every listener that asks for one; for the SCRAM mechanisms and PLAIN alike. */
export const KAFKA_USER = "alice";
export const KAFKA_PASSWORD = "alice-secret";
/** What Event Hubs takes as the password of the user `$ConnectionString`; this broker does too, by SASL PLAIN. */
export const EVENT_HUBS_CONNECTION_STRING =
  "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=all;SharedAccessKey=key-of-the-test-set-4711=";

/** `host:port` of each listener; those with TLS only when there are certificates. */
export interface KafkaAddresses {
  readonly plain: string;
  /** SASL_PLAINTEXT with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly sasl: string;
  /** SASL_PLAINTEXT with OAUTHBEARER: takes any unsigned token whose subject is given. */
  readonly oauth: string;
  readonly saslSsl?: string;
  /** Mutual TLS. */
  readonly mtls?: string;
  /** What a proxy before this broker is to connect to. */
  readonly behindProxy?: string;
}

/** A real Apache Kafka broker (KRaft, one node) with data of its own. */
export interface KafkaBroker {
  readonly addresses: KafkaAddresses;
  /** Stops it and keeps its data and ports. */
  stop(): Promise<void>;
  /** The same without warning. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  dispose(): Promise<void>;
}

export interface KafkaOptions {
  /** Folder that `makeBrokerCertificates` filled. */
  readonly certificates?: string;
  /** A plain listener more, whose clients are told to come back to this port of 127.0.0.1. */
  readonly proxyPort?: number;
  /** Where its data are; a folder of its own otherwise. The metadata are elsewhere then. */
  readonly dataFolder?: string;
  /** More lines of server.properties. */
  readonly properties?: readonly string[];
}

const START_TIMEOUT_MS = 90_000;
const READY = /Kafka Server started/;
const run = promisify(execFile);

/** Starts a broker on free ports of 127.0.0.1, or says why that is not possible here. */
export async function startKafka(
  options: KafkaOptions = {},
): Promise<KafkaBroker | { readonly missing: string }> {
  const distribution = await kafkaDistribution();
  if ("missing" in distribution) return distribution;
  const { java, classPath } = distribution;
  const folder = await mkdtemp(join(tmpdir(), "isthmus-kafka-"));
  const [plain = 0, controller = 0, sasl = 0, oauth = 0, saslSsl = 0, mtls = 0, behindProxy = 0] =
    await freePorts(7);
  const ports = { plain, controller, sasl, oauth, saslSsl, mtls, behindProxy };
  const properties = join(folder, "server.properties");
  const log4j = join(folder, "log4j2.properties");
  await mkdir(join(folder, "data"));
  await writeFile(properties, serverProperties(folder, ports, options));
  await writeFile(log4j, LOG4J);
  const jvm = [`-Dlog4j2.configurationFile=${log4j}`, "-XX:+UseSerialGC", "-cp", classPath];
  await run(java, ["-Xmx128m", "-XX:TieredStopAtLevel=1", ...jvm, ...formatArguments(properties)]);

  let server: GuardedProcess | undefined;
  const start = async (): Promise<void> => {
    server = await startGuarded({
      name: "Kafka",
      program: java,
      args: [...JVM_FLAGS, ...jvm, "kafka.Kafka", properties],
      env: { MALLOC_ARENA_MAX: "2" },
      ready: READY,
      readyTimeoutMs: START_TIMEOUT_MS,
    });
  };
  const dispose = async (): Promise<void> => {
    await server?.end("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return {
    addresses: addresses(ports, options),
    start,
    stop: async () => server?.end("SIGTERM"),
    kill: async () => server?.end("SIGKILL"),
    dispose,
  };
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly sasl: number;
  readonly oauth: number;
  readonly saslSsl: number;
  readonly mtls: number;
  readonly behindProxy: number;
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}

function addresses(ports: Ports, { certificates, proxyPort }: KafkaOptions): KafkaAddresses {
  return {
    plain: at(ports.plain),
    sasl: at(ports.sasl),
    oauth: at(ports.oauth),
    ...(certificates === undefined ? {} : { saslSsl: at(ports.saslSsl), mtls: at(ports.mtls) }),
    ...(proxyPort === undefined ? {} : { behindProxy: at(ports.behindProxy) }),
  };
}

/** The cluster id is any UUID in Base64; the users of SCRAM live in the metadata and so are made with it. */
function formatArguments(properties: string): string[] {
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${KAFKA_USER},password=${KAFKA_PASSWORD}]`,
  ]);
  const format = ["format", "--cluster-id", "aXN0aG11cy1pbi10ZXN0cw", "--config", properties];
  return ["kafka.tools.StorageTool", ...format, ...users];
}

/** Small: a test machine runs brokers, tests and the bridge side by side. */
const JVM_FLAGS = [
  ...["-Xms96m", "-Xmx384m", "-Xss512k", "-XX:MaxDirectMemorySize=96m"],
  ...["-XX:ReservedCodeCacheSize=64m", "-XX:MaxMetaspaceSize=128m", "-XX:-UsePerfData"],
];

const PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required";
const SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
const OAUTH_LOGIN = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";

function saslProperties(listener: string): string[] {
  const prefix = `listener.name.${listener}`;
  const user = `user_${KAFKA_USER}="${KAFKA_PASSWORD}" user_$ConnectionString="${EVENT_HUBS_CONNECTION_STRING}"`;
  return [
    `${prefix}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512`,
    `${prefix}.plain.sasl.jaas.config=${PLAIN_LOGIN} ${user};`,
    `${prefix}.scram-sha-256.sasl.jaas.config=${SCRAM_LOGIN}`,
    `${prefix}.scram-sha-512.sasl.jaas.config=${SCRAM_LOGIN}`,
  ];
}

function tlsProperties(certificates: string): string[] {
  return [
    "ssl.keystore.type=PEM",
    `ssl.keystore.location=${join(certificates, "server-keystore.pem")}`,
    "ssl.truststore.type=PEM",
    `ssl.truststore.location=${join(certificates, "ca.crt")}`,
    ...saslProperties("saslssl"),
    "listener.name.saslssl.ssl.client.auth=none",
    "listener.name.mtls.ssl.client.auth=required",
  ];
}

function serverProperties(folder: string, ports: Ports, options: KafkaOptions): string {
  const tls = options.certificates !== undefined;
  const { proxyPort } = options;
  const behindProxy = { name: "PROXIED", protocol: "PLAINTEXT", port: ports.behindProxy };
  const listeners = [
    { name: "PLAIN", protocol: "PLAINTEXT", port: ports.plain },
    { name: "SASL", protocol: "SASL_PLAINTEXT", port: ports.sasl },
    { name: "OAUTH", protocol: "SASL_PLAINTEXT", port: ports.oauth },
    ...(tls ? [{ name: "SASLSSL", protocol: "SASL_SSL", port: ports.saslSsl }] : []),
    ...(tls ? [{ name: "MTLS", protocol: "SSL", port: ports.mtls }] : []),
    ...(proxyPort === undefined ? [] : [behindProxy]),
  ];
  const urls = listeners.map(({ name, port }) => `${name}://${at(port)}`).join(",");
  const advertised = urls.replace(
    `PROXIED://${at(ports.behindProxy)}`,
    `PROXIED://${at(proxyPort ?? 0)}`,
  );
  const protocols = listeners.map(({ name, protocol }) => `${name}:${protocol}`).join(",");
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@${at(ports.controller)}`,
    "controller.listener.names=CONTROLLER",
    `listeners=${urls},CONTROLLER://${at(ports.controller)}`,
    `advertised.listeners=${advertised}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${protocols}`,
    "inter.broker.listener.name=PLAIN",
    `log.dirs=${options.dataFolder ?? join(folder, "data")}`,
    `metadata.log.dir=${join(folder, "data")}`,
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=1",
    "offsets.topic.replication.factor=1",
    "transaction.state.log.num.partitions=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    // or else records with times of years ago, which tests send, are deleted from under their readers
    "log.retention.ms=-1",
    "num.network.threads=2",
    "num.io.threads=2",
    "log.cleaner.dedupe.buffer.size=2097152",
    "log.index.size.max.bytes=1048576",
    ...saslProperties("sasl"),
    "listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER",
    `listener.name.oauth.oauthbearer.sasl.jaas.config=${OAUTH_LOGIN} unsecuredLoginStringClaim_sub="${KAFKA_USER}";`,
    ...(options.certificates === undefined ? [] : tlsProperties(options.certificates)),
    ...(options.properties ?? []),
    "",
  ].join("\n");
}

/** Quiet, but for the one line that says that the broker is ready. */
const LOG4J = `appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
logger.ready.name=kafka.server.KafkaRaftServer
logger.ready.level=INFO
`;
