// Makes typed models of a JSON Schema as readers do, with quicktype, and tries the TypeScript one.
// Standard input: {"schema": text, "folder": path, "events": [event]}. Writes model.py, model.ts and
// Manifest.cs into the folder. Output: {"compiler": [message], "refused": [message or null for each event]}.
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { InputData, JSONSchemaInput, FetchingJSONSchemaStore, quicktype } = require("quicktype-core");
const ts = require("typescript");

const { schema, folder, events } = JSON.parse(readFileSync(0, "utf-8"));

async function model(lang, file, rendererOptions = {}) {
  const source = new JSONSchemaInput(new FetchingJSONSchemaStore());
  await source.addSource({ name: "Manifest", schema });
  const inputData = new InputData();
  inputData.addInput(source);
  const { lines } = await quicktype({ inputData, lang, rendererOptions });
  writeFileSync(join(folder, file), lines.join("\n"));
}

function compile(file) {
  const program = ts.createProgram([join(folder, file)], {
    strict: true, noUnusedLocals: true, target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"], types: [], module: ts.ModuleKind.CommonJS,
  });
  const emitted = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].map((each) =>
    ts.flattenDiagnosticMessageText(each.messageText, "\n"));
}

(async () => {
  await model("python", "model.py");
  await model("typescript", "model.ts");
  await model("csharp", "Manifest.cs", { namespace: "Listener" });
  const compiler = compile("model.ts");
  const { Convert } = require(join(folder, "model.js"));
  const refused = events.map((event) => {
    try {
      Convert.manifestToJson(Convert.toManifest(JSON.stringify(event)));
      return null;
    } catch (error) {
      return error.message;
    }
  });
  console.log(JSON.stringify({ compiler, refused }));
})();
