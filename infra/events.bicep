// The subscription that takes tickets to the app. Deployed after the code, since the key of the
// webhook is made by the host when it first runs; it is read here, inside Azure, and never shown.
param appName string
param topicName string
param stateStorageId string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

var key = listKeys('${app.id}/host/default', '2024-11-01').systemKeys.blobs_extension

resource tickets 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'gem-tickets'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.deliver_results&code=${key}'
        maxEventsPerBatch: 1
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/gem-tickets/blobs/'
      subjectEndsWith: '.json'
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: stateStorageId, blobContainerName: 'gem-deadletter' }
      }
    }
  }
}
