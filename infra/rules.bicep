// What is wrong with the parameters. main.bicep fails with all messages before anything is made.
// The messages name the variables of main.parameters.json, which people set.

@export()
func when(wrong bool, message string) string[] => wrong ? [message] : []

// A resource id has nine segments: 2 is the subscription, 4 the resource group and 8 the name.
func isId(id string, type string) bool =>
  length(split(id, '/')) == 9 && startsWith(toLower(id), '/subscriptions/') && contains(toLower(id), '/providers/${toLower(type)}/') && !endsWith(id, '/')

@export()
func idProblems(name string, ids string[], type string) string[] =>
  map(
    filter(ids, id => !empty(id) && !isId(id, type)),
    id => '${name} contains "${id}", which is not a resource id: /subscriptions/…/resourceGroups/…/providers/${type}/….'
  )

@export()
func gemProblems(tenantId string, clientId string) string[] =>
  when(empty(tenantId) != empty(clientId), 'GEM_TENANT_ID and GEM_CLIENT_ID belong together: set both, or neither.')

// There are three ways: one account of your own, several of them, or TomTom's storage.
@export()
func outputProblems(storageId string, storageIds string[], uri string, tenantId string, clientId string) string[] =>
  concat(
    idProblems('OUTPUT_STORAGE_ID', [storageId], 'Microsoft.Storage/storageAccounts'),
    idProblems('OUTPUT_STORAGE_IDS', storageIds, 'Microsoft.Storage/storageAccounts'),
    when(
      empty(storageId) && empty(storageIds) && (empty(uri) || empty(tenantId) || empty(clientId)),
      'The storage that GEM writes to is missing: set OUTPUT_STORAGE_ID for an account of your own, or OUTPUT_BLOB_SERVICE_URI, OUTPUT_TENANT_ID and OUTPUT_CLIENT_ID for TomTom\'s.'
    ),
    when(!empty(storageId) && !empty(storageIds), 'OUTPUT_STORAGE_ID and OUTPUT_STORAGE_IDS exclude each other.'),
    when(
      !empty(storageId) && !empty(uri),
      'OUTPUT_STORAGE_ID already gives the address: remove OUTPUT_BLOB_SERVICE_URI.'
    ),
    when(
      !empty(storageIds) && !contains(uri, '{storageId}'),
      'With OUTPUT_STORAGE_IDS, OUTPUT_BLOB_SERVICE_URI must contain {storageId}.'
    ),
    when(
      (!empty(storageId) || !empty(storageIds)) && (!empty(tenantId) || !empty(clientId)),
      'The app reads your own storage with its identity: remove OUTPUT_TENANT_ID and OUTPUT_CLIENT_ID.'
    ),
    when(
      !empty(uri) && (!startsWith(uri, 'https://') || contains(uri, '?')),
      'OUTPUT_BLOB_SERVICE_URI must begin with https:// and have no query.'
    )
  )

@export()
func vaultProblems(vaultId string, nameSuffix string, onlyNamedSecrets bool) string[] =>
  concat(
    idProblems('VAULT_ID', [vaultId], 'Microsoft.KeyVault/vaults'),
    when(
      onlyNamedSecrets && empty(vaultId),
      'ONLY_NAMED_SECRETS needs VAULT_ID: a new vault has no secrets yet.'
    ),
    when(!empty(nameSuffix) && !empty(vaultId), 'VAULT_NAME_SUFFIX is for a new vault: remove it, or VAULT_ID.')
  )

@export()
func listenerProblems(name string, principalIds string[]) string[] =>
  when(
    !empty(filter(principalIds, id => length(id) != 36)),
    '${name} must be object ids, such as 00000000-0000-0000-0000-000000000000.'
  )

@export()
func networkProblems(addressPrefix string, allowedAddresses string[]) string[] =>
  concat(
    when(
      parseCidr(addressPrefix).cidr > 25,
      'NETWORK_ADDRESS_PREFIX must be /25 or larger: it holds two subnets of 64 addresses.'
    ),
    when(
      !empty(filter(allowedAddresses, address => !contains(address, '/'))),
      'ALLOWED_ADDRESSES must be ranges, such as 203.0.113.7/32.'
    )
  )

// The fraction of a minute does not count: a setting may have one, but int() refuses it.
@export()
func settingProblems(checkSchedule string, waitingMinutes int, settings { *: string }) string[] =>
  concat(
    when(
      length(filter(split(checkSchedule, ' '), field => !empty(field))) != 6,
      'CHECK_SCHEDULE must have six fields, seconds first.'
    ),
    when(
      waitingMinutes <= int(split(settings.?GEM_OUTPUT_GRACE_MINUTES ?? '30', '.')[0]),
      'WAITING_MINUTES must be more than GEM_OUTPUT_GRACE_MINUTES (30, if EXTRA_SETTINGS does not set it).'
    )
  )
