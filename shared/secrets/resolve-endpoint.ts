import type { KafkaConnection, ManagedIdentity, MqttConnection } from "../model/connection.ts";
import type { KafkaEndpoint, KafkaSasl, MqttCredential, MqttEndpoint } from "../model/endpoint.ts";
import type { SecretStore } from "../model/secret-store.ts";
import type { TokenSource } from "../model/token-source.ts";
import { saslUser, userFromSecret } from "./credentials.ts";
import { defaultTokenFile, serviceAccountToken } from "./service-account-token.ts";
import { tlsMaterial } from "./tls-material.ts";

export interface ResolveOptions {
  /** The file that holds a Kubernetes service account token; the default is where a cluster mounts it. */
  readonly serviceAccountTokenFile?: string | undefined;
  /** Milliseconds since the Unix epoch, to tell expired certificates. */
  readonly now?: number | undefined;
}

/** A Kafka connection with its secrets read. @throws BridgeError that names what is missing or wrong, never its value */
export async function resolveKafkaEndpoint(
  connection: KafkaConnection,
  store: SecretStore,
  identity: TokenSource,
  options: ResolveOptions = {},
): Promise<KafkaEndpoint> {
  const { authentication, bootstrapServers, isEventHubs } = connection;
  const client =
    authentication.method === "X509Certificate" ? authentication.credential : undefined;
  const tls = await tlsMaterial(connection.tls, client, store, options.now ?? Date.now());
  const sasl = await kafkaSasl(connection, store, identity);
  return {
    bootstrapServers,
    isEventHubs,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

async function kafkaSasl(
  connection: KafkaConnection,
  store: SecretStore,
  identity: TokenSource,
): Promise<KafkaSasl | undefined> {
  const { authentication } = connection;
  switch (authentication.method) {
    case "Anonymous":
    case "X509Certificate":
      return undefined;
    case "Sasl": {
      const user = await saslUser(authentication.credential, store);
      return { mechanism: authentication.mechanism, ...user };
    }
    case "SystemAssignedManagedIdentity":
    case "UserAssignedManagedIdentity": {
      const request = requestOf(authentication.identity);
      const byAmqp = { ...request, scope: amqpScope(connection, request.scope) };
      return {
        mechanism: "oauthbearer",
        token: (protocol) => identity.token(protocol === "Amqp" ? byAmqp : request),
      };
    }
  }
}

/** Kafka's endpoint takes tokens for its namespace, AMQP those for all of Event Hubs; an audience that a manifest names holds for both. */
function amqpScope({ bootstrapServers }: KafkaConnection, scope: string): string {
  const namespace = (bootstrapServers[0] ?? "").replace(/:\d+$/, "");
  return scope === `https://${namespace}/.default` ? "https://eventhubs.azure.net/.default" : scope;
}

function requestOf({ clientId, tenantId, scope }: ManagedIdentity): ManagedIdentity {
  return {
    scope,
    ...(clientId === undefined ? {} : { clientId }),
    ...(tenantId === undefined ? {} : { tenantId }),
  };
}

/** An MQTT connection with its secrets read. @throws BridgeError that names what is missing or wrong, never its value */
export async function resolveMqttEndpoint(
  connection: MqttConnection,
  store: SecretStore,
  identity: TokenSource,
  options: ResolveOptions = {},
): Promise<MqttEndpoint> {
  const { authentication, host, port, protocol } = connection;
  const client =
    authentication.method === "X509Certificate" ? authentication.credential : undefined;
  const tls = await tlsMaterial(connection.tls, client, store, options.now ?? Date.now());
  return {
    host,
    port,
    protocol,
    ...(tls === undefined ? {} : { tls }),
    credential: await mqttCredential(connection, store, identity, options),
    keepAlive: connection.keepAlive,
    sessionExpiryInterval: connection.sessionExpiryInterval,
    maxInflightMessages: connection.maxInflightMessages,
  };
}

async function mqttCredential(
  { authentication }: MqttConnection,
  store: SecretStore,
  identity: TokenSource,
  options: ResolveOptions,
): Promise<MqttCredential> {
  switch (authentication.method) {
    case "Anonymous":
    case "X509Certificate":
      return { kind: "none" };
    case "UsernamePassword":
      return {
        kind: "usernamePassword",
        ...(await userFromSecret(authentication.secretName, store)),
      };
    case "UserAndPassword":
      return {
        kind: "usernamePassword",
        ...(await saslUser({ kind: "usernamePassword", ...authentication }, store)),
      };
    case "ServiceAccountToken":
      return serviceAccountToken(options.serviceAccountTokenFile ?? defaultTokenFile);
    case "SystemAssignedManagedIdentity":
    case "UserAssignedManagedIdentity":
      return entraToken(requestOf(authentication.identity), identity);
  }
}

/** Enhanced authentication by a Microsoft Entra token, as Event Grid takes it. */
function entraToken(request: ManagedIdentity, identity: TokenSource): MqttCredential {
  return {
    kind: "enhanced",
    method: "OAUTH2-JWT",
    async data() {
      const { value, expiresAt } = await identity.token(request);
      return { data: new TextEncoder().encode(value), expiresAt };
    },
  };
}
