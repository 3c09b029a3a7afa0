"""The example listeners, as tests run them."""

import json
import subprocess
from pathlib import Path

from devkit.azurite import node

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "listeners" / "python"
NODE = FOLDER.parent / "node"
STUBS = {
    "@azure/functions": "exports.app = {storageQueue: (name, options) => {"
    "console.log(JSON.stringify({name, ...options})); exports.handler = options.handler}}",
    "@azure/identity": "exports.DefaultAzureCredential = class {}",
    "@azure/storage-blob": """
const names = new Set();
exports.ContainerClient = class {
  constructor(url, credential) { console.log(JSON.stringify([url, credential.constructor.name])) }
  containerName = 'handled';
  async getProperties() {
    const statusCode = process.env.REFUSAL;
    if (statusCode) throw Object.assign(new Error('long'), {statusCode});
  }
  getBlockBlobClient(name) {
    return {exists: async () => names.has(name), upload: async () => { names.add(name) }};
  }
}""",
}
"""In place of Microsoft's packages, which this checkout does not install."""
CALL = """
require(process.argv[1]);
const entries = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const context = {info: (line) => console.log(line), error: (line) => console.log(line)};
(async () => {
  for (const entry of entries) {
    try { console.log(await require('@azure/functions').handler(entry, context)) }
    catch (error) { console.log(`raised: ${error.message}`) }
  }
})();
"""


def call_node(folder: Path, entries: list[object], *, refusal: str = "") -> list[str]:
    """What the function writes and returns for each queue entry, after its registration.

    Storage answers with the status `refusal`, unless it is empty.
    """
    for name, code in STUBS.items():
        package = folder / "node_modules" / name
        package.mkdir(parents=True)
        (package / "index.js").write_text(code, "utf-8")
    done = subprocess.run(
        [node(), "-e", CALL, str(NODE / "src" / "functions" / "manifest.js")],
        input=json.dumps(entries),
        env={
            "NODE_PATH": str(folder / "node_modules"),
            "HANDLED_CONTAINER_URL": "https://own/x",
            "REFUSAL": refusal,
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()
