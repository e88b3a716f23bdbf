import * as z from "zod";
import type { CloudEventsMode, Compression } from "../../model/route.ts";
import {
  type BatchingSpec,
  batching,
  cloudEventAttributes,
  compression,
  type PartitionStrategyName,
  partitionStrategy,
} from "./kafka-settings.ts";
import {
  anyText,
  choice,
  ignored,
  integer,
  qos,
  reference,
  type Schema,
  text,
  toggle,
} from "./leaf.ts";
import { type SaslType, saslType } from "./sasl-type.ts";
import { type SharedSubscriptionSpec, sharedSubscription } from "./topic-map.ts";

type AuthenticationMethod =
  | "Sasl"
  | "X509Certificate"
  | "SystemAssignedManagedIdentity"
  | "UserAssignedManagedIdentity"
  | "ServiceAccountToken"
  | "Anonymous";

export interface EndpointAuthentication {
  readonly method: AuthenticationMethod;
  readonly saslSettings?:
    | {
        readonly saslType: SaslType;
        readonly secretRef?: string | undefined;
        readonly tokenSecretName?: string | undefined;
        readonly secretName?: string | undefined;
        readonly token?: { readonly secretName?: string | undefined } | undefined;
      }
    | undefined;
  readonly x509CertificateSettings?: X509Settings | undefined;
  readonly x509CredentialsSettings?: X509Settings | undefined;
  readonly systemAssignedManagedIdentitySettings?:
    | { readonly audience?: string | undefined }
    | undefined;
  readonly userAssignedManagedIdentitySettings?:
    | {
        readonly clientId?: string | undefined;
        readonly tenantId?: string | undefined;
        readonly scope?: string | undefined;
        readonly audience?: string | undefined;
      }
    | undefined;
  readonly serviceAccountTokenSettings?: { readonly audience?: string | undefined } | undefined;
}

interface X509Settings {
  readonly secretRef?: string | undefined;
  readonly certificateSecretName?: string | undefined;
}

export interface EndpointTls {
  readonly mode?: boolean | undefined;
  readonly trustedCaCertificateConfigMapRef?: string | undefined;
  readonly trustedCaCertificateConfigMap?: string | undefined;
  readonly caConfigMap?: string | undefined;
}

export interface KafkaSettings {
  readonly host: string;
  readonly authentication?: EndpointAuthentication | undefined;
  readonly tls?: EndpointTls | undefined;
  readonly consumerGroupId?: string | undefined;
  readonly compression?: Compression | undefined;
  readonly batching?: BatchingSpec | undefined;
  readonly partitionStrategy?: PartitionStrategyName | undefined;
  readonly partitionKeyProperty?: string | undefined;
  readonly kafkaAcks?: "None" | "Zero" | "One" | "All" | undefined;
  readonly copyMqttProperties?: boolean | undefined;
  readonly cloudEventAttributes?: CloudEventsMode | undefined;
}

export interface MqttSettings {
  readonly host?: string | undefined;
  readonly authentication?: EndpointAuthentication | undefined;
  readonly tls?: EndpointTls | undefined;
  readonly clientIdPrefix?: string | undefined;
  readonly protocol?: "Mqtt" | "WebSockets" | undefined;
  readonly keepAliveSeconds?: number | undefined;
  readonly qos?: 0 | 1 | undefined;
  readonly retain?: "Keep" | "Never" | undefined;
  readonly sessionExpirySeconds?: number | undefined;
  readonly maxInflightMessages?: number | undefined;
  readonly cloudEventAttributes?: CloudEventsMode | undefined;
  readonly sharedSubscription?: SharedSubscriptionSpec | undefined;
}

type SupportedEndpointType = "Kafka" | "Mqtt";
type EndpointType =
  | SupportedEndpointType
  | "DataExplorer"
  | "DataLakeStorage"
  | "FabricOneLake"
  | "LocalStorage"
  | "OpenTelemetry";

export interface DataflowEndpointSpec {
  readonly endpointType: EndpointType;
  readonly authentication?: EndpointAuthentication | undefined;
  readonly kafkaSettings?: KafkaSettings | undefined;
  readonly mqttSettings?: MqttSettings | undefined;
}

const x509Settings = z.object({
  secretRef: reference.optional(),
  certificateSecretName: reference.optional(),
});

const authentication = z.object({
  method: choice<AuthenticationMethod>(
    [
      "Sasl",
      "X509Certificate",
      "SystemAssignedManagedIdentity",
      "UserAssignedManagedIdentity",
      "ServiceAccountToken",
      "Anonymous",
    ],
    { x509Credentials: "X509Certificate" },
  ),
  saslSettings: z
    .object({
      saslType,
      secretRef: reference.optional(),
      tokenSecretName: reference.optional(),
      secretName: reference.optional(),
      token: z.object({ secretName: reference.optional() }).optional(),
    })
    .optional(),
  x509CertificateSettings: x509Settings.optional(),
  x509CredentialsSettings: x509Settings.optional(),
  systemAssignedManagedIdentitySettings: z.object({ audience: text.optional() }).optional(),
  userAssignedManagedIdentitySettings: z
    .object({
      clientId: text.optional(),
      tenantId: text.optional(),
      scope: text.optional(),
      audience: text.optional(),
    })
    .optional(),
  serviceAccountTokenSettings: z.object({ audience: text.optional() }).optional(),
  anonymousSettings: z.object({}).optional(),
});

const tls = z.object({
  mode: toggle.optional(),
  trustedCaCertificateConfigMapRef: reference.optional(),
  trustedCaCertificateConfigMap: reference.optional(),
  caConfigMap: reference.optional(),
});

const kafkaSettings = z.object({
  host: text,
  authentication: authentication.optional(),
  tls: tls.optional(),
  consumerGroupId: text.optional(),
  compression: compression.optional(),
  batching: batching.optional(),
  partitionStrategy: partitionStrategy.optional(),
  partitionKeyProperty: text.optional(),
  kafkaAcks: choice(["None", "Zero", "One", "All"]).optional(),
  copyMqttProperties: toggle.optional(),
  cloudEventAttributes: cloudEventAttributes.optional(),
});

const mqttSettings = z.object({
  host: text.optional(),
  authentication: authentication.optional(),
  tls: tls.optional(),
  clientIdPrefix: anyText.optional(),
  protocol: choice(["Mqtt", "WebSockets"]).optional(),
  keepAliveSeconds: integer(0, 65_535).optional(),
  qos: qos.optional(),
  retain: choice(["Keep", "Never"]).optional(),
  sessionExpirySeconds: integer(0, 4_294_967_295).optional(),
  maxInflightMessages: integer(1, 65_535).optional(),
  cloudEventAttributes: cloudEventAttributes.optional(),
  sharedSubscription: sharedSubscription.optional(),
  mqttVersion: choice(["v5"], { "5": "v5" }).optional(),
  keepRetain: ignored,
});

/** `spec` of a DataflowEndpoint. */
export const dataflowEndpointSpec: Schema<DataflowEndpointSpec> = z.object({
  endpointType: choice<EndpointType>(
    [
      "Kafka",
      "Mqtt",
      "DataExplorer",
      "DataLakeStorage",
      "FabricOneLake",
      "LocalStorage",
      "OpenTelemetry",
    ],
    { kafkaSettings: "Kafka", mqttSettings: "Mqtt" },
  ),
  hostType: ignored,
  authentication: authentication.optional(),
  kafkaSettings: kafkaSettings.optional(),
  mqttSettings: mqttSettings.optional(),
  dataExplorerSettings: ignored,
  dataLakeStorageSettings: ignored,
  fabricOneLakeSettings: ignored,
  localStorageSettings: ignored,
  openTelemetrySettings: ignored,
});
