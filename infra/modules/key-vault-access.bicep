metadata name = 'Access to Key Vault'
metadata description = 'The role of the app on a key vault that is there and uses roles.'

@description('Required. Name of the key vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Principal id of the identity of the app.')
param principalId string

var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: name
}

resource secretsUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'App settings of Isthmus refer to secrets of this vault'
  }
}
