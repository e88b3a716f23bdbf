metadata name = 'Access to Event Hubs'
metadata description = 'The consumer groups and roles of the app in an Event Hubs namespace that is there.'

import { eventHubsNamespaceType } from '../types.bicep'

@description('Required. The namespace, its hubs and what the app does with them.')
param namespace eventHubsNamespaceType

@description('Optional. Where Data Receiver and Data Sender are granted: on the hubs, or on the whole namespace.')
@allowed(['hub', 'namespace'])
param roleScope string = 'hub'

@description('Optional. Whether the app may write the hubs for the dead letters of flows that only read.')
param deadLetters bool = true

@description('Required. Principal id of the identity of the app.')
param principalId string

var roles = {
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
}
var hubs = filter(
  namespace.hubs,
  hub => deadLetters || !hub.deadLetters || hub.receive || !empty(hub.consumerGroups)
)
var groups = flatten(map(hubs, (hub, index) => map(hub.consumerGroups, group => { hub: index, name: group })))
var receivesAnywhere = namespace.receive || (roleScope == 'namespace' && !empty(filter(hubs, hub => hub.receive)))
var sendsAnywhere = namespace.send || (roleScope == 'namespace' && !empty(filter(
  hubs,
  hub => hub.send || hub.deadLetters
)))

resource space 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespace.name
}

resource eventHubs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = [
  for hub in hubs: {
    parent: space
    name: hub.name
  }
]

resource consumerGroups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [
  for group in groups: {
    parent: eventHubs[group.hub]
    name: group.name
    properties: { userMetadata: 'Isthmus' }
  }
]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (hub, index) in hubs: if (roleScope == 'hub' && hub.receive) {
    name: guid(eventHubs[index].id, principalId, roles.eventHubsDataReceiver)
    scope: eventHubs[index]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
      principalId: principalId
      principalType: 'ServicePrincipal'
      description: 'Isthmus reads this event hub'
    }
  }
]

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (hub, index) in hubs: if (roleScope == 'hub' && (hub.send || hub.deadLetters)) {
    name: guid(eventHubs[index].id, principalId, roles.eventHubsDataSender)
    scope: eventHubs[index]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender)
      principalId: principalId
      principalType: 'ServicePrincipal'
      description: hub.deadLetters ? 'Isthmus writes dead letters to this event hub' : 'Isthmus writes this event hub'
    }
  }
]

resource namespaceReceiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (receivesAnywhere) {
  name: guid(space.id, principalId, roles.eventHubsDataReceiver)
  scope: space
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus lists and reads event hubs of this namespace'
  }
}

resource namespaceSender 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (sendsAnywhere) {
  name: guid(space.id, principalId, roles.eventHubsDataSender)
  scope: space
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus writes event hubs of this namespace'
  }
}
