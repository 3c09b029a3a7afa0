"""Parameters that a template needs."""

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/roads/providers"
ACCOUNT = f"param outputStorageId = '{GROUP}/Microsoft.Storage/storageAccounts/roads'"


NEEDED = "param environmentName = 'courier'\nparam location = 'westeurope'"
