// The plain case: one storage account of your own, all else by default.
using '../../../infra/main.bicep'

param environmentName = 'courier'
param location = 'westeurope'
param outputStorageId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/roads/providers/Microsoft.Storage/storageAccounts/roads'
