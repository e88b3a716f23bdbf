metadata name = 'Isthmus'
metadata description = 'The Isthmus function app with all that it needs, from an empty subscription on: a resource group, and bridge.bicep in it.'

targetScope = 'subscription'

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

@description('Optional. Name of the resource group. Default: rg-isthmus-ENVIRONMENT.')
@maxLength(90)
param resourceGroupName string = ''

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(resourceGroupName) ? 'rg-isthmus-${environmentName}' : resourceGroupName
  location: location
  tags: union(tags, { 'azd-env-name': environmentName })
}

module bridge 'bridge.bicep' = {
  name: 'isthmus'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    eventHubsNamespaces: eventHubsNamespaces
    mqttNamespaces: mqttNamespaces
    keyVaults: keyVaults
    eventHubsConnections: eventHubsConnections
    appSettings: appSettings
    vaultSettings: vaultSettings
    alwaysReady: alwaysReady
    existingIdentityId: existingIdentityId
    existingStorageAccountId: existingStorageAccountId
    existingWorkspaceId: existingWorkspaceId
    existingApplicationInsightsId: existingApplicationInsightsId
    existingEventHubsNamespaceIds: existingEventHubsNamespaceIds
    existingMqttNamespaceIds: existingMqttNamespaceIds
    existingKeyVaultIds: existingKeyVaultIds
    keyVaultName: keyVaultName
    functionAppName: functionAppName
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
    localBroker: localBroker
    functionTimeout: functionTimeout
    pumpSeconds: pumpSeconds
    eventHubsRoleScope: eventHubsRoleScope
    mqttRoleScope: mqttRoleScope
    deadLetters: deadLetters
    eventHubsSku: eventHubsSku
    eventHubsCapacity: eventHubsCapacity
    eventHubsMaximumThroughputUnits: eventHubsMaximumThroughputUnits
    partitionCount: partitionCount
    retentionHours: retentionHours
    mqttCapacity: mqttCapacity
    storageSku: storageSku
    purgeProtection: purgeProtection
    logRetentionInDays: logRetentionInDays
    logDailyQuotaGb: logDailyQuotaGb
    auditLogs: auditLogs
    alertActionGroupIds: alertActionGroupIds
    privateNetwork: privateNetwork
    networkAddressPrefix: networkAddressPrefix
    existingFunctionsSubnetId: existingFunctionsSubnetId
    existingEndpointsSubnetId: existingEndpointsSubnetId
    createPrivateDnsZones: createPrivateDnsZones
    publicAppEndpoint: publicAppEndpoint
  }
}

@description('Region of the resources.')
output AZURE_LOCATION string = location

@description('Name of the resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app, for az functionapp deploy.')
output AZURE_FUNCTION_APP_NAME string = bridge.outputs.functionAppName

@description('Host name of the function app: /api/healthz answers without a key.')
output AZURE_FUNCTION_APP_HOST string = bridge.outputs.functionAppHostName

@description('Client id of the app\'s identity.')
output AZURE_IDENTITY_CLIENT_ID string = bridge.outputs.identityClientId

@description('Principal id of the app\'s identity, for rights on what is not created here.')
output AZURE_IDENTITY_PRINCIPAL_ID string = bridge.outputs.identityPrincipalId

@description('Name of the app\'s own key vault; empty when no setting is a secret.')
output AZURE_KEY_VAULT_NAME string = bridge.outputs.keyVaultName

@description('Names of the secrets that the key vault has to hold.')
output ISTHMUS_SECRET_NAMES string[] = bridge.outputs.secretNames
