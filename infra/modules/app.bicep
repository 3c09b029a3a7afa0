// The Functions app on Flex Consumption, and its settings. The app validates its settings itself.
param name string
param planName string
param location string
param tags { *: string }
param identityId string
param identityClientId string
param hostStorageName string
param stateStorageName string
param resultsQueue string
// JSON, as the app reads it.
param resultsRoutes string
param insightsConnectionString string
param vaultUri string
param gemTenantId string
param gemClientId string
// Empty: the output storage is not your own, and a service principal reads it.
param ownOutputUri string
param outputBlobServiceUri string
param outputTenantId string
param outputClientId string
param outputContainer string
// Empty: there is no copy of Overture of your own.
param overtureStorageName string
param checkSchedule string
param extraSettings { *: string }
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyBlobInstances int
param subnetId string
// Ranges that may call the app. Empty: everybody who has a key.
param allowedAddresses string[]

var storageSuffix = environment().suffixes.storage
var allowed = [for (address, index) in allowedAddresses: {
  name: 'allowed-${index}'
  ipAddress: address
  action: 'Allow'
  priority: 200 + index
}]
// Event Grid calls the webhook from addresses that change; its service tag has them.
var eventGrid = { name: 'event-grid', tag: 'ServiceTag', ipAddress: 'AzureEventGrid', action: 'Allow', priority: 100 }

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'courier' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ipSecurityRestrictions: empty(allowed) ? [] : concat([eventGrid], allowed)
      ipSecurityRestrictionsDefaultAction: empty(allowed) ? 'Allow' : 'Deny'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorageName}.blob.${storageSuffix}/app-package'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyBlobInstances == 0 ? [] : [{ name: 'blob', instanceCount: alwaysReadyBlobInstances }]
      }
    }
  }
}

// Azure changes one child of a site at a time, so each waits for the one before.
// No deployment with a password: azd and Core Tools sign in with a token of Entra ID, and the app's
// identity (above) stores and reads the package.
resource noPasswordForScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  #disable-next-line BCP187 // some regions require it, though the type has no location
  location: location
  properties: { allow: false }
}

resource noPasswordForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  #disable-next-line BCP187 // as above
  location: location
  properties: { allow: false }
  dependsOn: [noPasswordForScm]
}

var base = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: 'https://${hostStorageName}.blob.${storageSuffix}'
  AzureWebJobsStorage__queueServiceUri: 'https://${hostStorageName}.queue.${storageSuffix}'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  GEM_API_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/gem-api-key/)'
  GEM_CHECK_SCHEDULE: checkSchedule
  GEM_STATE__credential: 'managedidentity'
  GEM_STATE__clientId: identityClientId
  GEM_STATE__blobServiceUri: 'https://${stateStorageName}.blob.${storageSuffix}'
  GEM_STATE__queueServiceUri: 'https://${stateStorageName}.queue.${storageSuffix}'
  GEM_RESULTS_QUEUE: resultsQueue
  GEM_RESULTS_QUEUE_ENCODING: 'base64'
  GEM_RESULTS_ROUTES: resultsRoutes
  GEM_OUTPUT_CONTAINER: outputContainer
  GEM_TRIGGER_SOURCE: 'EventGrid'
}

var gemPrincipal = {
  GEM_TENANT_ID: gemTenantId
  GEM_CLIENT_ID: gemClientId
  GEM_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/gem-client-secret/)'
}

var ownOutput = {
  GEM_OUTPUT__blobServiceUri: ownOutputUri
  GEM_OUTPUT__credential: 'managedidentity'
  GEM_OUTPUT__clientId: identityClientId
}

var foreignOutput = {
  GEM_OUTPUT__blobServiceUri: outputBlobServiceUri
  GEM_OUTPUT__tenantId: outputTenantId
  GEM_OUTPUT__clientId: outputClientId
  GEM_OUTPUT__clientSecret: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/gem-output-client-secret/)'
}

var overtureCopy = {
  GEM_OVERTURE: 'https://${overtureStorageName}.blob.${environment().suffixes.storage}'
  GEM_OVERTURE__credential: 'managedidentity'
  GEM_OVERTURE__clientId: identityClientId
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    base,
    empty(gemClientId) ? {} : gemPrincipal,
    empty(ownOutputUri) ? foreignOutput : ownOutput,
    empty(overtureStorageName) ? {} : overtureCopy,
    extraSettings
  )
  dependsOn: [noPasswordForFtp]
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
