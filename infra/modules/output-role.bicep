// The right to read the blobs of an account of your own (outputs and inputs, or a copy of Overture),
// in that account's resource group.
param storageName string
param appPrincipalId string

var storageBlobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'

resource output_ 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource appReadsOutputs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: output_
  name: guid(output_.id, appPrincipalId, storageBlobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}
