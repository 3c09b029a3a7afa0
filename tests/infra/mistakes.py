"""Mistakes that could be made in the infrastructure, and the check that catches each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One seeded mistake, and the check that must catch it."""

    file: str
    old: str
    new: str
    caught_by: str


MISTAKES = {
    "missing brace": Mistake(
        "infra/modules/app.bicep", "reserved: true }", "reserved: true", "syntax"
    ),
    "wrong module parameter": Mistake(
        "infra/main.bicep", "quotaGb: logQuotaGb", "quota: logQuotaGb", "compiled"
    ),
    "module parameter of another type": Mistake(
        "infra/main.bicep", "quotaGb: logQuotaGb", "quotaGb: '${logQuotaGb}'", "compiled"
    ),
    "word of an alert that was not meant to change": Mistake(
        "infra/modules/alerts.bicep", "drops the app", "keeps the app", "snapshots"
    ),
    "address that only the default network has": Mistake(
        "infra/modules/network.bicep",
        "cidrSubnet(addressPrefix, 26, 1)",
        "'10.20.0.64/26'",
        "snapshots",
    ),
    "policy of names that hides foreign accounts": Mistake(
        "infra/modules/network.bicep", "'NxDomainRedirect'", "'Default'", "snapshots"
    ),
    "unknown deployment parameter": Mistake(
        "infra/main.parameters.json", '"outputContainer"', '"outputContaner"', "parameters"
    ),
    "misspelt property": Mistake(
        "infra/modules/storage.bicep", "minimumTlsVersion", "minimumTlsVersions", "compiled"
    ),
    "property left out": Mistake(
        "infra/modules/storage.bicep", "  sku: { name: 'Standard_LRS' }\n", "", "compiled"
    ),
    "value that is not one of the choices": Mistake(
        "infra/modules/storage.bicep", "'TLS1_2'", "'TLS1_9'", "security"
    ),
    "text instead of a number": Mistake(
        "infra/modules/alerts.bicep", "threshold: 0", "threshold: '0'", "compiled"
    ),
    "text in a loop's item for a number": Mistake(
        "infra/modules/alerts.bicep", "severity: 1", "severity: '1'", "compiled"
    ),
    "text parameter for a number": Mistake(
        "infra/modules/app.bicep",
        "instanceMemoryMB: instanceMemoryMB",
        "instanceMemoryMB: '${instanceMemoryMB}'",
        "compiled",
    ),
    "read-only property set": Mistake(
        "infra/modules/topic.bicep",
        "properties: { source:",
        "properties: { provisioningState: 'Succeeded', source:",
        "compiled",
    ),
    "choice that does not exist": Mistake(
        "infra/events.bicep", "endpointType: 'WebHook'", "endpointType: 'Webhook'", "compiled"
    ),
    "API version that does not exist": Mistake(
        "infra/modules/vault.bicep", "vaults@2024-11-01", "vaults@2024-11-31", "compiled"
    ),
    "misspelt name": Mistake(
        "infra/modules/roles.bicep", "scope: deadLetters", "scope: deadLetter", "compiled"
    ),
    "misspelt member of a resource": Mistake(
        "infra/modules/app.bicep",
        "app.properties.defaultHostName",
        "app.properties.hostName",
        "compiled",
    ),
    "misspelt output of a module": Mistake(
        "infra/main.bicep", "identity.outputs.clientId", "identity.outputs.clientid", "compiled"
    ),
    "misspelt field of a loop's item": Mistake(
        "infra/modules/alerts.bicep", "rule.severity", "rule.severeness", "compiled"
    ),
    "child without a parent": Mistake("infra/modules/app.bicep", "  parent: app\n", "", "compiled"),
    "container of dead letters that does not exist": Mistake(
        "infra/events.bicep", "'gem-deadletter'", "'gem-deadletters'", "stores"
    ),
    "alert with the query of another": Mistake(
        "infra/modules/alerts.bicep", "name: 'gem-drifted'", "name: 'gem-refuses'", "alerts"
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
        "infra/modules/roles.bicep", "scope: results", "scope: stateStorage", "roles"
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
    "missing setting": Mistake(
        "infra/modules/app.bicep",
        "  GEM_STATE__queueServiceUri: 'https://${stateStorageName}.queue.${storageSuffix}'\n",
        "",
        "settings",
    ),
    "misspelt setting": Mistake(
        "infra/modules/app.bicep", "GEM_RESULTS_QUEUE:", "GEM_RESULT_QUEUE:", "settings"
    ),
    "unset schedule": Mistake(
        "infra/modules/app.bicep", "  GEM_CHECK_SCHEDULE: checkSchedule\n", "", "bindings"
    ),
    "renamed queue": Mistake(
        "infra/modules/stores.bicep", "'gem-batches'", "'gem-batch'", "bindings"
    ),
    "queue of batches that is not created": Mistake(
        "infra/modules/stores.bicep", "[resultsQueue, batchesQueue]", "[resultsQueue]", "bindings"
    ),
    "renamed container": Mistake(
        "infra/modules/stores.bicep", "'gem-worklist'", "'gem-worklists'", "stores"
    ),
    "other container's events": Mistake(
        "infra/events.bicep", "containers/gem-tickets/blobs/", "containers/gem-tickets", "bindings"
    ),
    "other function": Mistake(
        "infra/events.bicep", "deliver_results", "deliver_result", "bindings"
    ),
    "service without a site": Mistake(
        "infra/modules/app.bicep",
        "'azd-service-name': 'courier'",
        "'azd-service-name': 'app'",
        "azure_yaml",
    ),
    "queue that is not created": Mistake(
        "infra/modules/stores.bicep", "queues: [resultsQueue", "queues: [appName", "stores"
    ),
    "queue of another name": Mistake(
        "infra/main.bicep", "resultsQueue = 'gem-results'", "resultsQueue = 'gem-result'", "stores"
    ),
    "events without dead letters by identity": Mistake(
        "infra/events.bicep", "deadLetterWithResourceIdentity", "deadLetterDestination", "bindings"
    ),
    "events of every blob": Mistake(
        "infra/events.bicep", "      subjectEndsWith: '.json'\n", "", "bindings"
    ),
    "secret in the open": Mistake(
        "infra/modules/app.bicep",
        "GEM_TRIGGER_SOURCE: 'EventGrid'",
        "GEM_TRIGGER_SOURCE: 'AccountKey=abc'",
        "security",
    ),
    "parameter that azd cannot set": Mistake(
        "infra/main.parameters.json", "LOG_QUOTA_GB=1", "LOG_QUOTA=1", "parameters"
    ),
    "hook without a file for Windows": Mistake(
        "azure.yaml", "infra/hooks/postdeploy.ps1", "infra/hooks/postdeploy.psm1", "azure_yaml"
    ),
    "action by its tag": Mistake(
        ".github/workflows/deploy.yml",
        "Azure/login@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca # v3.0.1",
        "Azure/login@v3",
        "workflows",
    ),
    "workflow that may write": Mistake(
        ".github/workflows/ci.yml", "contents: read", "contents: write", "workflows"
    ),
    "deployment without checks": Mistake(
        ".github/workflows/deploy.yml", "    needs: check\n", "", "workflows"
    ),
    "code deployed with the rights of the one that provisions": Mistake(
        ".github/workflows/deploy.yml",
        "environment: production",
        "environment: infrastructure",
        "workflows",
    ),
    "compiler that is not pinned": Mistake(
        ".github/workflows/ci.yml", " --version v0.49.2", "", "workflows"
    ),
    "deployment by any push": Mistake(
        ".github/workflows/deploy.yml", 'tags: ["v*"]', 'branches: ["main"]', "workflows"
    ),
    "secret in a workflow": Mistake(
        ".github/workflows/deploy.yml", "vars.AZURE_CLIENT_ID", "secrets.AZURE_CLIENT", "workflows"
    ),
    "misspelt column": Mistake(
        "infra/queries/gem-refuses.kql", "Message startswith", "Mesage startswith", "kql"
    ),
    "function that KQL does not have": Mistake(
        "infra/workbook.json", "percentile(seconds, 50)", "median(seconds)", "kql"
    ),
    "event that nothing logs": Mistake(
        "infra/queries/gem-drifted.kql", "'job_drifted'", "'job_drift'", "words"
    ),
    "fact that no event has": Mistake(
        "infra/workbook.json", "line.open_jobs", "line.open", "words"
    ),
    "query that no alert runs": Mistake(
        "infra/modules/alerts.bicep", "gem-drifted.kql", "gem-refuses.kql", "alerts"
    ),
    "function that is missing in the alert on failures": Mistake(
        "infra/queries/function-failures.kql", "'deliver_results'", "'deliver'", "alerts"
    ),
    "tests deployed": Mistake(".funcignore", "tests/\n", "", "package"),
    "bench deployed": Mistake(".funcignore", "bench/\n", "", "package"),
    "the app left out": Mistake(".funcignore", "infra/\n", "infra/\ngem_core/\n", "package"),
    "dependency that is not locked": Mistake(
        "pyproject.toml", '"pyarrow~=26.0"', '"pyarrow~=99.0"', "lock"
    ),
    "dependency without hashes": Mistake(
        "requirements.txt", "    --hash=sha256:", "    # sha256:", "lock"
    ),
    "another version of Python": Mistake(
        "infra/modules/app.bicep", "version: '3.13'", "version: '3.12'", "runtime"
    ),
    "output that the hook needs": Mistake(
        "infra/main.bicep", "output TOPIC_NAME", "output EVENT_TOPIC_NAME", "hooks"
    ),
    "hook without wait": Mistake(
        "infra/hooks/postdeploy.sh", "until is_ready", "until true", "hooks"
    ),
    "hook that waits for ever": Mistake(
        "infra/hooks/postdeploy.sh", '[ "$try" -lt "$tries" ]', '[ "$try" -lt 50 ]', "hooks"
    ),
    "hook that hides a failed deployment": Mistake(
        "infra/hooks/postdeploy.sh",
        '[ "$try" -lt 3 ] || stop',
        '[ "$try" -lt 3 ] || break; :',
        "hooks",
    ),
    "hook that is not POSIX sh": Mistake(
        "infra/hooks/postdeploy.sh", "try=$((try + 1))", 'tried+=("$try")', "hooks"
    ),
    "hook that uses az's own default subscription": Mistake(
        "infra/hooks/postdeploy.sh",
        'az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID"',
        "az deployment group create",
        "hooks",
    ),
    "hook that takes a missing function for a slow start": Mistake(
        "infra/hooks/postdeploy.sh", '[ "$code" = 404 ]', '[ "$code" = 405 ]', "hooks"
    ),
    "hook that does not look at the sign-in": Mistake(
        "infra/hooks/postdeploy.sh", "az account show", "true account show", "hooks"
    ),
    "hook that reads no carriage return": Mistake(
        "infra/hooks/postdeploy.sh", "tr -d '\\r'", "cat", "hooks"
    ),
    "message in one of the two hooks": Mistake(
        "infra/hooks/postdeploy.ps1", "az is not installed", "az is missing", "powershell"
    ),
    "wait in one of the two hooks": Mistake(
        "infra/hooks/postdeploy.ps1", "else { '20' }", "else { '2' }", "powershell"
    ),
    "hook that is not PowerShell": Mistake(
        "infra/hooks/postdeploy.ps1", "$try = 1\n", "$try = (1\n", "powershell"
    ),
    "hook for Windows that calls az in another way": Mistake(
        "infra/hooks/postdeploy.ps1", "--output tsv", "--output json --debug", "powershell"
    ),
}
