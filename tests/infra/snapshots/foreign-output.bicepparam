// TomTom's storage, a service principal for GEM, and what azd passes for the person who provisions.
using '../../../infra/main.bicep'

param environmentName = 'courier'
param location = 'westeurope'
param operatorPrincipalId = '00000000-0000-0000-0000-00000000000a'
param gemTenantId = 'tenant.example.org'
param gemClientId = '00000000-0000-0000-0000-00000000000b'
param outputBlobServiceUri = 'https://{storageId}.blob.example.org'
param outputTenantId = '00000000-0000-0000-0000-00000000000c'
param outputClientId = '00000000-0000-0000-0000-00000000000d'
param vaultNameSuffix = '-b'
