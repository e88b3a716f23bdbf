metadata name = 'Log Analytics'
metadata description = 'A Log Analytics workspace that takes no keys, only identities.'

@description('Required. Name of the workspace.')
@minLength(4)
@maxLength(63)
param name string

@description('Required. Region of the workspace.')
param location string

@description('Optional. Tags of the workspace.')
param tags object = {}

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionInDays int = 30

@description('Optional. Gigabytes a day after which no more logs are taken, -1 for no limit.')
@minValue(-1)
param dailyQuotaGb int = 1

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: { disableLocalAuth: true }
  }
}

@description('Resource id of the workspace.')
output id string = workspace.id
