metadata name = 'Identity that is there'
metadata description = 'The ids of a user-assigned managed identity that is brought.'

@description('Required. Name of the identity, in the resource group that this module is deployed to.')
@minLength(3)
@maxLength(128)
param name string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: name
}

@description('Client id, which settings name the identity by.')
output clientId string = identity.properties.clientId

@description('Principal id, which roles are granted to.')
output principalId string = identity.properties.principalId
