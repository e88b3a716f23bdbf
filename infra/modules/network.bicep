metadata name = 'Network'
metadata description = 'A virtual network with a subnet for the function app and one for private endpoints, and the private DNS zones.'

@description('Required. Name of the virtual network that is created when no subnets are brought.')
param name string

@description('Required. Region of the network.')
param location string

@description('Optional. Tags of what is created.')
param tags object = {}

@description('Optional. Addresses of the network, at least a /25: the upper half is left free.')
param addressPrefix string = '10.20.0.0/24'

@description('Optional. Resource id of a subnet delegated to Microsoft.App/environments, to use instead of creating a network.')
param existingFunctionsSubnetId string = ''

@description('Optional. Resource id of a subnet for private endpoints, to use instead of creating a network.')
param existingEndpointsSubnetId string = ''

@description('Required. Private DNS zones to create and to link to the network; none where others look after them.')
param zones string[]

var create = empty(existingFunctionsSubnetId)
var endpointsSubnetId = create
  ? resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'endpoints')
  : existingEndpointsSubnetId
var networkId = create
  ? resourceId('Microsoft.Network/virtualNetworks', name)
  : split(existingEndpointsSubnetId, '/subnets/')[0]

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = if (create) {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 2)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource dnsZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zones: {
    parent: dnsZones[index]
    name: 'isthmus'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
    dependsOn: [network]
  }
]

@description('Resource id of the subnet of the function app.')
output functionsSubnetId string = create
  ? resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'functions')
  : existingFunctionsSubnetId

@description('Resource id of the subnet of the private endpoints.')
output endpointsSubnetId string = endpointsSubnetId
