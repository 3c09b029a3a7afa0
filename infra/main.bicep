// Deploys GEM Courier into a resource group of its own. docs/operations.md describes the parameters.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the environment. It is part of the name of the resource group, and a tag of every resource.')
param environmentName string

@metadata({ azd: { type: 'location' } })
@description('Region. It must offer Flex Consumption.')
param location string

@description('Object id of the person who writes the secrets into the vault. Empty: nobody gets that right. azd passes the person who provisions.')
param operatorPrincipalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Type of that principal. A service principal gets no right on secrets: it is a pipeline, which only deploys.')
param operatorPrincipalType string = 'User'

@description('Object ids of the listeners. They may receive and delete messages of the results queue, and read reports.')
param listenerPrincipalIds array = []

@description('Resource id of a vault of your own. Empty: a vault is created. The app can read every secret of the vault.')
param vaultId string = ''

@description('Tenant id of the service principal that GEM knows. Empty: the app uses its own identity.')
param gemTenantId string = ''

@description('Client id of that service principal; its secret is gem-client-secret in the vault.')
param gemClientId string = ''

@description('Resource id of your own storage account that GEM writes to. The app\'s identity gets the right to read it.')
param outputStorageId string = ''

@description('Without outputStorageId: address of TomTom\'s output storage. It may contain {storageId}.')
param outputBlobServiceUri string = ''

@description('Tenant id of the service principal for TomTom\'s output storage.')
param outputTenantId string = ''

@description('Client id of that service principal; its secret is gem-output-client-secret in the vault.')
param outputClientId string = ''

@description('Container of the outputs. It may contain {storageId}.')
param outputContainer string = 'default'

@description('When the timer runs: NCRONTAB with seconds, UTC.')
param checkSchedule string = '0 * * * * *'

@description('More settings by name, such as { GEM_JOB_DEADLINE_HOURS: \'72\' }.')
param extraSettings object = {}

@allowed([2048, 4096])
@description('Memory of an instance in MB. 512 is too little: host, worker and the process that audits share it.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('Maximum number of instances. It limits the cost and the number of audits at the same time.')
param maximumInstanceCount int = 40

@minValue(0)
@maxValue(20)
@description('Instances that always wait for tickets. With 0, the first ticket waits for a cold start.')
param alwaysReadyBlobInstances int = 0

@description('Puts storage and vault behind private endpoints. Operators and listeners then need access to that network.')
param privateNetwork bool = false

@description('Address that gets the alerts. Empty: the rules are created, but nobody is notified.')
param alertEmail string = ''

@allowed(['PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H', 'PT2H', 'PT6H'])
@description('Time without a successful tick until the alert: at least three times the interval of checkSchedule.')
param silentAfter string = 'PT15M'

@minValue(15)
@maxValue(1440)
@description('Minutes from settled to the alert that a manifest was not sent: more than GEM_OUTPUT_GRACE_MINUTES.')
param waitingMinutes int = 60

@minValue(1)
@description('Gigabytes of logs a day. The workspace refuses more.')
param logQuotaGb int = 1

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var containers = ['gem-jobs', 'gem-worklist', 'gem-tickets', 'gem-reports', 'gem-outbox']
var resultsQueue = 'gem-results'
var batchesQueue = 'gem-batches'
// Text, because Bicep must know the scope of a module before anything is deployed.
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
    // Text, because the network module is optional and its output would not always exist.
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

// azd passes these to the hooks as environment variables.
output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = app.outputs.name
output APP_HOST_NAME string = app.outputs.hostName
output TOPIC_NAME string = topic.outputs.name
output STATE_STORAGE_ID string = stateStorage.outputs.id
output STATE_STORAGE_NAME string = stateStorage.outputs.name
output VAULT_NAME string = vaultParts[8]
