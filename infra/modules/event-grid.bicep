metadata name = 'Event Grid namespace'
metadata description = 'An Event Grid namespace whose MQTT broker the manifests name.'

import { mqttNamespaceType } from '../types.bicep'

@description('Required. The namespace.')
param namespace mqttNamespaceType

@description('Optional. Tags of the namespace.')
param tags object = {}

@description('Optional. Throughput units: each takes 1,000 messages or 1 MB a second in, and 10,000 sessions.')
@minValue(1)
@maxValue(40)
param capacity int = 1

@description('Optional. Hours that the broker keeps a session whose client is away.')
@minValue(1)
@maxValue(8)
param maximumSessionExpiryInHours int = 8

@description('Optional. Whether the namespace is reached by private endpoints only.')
param private bool = false

@description('Optional. Resource id of the Log Analytics workspace that takes the audit logs; empty for none.')
param auditWorkspaceId string = ''

resource space 'Microsoft.EventGrid/namespaces@2025-02-15' = {
  name: namespace.name
  location: namespace.location
  tags: tags
  sku: { name: 'Standard', capacity: capacity }
  properties: {
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    topicSpacesConfiguration: {
      state: 'Enabled'
      maximumSessionExpiryInHours: maximumSessionExpiryInHours
      maximumClientSessionsPerAuthenticationName: 100
    }
  }
}

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
