import type { KafkaAuthentication, KafkaConnection, TlsSettings } from "../model/connection.ts";
import { oneOf } from "./defaults.ts";
import { hasPlaceholder, isEventHubsHost, parseBootstrapServers } from "./hosts.ts";
import { systemIdentity, userIdentity } from "./identities.ts";
import type { FieldPath } from "./problem.ts";
import { quote } from "./quote.ts";
import { connectorX509, type References, vaultReference } from "./references.ts";
import type { Resource } from "./resource.ts";
import type {
  DataflowEndpointSpec,
  EndpointAuthentication,
  EndpointTls,
} from "./schema/dataflow-endpoint.ts";
import type {
  ConnectorAuthType,
  ConnectorSasl,
  ConnectorTls,
  KafkaConnectorSpec,
} from "./schema/kafka-connector.ts";
import { saslMechanism } from "./schema/sasl-type.ts";
import { x509Settings } from "./x509-settings.ts";

const anonymous: KafkaAuthentication = { method: "Anonymous" };

/** TLS as connectors write it: on unless it is said to be off. */
export function connectorTls(
  resource: Resource,
  path: FieldPath,
  spec: ConnectorTls | undefined,
  references: References,
): TlsSettings {
  const { caConfigMap, trustedCaCertificateConfigMap } = spec ?? {};
  const name = oneOf(resource, path, { caConfigMap, trustedCaCertificateConfigMap });
  const field = caConfigMap === undefined ? "trustedCaCertificateConfigMap" : "caConfigMap";
  if (name !== undefined) references.use("ConfigMap", name, resource, [...path, field]);
  return tlsSettings(spec?.tlsEnabled, name);
}

/** TLS as dataflow endpoints write it: on unless it is said to be off. */
export function endpointTls(
  resource: Resource,
  path: FieldPath,
  spec: EndpointTls | undefined,
  references: References,
): TlsSettings {
  const { trustedCaCertificateConfigMapRef, trustedCaCertificateConfigMap, caConfigMap } =
    spec ?? {};
  const spellings = {
    trustedCaCertificateConfigMapRef,
    trustedCaCertificateConfigMap,
    caConfigMap,
  };
  const name = oneOf(resource, path, spellings);
  const field = Object.entries(spellings).find(([, value]) => value !== undefined)?.[0] ?? "";
  if (name !== undefined) references.use("ConfigMap", name, resource, [...path, field]);
  return tlsSettings(spec?.mode, name);
}

function tlsSettings(enabled: boolean = true, ca?: string): TlsSettings {
  return ca === undefined ? { enabled } : { enabled, trustedCa: { name: ca } };
}

/** The Kafka side of a KafkaConnector. */
export function connectorKafka(
  resource: Resource<KafkaConnectorSpec>,
  references: References,
): KafkaConnection | undefined {
  const { endpoint, tls, authentication } = resource.spec.kafkaConnection;
  const path = ["spec", "kafkaConnection"];
  const off = authentication === undefined || authentication.enabled === false;
  return finish(resource, {
    address: endpoint,
    addressPath: [...path, "endpoint"],
    tls: connectorTls(resource, [...path, "tls"], tls, references),
    tlsPath: [...path, "tls", "tlsEnabled"],
    authentication: (host) =>
      off
        ? anonymous
        : connectorAuthentication(resource, authentication.authType ?? {}, host, references),
    authenticationPath: [...path, "authentication"],
  });
}

function connectorAuthentication(
  resource: Resource,
  type: ConnectorAuthType,
  host: string,
  references: References,
): KafkaAuthentication | undefined {
  const path = ["spec", "kafkaConnection", "authentication", "authType"];
  const given = Object.values(type).filter((value) => value !== undefined).length;
  if (given !== 1) {
    const what = given === 0 ? "no method is given" : `${given} methods are given`;
    resource.report(
      "error",
      path,
      `${what}: give one of sasl, x509 and systemAssignedManagedIdentity`,
    );
    return undefined;
  }
  if (type.sasl !== undefined) {
    return connectorSasl(resource, type.sasl, [...path, "sasl"], references);
  }
  if (type.x509 !== undefined) {
    const credential = connectorX509(type.x509, resource, [...path, "x509"], references);
    return credential === undefined ? undefined : { method: "X509Certificate", credential };
  }
  const identity = systemIdentity(type.systemAssignedManagedIdentity?.audience, `https://${host}`);
  return { method: "SystemAssignedManagedIdentity", identity };
}

function connectorSasl(
  resource: Resource,
  sasl: ConnectorSasl,
  path: FieldPath,
  references: References,
): KafkaAuthentication | undefined {
  const mechanism = saslMechanism[sasl.saslType];
  const keyVault = sasl.token?.keyVault;
  const name = oneOf(resource, path, {
    secretName: sasl.secretName,
    "token.secretName": sasl.token?.secretName,
  });
  if ((name === undefined) === (keyVault === undefined)) {
    const what = name === undefined ? "no credential is named" : "two credentials are named";
    resource.report(
      "error",
      path,
      `${what}: give one of secretName, token.secretName and token.keyVault`,
    );
    return undefined;
  }
  if (keyVault !== undefined) {
    const password = vaultReference(keyVault.vault, "vaultSecret", keyVault.vaultSecret);
    // Event Hubs knows one user name; the documents' own example spells it out all the same.
    const username = { from: "literal", value: keyVault.username ?? "$ConnectionString" } as const;
    return {
      method: "Sasl",
      mechanism,
      credential: { kind: "usernamePassword", username, password },
    };
  }
  const field = sasl.secretName === undefined ? ["token", "secretName"] : ["secretName"];
  references.use("Secret", name ?? "", resource, [...path, ...field]);
  return { method: "Sasl", mechanism, credential: { kind: "secret", name: name ?? "" } };
}

/** The Kafka connection of a DataflowEndpoint of type Kafka. */
export function endpointKafka(
  resource: Resource<DataflowEndpointSpec>,
  references: References,
): KafkaConnection | undefined {
  const settings = resource.spec.kafkaSettings;
  if (settings === undefined) {
    resource.report(
      "error",
      ["spec"],
      '"kafkaSettings" is missing: an endpoint of type Kafka needs it',
    );
    return undefined;
  }
  const path = ["spec", "kafkaSettings"];
  const outside = settings.authentication === undefined;
  const authentication = settings.authentication ?? resource.spec.authentication;
  const authenticationPath = [...(outside ? ["spec"] : path), "authentication"];
  return finish(resource, {
    address: settings.host,
    addressPath: [...path, "host"],
    tls: endpointTls(resource, [...path, "tls"], settings.tls, references),
    tlsPath: [...path, "tls", "mode"],
    authentication: (host) =>
      authentication === undefined
        ? anonymous
        : endpointAuthentication(
            { resource, path: authenticationPath, references },
            authentication,
            host,
          ),
    authenticationPath,
  });
}

interface At {
  readonly resource: Resource;
  readonly path: FieldPath;
  readonly references: References;
}

function endpointAuthentication(
  at: At,
  spec: EndpointAuthentication,
  host: string,
): KafkaAuthentication | undefined {
  const { resource, path } = at;
  switch (spec.method) {
    case "Anonymous":
      return anonymous;
    case "Sasl":
      return endpointSasl(at, spec);
    case "X509Certificate": {
      const credential = x509Settings(resource, path, spec, at.references);
      return credential === undefined ? undefined : { method: "X509Certificate", credential };
    }
    case "SystemAssignedManagedIdentity": {
      const audience = spec.systemAssignedManagedIdentitySettings?.audience;
      return { method: spec.method, identity: systemIdentity(audience, `https://${host}`) };
    }
    case "UserAssignedManagedIdentity": {
      const settings = spec.userAssignedManagedIdentitySettings;
      return { method: spec.method, identity: userIdentity(settings, `https://${host}`) };
    }
    case "ServiceAccountToken":
      resource.report(
        "error",
        [...path, "method"],
        '"ServiceAccountToken" is for MQTT endpoints: use Sasl, X509Certificate, SystemAssignedManagedIdentity, UserAssignedManagedIdentity or Anonymous',
      );
      return undefined;
  }
}

function endpointSasl(at: At, spec: EndpointAuthentication): KafkaAuthentication | undefined {
  const { resource, references } = at;
  const path = [...at.path, "saslSettings"];
  const settings = spec.saslSettings;
  if (settings === undefined) {
    resource.report("error", at.path, '"saslSettings" is missing: the method Sasl needs it');
    return undefined;
  }
  const spellings = {
    secretRef: settings.secretRef,
    tokenSecretName: settings.tokenSecretName,
    secretName: settings.secretName,
    "token.secretName": settings.token?.secretName,
  };
  const name = oneOf(resource, path, spellings);
  if (name === undefined) {
    resource.report(
      "error",
      path,
      '"secretRef" is missing: name the Secret that holds username and password',
    );
    return undefined;
  }
  const field = Object.entries(spellings).find(([, value]) => value !== undefined)?.[0] ?? "";
  references.use("Secret", name, resource, [...path, ...field.split(".")]);
  return {
    method: "Sasl",
    mechanism: saslMechanism[settings.saslType],
    credential: { kind: "secret", name },
  };
}

interface Draft {
  readonly address: string;
  readonly addressPath: FieldPath;
  readonly tls: TlsSettings;
  readonly tlsPath: FieldPath;
  readonly authentication: (host: string) => KafkaAuthentication | undefined;
  readonly authenticationPath: FieldPath;
}

function finish(resource: Resource, draft: Draft): KafkaConnection | undefined {
  const servers = parseBootstrapServers(draft.address);
  if (typeof servers === "string") resource.report("error", draft.addressPath, servers);
  const bootstrapServers = typeof servers === "string" ? [draft.address] : servers;
  const isEventHubs = bootstrapServers.some(isEventHubsHost);
  const host = (bootstrapServers[0] ?? "").replace(/:\d+$/, "");
  const authentication = draft.authentication(host);
  const protocol = resource.annotations.protocol ?? "Kafka";
  if (authentication === undefined || typeof servers === "string") return undefined;
  const connection: KafkaConnection = {
    id: `${resource.kind}/${resource.name}`,
    location: resource.location,
    bootstrapServers,
    tls: draft.tls,
    authentication,
    isEventHubs,
    protocol,
  };
  checkEventHubs(resource, draft, connection);
  return connection;
}

function checkEventHubs(resource: Resource, draft: Draft, connection: KafkaConnection): void {
  const { tls, authentication, isEventHubs, protocol } = connection;
  if (protocol === "Amqp" && !isEventHubs) {
    const found = quote(draft.address);
    resource.report(
      "error",
      draft.addressPath,
      `${found} is not an Event Hubs namespace: isthmus.dev/protocol Amqp needs one (*.servicebus.windows.net)`,
    );
  }
  if (isEventHubs && !tls.enabled) {
    resource.report(
      "error",
      draft.tlsPath,
      "Event Hubs takes no connection without TLS: enable it",
    );
  }
  if (isEventHubs && authentication.method === "Anonymous") {
    resource.report(
      "warning",
      draft.authenticationPath,
      "Event Hubs takes no anonymous connection: give an authentication method",
    );
  }
  const inClear = authentication.method === "Sasl" && authentication.mechanism === "plain";
  if (inClear && !tls.enabled && !hasPlaceholder(draft.address)) {
    resource.report(
      "warning",
      draft.tlsPath,
      "the password crosses the network unencrypted: enable TLS, or use a ScramSha type",
    );
  }
}
