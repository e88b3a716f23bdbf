#!/usr/bin/env bash
# bench-entry.sh DIR BROKERS URL QOS SRC DST: the built runner for one direction, so that any harness can time it.
# DIR is k2m (Kafka topic SRC to MQTT topic DST) or m2k (MQTT topic filter SRC to Kafka topic DST); BROKERS is host:port, URL mqtt://host:port.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
direction=$1 brokers=$2 mqtt=${3#mqtt://} qos=$4 source=$5 destination=$6
from=kafka to=mqtt
if [ "$direction" = m2k ]; then from=mqtt to=kafka; fi
folder=$(mktemp -d)
cat >"$folder/bench.yaml" <<YAML
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: kafka }
spec:
  endpointType: Kafka
  kafkaSettings:
    host: $brokers
    consumerGroupId: bench-$$
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: { name: mqtt }
spec:
  endpointType: Mqtt
  mqttSettings:
    host: $mqtt
    qos: $qos
    maxInflightMessages: 1000
    authentication: { method: Anonymous, anonymousSettings: {} }
    tls: { mode: Disabled }
---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata: { name: bench }
spec:
  operations:
    - operationType: Source
      sourceSettings: { endpointRef: $from, dataSources: ['$source'] }
    - operationType: Destination
      destinationSettings: { endpointRef: $to, dataDestination: '$destination' }
YAML
exec "${NODE:-node}" "$root/dist/local/cli.js" run -f "$folder/bench.yaml" --log-level warn
