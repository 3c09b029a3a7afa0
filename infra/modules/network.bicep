// Optional: a network for the app. The app's storage and vault accept private endpoints only.
param suffix string
param location string
param tags { *: string }
param hostStorageId string
param stateStorageId string
param vaultId string
param outputStorageIds string[]
param addressPrefix string

// The endpoint of a vault or an account of your own is approved at once when the person who deploys may do so there.
var outputEndpoints = [for (id, index) in outputStorageIds: { name: 'output-${index}', target: id, group: 'blob', zone: 0 }]
var endpoints = concat(outputEndpoints, [
  { name: 'host-blob', target: hostStorageId, group: 'blob', zone: 0 }
  { name: 'host-queue', target: hostStorageId, group: 'queue', zone: 1 }
  { name: 'state-blob', target: stateStorageId, group: 'blob', zone: 0 }
  { name: 'state-queue', target: stateStorageId, group: 'queue', zone: 1 }
  { name: 'vault', target: vaultId, group: 'vault', zone: 2 }
])
var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
]

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          // The app reaches GEM over the internet. Newer API versions close this way by default.
          defaultOutboundAccess: true
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      { name: 'endpoints', properties: { addressPrefix: cidrSubnet(addressPrefix, 26, 1) } }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for item in zoneNames: {
  name: item
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (item, index) in zoneNames: {
  parent: zones[index]
  name: 'vnet-${suffix}'
  location: 'global'
  properties: {
    registrationEnabled: false
    // An account with a private endpoint elsewhere, such as TomTom's, still has its public address.
    resolutionPolicy: 'NxDomainRedirect'
    virtualNetwork: { id: network.id }
  }
}]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [for item in endpoints: {
  name: 'pe-${item.name}-${suffix}'
  location: location
  tags: tags
  properties: {
    subnet: { id: '${network.id}/subnets/endpoints' }
    privateLinkServiceConnections: [
      {
        name: item.name
        properties: { privateLinkServiceId: item.target, groupIds: [item.group] }
      }
    ]
  }
}]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [for (item, index) in endpoints: {
  parent: privateEndpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: item.group, properties: { privateDnsZoneId: zones[item.zone].id } }]
  }
}]
