import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBrokerCertificates } from "./broker-certificates.ts";
import { type KafkaBroker, startKafka } from "./kafka-broker.ts";
import { type MosquittoBroker, startMosquitto } from "./mosquitto-broker.ts";

/** Names of environment variables: what a suite against real brokers reads. Those that are set already are left as they are. */
export type BrokerVariable =
  | "ISTHMUS_TEST_KAFKA"
  | "ISTHMUS_TEST_KAFKA_SASL"
  | "ISTHMUS_TEST_KAFKA_OAUTH"
  | "ISTHMUS_TEST_KAFKA_SASL_SSL"
  | "ISTHMUS_TEST_KAFKA_MTLS"
  | "ISTHMUS_TEST_MQTT"
  | "ISTHMUS_TEST_MQTT_AUTH"
  | "ISTHMUS_TEST_MQTT_WS"
  | "ISTHMUS_TEST_MQTT_TLS"
  | "ISTHMUS_TEST_MQTT_WSS"
  | "ISTHMUS_TEST_MQTT_MTLS"
  | "ISTHMUS_TEST_CERTS";

export interface TestBrokers {
  readonly variables: Readonly<Partial<Record<BrokerVariable, string>>>;
  /** Why there is no Kafka or no Mosquitto, where there is none. */
  readonly missing: { readonly kafka?: string; readonly mosquitto?: string };
  dispose(): Promise<void>;
}

/** Starts a Kafka and a Mosquitto broker of our own, but for those that the environment names already. */
export async function startTestBrokers(
  env: Readonly<Record<string, string | undefined>>,
): Promise<TestBrokers> {
  const folder = await mkdtemp(join(tmpdir(), "isthmus-certificates-"));
  const tls = makeBrokerCertificates(folder) ? { certificates: folder } : {};
  const own = tls.certificates === undefined ? {} : { ISTHMUS_TEST_CERTS: tls.certificates };
  const [kafka, mosquitto] = await Promise.all([
    env["ISTHMUS_TEST_KAFKA"] === undefined ? orMissing(startKafka(tls)) : undefined,
    env["ISTHMUS_TEST_MQTT"] === undefined ? orMissing(startMosquitto(tls)) : undefined,
  ]);
  return {
    variables: { ...own, ...kafkaVariables(kafka), ...mosquittoVariables(mosquitto) },
    missing: {
      ...(isMissing(kafka) ? { kafka: kafka.missing } : {}),
      ...(isMissing(mosquitto) ? { mosquitto: mosquitto.missing } : {}),
    },
    async dispose(): Promise<void> {
      await Promise.all([kafka, mosquitto].map((broker) => isRunning(broker) && broker.dispose()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Missing {
  readonly missing: string;
}

function isMissing(broker: object | undefined): broker is Missing {
  return broker !== undefined && "missing" in broker;
}

function isRunning<T extends object>(broker: T | Missing | undefined): broker is T {
  return broker !== undefined && !isMissing(broker);
}

/** A broker that is there and does not start leaves its suites out as well, and says why. */
async function orMissing<T>(starting: Promise<T>): Promise<T | Missing> {
  try {
    return await starting;
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

type Variables = { [name in BrokerVariable]?: string };

function kafkaVariables(kafka: KafkaBroker | Missing | undefined): Variables {
  if (!isRunning(kafka)) return {};
  const { plain, sasl, oauth, saslSsl, mtls } = kafka.addresses;
  return {
    ISTHMUS_TEST_KAFKA: plain,
    ISTHMUS_TEST_KAFKA_SASL: sasl,
    ISTHMUS_TEST_KAFKA_OAUTH: oauth,
    ...(saslSsl === undefined ? {} : { ISTHMUS_TEST_KAFKA_SASL_SSL: saslSsl }),
    ...(mtls === undefined ? {} : { ISTHMUS_TEST_KAFKA_MTLS: mtls }),
  };
}

function mosquittoVariables(mosquitto: MosquittoBroker | Missing | undefined): Variables {
  if (!isRunning(mosquitto)) return {};
  const { plain, password, webSockets, tls, webSocketsTls, mtls } = mosquitto.addresses;
  return {
    ISTHMUS_TEST_MQTT: plain,
    ISTHMUS_TEST_MQTT_AUTH: password,
    ISTHMUS_TEST_MQTT_WS: webSockets,
    ...(tls === undefined ? {} : { ISTHMUS_TEST_MQTT_TLS: tls }),
    ...(webSocketsTls === undefined ? {} : { ISTHMUS_TEST_MQTT_WSS: webSocketsTls }),
    ...(mtls === undefined ? {} : { ISTHMUS_TEST_MQTT_MTLS: mtls }),
  };
}
