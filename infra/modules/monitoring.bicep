// Logs and telemetry. Writing needs an identity: the instrumentation key is not enough.
// A workspace that exists keeps its own quota, retention and sign-in.
param suffix string
param location string
param tags { *: string }
param quotaGb int
// Resource id of a workspace that exists. Empty: one is created.
param givenWorkspaceId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = if (empty(givenWorkspaceId)) {
  name: 'log-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: quotaGb }
    features: { disableLocalAuth: true }
  }
}

var usedWorkspaceId = empty(givenWorkspaceId) ? workspace.id : givenWorkspaceId

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: usedWorkspaceId
    DisableLocalAuth: true
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: { location: location, tags: tags, workspaceId: usedWorkspaceId }
}

output workspaceId string = usedWorkspaceId
output connectionString string = insights.properties.ConnectionString
