// The parameters for those who deploy without azd: copy this file, and see docs/operations.md.
// It has another name than main.bicepparam, which azd would take instead of main.parameters.json.
using 'main.bicep'

param environmentName = 'courier-prod'
param location = 'westeurope'
// The object id of the person who writes the secrets: az ad signed-in-user show --query id
param operatorPrincipalId = ''

// The storage that GEM writes to: your own, or TomTom's (the three parameters below, and no id).
param outputStorageId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/ACCOUNT'
param outputBlobServiceUri = ''
param outputTenantId = ''
param outputClientId = ''

// Only if GEM knows a service principal.
param gemTenantId = ''
param gemClientId = ''

param listenerPrincipalIds = []
param alertEmail = ''
param extraSettings = {}
