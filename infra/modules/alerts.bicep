metadata name = 'Alerts'
metadata description = 'Tells people of functions that fail and of messages that could not be delivered. Flex Consumption has no health check of its own.'

@description('Required. First part of the names of the alerts.')
param name string

@description('Required. Region of the alerts.')
param location string

@description('Optional. Tags of the alerts.')
param tags object = {}

@description('Required. Resource id of Application Insights.')
param applicationInsightsId string

@description('Required. Resource ids of the action groups that are told.')
param actionGroupIds string[]

var rules = [
  {
    name: 'failing'
    displayName: 'Isthmus: a function fails'
    description: 'A batch or a subscription has failed for 15 minutes. Nothing is lost: it is tried again without end.'
    severity: 2
    query: 'requests | where success == false'
    dimension: 'operation_Name'
    failingPeriods: 3
  }
  {
    name: 'errors'
    displayName: 'Isthmus: somebody has to act'
    description: 'A line of level error in the log: dead letters, refused credentials, a flow that stands still.'
    severity: 1
    query: 'traces | where severityLevel >= 3'
    dimension: 'operation_Name'
    failingPeriods: 1
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.displayName
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [applicationInsightsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [{ name: rule.dimension, operator: 'Include', values: ['*'] }]
            failingPeriods: {
              numberOfEvaluationPeriods: rule.failingPeriods
              minFailingPeriodsToAlert: rule.failingPeriods
            }
          }
        ]
      }
      autoMitigate: true
      actions: { actionGroups: actionGroupIds }
    }
  }
]
