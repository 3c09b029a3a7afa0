'use strict';
// A listener as a Functions app. COURIER__queueServiceUri is the address of the queue service.

const { app } = require('@azure/functions');
const { DefaultAzureCredential } = require('@azure/identity');
const { ContainerClient } = require('@azure/storage-blob');
const { onManifest } = require('../onManifest');

let container;
function handled() {
  container ??= new ContainerClient(process.env.HANDLED_CONTAINER_URL, new DefaultAzureCredential());
  return container;
}

app.storageQueue('manifest', {
  queueName: '%RESULTS_QUEUE%',
  connection: 'COURIER',
  handler: (entry, context) => onManifest(entry, handled(), context),
});
