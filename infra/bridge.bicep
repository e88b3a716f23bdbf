metadata name = 'Isthmus in a resource group'
metadata description = 'Everything that the Isthmus function app needs, in one resource group that is there. main.bicep creates the group too.'

import { eventHubsConnectionType, eventHubsNamespaceType, mqttNamespaceType } from 'types.bicep'

@description('Required. Name of the environment: it is in the tags, and the names of resources follow from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Required. Region of the resources, save MQTT brokers, whose host names say where they are.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('Optional. Tags of all resources.')
param tags object = {}

// what the manifests ask for: isthmus plan --bicep-parameters writes these

@description('Optional. Event Hubs namespaces of the manifests, with hubs, consumer groups and rights.')
param eventHubsNamespaces eventHubsNamespaceType[] = []

@description('Optional. Event Grid namespaces of the manifests that are MQTT brokers.')
param mqttNamespaces mqttNamespaceType[] = []

@description('Optional. Names of the key vaults of the manifests.')
param keyVaults string[] = []

@description('Optional. What Event Hubs triggers sign in with.')
param eventHubsConnections eventHubsConnectionType[] = []

@description('Optional. Further app settings that are no secrets.')
param appSettings object = {}

@description('Optional. App settings whose values are secrets of the app\'s own key vault.')
param vaultSettings string[] = []

@description('Optional. Functions that need an instance that is always there, as function:NAME.')
param alwaysReady string[] = []

// what is brought instead of created

@description('Optional. Resource id of a user-assigned managed identity to use instead of creating one.')
param existingIdentityId string = ''

@description('Optional. Resource id of a storage account to use instead of creating one.')
param existingStorageAccountId string = ''

@description('Optional. Resource id of a Log Analytics workspace to use instead of creating one.')
param existingWorkspaceId string = ''

@description('Optional. Resource id of Application Insights to use instead of creating it.')
param existingApplicationInsightsId string = ''

@description('Optional. Resource ids of Event Hubs namespaces that are there already, with their hubs.')
param existingEventHubsNamespaceIds string[] = []

@description('Optional. Resource ids of Event Grid namespaces that are there already.')
param existingMqttNamespaceIds string[] = []

@description('Optional. Resource ids of key vaults that are there already.')
param existingKeyVaultIds string[] = []

@description('Optional. Name of the app\'s own key vault: one of existingKeyVaultIds, or a new one.')
@maxLength(24)
param keyVaultName string = ''

// the function app

@description('Optional. Name of the function app; unique among all on Azure.')
@maxLength(60)
param functionAppName string = ''

@description('Optional. Version of Node.js.')
@allowed(['20', '22'])
param nodeVersion string = '22'

@description('Optional. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. Most instances that the app scales out to.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Optional. Whether instances are spread over zones.')
param zoneRedundant bool = false

@description('Optional. MQTT broker of manifests that name none, as mqtt://host:port.')
param localBroker string = ''

@description('Optional. Time that one invocation may take, as hh:mm:ss; empty for that of host.json, 30 minutes.')
@maxLength(12)
param functionTimeout string = ''

@description('Optional. Seconds that an MQTT subscription is held before it is renewed; 0 for functionTimeout less a minute.')
@minValue(0)
@maxValue(86400)
param pumpSeconds int = 0

// rights

@description('Optional. Where Data Receiver and Data Sender are granted. On hubs, unless something reads them by OAuth over the Kafka endpoint: it asks for the metadata of all hubs, for which Event Hubs wants the role on the namespace.')
@allowed(['hub', 'namespace'])
param eventHubsRoleScope string = 'hub'

@description('Optional. Where TopicSpaces Publisher and Subscriber are granted.')
@allowed(['topicSpace', 'namespace'])
param mqttRoleScope string = 'topicSpace'

@description('Optional. Whether there are hubs for the dead letters of flows that only read, which the app may write. Without one such a flow stops at a message that can never be delivered.')
param deadLetters bool = true

// what is created

@description('Optional. Tier of Event Hubs. The Kafka endpoint needs Standard or more.')
@allowed(['Standard', 'Premium'])
param eventHubsSku string = 'Standard'

@description('Optional. Throughput units (Standard) or processing units (Premium) of each Event Hubs namespace.')
@minValue(1)
@maxValue(40)
param eventHubsCapacity int = 1

@description('Optional. Throughput units up to which a Standard namespace grows by itself; 0 for never.')
@minValue(0)
@maxValue(40)
param eventHubsMaximumThroughputUnits int = 4

@description('Optional. Partitions of each hub. What reads a hub scales out to as many instances.')
@minValue(1)
@maxValue(32)
param partitionCount int = 4

@description('Optional. Hours that hubs keep events: how long a reader may be away without losing any.')
@minValue(1)
@maxValue(2160)
param retentionHours int = 168

@description('Optional. Throughput units of each Event Grid namespace.')
@minValue(1)
@maxValue(40)
param mqttCapacity int = 1

@description('Optional. Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Optional. Whether a deleted key vault cannot be purged before its time. It keeps the name taken for 90 days.')
param purgeProtection bool = true

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionInDays int = 30

@description('Optional. Gigabytes of logs a day after which no more are taken, -1 for no limit.')
@minValue(-1)
param logDailyQuotaGb int = 1

@description('Optional. Whether Event Hubs, Event Grid and Key Vault write audit logs to Log Analytics.')
param auditLogs bool = true

@description('Optional. Resource ids of the action groups that are told of failures; none, no alerts.')
param alertActionGroupIds string[] = []

// network

@description('Optional. Whether everything that is created is reached by private endpoints only.')
param privateNetwork bool = false

@description('Optional. Addresses of the virtual network that is created, a /24 or larger.')
param networkAddressPrefix string = '10.20.0.0/24'

@description('Optional. Resource id of a subnet delegated to Microsoft.App/environments, to use instead of creating a network.')
param existingFunctionsSubnetId string = ''

@description('Optional. Resource id of a subnet for private endpoints, in the same network.')
param existingEndpointsSubnetId string = ''

@description('Optional. Whether private DNS zones are created and linked to the network. Otherwise others have to look after the names.')
param createPrivateDnsZones bool = true

@description('Optional. Whether the app\'s own endpoint stays public in a private network, so that one can deploy from outside of it.')
param publicAppEndpoint bool = false

var token = toLower(uniqueString(subscription().id, resourceGroup().id, environmentName))
var allTags = union(tags, { 'azd-env-name': environmentName })
var appName = empty(functionAppName) ? 'func-isthmus-${token}' : functionAppName
var vaultName = empty(keyVaultName) ? 'kv-${token}' : keyVaultName
// as few vaults as there are needs for one
var vaultNames = union(map(keyVaults, vault => toLower(vault)), empty(vaultSettings) ? [] : [toLower(vaultName)])
var here = { subscription: subscription().subscriptionId, group: resourceGroup().name }

var storageName = empty(existingStorageAccountId) ? 'st${token}' : last(split(existingStorageAccountId, '/'))
var insightsName = empty(existingApplicationInsightsId)
  ? 'appi-${token}'
  : last(split(existingApplicationInsightsId, '/'))
var identityPlace = empty(existingIdentityId)
  ? here
  : { subscription: split(existingIdentityId, '/')[2], group: split(existingIdentityId, '/')[4] }
var storagePlace = empty(existingStorageAccountId)
  ? here
  : { subscription: split(existingStorageAccountId, '/')[2], group: split(existingStorageAccountId, '/')[4] }
var insightsPlace = empty(existingApplicationInsightsId)
  ? here
  : {
      subscription: split(existingApplicationInsightsId, '/')[2]
      group: split(existingApplicationInsightsId, '/')[4]
    }
var insightsId = resourceId(
  insightsPlace.subscription,
  insightsPlace.group,
  'Microsoft.Insights/components',
  insightsName
)
// by name, in small letters: where each resource is that is brought
var eventHubsPlaces = toObject(existingEventHubsNamespaceIds, id => toLower(last(split(id, '/'))), id => {
  subscription: split(id, '/')[2]
  group: split(id, '/')[4]
})
var mqttPlaces = toObject(existingMqttNamespaceIds, id => toLower(last(split(id, '/'))), id => {
  subscription: split(id, '/')[2]
  group: split(id, '/')[4]
})
var vaultPlaces = toObject(existingKeyVaultIds, id => toLower(last(split(id, '/'))), id => {
  subscription: split(id, '/')[2]
  group: split(id, '/')[4]
})

var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  namespace: 'privatelink.servicebus.windows.net'
  topicspace: 'privatelink.ts.eventgrid.azure.net'
  vault: 'privatelink.vaultcore.azure.net'
  sites: 'privatelink.azurewebsites.net'
}
// only of what gets an endpoint here: an empty zone would hide what is brought
var neededZones = concat(
  empty(existingStorageAccountId) ? [zones.blob, zones.table] : [],
  empty(filter(eventHubsNamespaces, space => !contains(eventHubsPlaces, toLower(space.name)))) ? [] : [zones.namespace],
  empty(filter(mqttNamespaces, space => !contains(mqttPlaces, toLower(space.name)))) ? [] : [zones.topicspace],
  empty(filter(vaultNames, vault => !contains(vaultPlaces, vault))) ? [] : [zones.vault],
  publicAppEndpoint ? [] : [zones.sites]
)

// identity

module createdIdentity 'modules/identity.bicep' = if (empty(existingIdentityId)) {
  name: 'isthmus-identity'
  params: {
    name: 'id-${token}'
    location: location
    tags: allTags
  }
}

module broughtIdentity 'modules/existing-identity.bicep' = if (!empty(existingIdentityId)) {
  name: 'isthmus-existing-identity'
  scope: resourceGroup(identityPlace.subscription, identityPlace.group)
  params: { name: last(split(existingIdentityId, '/')) }
}

var identityId = empty(existingIdentityId) ? createdIdentity!.outputs.id : existingIdentityId
var clientId = empty(existingIdentityId) ? createdIdentity!.outputs.clientId : broughtIdentity!.outputs.clientId
var principalId = empty(existingIdentityId)
  ? createdIdentity!.outputs.principalId
  : broughtIdentity!.outputs.principalId

// logs

module workspace 'modules/log-analytics.bicep' = if (empty(existingWorkspaceId) && (empty(existingApplicationInsightsId) || auditLogs)) {
  name: 'isthmus-log-analytics'
  params: {
    name: 'log-${token}'
    location: location
    tags: allTags
    retentionInDays: logRetentionInDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

var auditWorkspaceId = !auditLogs ? '' : empty(existingWorkspaceId) ? workspace!.outputs.id : existingWorkspaceId

module insights 'modules/application-insights.bicep' = if (empty(existingApplicationInsightsId)) {
  name: 'isthmus-application-insights'
  params: {
    name: insightsName
    location: location
    tags: allTags
    workspaceId: empty(existingWorkspaceId) ? workspace!.outputs.id : existingWorkspaceId
  }
}

module insightsAccess 'modules/application-insights-access.bicep' = {
  name: 'isthmus-application-insights-access'
  scope: resourceGroup(insightsPlace.subscription, insightsPlace.group)
  params: {
    name: insightsName
    principalId: principalId
  }
  dependsOn: [insights]
}

// storage

module storage 'modules/storage.bicep' = if (empty(existingStorageAccountId)) {
  name: 'isthmus-storage'
  params: {
    name: storageName
    location: location
    tags: allTags
    sku: storageSku
    private: privateNetwork
  }
}

module storageAccess 'modules/storage-access.bicep' = {
  name: 'isthmus-storage-access'
  scope: resourceGroup(storagePlace.subscription, storagePlace.group)
  params: {
    name: storageName
    packageContainer: 'isthmus-package'
    principalId: principalId
  }
  dependsOn: [storage]
}

// brokers

module eventHubs 'modules/event-hubs.bicep' = [
  for namespace in eventHubsNamespaces: if (!contains(eventHubsPlaces, toLower(namespace.name))) {
    name: take('isthmus-hubs-${namespace.name}', 64)
    params: {
      namespace: namespace
      location: location
      tags: allTags
      sku: eventHubsSku
      capacity: eventHubsCapacity
      maximumThroughputUnits: eventHubsMaximumThroughputUnits
      partitionCount: partitionCount
      retentionHours: retentionHours
      deadLetters: deadLetters
      private: privateNetwork
      auditWorkspaceId: auditWorkspaceId
    }
  }
]

module eventHubsAccess 'modules/event-hubs-access.bicep' = [
  for namespace in eventHubsNamespaces: {
    name: take('isthmus-hubs-access-${namespace.name}', 64)
    scope: resourceGroup(
      eventHubsPlaces[?toLower(namespace.name)].?subscription ?? here.subscription,
      eventHubsPlaces[?toLower(namespace.name)].?group ?? here.group
    )
    params: {
      namespace: namespace
      roleScope: eventHubsRoleScope
      deadLetters: deadLetters
      principalId: principalId
    }
    dependsOn: [eventHubs]
  }
]

module mqtt 'modules/event-grid.bicep' = [
  for namespace in mqttNamespaces: if (!contains(mqttPlaces, toLower(namespace.name))) {
    name: take('isthmus-mqtt-${namespace.name}', 64)
    params: {
      namespace: namespace
      tags: allTags
      capacity: mqttCapacity
      private: privateNetwork
      auditWorkspaceId: auditWorkspaceId
    }
  }
]

module mqttAccess 'modules/event-grid-access.bicep' = [
  for namespace in mqttNamespaces: {
    name: take('isthmus-mqtt-access-${namespace.name}', 64)
    scope: resourceGroup(
      mqttPlaces[?toLower(namespace.name)].?subscription ?? here.subscription,
      mqttPlaces[?toLower(namespace.name)].?group ?? here.group
    )
    params: {
      namespace: namespace
      roleScope: mqttRoleScope
      principalId: principalId
    }
    dependsOn: [mqtt]
  }
]

// secrets

module vaults 'modules/key-vault.bicep' = [
  for vault in vaultNames: if (!contains(vaultPlaces, vault)) {
    name: take('isthmus-vault-${vault}', 64)
    params: {
      name: vault
      location: location
      tags: allTags
      purgeProtection: purgeProtection
      private: privateNetwork
      auditWorkspaceId: auditWorkspaceId
    }
  }
]

module vaultAccess 'modules/key-vault-access.bicep' = [
  for vault in vaultNames: {
    name: take('isthmus-vault-access-${vault}', 64)
    scope: resourceGroup(
      vaultPlaces[?vault].?subscription ?? here.subscription,
      vaultPlaces[?vault].?group ?? here.group
    )
    params: {
      name: vault
      principalId: principalId
    }
    dependsOn: [vaults]
  }
]

// network

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'isthmus-network'
  params: {
    name: 'vnet-${token}'
    location: location
    tags: allTags
    addressPrefix: networkAddressPrefix
    existingFunctionsSubnetId: existingFunctionsSubnetId
    existingEndpointsSubnetId: existingEndpointsSubnetId
    zones: createPrivateDnsZones ? neededZones : []
  }
}

module storageEndpoints 'modules/private-endpoint.bicep' = [
  for part in ['blob', 'table']: if (privateNetwork && empty(existingStorageAccountId)) {
    name: 'isthmus-endpoint-${part}'
    params: {
      name: 'pe-${part}-${token}'
      location: location
      tags: allTags
      subnetId: network!.outputs.endpointsSubnetId
      targetId: storage!.outputs.id
      part: part
      zone: createPrivateDnsZones ? zones[part] : ''
    }
  }
]

module eventHubsEndpoints 'modules/private-endpoint.bicep' = [
  for (namespace, index) in eventHubsNamespaces: if (privateNetwork && !contains(eventHubsPlaces, toLower(namespace.name))) {
    name: take('isthmus-endpoint-hubs-${namespace.name}', 64)
    params: {
      name: 'pe-hubs-${namespace.name}'
      location: location
      tags: allTags
      subnetId: network!.outputs.endpointsSubnetId
      targetId: eventHubs[index]!.outputs.id
      part: 'namespace'
      zone: createPrivateDnsZones ? zones.namespace : ''
    }
  }
]

module mqttEndpoints 'modules/private-endpoint.bicep' = [
  for (namespace, index) in mqttNamespaces: if (privateNetwork && !contains(mqttPlaces, toLower(namespace.name))) {
    name: take('isthmus-endpoint-mqtt-${namespace.name}', 64)
    params: {
      name: 'pe-mqtt-${namespace.name}'
      location: location
      tags: allTags
      subnetId: network!.outputs.endpointsSubnetId
      targetId: mqtt[index]!.outputs.id
      part: 'topicspace'
      zone: createPrivateDnsZones ? zones.topicspace : ''
    }
  }
]

module vaultEndpoints 'modules/private-endpoint.bicep' = [
  for (vault, index) in vaultNames: if (privateNetwork && !contains(vaultPlaces, vault)) {
    name: take('isthmus-endpoint-vault-${vault}', 64)
    params: {
      name: 'pe-vault-${vault}'
      location: location
      tags: allTags
      subnetId: network!.outputs.endpointsSubnetId
      targetId: vaults[index]!.outputs.id
      part: 'vault'
      zone: createPrivateDnsZones ? zones.vault : ''
    }
  }
]

module appEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork && !publicAppEndpoint) {
  name: 'isthmus-endpoint-app'
  params: {
    name: 'pe-app-${token}'
    location: location
    tags: allTags
    subnetId: network!.outputs.endpointsSubnetId
    targetId: app.outputs.id
    part: 'sites'
    zone: createPrivateDnsZones ? zones.sites : ''
  }
}

// the app, when what it needs is there and may be used

module app 'modules/function-app.bicep' = {
  name: 'isthmus-function-app'
  params: {
    name: appName
    planName: 'plan-${token}'
    location: location
    tags: allTags
    serviceName: 'bridge'
    identityId: identityId
    identityClientId: clientId
    storageAccountName: storageName
    packageUrl: storageAccess.outputs.packageUrl
    applicationInsightsId: insightsId
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
    alwaysReady: alwaysReady
    eventHubsConnections: eventHubsConnections
    appSettings: appSettings
    vaultSettings: vaultSettings
    vaultName: vaultName
    localBroker: localBroker
    functionTimeout: functionTimeout
    pumpSeconds: pumpSeconds
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : ''
    publicAccess: !privateNetwork || publicAppEndpoint
  }
  dependsOn: [insightsAccess, eventHubsAccess, mqttAccess, vaultAccess, storageEndpoints]
}

module alerts 'modules/alerts.bicep' = if (!empty(alertActionGroupIds)) {
  name: 'isthmus-alerts'
  scope: resourceGroup(insightsPlace.subscription, insightsPlace.group)
  params: {
    name: appName
    location: location
    tags: allTags
    applicationInsightsId: insightsId
    actionGroupIds: alertActionGroupIds
  }
  dependsOn: [insightsAccess]
}

@description('Name of the function app, for az functionapp deploy.')
output functionAppName string = app.outputs.name

@description('Host name of the function app.')
output functionAppHostName string = app.outputs.hostName

@description('Client id of the app\'s identity.')
output identityClientId string = clientId

@description('Principal id of the app\'s identity, for rights on what is not created here.')
output identityPrincipalId string = principalId

@description('Name of the app\'s own key vault; empty when no setting is a secret.')
output keyVaultName string = empty(vaultSettings) ? '' : vaultName

@description('Names of the secrets that the key vault has to hold. Their values are given by az keyvault secret set, never here.')
output secretNames string[] = map(vaultSettings, setting => toLower(replace(setting, '_', '-')))
