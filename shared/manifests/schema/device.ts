import * as z from "zod";
import { topicNameProblem } from "../../topics/topic-name.ts";
import { checkTopicFilter } from "../topic-text.ts";
import {
  anyText,
  checked,
  choice,
  ignored,
  integer,
  qos,
  reference,
  type Schema,
  text,
  toggle,
} from "./leaf.ts";

export interface InboundEndpoint {
  readonly endpointType: string;
  readonly address: string;
  readonly authentication?:
    | {
        readonly method: "Anonymous" | "UsernamePassword" | "X509Certificate";
        readonly usernamePasswordCredentials?:
          | {
              readonly usernameSecretName?: string | undefined;
              readonly passwordSecretName?: string | undefined;
            }
          | undefined;
        readonly x509Credentials?:
          | {
              readonly certificateSecretName?: string | undefined;
              readonly keySecretName?: string | undefined;
              readonly intermediateCertificatesSecretName?: string | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly trustSettings?: { readonly trustList?: string | undefined } | undefined;
  /** JSON text: {@link MqttEndpointConfiguration}. */
  readonly additionalConfiguration?: string | undefined;
}

export interface DeviceSpec {
  readonly enabled?: boolean | undefined;
  readonly endpoints?:
    | { readonly inbound?: Readonly<Record<string, InboundEndpoint>> | undefined }
    | undefined;
}

/** `additionalConfiguration` of a Microsoft.Mqtt endpoint (S-60). */
export interface MqttEndpointConfiguration {
  readonly useBuiltInMqttBroker?: boolean | undefined;
  readonly assetDiscoveryConfiguration?:
    | {
        readonly topicFilter: string;
        readonly assetLevel?: number | undefined;
        readonly topicMappingPrefix?: string | undefined;
      }
    | undefined;
  readonly externalBrokerConfiguration?:
    | {
        readonly keepAlive?: number | undefined;
        readonly receiveMax?: number | undefined;
        readonly receivePacketSizeMax?: number | undefined;
        readonly sessionExpiry?: number | undefined;
        readonly connectionTimeout?: number | undefined;
      }
    | undefined;
}

interface DatasetDestination {
  readonly target: "Mqtt" | "BrokerStateStore" | "Storage";
  readonly configuration?:
    | {
        readonly topic?: string | undefined;
        readonly retain?: "Keep" | "Never" | undefined;
        readonly qos?: 0 | 1 | undefined;
        readonly ttl?: number | undefined;
      }
    | undefined;
}

interface Dataset {
  readonly name: string;
  readonly dataSource?: string | undefined;
  readonly destinations?: readonly DatasetDestination[] | undefined;
}

export interface AssetSpec {
  readonly enabled?: boolean | undefined;
  readonly deviceRef?: { readonly deviceName: string; readonly endpointName: string } | undefined;
  readonly defaultDatasetsDestinations?: readonly DatasetDestination[] | undefined;
  readonly datasets?: readonly Dataset[] | undefined;
  readonly discoveredAssetRefs?: readonly string[] | undefined;
}

const prefix = checked((value) =>
  /[+#\0]/.test(value) || value.endsWith("/")
    ? `${JSON.stringify(value)} is not a topic mapping prefix: write it without "+", "#" and "/" at its end`
    : undefined,
);

const discoveryFilter = checked((value) =>
  value.includes("#")
    ? `${JSON.stringify(value)} is not a filter for discovery: "#" is not supported, use "+" for each level that varies`
    : checkTopicFilter(value),
);

export const mqttEndpointConfiguration: Schema<MqttEndpointConfiguration> = z.object({
  useBuiltInMqttBroker: toggle.optional(),
  assetDiscoveryConfiguration: z
    .object({
      topicFilter: discoveryFilter,
      assetLevel: integer(1).optional(),
      topicMappingPrefix: prefix.optional(),
    })
    .optional(),
  externalBrokerConfiguration: z
    .object({
      keepAlive: integer(0, 65_535).optional(),
      receiveMax: integer(1, 65_535).optional(),
      receivePacketSizeMax: integer(1, 4_294_967_295).optional(),
      sessionExpiry: integer(0, 4_294_967_295).optional(),
      connectionTimeout: integer(1).optional(),
    })
    .optional(),
});

/** `spec` of a Device. */
export const deviceSpec: Schema<DeviceSpec> = z.object({
  enabled: toggle.optional(),
  endpoints: z
    .object({
      inbound: z
        .record(
          z.string(),
          z.object({
            endpointType: text,
            address: text,
            version: ignored,
            authentication: z
              .object({
                method: choice(["Anonymous", "UsernamePassword", "X509Certificate"], {
                  Certificate: "X509Certificate",
                  x509Credentials: "X509Certificate",
                }),
                usernamePasswordCredentials: z
                  .object({
                    usernameSecretName: anyText.optional(),
                    passwordSecretName: anyText.optional(),
                  })
                  .optional(),
                x509Credentials: z
                  .object({
                    certificateSecretName: anyText.optional(),
                    keySecretName: anyText.optional(),
                    intermediateCertificatesSecretName: anyText.optional(),
                  })
                  .optional(),
              })
              .optional(),
            trustSettings: z.object({ trustList: reference.optional() }).optional(),
            additionalConfiguration: anyText.optional(),
          }),
        )
        .optional(),
      outbound: ignored,
    })
    .optional(),
  attributes: ignored,
  discoveredDeviceRef: ignored,
  externalDeviceId: ignored,
  manufacturer: ignored,
  model: ignored,
  operatingSystem: ignored,
  operatingSystemVersion: ignored,
  uuid: ignored,
  version: ignored,
});

const destinations = z.array(
  z.object({
    target: choice(["Mqtt", "BrokerStateStore", "Storage"]),
    configuration: z
      .object({
        topic: checked(topicNameProblem).optional(),
        retain: choice(["Keep", "Never"]).optional(),
        qos: z.union([qos, choice(["Qos0", "Qos1"]).transform(qosNumber)]).optional(),
        ttl: integer(0, 4_294_967_295).optional(),
        key: ignored,
        path: ignored,
      })
      .optional(),
  }),
);

function qosNumber(name: "Qos0" | "Qos1"): 0 | 1 {
  return name === "Qos0" ? 0 : 1;
}

/** `spec` of an Asset or a DiscoveredAsset. */
export const assetSpec: Schema<AssetSpec> = z.object({
  enabled: toggle.optional(),
  deviceRef: z.object({ deviceName: text, endpointName: text }).optional(),
  defaultDatasetsConfiguration: ignored,
  defaultDatasetsDestinations: destinations.optional(),
  datasets: z
    .array(
      z.object({
        name: text,
        dataSource: checked(checkTopicFilter).optional(),
        datasetConfiguration: ignored,
        dataPoints: ignored,
        destinations: destinations.optional(),
        typeRef: ignored,
        lastUpdatedOn: ignored,
      }),
    )
    .optional(),
  attributes: ignored,
  assetTypeRefs: ignored,
  defaultEventsConfiguration: ignored,
  defaultEventsDestinations: ignored,
  defaultManagementGroupsConfiguration: ignored,
  defaultStreamsConfiguration: ignored,
  defaultStreamsDestinations: ignored,
  description: ignored,
  discoveredAssetRefs: z.array(text).optional(),
  discoveryId: ignored,
  displayName: ignored,
  documentationUri: ignored,
  eventGroups: ignored,
  events: ignored,
  externalAssetId: ignored,
  hardwareRevision: ignored,
  managementGroups: ignored,
  manufacturer: ignored,
  manufacturerUri: ignored,
  model: ignored,
  productCode: ignored,
  serialNumber: ignored,
  softwareRevision: ignored,
  streams: ignored,
  uuid: ignored,
  version: ignored,
});
