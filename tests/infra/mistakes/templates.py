"""Mistakes that the compiler of Bicep sees."""

from tests.infra.mistakes.mistake import Mistake

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
    "misspelt property": Mistake(
        "infra/modules/storage.bicep", "minimumTlsVersion", "minimumTlsVersions", "compiled"
    ),
    "property left out": Mistake(
        "infra/modules/storage.bicep", "  sku: { name: 'Standard_LRS' }\n", "", "compiled"
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
}
