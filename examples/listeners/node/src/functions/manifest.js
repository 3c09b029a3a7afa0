'use strict';
// A listener as a Functions app. COURIER__queueServiceUri is the address of the queue service.

const { app } = require('@azure/functions');
const { DefaultAzureCredential } = require('@azure/identity');
const { ContainerClient } = require('@azure/storage-blob');
const { onManifest, usable } = require('../onManifest');

let container;
/** The container that remembers events. It is tried before any work is done. */
async function handled() {
  container ??= await usable(
    new ContainerClient(process.env.HANDLED_CONTAINER_URL, new DefaultAzureCredential()));
  return container;
}

app.storageQueue('manifest', {
  queueName: '%RESULTS_QUEUE%',
  connection: 'COURIER',
  handler: async (entry, context) => onManifest(entry, await handled(), context),
});
