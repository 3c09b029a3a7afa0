"""Mistakes against the rules of policy.py: rights, keys, transport, secrets, telemetry."""

from tests.infra.mistakes.mistake import Mistake

MISTAKES = {
    "value that is not one of the choices": Mistake(
        "infra/modules/storage.bicep", "'TLS1_2'", "'TLS1_9'", "security"
    ),
    "shared keys on": Mistake(
        "infra/modules/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "security",
    ),
    "plain http": Mistake(
        "infra/modules/app.bicep", "httpsOnly: true", "httpsOnly: false", "security"
    ),
    "deployment with a password": Mistake(
        "infra/modules/app.bicep",
        "properties: { allow: false }",
        "properties: { allow: true }",
        "security",
    ),
    "deployment that is not turned off": Mistake(
        "infra/modules/app.bicep", "  name: 'ftp'\n", "  name: 'scm'\n", "security"
    ),
    "no purge protection": Mistake(
        "infra/modules/vault.bicep", "    enablePurgeProtection: true\n", "", "security"
    ),
    "storage key read": Mistake(
        "infra/modules/storage.bicep",
        "output id string = account.id",
        "output id string = account.listKeys().keys[0].value",
        "security",
    ),
    "wrong role": Mistake(
        "infra/modules/roles.bicep",
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "roles",
    ),
    "wider scope": Mistake(
        "infra/modules/roles.bicep",
        "scope: listenedQueues[index]",
        "scope: stateStorage",
        "roles",
    ),
    "right in the wrong resource group": Mistake(
        "infra/main.bicep",
        "scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])",
        "scope: group",
        "scopes",
    ),
    "log lines sampled": Mistake(
        "host.json", '"isEnabled": false', '"isEnabled": true', "telemetry"
    ),
    "lines of a function dropped": Mistake(
        "host.json", '      "Function.check_jobs.User": "Information",\n', "", "telemetry"
    ),
    "dependencies tracked": Mistake(
        "host.json",
        '"enableDependencyTracking": false',
        '"enableDependencyTracking": true',
        "telemetry",
    ),
    "pipeline that may make owners": Mistake(
        "docs/pipeline-condition.txt",
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "condition",
    ),
    "pipeline that may not assign what Bicep does": Mistake(
        "docs/pipeline-condition.txt", ", 4633458b-17de-408a-b874-0445c86b69e6", "", "condition"
    ),
    "secret in Bicep": Mistake(
        "infra/modules/vault-roles.bicep",
        "vaults/secrets@2024-11-01' existing =",
        "vaults/secrets@2024-11-01' =",
        "security",
    ),
    "secret in the open": Mistake(
        "infra/modules/app.bicep",
        "GEM_TRIGGER_SOURCE: 'EventGrid'",
        "GEM_TRIGGER_SOURCE: 'AccountKey=abc'",
        "security",
    ),
}
