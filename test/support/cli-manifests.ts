/** Manifests of one data flow from a Kafka topic to MQTT, whose parts tests may replace. */
export interface FlowParts {
  readonly kafkaHost?: string;
  readonly mqttHost?: string;
  readonly kafkaAuthentication?: string;
  readonly mqttSettings?: string;
  readonly profile?: string;
  readonly source?: string;
  readonly operationType?: string;
  readonly destination?: string;
}

/** YAML of a Kafka endpoint, an MQTT endpoint and a Dataflow named `flow` between them. */
export function flowManifests(parts: FlowParts = {}): string {
  const {
    kafkaHost = "127.0.0.1:1",
    mqttHost = "127.0.0.1:1",
    kafkaAuthentication = "{ method: Anonymous }",
    mqttSettings = "qos: 1",
    source = "machines",
    operationType = "Source",
    destination = "factory/machines",
  } = parts;
  return `
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: ${kafkaHost}
    consumerGroupId: group
    tls: { mode: Disabled }
    authentication: ${kafkaAuthentication}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: ${mqttHost}
    tls: { mode: Disabled }
    authentication: { method: Anonymous }
    ${mqttSettings}
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: flow }
spec:
  operations:
    - operationType: ${operationType}
      sourceSettings: { endpointRef: kafka, dataSources: ["${source}"] }
    - operationType: Destination
      destinationSettings: { endpointRef: mqtt, dataDestination: "${destination}" }
`;
}

/** YAML of a Dataflow that takes `source` from MQTT to the Kafka topic `destination`. */
export function backFlow(source: string, destination: string): string {
  return `
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: back }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: mqtt, dataSources: ["${source}"] }
    - operationType: Destination
      destinationSettings: { endpointRef: kafka, dataDestination: "${destination}" }
`;
}
