// A storage account that refuses keys, with containers and queues. Used for the host and the state.
param name string
param location string
param tags { *: string }
param containers string[]
param queues string[]
param private bool
param workspaceId string
// Whether the workspace gets a log line for each request.
param logged bool

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    // Event Grid is a trusted service of Azure; it writes dead letters.
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for item in containers: {
  parent: blobs
  name: item
  properties: { publicAccess: 'None' }
}]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

// A queue has no setting for the lifetime of messages: the app sends manifests that never expire.
resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for item in queues: {
  parent: queueService
  name: item
}]

var categories = ['StorageRead', 'StorageWrite', 'StorageDelete']

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logged) {
  scope: blobs
  name: 'requests'
  properties: { workspaceId: workspaceId, logs: [for item in categories: { category: item, enabled: true }] }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logged) {
  scope: queueService
  name: 'requests'
  properties: { workspaceId: workspaceId, logs: [for item in categories: { category: item, enabled: true }] }
}

output id string = account.id
output blobUri string = 'https://${account.name}.blob.${environment().suffixes.storage}'
output queueUri string = 'https://${account.name}.queue.${environment().suffixes.storage}'
