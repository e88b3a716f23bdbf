metadata name = 'Access to Application Insights'
metadata description = 'The role of the app on an Application Insights component that is there.'

@description('Required. Name of the component.')
@minLength(1)
@maxLength(260)
param name string

@description('Required. Principal id of the identity of the app.')
param principalId string

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: name
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Isthmus sends logs and metrics without a key'
  }
}
