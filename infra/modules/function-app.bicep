metadata name = 'Function app'
metadata description = 'The Isthmus function app on a Flex Consumption plan, with a user-assigned identity and no keys.'

import { eventHubsConnectionType } from '../types.bicep'

@description('Required. Name of the function app.')
@minLength(2)
@maxLength(60)
param name string

@description('Required. Name of the plan: each Flex Consumption app has its own.')
param planName string

@description('Required. Region of app and plan.')
param location string

@description('Optional. Tags of app and plan.')
param tags object = {}

@description('Required. Name of the service in azure.yaml that is deployed to this app.')
param serviceName string

@description('Required. Resource id of the user-assigned identity.')
param identityId string

@description('Required. Client id of the user-assigned identity.')
param identityClientId string

@description('Required. Name of the storage account of the host.')
param storageAccountName string

@description('Required. Where the deployed package is kept: a blob container.')
param packageUrl string

@description('Required. Resource id of Application Insights.')
param applicationInsightsId string

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

@description('Optional. Whether instances are spread over zones. Functions that are always ready need two instances then.')
param zoneRedundant bool = false

@description('Optional. Functions that need an instance that is always there, as function:NAME: subscribers of MQTT, readers of Kafka.')
param alwaysReady string[] = []

@description('Optional. What Event Hubs triggers sign in with.')
param eventHubsConnections eventHubsConnectionType[] = []

@description('Optional. Further app settings that are no secrets.')
param appSettings object = {}

@description('Optional. App settings whose values are secrets of the key vault, by the same names in small letters with dashes.')
param vaultSettings string[] = []

@description('Optional. Name of the key vault that holds them.')
param vaultName string = ''

@description('Optional. MQTT broker of manifests that name none, as mqtt://host:port.')
param localBroker string = ''

@description('Optional. Time that one invocation may take, as hh:mm:ss; empty for that of host.json, 30 minutes.')
param functionTimeout string = ''

@description('Optional. Seconds that an MQTT subscription is held before it is renewed; 0 for functionTimeout less a minute.')
@minValue(0)
param pumpSeconds int = 0

@description('Optional. Resource id of the subnet that the app sends from; empty for none.')
param subnetId string = ''

@description('Optional. Whether the endpoint of the app, for its pages and for deployments, is public.')
param publicAccess bool = true

var chosenSettings = concat(
  empty(localBroker) ? [] : [{ name: 'ISTHMUS_LOCAL_BROKER', value: localBroker }],
  empty(functionTimeout) ? [] : [{ name: 'AzureFunctionsJobHost__functionTimeout', value: functionTimeout }],
  pumpSeconds == 0 ? [] : [{ name: 'ISTHMUS_PUMP_SECONDS', value: string(pumpSeconds) }]
)
var namedSettings = map(items(appSettings), setting => { name: setting.key, value: setting.value })
var connectionSettings = flatten(map(eventHubsConnections, connection => [
  { name: '${connection.name}__fullyQualifiedNamespace', value: connection.fullyQualifiedNamespace }
  { name: '${connection.name}__credential', value: 'managedidentity' }
  { name: '${connection.name}__clientId', value: connection.?clientId ?? identityClientId }
]))
var secretSettings = map(vaultSettings, setting => {
  name: setting
  value: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${toLower(replace(setting, '_', '-'))})'
})

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: last(split(applicationInsightsId, '/'))
  scope: resourceGroup(split(applicationInsightsId, '/')[2], split(applicationInsightsId, '/')[4])
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: map(alwaysReady, entry => { name: entry, instanceCount: zoneRedundant ? 2 : 1 })
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      appSettings: concat(
        [
          { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
          { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
          { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
          { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
          {
            name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
            value: 'ClientId=${identityClientId};Authorization=AAD'
          }
          { name: 'AZURE_CLIENT_ID', value: identityClientId }
          { name: 'ISTHMUS_MANIFESTS', value: 'manifests' }
        ],
        chosenSettings,
        namedSettings,
        connectionSettings,
        secretSettings
      )
    }
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

@description('Name of the function app.')
output name string = app.name

@description('Resource id of the function app.')
output id string = app.id

@description('Host name of the function app.')
output hostName string = app.properties.defaultHostName
