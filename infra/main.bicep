// Deploys GEM Courier into a resource group of its own. docs/operations.md describes the parameters.
targetScope = 'subscription'

import { queuesOf, route, routeProblems, settingOf } from 'routes.bicep'
import { gemProblems, idProblems, listenerProblems, networkProblems, outputProblems, settingProblems, vaultProblems } from 'rules.bicep'

@minLength(1)
@maxLength(64)
@description('Name of the environment: a tag of every resource, and part of the names of resources.')
param environmentName string

@metadata({ azd: { type: 'location' } })
@description('Region. It must offer Flex Consumption.')
param location string

@maxLength(90)
@description('Name of the resource group. Empty: rg- and the name of the environment. azd down removes the whole group.')
param resourceGroupName string = ''

@description('Object id of the person who writes the secrets into a new vault. Empty: nobody gets that right. azd passes the person who provisions.')
param operatorPrincipalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Type of that principal. A service principal gets no right on secrets: it is a pipeline, which only deploys.')
param operatorPrincipalType string = 'User'

@description('Object ids of the listeners of the default queue. They may receive and delete its messages, and read reports.')
param listenerPrincipalIds string[] = []

@description('Further queues, one for each listener: which manifests they get, and the object ids of their listeners.')
param resultsRoutes route[] = []

@description('Resource id of a vault of your own, which uses roles (RBAC). Empty: a vault is created.')
param vaultId string = ''

@description('Your own vault already holds the secrets, and the app may read these only. Otherwise it may read every secret of the vault.')
param onlyNamedSecrets bool = false

@maxLength(8)
@description('End of the new vault\'s name. The name of a removed vault stays reserved for 90 days.')
param vaultNameSuffix string = ''

@description('Resource id of a Log Analytics workspace of your own. Empty: a workspace is created.')
param workspaceId string = ''

@description('Tenant id of the service principal that GEM knows. Empty: the app uses its own identity.')
param gemTenantId string = ''

@description('Client id of that service principal; its secret is gem-client-secret in the vault.')
param gemClientId string = ''

@description('Resource id of your own storage account that GEM writes to. The app\'s identity gets the right to read it.')
param outputStorageId string = ''

@description('Instead of it: resource ids of several storage accounts of your own. outputBlobServiceUri then contains {storageId}.')
param outputStorageIds string[] = []

@description('Address of TomTom\'s output storage, or of several accounts of your own. It may contain {storageId}.')
param outputBlobServiceUri string = ''

@description('Tenant id of the service principal for TomTom\'s output storage.')
param outputTenantId string = ''

@description('Client id of that service principal; its secret is gem-output-client-secret in the vault.')
param outputClientId string = ''

@description('Container of the outputs. It may contain {storageId}.')
param outputContainer string = 'default'

@description('Resource id of your own storage account with a copy of Overture\'s changelog. The app reads it with its identity. Empty: extraSettings may name Overture\'s account.')
param overtureStorageId string = ''

@description('When the timer runs: NCRONTAB with seconds, UTC.')
param checkSchedule string = '0 * * * * *'

@description('More settings by name, such as { GEM_JOB_DEADLINE_HOURS: \'72\' }.')
param extraSettings { *: string } = {}

@allowed([2048, 4096])
@description('Memory of an instance in MB. 512 is too little: host, worker and the process that audits share it.')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('Maximum number of instances of all functions together; at least 5 is better. It limits the cost and the number of audits at the same time.')
param maximumInstanceCount int = 40

@minValue(0)
@maxValue(20)
@description('Instances that always wait for tickets. With 0, the first ticket waits for a cold start.')
param alwaysReadyBlobInstances int = 0

@description('Puts storage and vault behind private endpoints. Operators and listeners then need access to that network.')
param privateNetwork bool = false

@description('Addresses of that network: /25 or larger.')
param networkAddressPrefix string = '10.20.0.0/24'

@description('Ranges that may call the app, such as 203.0.113.7/32. Empty: no restriction.')
param allowedAddresses string[] = []

@description('Logs each request to the state storage. This may cost more than everything else.')
param storageLogs bool = false

@description('Address that gets the alerts. Empty: the rules are created, but nobody is notified.')
param alertEmail string = ''

@allowed(['PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H', 'PT2H', 'PT6H'])
@description('Time without a successful tick until the alert: at least three times the interval of checkSchedule.')
param silentAfter string = 'PT15M'

@minValue(15)
@maxValue(1380)
@description('Minutes from settled to the alert that a manifest was not sent: more than GEM_OUTPUT_GRACE_MINUTES. The alert looks back one day.')
param waitingMinutes int = 60

@minValue(1)
@description('Gigabytes of logs a day. A new workspace refuses more.')
param logQuotaGb int = 1

var problems = concat(
  idProblems('OVERTURE_STORAGE_ID', [overtureStorageId], 'Microsoft.Storage/storageAccounts'),
  idProblems('WORKSPACE_ID', [workspaceId], 'Microsoft.OperationalInsights/workspaces'),
  outputProblems(outputStorageId, outputStorageIds, outputBlobServiceUri, outputTenantId, outputClientId),
  gemProblems(gemTenantId, gemClientId),
  vaultProblems(vaultId, vaultNameSuffix, onlyNamedSecrets),
  listenerProblems('LISTENER_PRINCIPAL_IDS', listenerPrincipalIds),
  routeProblems(resultsQueue, resultsRoutes),
  networkProblems(networkAddressPrefix, allowedAddresses),
  settingProblems(checkSchedule, waitingMinutes, extraSettings)
)
var wantedGroupName = empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
// Everything is in this group, so nothing is made while a parameter is wrong.
var groupName = empty(problems) ? wantedGroupName : fail(join(problems, ' '))

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
// Names and ids as text: Bicep must know scopes, and what-if wants to know names, before anything is deployed.
var groupId = '${subscription().id}/resourceGroups/${groupName}'
var identityName = 'id-gem-courier-${token}'
var hostStorageName = 'sthost${token}'
var stateStorageName = 'stgem${token}'
var insightsName = 'appi-${token}'
var topicName = 'evgt-gem-courier-${token}'
var newVaultName = 'kv-${token}${vaultNameSuffix}'
var usedVaultId = empty(vaultId) ? '${groupId}/providers/Microsoft.KeyVault/vaults/${newVaultName}' : vaultId
var resultsQueue = 'gem-results'
var listenedQueues = queuesOf(resultsQueue, listenerPrincipalIds, resultsRoutes)
var outputIds = union(empty(outputStorageId) ? [] : [outputStorageId], outputStorageIds)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: identityName, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { suffix: token, location: location, tags: tags, quotaGb: logQuotaGb, givenWorkspaceId: workspaceId }
}

module stores 'modules/stores.bicep' = {
  name: 'stores'
  scope: group
  params: {
    location: location
    tags: tags
    hostStorageName: hostStorageName
    stateStorageName: stateStorageName
    topicName: topicName
    insightsName: insightsName
    workspaceId: monitoring.outputs.workspaceId
    appName: identityName
    appPrincipalId: identity.outputs.principalId
    listenedQueues: listenedQueues
    private: privateNetwork
    logged: storageLogs
  }
}

module vault 'modules/vault.bicep' = if (empty(vaultId)) {
  name: 'vault'
  scope: group
  params: { name: newVaultName, location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId, private: privateNetwork }
}

// Segment 2 is the subscription, 4 the resource group and 8 the name.
var vaultParts = split(usedVaultId, '/')

module vaultRoles 'modules/vault-roles.bicep' = {
  name: 'vault-roles-${token}'
  scope: resourceGroup(vaultParts[2], vaultParts[4])
  params: {
    vaultName: vaultParts[8]
    #disable-next-line what-if-short-circuiting // A vault may outlive the app. Its assignments must not be taken for those of the next app, which has another id.
    appPrincipalId: identity.outputs.principalId
    secretNames: onlyNamedSecrets ? concat(
      ['gem-api-key'],
      empty(gemClientId) ? [] : ['gem-client-secret'],
      empty(outputClientId) ? [] : ['gem-output-client-secret']
    ) : []
    // In a vault of your own the operator may have the role already, and Azure refuses a second assignment.
    operatorPrincipalId: empty(vaultId) && operatorPrincipalType != 'ServicePrincipal' ? operatorPrincipalId : ''
    operatorPrincipalType: operatorPrincipalType
  }
  dependsOn: [vault]
}

// One account may hold both: Azure refuses a second assignment.
var readIds = union(outputIds, empty(overtureStorageId) ? [] : [overtureStorageId])

module outputRoles 'modules/output-role.bicep' = [for (id, index) in readIds: {
  name: 'output-role-${token}-${index}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    storageName: split(id, '/')[8]
    #disable-next-line what-if-short-circuiting // as for the vault
    appPrincipalId: identity.outputs.principalId
  }
}]

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    hostStorageId: stores.outputs.hostStorageId
    stateStorageId: stores.outputs.stateStorageId
    vaultId: usedVaultId
    outputStorageIds: readIds
    addressPrefix: networkAddressPrefix
  }
  dependsOn: [vault]
}

var ownOutputUri = empty(outputStorageId)
  ? outputBlobServiceUri
  : 'https://${split(outputStorageId, '/')[?8] ?? ''}.blob.${environment().suffixes.storage}'

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
    hostStorageName: hostStorageName
    stateStorageName: stateStorageName
    resultsQueue: resultsQueue
    resultsRoutes: settingOf(resultsRoutes)
    insightsConnectionString: monitoring.outputs.connectionString
    vaultUri: 'https://${vaultParts[8]}${environment().suffixes.keyvaultDns}/'
    gemTenantId: gemTenantId
    gemClientId: gemClientId
    ownOutputUri: empty(outputIds) ? '' : ownOutputUri
    outputBlobServiceUri: outputBlobServiceUri
    outputTenantId: outputTenantId
    outputClientId: outputClientId
    outputContainer: outputContainer
    overtureStorageName: empty(overtureStorageId) ? '' : split(overtureStorageId, '/')[?8] ?? ''
    checkSchedule: checkSchedule
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyBlobInstances: alwaysReadyBlobInstances
    // Text, because the network module is optional and its output would not always exist.
    subnetId: privateNetwork ? '${groupId}/providers/Microsoft.Network/virtualNetworks/vnet-${token}/subnets/app' : ''
    allowedAddresses: allowedAddresses
  }
  dependsOn: [stores, vaultRoles, outputRoles, network]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    appName: app.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    topicId: stores.outputs.topicId
    email: alertEmail
    silentAfter: silentAfter
    waitingMinutes: waitingMinutes
  }
}

// azd passes these to the hooks as environment variables.
output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = app.outputs.name
output APP_HOST_NAME string = app.outputs.hostName
output TOPIC_NAME string = topicName
output STATE_STORAGE_ID string = stores.outputs.stateStorageId
output STATE_STORAGE_NAME string = stateStorageName
output STATE_BLOB_SERVICE_URI string = stores.outputs.stateBlobUri
output STATE_QUEUE_SERVICE_URI string = stores.outputs.stateQueueUri
output VAULT_NAME string = vaultParts[8]
