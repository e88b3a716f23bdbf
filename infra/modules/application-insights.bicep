metadata name = 'Application Insights'
metadata description = 'Application Insights that takes no keys: logs and metrics come with an identity.'

@description('Required. Name of the component.')
@minLength(1)
@maxLength(260)
param name string

@description('Required. Region of the component.')
param location string

@description('Optional. Tags of the component.')
param tags object = {}

@description('Required. Resource id of the Log Analytics workspace that keeps the data.')
param workspaceId string

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
    DisableLocalAuth: true
  }
}

@description('Resource id of the component.')
output id string = component.id
