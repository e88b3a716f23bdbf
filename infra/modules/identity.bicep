metadata name = 'Identity'
metadata description = 'The user-assigned managed identity that the app signs in with, everywhere.'

@description('Required. Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Required. Region of the identity.')
param location string

@description('Optional. Tags of the identity.')
param tags object = {}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id, which settings name the identity by.')
output clientId string = identity.properties.clientId

@description('Principal id, which roles are granted to.')
output principalId string = identity.properties.principalId
