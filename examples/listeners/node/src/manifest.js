'use strict';
// Reads manifests: checks a message, and says what to do with it. Needs no package.

const TYPE = 'io.gemcourier.job.settled.v1';
const DATA_SCHEMA = 'urn:gem-courier:manifest:1';
/** Outcomes after which the output may be used. */
const USABLE = new Set(['valid', 'valid_with_warnings']);
/** Outcomes after which there is no output. */
const WITHOUT_OUTPUT = new Set(['failed', 'cancelled', 'lost', 'expired', 'output_missing']);

/**
 * The event of a queue entry. The host has decoded the base64, and parses JSON.
 * Throws an Error when it is not a CloudEvent.
 */
function read(entry) {
  const event = typeof entry === 'string' ? JSON.parse(entry) : entry;
  const isText = (value) => typeof value === 'string' && value.length > 0;
  if (event?.specversion !== '1.0' || !['type', 'source', 'id'].every((name) => isText(event[name]))) {
    throw new Error('not a CloudEvent');
  }
  if (isKnown(event) && !isText(event.data?.outcome)) throw new Error('a manifest without an outcome');
  return event;
}

/** Whether this listener understands the event. A person must look at all others. */
function isKnown(event) {
  return event.type === TYPE && event.dataschema === DATA_SCHEMA;
}

/** What to do: 'use' the output, 'do without' it, or 'ask' a person. */
function advice(event) {
  const outcome = isKnown(event) ? event.data.outcome : undefined;
  if (USABLE.has(outcome)) return 'use';
  return WITHOUT_OUTPUT.has(outcome) ? 'do without' : 'ask';
}

module.exports = { read, isKnown, advice };
