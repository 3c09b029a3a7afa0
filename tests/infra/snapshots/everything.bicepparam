// Every parameter has a value of its own.
using '../../../infra/main.bicep'

param environmentName = 'courier-production'
param location = 'westeurope'
param resourceGroupName = 'roads-courier'
param operatorPrincipalId = '00000000-0000-0000-0000-00000000000a'
param operatorPrincipalType = 'Group'
param listenerPrincipalIds = [
  '00000000-0000-0000-0000-000000000001'
  '00000000-0000-0000-0000-000000000002'
  '00000000-0000-0000-0000-000000000001'
]
param resultsRoutes = [
  { queue: 'gem-maps', labels: { team: 'maps' }, listeners: ['00000000-0000-0000-0000-000000000002'] }
  { queue: 'gem-night', types: ['job.settled'], outcomes: ['failed', 'invalid'], listeners: [
    '00000000-0000-0000-0000-000000000003'
    '00000000-0000-0000-0000-000000000003'
  ] }
  { queue: 'gem-spare' }
]
param vaultId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/kv-shared'
param onlyNamedSecrets = true
param workspaceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shared/providers/Microsoft.OperationalInsights/workspaces/log-shared'
param gemTenantId = 'tenant.example.org'
param gemClientId = '00000000-0000-0000-0000-00000000000b'
param outputStorageIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/roads/providers/Microsoft.Storage/storageAccounts/roads1'
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/roads2'
]
param overtureStorageId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/roads2'
param outputBlobServiceUri = 'https://{storageId}.blob.example.org'
param outputContainer = 'outputs'
param checkSchedule = '0 */5 * * * *'
param extraSettings = { GEM_JOB_DEADLINE_HOURS: '72', GEM_OUTPUT_GRACE_MINUTES: '45.5' }
param instanceMemoryMB = 4096
param maximumInstanceCount = 5
param alwaysReadyBlobInstances = 1
param privateNetwork = true
param networkAddressPrefix = '10.1.2.0/24'
param allowedAddresses = ['203.0.113.0/24', '198.51.100.7/32']
param storageLogs = true
param alertEmail = 'operators@example.org'
param silentAfter = 'PT30M'
param waitingMinutes = 120
param logQuotaGb = 3
