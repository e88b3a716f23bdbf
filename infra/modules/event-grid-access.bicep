metadata name = 'Access to the MQTT broker'
metadata description = 'A topic space for each direction, and the roles of the app, in an Event Grid namespace that is there.'

import { mqttNamespaceType } from '../types.bicep'

@description('Required. The namespace, and what the app publishes and subscribes to.')
param namespace mqttNamespaceType

@description('Optional. Where TopicSpaces Publisher and Subscriber are granted: on the topic space of the direction, or on the whole namespace.')
@allowed(['topicSpace', 'namespace'])
param roleScope string = 'topicSpace'

@description('Required. Principal id of the identity of the app.')
param principalId string

var roles = {
  topicSpacesPublisher: 'a12b0b94-b317-4dcd-84a8-502ce99884c6'
  topicSpacesSubscriber: '4b0f2fd7-60b4-4eca-896f-4435034f8bf5'
}
var publishes = !empty(namespace.publish)
var subscribes = !empty(namespace.subscribe)
var bySpace = namespace.identity && roleScope == 'topicSpace'
var byNamespace = namespace.identity && roleScope == 'namespace'

resource space 'Microsoft.EventGrid/namespaces@2025-02-15' existing = {
  name: namespace.name
}

resource published 'Microsoft.EventGrid/namespaces/topicSpaces@2025-02-15' = if (publishes) {
  parent: space
  name: 'isthmus-publish'
  properties: {
    description: 'What Isthmus publishes'
    topicTemplates: namespace.publish
  }
}

resource subscribed 'Microsoft.EventGrid/namespaces/topicSpaces@2025-02-15' = if (subscribes) {
  parent: space
  name: 'isthmus-subscribe'
  properties: {
    description: 'What Isthmus subscribes to'
    topicTemplates: namespace.subscribe
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (bySpace && publishes) {
  name: guid(published.id, principalId, roles.topicSpacesPublisher)
  scope: published
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.topicSpacesPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus publishes what Kafka sends'
  }
}

resource subscriber 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (bySpace && subscribes) {
  name: guid(subscribed.id, principalId, roles.topicSpacesSubscriber)
  scope: subscribed
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.topicSpacesSubscriber)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus subscribes'
  }
}

resource namespacePublisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (byNamespace && publishes) {
  name: guid(space.id, principalId, roles.topicSpacesPublisher)
  scope: space
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.topicSpacesPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus publishes what Kafka sends'
  }
}

resource namespaceSubscriber 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (byNamespace && subscribes) {
  name: guid(space.id, principalId, roles.topicSpacesSubscriber)
  scope: space
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.topicSpacesSubscriber)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus subscribes'
  }
}
