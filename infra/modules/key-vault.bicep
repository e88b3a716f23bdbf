metadata name = 'Key Vault'
metadata description = 'A key vault with access by roles only.'

@description('Required. Name of the key vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region of the vault.')
param location string

@description('Optional. Tags of the vault.')
param tags object = {}

@description('Optional. Whether a deleted vault cannot be purged before its time. It keeps the name taken for 90 days.')
param purgeProtection bool = true

@description('Optional. Whether the vault is reached by private endpoints only.')
param private bool = false

@description('Optional. Resource id of the Log Analytics workspace that takes the audit logs; empty for none.')
param auditWorkspaceId string = ''

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // the service refuses false: a vault that is not to be protected says nothing
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: private ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: auditWorkspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

@description('Resource id of the vault.')
output id string = vault.id
