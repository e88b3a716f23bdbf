metadata name = 'Private endpoint'
metadata description = 'A private endpoint for one part of a resource, with its name in a private DNS zone of this resource group.'

@description('Required. Name of the endpoint.')
param name string

@description('Required. Region of the endpoint: that of the network.')
param location string

@description('Optional. Tags of the endpoint.')
param tags object = {}

@description('Required. Resource id of the subnet.')
param subnetId string

@description('Required. Resource id of what is reached.')
param targetId string

@description('Required. Which part of it: blob, table, namespace, topicspace, vault or sites.')
@allowed(['blob', 'table', 'namespace', 'topicspace', 'vault', 'sites'])
param part string

@description('Optional. Private DNS zone that gets the name; empty where others look after it.')
param zone string = ''

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: targetId
          groupIds: [part]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = if (!empty(zone)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: part
        properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zone) }
      }
    ]
  }
}

@description('Resource id of the endpoint.')
output id string = endpoint.id
