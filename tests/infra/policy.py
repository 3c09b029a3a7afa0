"""Security rules: rights, keys, transport, secrets."""

import json
import re
from pathlib import Path

from tests.infra import bicep
from tests.infra.contract import indexed

ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Processor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "Storage Queue Data Reader": "19e7f393-937e-4f77-808e-94535e297925",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
}
"""Azure built-in roles, as Microsoft's documentation lists them."""

SAFE = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": "false",
        "properties.allowBlobPublicAccess": "false",
        "properties.allowCrossTenantReplication": "false",
        "properties.defaultToOAuthAuthentication": "true",
        "properties.minimumTlsVersion": "'TLS1_2'",
        "properties.supportsHttpsTrafficOnly": "true",
    },
    "Microsoft.Storage/storageAccounts/blobServices": {
        "properties.deleteRetentionPolicy.enabled": "true",
        "properties.deleteRetentionPolicy.days": "7",
        "properties.containerDeleteRetentionPolicy.enabled": "true",
        "properties.containerDeleteRetentionPolicy.days": "7",
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {
        "properties.publicAccess": "'None'"
    },
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": "true",
        "properties.enablePurgeProtection": "true",
        "properties.enableSoftDelete": "true",
    },
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": "true"},
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": "true"},
    "Microsoft.Web/serverfarms": {"properties.reserved": "true"},
    "Microsoft.Web/sites": {
        "properties.httpsOnly": "true",
        "properties.siteConfig.minTlsVersion": "'1.2'",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": "false"},
    "Microsoft.Insights/scheduledQueryRules": {"properties.enabled": "true"},
    "Microsoft.Insights/metricAlerts": {"properties.enabled": "true"},
    "Microsoft.EventGrid/systemTopics": {"identity.type": "'SystemAssigned'"},
}
"""Properties that each resource of a type must have, with exactly this value."""

_SECRET = re.compile(r"AccountKey=|SharedAccessSignature=|[?&]sig=|[A-Za-z0-9+/]{60,}={0,2}")
_FORBIDDEN = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_TIME_ZONE",
)
"""Settings that Flex Consumption refuses or ignores."""


def security(root: Path) -> list[str]:
    """No shared keys, no public access, https, TLS 1.2, no secrets, purge protection."""
    found = []
    for file in bicep.files(root / "infra"):
        source = file.path.read_text()
        if _SECRET.search(source):
            found.append(f"{file.path.name}: a literal that looks like a secret")
        calls = source.count("listKeys(")
        if calls and not (file.path.name == "events.bicep" and calls == 1):
            found.append(f"{file.path.name}: listKeys")
        found += [f"{file.path.name}: {name}" for name in _FORBIDDEN if name in source]
        found += [
            f"{file.path.name}: {name} accepts passwords" for name in _password_deployments(file)
        ]
        for resource in file.resources():
            if resource.existing:
                continue
            if resource.kind == "Microsoft.KeyVault/vaults/secrets":
                found.append(f"{file.path.name}: {resource.name}: Bicep never writes a secret")
            has = bicep.properties(resource.body)
            found += [
                f"{file.path.name}: {resource.name}: {path} is not {value}"
                for path, value in SAFE.get(resource.kind, {}).items()
                if has.get(path) != value
            ]
    return found


def _password_deployments(file: bicep.BicepFile) -> set[str]:
    """Ways to deploy to a site of this file that it does not turn off: by default they are open."""
    created = [resource for resource in file.resources() if not resource.existing]
    if all(resource.kind != "Microsoft.Web/sites" for resource in created):
        return set()
    shut = {
        bicep.properties(resource.body)["name"].strip("'")
        for resource in created
        if resource.kind.endswith("/basicPublishingCredentialsPolicies")
    }
    return {"scm", "ftp"} - shut


def assigned_roles(root: Path) -> tuple[set[tuple[str, str, str]], list[str]]:
    """The (principal, scope, role name) that Bicep assigns, and what is wrong with their form."""
    names = {guid: name for name, guid in ROLES.items()}
    found, faults = set(), []
    for file in bicep.files(root / "infra"):
        guids = {
            name: bicep.string(node.named_children[-1])
            for name, node in file.declared("variable").items()
        }
        for resource in file.resources():
            if resource.kind != "Microsoft.Authorization/roleAssignments":
                continue
            has = bicep.properties(resource.body)
            scope, principal = has["scope"], has["properties.principalId"]
            role = has["properties.roleDefinitionId"].rstrip(")").rpartition(", ")[2]
            found.add((principal, scope, names.get(guids.get(role, ""), f"unknown: {role}")))
            if has["name"] != f"guid({scope}.id, {_named(principal, file)}, {role})":
                faults.append(
                    f"{resource.name}: its name is not a guid of scope, principal and role"
                )
            kind = has["properties.principalType"]
            if kind != "'ServicePrincipal'" and principal != "operatorPrincipalId":
                faults.append(f"{resource.name}: principalType {kind}")
    return found, faults


def _named(principal: str, file: bicep.BicepFile) -> str:
    """What stands for a principal in the name of an assignment.

    Inside the resource group it is the name of its resource, which what-if knows beforehand. A
    resource outside may outlive the app, and the next app has another principal.
    """
    name = f"{principal.removesuffix('PrincipalId')}Name"
    return name if name in file.declared("parameter") else principal


_LABELS = {
    "appPrincipalId": "app",
    "topicPrincipalId": "system topic",
    "principal": "each listener",
    "item.principal": "each listener",
    "operatorPrincipalId": "operator",
    "hostStorage": "host storage",
    "stateStorage": "state storage",
    "insights": "Application Insights",
    "deadLetters": "container `gem-deadletter`",
    "listenedQueues[index]": "its queue",
    "poisonQueues[index]": "its queue's `-poison`",
    "reports": "container `gem-reports`",
    "vault": "vault",
    "output_": "your output storage",
    "secrets[index]": "each named secret",
}


def roles(root: Path) -> list[str]:
    """Bicep assigns exactly the rights in the table of docs/operations.md."""
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Rights")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    cells = {(row[0], row[1], row[2]) for row in rows if len(row) == 4}
    documented = {row for row in cells if row[2] in ROLES}
    assigned, faults = assigned_roles(root)
    labelled = {(_LABELS.get(who, who), _LABELS.get(on, on), role) for who, on, role in assigned}
    return faults + [f"{' / '.join(row)}" for row in sorted(documented ^ labelled)]


def condition(root: Path) -> list[str]:
    """The pipeline may assign the roles that Bicep assigns to service principals, and no others."""
    text = (root / "docs" / "pipeline-condition.txt").read_text(encoding="utf-8")
    lists = re.findall(r"GuidEquals \{([^}]*)\}", text)
    assigned, _ = assigned_roles(root)
    wanted = {ROLES[role] for who, _, role in assigned if who != "operatorPrincipalId"}
    given = [set(re.split(r",\s*", each)) for each in lists]
    found = [] if given == [wanted, wanted] else ["other roles than Bicep assigns"]
    for action, source in (("write", "@Request"), ("delete", "@Resource")):
        part = text.partition(f"roleAssignments/{action}'")[2].partition("ActionMatches")[0]
        if part.count(f"{source}[") != 2:
            found.append(f"{action}: not about {source}")
    return found


def scopes(root: Path) -> list[str]:
    """A right on a resource of the user is assigned in that resource's group.

    A resource id is split into parts: 2 is the subscription, 4 the resource group, 8 the name.
    """
    main = bicep.BicepFile(root / "infra" / "main.bicep")
    found = []
    for name, node in main.declared("module").items():
        if not _assigns(main.path.parent / bicep.path_of(node)):
            continue
        has = bicep.properties(bicep.object_of(node))
        named = [value for path, value in has.items() if path.startswith("params.")]
        owners = {value.removesuffix("[8]") for value in named if value.endswith("[8]")}
        wanted = {f"resourceGroup({owner}[2], {owner}[4])" for owner in owners} or {"group"}
        if wanted != {has["scope"]}:
            found.append(f"{name}: assigned in {has['scope']}, not in {', '.join(sorted(wanted))}")
    return found


def _assigns(path: Path) -> bool:
    """Whether a file or one of its modules assigns a right."""
    file = bicep.BicepFile(path)
    inner = (path.parent / bicep.path_of(node) for node in file.declared("module").values())
    return any("/roleAssignments" in each.kind for each in file.resources()) or any(
        map(_assigns, inner)
    )


def telemetry(root: Path) -> list[str]:
    """Alerts count lines and runs, so the host sends all of them, and little else (decision 105).

    A category has the level of its longest prefix, so a line of a function needs the level of
    `Function.NAME.User`.
    """
    host = json.loads((root / "host.json").read_text(encoding="utf-8"))
    levels = host["logging"]["logLevel"]
    insights = host["logging"]["applicationInsights"]
    told = {"Host.Results", *(f"Function.{name}.User" for name in indexed())}
    found = [
        f"host.json drops {name}" for name in sorted(told) if levels.get(name) != "Information"
    ]
    found += [
        f"host.json sends {name}" for name in levels if name.endswith(".User") and name not in told
    ]
    if insights.get("samplingSettings") != {"isEnabled": False}:
        found.append("host.json samples")
    found += [
        f"host.json does not turn off {name}"
        for name in (
            "enableLiveMetrics",
            "enablePerformanceCountersCollection",
            "enableDependencyTracking",
        )
        if insights.get(name) is not False
    ]
    if host.get("telemetryMode"):
        found.append("host.json: OpenTelemetry costs each cold start a second")
    return found
