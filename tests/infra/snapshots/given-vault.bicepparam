// A vault and a workspace that exist. The operator's right on the vault is not assigned again.
using '../../../infra/main.bicep'

param environmentName = 'courier'
param location = 'westeurope'
param operatorPrincipalId = '00000000-0000-0000-0000-00000000000a'
param outputStorageId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/roads/providers/Microsoft.Storage/storageAccounts/roads'
param vaultId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/kv-shared'
param workspaceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shared/providers/Microsoft.OperationalInsights/workspaces/log-shared'
