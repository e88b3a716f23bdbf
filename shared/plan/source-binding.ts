/** The trigger that reads a Kafka topic or an event hub, as it is registered. */
import type {
  KafkaAuthentication,
  KafkaConnection,
  SaslMechanism,
  X509Credential,
} from "../model/connection.ts";
import type { KafkaToMqttRoute } from "../model/route.ts";
import {
  eventHubsConnectionName,
  eventHubsTriggerSettings,
  kafkaHost,
  saslSettings,
  trustedCaSetting,
  x509Settings,
} from "./connection-settings.ts";
import { shortHash } from "./function-name.ts";
import type { AppSetting, RetryPolicy } from "./function-plan.ts";

export interface SourceBinding {
  readonly kind: "eventHubTrigger" | "kafkaTrigger";
  readonly trigger: Readonly<Record<string, unknown>>;
  readonly settings: readonly AppSetting[];
}

/** Without end: with any other number the trigger moves on past what the function has failed on. */
export const DELIVERY_RETRY: RetryPolicy = {
  strategy: "exponentialBackoff",
  maxRetryCount: -1,
  minimumInterval: { seconds: 1 },
  maximumInterval: { seconds: 60 },
};

const AUTHENTICATION_MODES: Readonly<Record<SaslMechanism, string>> = {
  plain: "Plain",
  "scram-sha-256": "ScramSha256",
  "scram-sha-512": "ScramSha512",
};
const CONSUMER_GROUP_LENGTH = 50;

/** The route's consumer group as Event Hubs allows one to be named: up to 50 letters, digits, `.`, `-` and `_`. */
export function eventHubsConsumerGroup(consumerGroupId: string): string {
  if (consumerGroupId.toLowerCase() === "$default") return "$Default";
  const plain = consumerGroupId
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  if (plain === consumerGroupId && plain.length <= CONSUMER_GROUP_LENGTH) return plain;
  const hash = shortHash(consumerGroupId);
  const head = plain.slice(0, CONSUMER_GROUP_LENGTH - hash.length - 1);
  return head === "" ? hash : `${head}-${hash}`;
}

/** The trigger of one topic, or in words why there is none. */
export function sourceBinding(
  route: KafkaToMqttRoute,
  topic: string,
  connection: KafkaConnection,
): SourceBinding | string {
  return connection.isEventHubs
    ? eventHubBinding(route, topic, connection)
    : kafkaBinding(route, topic, connection);
}

function eventHubBinding(
  route: KafkaToMqttRoute,
  topic: string,
  connection: KafkaConnection,
): SourceBinding | string {
  const { method } = connection.authentication;
  if (method === "Anonymous" || method === "X509Certificate") {
    return `Event Hubs "${kafkaHost(connection)}" cannot be read with method "${method}": use SystemAssignedManagedIdentity, UserAssignedManagedIdentity or Sasl`;
  }
  const settings = eventHubsTriggerSettings(connection);
  return {
    kind: "eventHubTrigger",
    trigger: {
      type: "eventHubTrigger",
      eventHubName: topic,
      connection:
        method === "Sasl" ? (settings[0]?.name ?? "") : eventHubsConnectionName(connection),
      consumerGroup: eventHubsConsumerGroup(route.consumerGroupId),
      cardinality: "many",
      dataType: "binary",
    },
    settings,
  };
}

function kafkaBinding(
  route: KafkaToMqttRoute,
  topic: string,
  connection: KafkaConnection,
): SourceBinding | string {
  const access = kafkaAccess(connection);
  if (typeof access === "string") return access;
  return {
    kind: "kafkaTrigger",
    trigger: {
      type: "kafkaTrigger",
      brokerList: connection.bootstrapServers.join(","),
      topic,
      consumerGroup: route.consumerGroupId,
      ...access.properties,
      cardinality: "MANY",
      dataType: "binary",
      keyDataType: "Binary",
    },
    settings: access.settings,
  };
}

interface Access {
  readonly properties: Readonly<Record<string, string>>;
  readonly settings: readonly AppSetting[];
}

const reference = (setting: AppSetting): string => `%${setting.name}%`;

/** TLS applies only where protocol is set, so it always is. PEM settings, for files are not seen by the scaler. */
function kafkaAccess(connection: KafkaConnection): Access | string {
  const { authentication, tls } = connection;
  const ca = trustedCaSetting(tls);
  const own = credentials(authentication, tls.enabled);
  if (own === undefined) {
    return `Kafka "${kafkaHost(connection)}" cannot be read with method "${authentication.method}": a Kafka trigger has no managed identity; use Sasl, X509Certificate or Anonymous`;
  }
  if (ca === undefined) return own;
  return {
    properties: { ...own.properties, sslCaPEM: reference(ca) },
    settings: [...own.settings, ca],
  };
}

function credentials(authentication: KafkaAuthentication, tls: boolean): Access | undefined {
  switch (authentication.method) {
    case "Anonymous":
      return { properties: { protocol: tls ? "Ssl" : "Plaintext" }, settings: [] };
    case "Sasl":
      return saslAccess(authentication, tls);
    case "X509Certificate":
      return x509Access(authentication.credential);
    default:
      return undefined;
  }
}

function saslAccess(sasl: KafkaAuthentication & { method: "Sasl" }, tls: boolean): Access {
  const { usernameSetting, usernameLiteral, password } = saslSettings(sasl.credential);
  const named = usernameSetting === undefined ? [] : [usernameSetting];
  return {
    properties: {
      protocol: tls ? "SaslSsl" : "SaslPlaintext",
      authenticationMode: AUTHENTICATION_MODES[sasl.mechanism],
      username: named.map(reference)[0] ?? usernameLiteral ?? "",
      password: reference(password),
    },
    settings: [...named, password],
  };
}

function x509Access(credential: X509Credential): Access {
  const { certificate, key, both } = x509Settings(credential);
  const pem = { sslCertificatePEM: certificate, sslKeyPEM: key, sslCertificateandKeyPEM: both };
  const given = Object.entries(pem).flatMap(([name, setting]) =>
    setting === undefined ? [] : [[name, setting] as const],
  );
  return {
    properties: {
      protocol: "Ssl",
      ...Object.fromEntries(given.map(([name, setting]) => [name, reference(setting)])),
    },
    settings: given.map(([, setting]) => setting),
  };
}
