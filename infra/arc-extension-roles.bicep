metadata name = 'Roles of the in-cluster connector'
metadata description = 'For those who keep the connector of the cluster beside Isthmus: lets the identity of the Arc extension read and write an Event Hubs namespace of the same resource group.'

@description('Required. Name of the cluster that is connected to Azure Arc.')
param clusterName string

@description('Optional. Name of the Arc extension of the MQTT broker.')
param mqExtensionName string = 'mq'

@description('Required. Name of the Event Hubs namespace.')
@minLength(6)
@maxLength(50)
param eventHubNamespaceName string

@description('Optional. Whether the connector reads: Azure Event Hubs Data Receiver.')
param receive bool = true

@description('Optional. Whether the connector writes: Azure Event Hubs Data Sender.')
param send bool = true

var roles = {
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
}

#disable-next-line BCP081 no-schema
resource cluster 'Microsoft.Kubernetes/connectedClusters@2024-01-01' existing = {
  name: clusterName
}

#disable-next-line BCP081 no-schema
resource extension 'Microsoft.KubernetesConfiguration/extensions@2022-11-01' existing = {
  name: mqExtensionName
  scope: cluster
}

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubNamespaceName
}

// a Kafka client asks for the metadata of all hubs, so the roles are on the namespace
resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (receive) {
  name: guid(namespace.id, extension.id, roles.eventHubsDataReceiver)
  scope: namespace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
    principalId: extension.identity.principalId
    principalType: 'ServicePrincipal'
    description: 'The connector of the cluster reads event hubs'
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (send) {
  name: guid(namespace.id, extension.id, roles.eventHubsDataSender)
  scope: namespace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender)
    principalId: extension.identity.principalId
    principalType: 'ServicePrincipal'
    description: 'The connector of the cluster writes event hubs'
  }
}
