// The storage of the host and of the app, the source of ticket events, and every right on them.
param location string
param tags { *: string }
param hostStorageName string
param stateStorageName string
param topicName string
param insightsName string
param workspaceId string
param appName string
param appPrincipalId string
// The queues of manifests, and the object ids of the listeners of each.
param listenedQueues { name: string, listeners: string[] }[]
param private bool
param logged bool

var containers = ['gem-jobs', 'gem-worklist', 'gem-tickets', 'gem-reports', 'gem-failures', 'gem-outbox']
var batchesQueue = 'gem-batches'
var resultsQueues = map(listenedQueues, each => each.name)
// The Functions host of a listener puts messages there that failed five times.
var poisonQueues = map(listenedQueues, each => '${each.name}-poison')

module hostStorage 'storage.bicep' = {
  name: 'host-storage'
  params: {
    name: hostStorageName
    location: location
    tags: tags
    containers: ['app-package']
    queues: []
    private: private
    workspaceId: workspaceId
    logged: false
  }
}

module stateStorage 'storage.bicep' = {
  name: 'state-storage'
  params: {
    name: stateStorageName
    location: location
    tags: tags
    containers: concat(containers, ['gem-deadletter'])
    queues: concat(resultsQueues, poisonQueues, [batchesQueue])
    private: private
    workspaceId: workspaceId
    logged: logged
  }
}

module topic 'topic.bicep' = {
  name: 'topic'
  params: {
    name: topicName
    location: location
    tags: tags
    storageId: stateStorage.outputs.id
    workspaceId: workspaceId
  }
}

module roles 'roles.bicep' = {
  name: 'roles'
  params: {
    hostStorageName: hostStorageName
    stateStorageName: stateStorageName
    insightsName: insightsName
    appName: appName
    appPrincipalId: appPrincipalId
    topicName: topicName
    topicPrincipalId: topic.outputs.principalId
    // A second assignment of the same name would be refused.
    listeners: flatten(map(
      listenedQueues,
      each => map(union(each.listeners, []), principal => { queue: each.name, principal: principal })
    ))
    reportReaders: union(flatten(map(listenedQueues, each => each.listeners)), [])
  }
  dependsOn: [hostStorage]
}

output hostStorageId string = hostStorage.outputs.id
output stateStorageId string = stateStorage.outputs.id
output stateBlobUri string = stateStorage.outputs.blobUri
output stateQueueUri string = stateStorage.outputs.queueUri
output topicId string = topic.outputs.id
