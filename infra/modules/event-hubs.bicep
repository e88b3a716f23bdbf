metadata name = 'Event Hubs namespace'
metadata description = 'An Event Hubs namespace with the hubs that the manifests name.'

import { eventHubsNamespaceType } from '../types.bicep'

@description('Required. The namespace and its hubs.')
param namespace eventHubsNamespaceType

@description('Required. Region of the namespace.')
param location string

@description('Optional. Tags of the namespace.')
param tags object = {}

@description('Optional. Tier. The Kafka endpoint needs Standard or more.')
@allowed(['Standard', 'Premium'])
param sku string = 'Standard'

@description('Optional. Throughput units (Standard) or processing units (Premium).')
@minValue(1)
@maxValue(40)
param capacity int = 1

@description('Optional. Throughput units up to which a Standard namespace grows by itself; 0 for never.')
@minValue(0)
@maxValue(40)
param maximumThroughputUnits int = 4

@description('Optional. Partitions of the hubs. What reads a hub scales out to as many instances.')
@minValue(1)
@maxValue(32)
param partitionCount int = 4

@description('Optional. Hours that hubs keep events: how long a reader may be away without losing any.')
@minValue(1)
@maxValue(2160)
param retentionHours int = 168

@description('Optional. Whether there are hubs for the dead letters of flows that only read.')
param deadLetters bool = true

@description('Optional. Whether the namespace is reached by private endpoints only.')
param private bool = false

@description('Optional. Resource id of the Log Analytics workspace that takes the audit logs; empty for none.')
param auditWorkspaceId string = ''

var grows = sku == 'Standard' && maximumThroughputUnits > capacity
var hubs = filter(
  namespace.hubs,
  hub => deadLetters || !hub.deadLetters || hub.receive || !empty(hub.consumerGroups)
)

resource space 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespace.name
  location: location
  tags: tags
  sku: { name: sku, tier: sku, capacity: capacity }
  properties: {
    disableLocalAuth: !namespace.localAuth
    kafkaEnabled: true
    minimumTlsVersion: '1.2'
    isAutoInflateEnabled: grows
    maximumThroughputUnits: grows ? maximumThroughputUnits : 0
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
  }
}

resource eventHubs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [
  for hub in hubs: {
    parent: space
    name: hub.name
    properties: {
      partitionCount: partitionCount
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: retentionHours
      }
    }
  }
]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  name: 'audit'
  scope: space
  properties: {
    workspaceId: auditWorkspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

@description('Resource id of the namespace.')
output id string = space.id
