metadata name = 'Types of Isthmus parameters'
metadata description = 'What isthmus plan --bicep-parameters writes for the manifests of an app.'

@export()
@description('An event hub, and what the app does with it.')
type eventHubType = {
  @description('Required. Name of the hub: the topic in the manifests.')
  @minLength(1)
  @maxLength(256)
  name: string
  @description('Required. Whether the app reads it: Azure Event Hubs Data Receiver.')
  receive: bool
  @description('Required. Whether the app writes it: Azure Event Hubs Data Sender.')
  send: bool
  @description('Required. Whether it takes the dead letters of flows that only read.')
  deadLetters: bool
  @description('Required. Consumer groups of the flows that read it, besides $Default.')
  consumerGroups: string[]
}

@export()
@description('An Event Hubs namespace with its hubs.')
type eventHubsNamespaceType = {
  @description('Required. Name of the namespace: the first part of its host name in the manifests.')
  @minLength(6)
  @maxLength(50)
  name: string
  @description('Required. Whether some flow signs in with a connection string. Otherwise keys are turned off.')
  localAuth: bool
  @description('Required. Whether Data Receiver is needed on the whole namespace: an expression finds the hubs.')
  receive: bool
  @description('Required. Whether Data Sender is needed on the whole namespace: a template names the hub.')
  send: bool
  @description('Required. The hubs that have to exist.')
  hubs: eventHubType[]
}

@export()
@description('An Event Grid namespace that is the MQTT broker.')
type mqttNamespaceType = {
  @description('Required. Name of the namespace: the first part of its host name in the manifests.')
  @minLength(3)
  @maxLength(50)
  name: string
  @description('Required. Region of the namespace: the second part of its host name.')
  location: string
  @description('Required. Whether the app signs in with its identity, and so needs roles.')
  identity: bool
  @description('Required. Topic templates of what the app publishes; none, no role to publish.')
  @maxLength(10)
  publish: string[]
  @description('Required. Topic templates of what the app subscribes to; none, no role to subscribe.')
  @maxLength(10)
  subscribe: string[]
}

@export()
@description('What an Event Hubs trigger signs in with: three app settings that begin with its name.')
type eventHubsConnectionType = {
  @description('Required. The first part of the names of the settings.')
  name: string
  @description('Required. Host name of the Event Hubs namespace.')
  fullyQualifiedNamespace: string
  @description('Optional. Client id of the identity, where a manifest names one. Default: the identity of the app.')
  clientId: string?
}
