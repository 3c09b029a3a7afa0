// Diagnostics of KQL queries by Microsoft's own language service, the one of Azure's portal.
// Standard input: {"tables": {name: schema}, "queries": {name: text}}; output: {name: [messages]}.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const folder = join(__dirname, "../../node_modules/@kusto/language-service-next");
require(join(folder, "bridge.min.js"));
require(join(folder, "Kusto.Language.Bridge.min.js"));
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const { tables, queries } = JSON.parse(readFileSync(0, "utf-8"));
const symbols = Object.entries(tables).map(
  ([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null),
);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("logs", symbols));
const messages = Object.entries(queries).map(([name, text]) => {
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  return [name, Bridge.toArray(found).map((each) => `${each.Severity}: ${each.Message}`)];
});
console.log(JSON.stringify(Object.fromEntries(messages)));
