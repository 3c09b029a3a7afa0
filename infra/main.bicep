// GEM Courier in a resource group of its own. What each parameter costs or opens: docs/operations.md.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the environment; part of the resource group name and a tag of every resource.')
param environmentName string

@metadata({ azd: { type: 'location' } })
@description('Region, with Flex Consumption.')
param location string

@description('Who writes the secrets into the vault; empty grants nobody. azd hands in whoever provisions.')
param operatorPrincipalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('A service principal is taken for a pipeline, which deploys and is granted no secret.')
param operatorPrincipalType string = 'User'

@description('Principals of downstream listeners: they may take messages off the results queue and read reports.')
param listenerPrincipalIds array = []

@description('Resource id of a vault of yours; empty creates one. The app may read every secret of it.')
param vaultId string = ''

@description('Tenant and client id of the service principal that GEM knows; empty asks as the app\'s own identity.')
param gemTenantId string = ''
param gemClientId string = ''

@description('Resource id of your own storage account that GEM writes to. The app\'s identity may then read it.')
param outputStorageId string = ''

@description('Otherwise: address of TomTom\'s output storage; may hold {storageId}.')
param outputBlobServiceUri string = ''

@description('Service principal for that storage; its secret is gem-output-client-secret in the vault.')
param outputTenantId string = ''
param outputClientId string = ''

@description('Container of the outputs; may hold {storageId}.')
param outputContainer string = 'default'

@description('When the timer runs: NCRONTAB with seconds, UTC.')
param checkSchedule string = '0 * * * * *'

@description('Further GEM_ settings by name, such as { GEM_JOB_DEADLINE_HOURS: \'72\' }.')
param extraSettings object = {}

@allowed([512, 2048, 4096])
@description('Memory of an instance in MB. An audit of a large file needs 2048.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('Most instances at once; a bound on cost, and on how many audits run beside each other.')
param maximumInstanceCount int = 40

@minValue(0)
@maxValue(20)
@description('Instances that always wait for tickets; 0 lets the first ticket wait for a cold start.')
param alwaysReadyBlobInstances int = 0

@description('Puts storage and vault behind private endpoints. Operators and listeners then need to reach that network.')
param privateNetwork bool = false

@description('Where alerts go; empty creates the rules without anybody to tell.')
param alertEmail string = ''

@allowed(['PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H', 'PT2H', 'PT6H'])
@description('Time without a successful tick until the alert: at least three occurrences of checkSchedule.')
param silentAfter string = 'PT15M'

@minValue(15)
@maxValue(1440)
@description('Minutes from settled to the alert that a manifest waits: more than GEM_OUTPUT_GRACE_MINUTES.')
param waitingMinutes int = 60

@minValue(1)
@description('Gigabytes of logs a day, after which the workspace takes no more.')
param logQuotaGb int = 1

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var containers = ['gem-jobs', 'gem-worklist', 'gem-tickets', 'gem-reports', 'gem-outbox']
var resultsQueue = 'gem-results'
var batchesQueue = 'gem-batches'
// As text, since the scope of a module must be known before anything is deployed.
var groupId = '${subscription().id}/resourceGroups/rg-${environmentName}'
var ownVaultId = '${groupId}/providers/Microsoft.KeyVault/vaults/kv-${token}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-gem-courier-${token}', location: location, tags: tags }
}

module hostStorage 'modules/storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    containers: ['app-package']
    queues: []
    private: privateNetwork
  }
}

module stateStorage 'modules/storage.bicep' = {
  name: 'state-storage'
  scope: group
  params: {
    name: 'stgem${token}'
    location: location
    tags: tags
    containers: concat(containers, ['gem-deadletter'])
    queues: [resultsQueue, batchesQueue]
    private: privateNetwork
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { suffix: token, location: location, tags: tags, quotaGb: logQuotaGb }
}

module topic 'modules/topic.bicep' = {
  name: 'topic'
  scope: group
  params: {
    name: 'evgt-gem-courier-${token}'
    location: location
    tags: tags
    storageId: stateStorage.outputs.id
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = if (empty(vaultId)) {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    private: privateNetwork
  }
}

// Segment 2 is the subscription, 4 the resource group and 8 the name.
var vaultParts = split(empty(vaultId) ? ownVaultId : vaultId, '/')

module vaultRoles 'modules/vault-roles.bicep' = {
  name: 'vault-roles-${token}'
  scope: resourceGroup(vaultParts[2], vaultParts[4])
  params: {
    vaultName: vaultParts[8]
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
  dependsOn: [vault]
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    hostStorageName: hostStorage.outputs.name
    stateStorageName: stateStorage.outputs.name
    insightsName: monitoring.outputs.insightsName
    appPrincipalId: identity.outputs.principalId
    topicPrincipalId: topic.outputs.principalId
    listenerPrincipalIds: listenerPrincipalIds
    resultsQueue: resultsQueue
  }
}

var outputParts = split(empty(outputStorageId) ? '${groupId}/providers/none/none/none' : outputStorageId, '/')

module outputRole 'modules/output-role.bicep' = if (!empty(outputStorageId)) {
  name: 'output-role-${token}'
  scope: resourceGroup(outputParts[2], outputParts[4])
  params: { storageName: outputParts[8], appPrincipalId: identity.outputs.principalId }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    hostStorageId: hostStorage.outputs.id
    stateStorageId: stateStorage.outputs.id
    vaultId: empty(vaultId) ? ownVaultId : vaultId
  }
  dependsOn: [vault]
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-gem-courier-${token}'
    planName: 'plan-gem-courier-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    stateStorageName: stateStorage.outputs.name
    resultsQueue: resultsQueue
    insightsConnectionString: monitoring.outputs.connectionString
    vaultUri: 'https://${vaultParts[8]}${environment().suffixes.keyvaultDns}/'
    gemTenantId: gemTenantId
    gemClientId: gemClientId
    outputStorageName: empty(outputStorageId) ? '' : outputParts[8]
    outputBlobServiceUri: outputBlobServiceUri
    outputTenantId: outputTenantId
    outputClientId: outputClientId
    outputContainer: outputContainer
    checkSchedule: checkSchedule
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyBlobInstances: alwaysReadyBlobInstances
    // Its address is known beforehand, so that no condition hangs on another module's output.
    subnetId: privateNetwork ? '${groupId}/providers/Microsoft.Network/virtualNetworks/vnet-${token}/subnets/app' : ''
  }
  dependsOn: [roles, vaultRoles, outputRole, network]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    appName: app.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    topicId: topic.outputs.id
    email: alertEmail
    silentAfter: silentAfter
    waitingMinutes: waitingMinutes
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: { location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

// azd hands these to the hooks as variables of their environment.
output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = app.outputs.name
output APP_HOST_NAME string = app.outputs.hostName
output TOPIC_NAME string = topic.outputs.name
output STATE_STORAGE_ID string = stateStorage.outputs.id
output STATE_STORAGE_NAME string = stateStorage.outputs.name
output VAULT_NAME string = vaultParts[8]
