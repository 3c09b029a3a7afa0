'use strict';
// What the function does with one message. The host gives a message at least once. So the work is
// done first, and then a blob remembers the event. If the function ends in between, the work is
// done again: it must bear that.

const { createHash } = require('node:crypto');
const { advice, read } = require('./manifest');

/** Handle one message; false if its event was handled before. `handled` is a ContainerClient. */
async function onManifest(entry, handled, log) {
  const event = read(entry);
  const name = createHash('sha256').update(`${event.source}\n${event.id}`).digest('hex');
  const blob = handled.getBlockBlobClient(name);
  if (await blob.exists()) return false;
  await handle(event, log);
  await blob.upload('', 0); // idempotent: two runs at the same time write the same empty blob
  return true;
}

/**
 * The container, after a request to it: without it, the work would be done again in each try.
 * Throws an Error that says what to do.
 */
async function usable(container) {
  try {
    await container.getProperties();
  } catch (error) {
    throw new Error(
      `the container '${container.containerName}' of HANDLED_CONTAINER_URL cannot be used ` +
      `(${error.statusCode ?? error.name}): create it, and give this app the role ` +
      'Storage Blob Data Contributor on it');
  }
  return container;
}

/** Put your own work here. */
async function handle(event, log) {
  const line = JSON.stringify({ id: event.id, outcome: event.data?.outcome, job: event.data?.jobRunId });
  if (advice(event) === 'ask') log.error(`a person must look: ${line}`); // an alert on this line tells them
  else log.info(line);
}

module.exports = { onManifest, usable };
