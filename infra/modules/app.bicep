// The Functions app on Flex Consumption, and its settings. The app validates its settings itself.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
param hostStorageName string
param stateStorageName string
param resultsQueue string
param insightsConnectionString string
param vaultUri string
param gemTenantId string
param gemClientId string
param outputStorageName string
param outputBlobServiceUri string
param outputTenantId string
param outputClientId string
param outputContainer string
param checkSchedule string
param extraSettings object
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyBlobInstances int
param subnetId string

var storageSuffix = environment().suffixes.storage

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
    siteConfig: { minTlsVersion: '1.2' }
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

// No deployment with a password: azd and Core Tools sign in with a token of Entra ID, and the app's
// identity (above) stores and reads the package.
resource noPasswordForScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource noPasswordForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
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
  GEM_OUTPUT_CONTAINER: outputContainer
  GEM_TRIGGER_SOURCE: 'EventGrid'
  // numpy's AVX-512 sort is several times slower on Zen 4 (docs/decisions/0020).
  NPY_DISABLE_CPU_FEATURES: 'X86_V4'
  // Decoding takes half the memory of the other pools, and no more time (docs/decisions/0026).
  ARROW_DEFAULT_MEMORY_POOL: 'jemalloc'
  // One thread allocates pieces of a file and another frees them: avoids gaps (docs/decisions/0025).
  MALLOC_ARENA_MAX: '1'
  MALLOC_MMAP_THRESHOLD_: '4194304'
  // Keeps memory that numpy frees for the next use; page faults cost time (docs/decisions/0026).
  MALLOC_TRIM_THRESHOLD_: '33554432'
}

var gemPrincipal = {
  GEM_TENANT_ID: gemTenantId
  GEM_CLIENT_ID: gemClientId
  GEM_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/gem-client-secret/)'
}

var ownOutput = {
  GEM_OUTPUT__blobServiceUri: 'https://${outputStorageName}.blob.${storageSuffix}'
  GEM_OUTPUT__credential: 'managedidentity'
  GEM_OUTPUT__clientId: identityClientId
}

var foreignOutput = {
  GEM_OUTPUT__blobServiceUri: outputBlobServiceUri
  GEM_OUTPUT__tenantId: outputTenantId
  GEM_OUTPUT__clientId: outputClientId
  GEM_OUTPUT__clientSecret: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/gem-output-client-secret/)'
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    base,
    empty(gemClientId) ? {} : gemPrincipal,
    empty(outputStorageName) ? foreignOutput : ownOutput,
    extraSettings
  )
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
