// Compiles a JSON Schema with every strict option of ajv and validates events with it.
// Standard input: {"schema": schema, "events": [event]}; output: one list of messages per event.
const { readFileSync } = require("node:fs");
const Ajv = require("ajv/dist/2020");

const { schema, events } = JSON.parse(readFileSync(0, "utf-8"));
const ajv = new Ajv({
  strict: true,
  strictSchema: true,
  strictNumbers: true,
  strictTypes: true,
  strictTuples: true,
  strictRequired: true,
  // Formats are known here and checked by the test: ajv has them in a package of their own.
  formats: { uri: true, "date-time": true },
});
const validate = ajv.compile(schema);
const problems = events.map((event) =>
  validate(event) ? [] : validate.errors.map((each) => `${each.instancePath} ${each.message}`),
);
console.log(JSON.stringify(problems));
