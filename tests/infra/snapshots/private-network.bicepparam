// Private endpoints, also for the output storage, and a network address of your own.
using '../../../infra/main.bicep'

param environmentName = 'courier'
param location = 'westeurope'
param outputStorageId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/roads/providers/Microsoft.Storage/storageAccounts/roads'
param privateNetwork = true
param networkAddressPrefix = '192.168.7.0/25'
