"""What is demanded of the infrastructure: each check gives the faults that it finds in a checkout.

As functions of a folder, so that a test can hold them against a copy with a mistake in it.
"""

import json
import re
from pathlib import Path

from gem_core.settings import read_settings
from gem_core.wiring import CONTAINERS, TICKETS
from tests.infra import bicep

ROOT = Path(__file__).resolve().parent.parent.parent

ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Processor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
}
"""Azure built-in roles, as Microsoft's documentation lists them."""

SAFE = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": "false",
        "properties.allowBlobPublicAccess": "false",
        "properties.defaultToOAuthAuthentication": "true",
        "properties.minimumTlsVersion": "'TLS1_2'",
        "properties.supportsHttpsTrafficOnly": "true",
    },
    "Microsoft.Storage/storageAccounts/blobServices": {
        "properties.deleteRetentionPolicy.enabled": "true"
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
    "Microsoft.Web/sites": {"properties.httpsOnly": "true"},
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


def syntax(root: Path) -> list[str]:
    """Every file is Bicep."""
    return [
        f"{file.path.name}:{line}: syntax"
        for file in bicep.files(root / "infra")
        for line in file.errors
    ]


def modules(root: Path) -> list[str]:
    """A module gets exactly the parameters that it has (those with a default may be left out)."""
    found = []
    for file in bicep.files(root / "infra"):
        for name, node in file.declared("module").items():
            target = file.path.parent / bicep.string(
                next(child for child in node.named_children if child.type == "string")
            )
            if not target.exists():
                found.append(f"{name}: {target.name} does not exist")
                continue
            wanted = bicep.BicepFile(target).declared("parameter")
            required = {key for key, each in wanted.items() if "=" not in bicep.text(each)}
            given = {
                path.split(".")[1]
                for path in bicep.properties(bicep.object_of(node))
                if path.startswith("params.")
            }
            found += [f"{name}: unknown parameter {key}" for key in sorted(given - set(wanted))]
            found += [f"{name}: missing parameter {key}" for key in sorted(required - given)]
    return found


def parameters(root: Path) -> list[str]:
    """main.parameters.json names parameters of main.bicep, and each that has no default."""
    wanted = bicep.BicepFile(root / "infra" / "main.bicep").declared("parameter")
    given = set(json.loads((root / "infra" / "main.parameters.json").read_text())["parameters"])
    required = {name for name, node in wanted.items() if "=" not in bicep.text(node)}
    return [f"parameter {name}" for name in sorted(given - set(wanted) | required - given)]


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
        for resource in file.resources():
            if resource.existing:
                continue
            has = bicep.properties(resource.body)
            found += [
                f"{file.path.name}: {resource.name}: {path} is not {value}"
                for path, value in SAFE.get(resource.kind, {}).items()
                if has.get(path) != value
            ]
    return found


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
            if has["name"] != f"guid({scope}.id, {principal}, {role})":
                faults.append(f"{resource.name}: its name is not made of what it assigns")
            kind = has["properties.principalType"]
            if kind != "'ServicePrincipal'" and principal != "operatorPrincipalId":
                faults.append(f"{resource.name}: principalType {kind}")
    return found, faults


_SPOKEN = {
    "appPrincipalId": "app",
    "topicPrincipalId": "system topic",
    "principal": "each listener",
    "operatorPrincipalId": "operator",
    "hostStorage": "host storage",
    "stateStorage": "state storage",
    "insights": "Application Insights",
    "deadLetters": "container `gem-deadletter`",
    "results": "queue `gem-results`",
    "reports": "container `gem-reports`",
    "vault": "vault",
    "output_": "your output storage",
}


def roles(root: Path) -> list[str]:
    """Bicep assigns exactly the role matrix of docs/operations.md."""
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Rights")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    told = {(row[0], row[1], row[2]) for row in rows if len(row) == 4}
    told = {row for row in told if row[2] in ROLES}
    assigned, faults = assigned_roles(root)
    spoken = {(_SPOKEN.get(who, who), _SPOKEN.get(on, on), role) for who, on, role in assigned}
    return faults + [f"{' / '.join(row)}" for row in sorted(told ^ spoken)]


def app_settings(root: Path) -> dict[str, dict[str, str]]:
    """The groups of app settings in app.bicep, by the name of the variable."""
    file = bicep.BicepFile(root / "infra" / "modules" / "app.bicep")
    groups = ("base", "gemPrincipal", "ownOutput", "foreignOutput")
    return {
        name: bicep.properties(bicep.object_of(node))
        for name, node in file.declared("variable").items()
        if name in groups
    }


def settings(root: Path) -> list[str]:
    """The app would start with what Bicep sets, in each of its forms, and knows every name."""
    groups = app_settings(root)
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    known = set(sample["Values"])
    found = [
        f"{name} is no setting of the app"
        for group in groups.values()
        for name in group
        if name.startswith("GEM_") and name not in known
    ]
    for chosen in (("ownOutput",), ("foreignOutput", "gemPrincipal")):
        sources = dict(groups["base"])
        for group in chosen:
            sources |= groups[group]
        try:
            read_settings({name: _value(source) for name, source in sources.items()})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of the settings
            found.append(f"{' + '.join(chosen)}: {error}")
    return found


_VALUES = {
    "checkSchedule": "0 * * * * *",
    "resultsQueue": "gem-results",
    "outputBlobServiceUri": "https://outputs.blob.core.windows.net",
}


def _value(source: str) -> str:
    """A setting as it could arrive: parameters with a plausible value, references resolved."""
    if not source.startswith("'"):
        return _VALUES.get(source, "value")
    value = re.sub(r"\$\{[^}]+\}", "name", source.strip("'"))
    return "resolved" if value.startswith("@Microsoft.KeyVault(") else value


def stores(root: Path) -> list[str]:
    """The containers and the queue that the code names are made."""
    main = bicep.BicepFile(root / "infra" / "main.bicep").declared("variable")
    made = set(re.findall(r"'([^']+)'", bicep.text(main["containers"])))
    found = [f"container {name}" for name in sorted(made ^ set(CONTAINERS))]
    if bicep.string(main["resultsQueue"].named_children[-1]) != "gem-results":
        found.append("queue gem-results")
    return found


def bindings(root: Path, indexed: dict[str, list[dict[str, str]]]) -> list[str]:
    """Every %SETTING% and connection of the app's bindings is set; the events reach its trigger.

    Args:
        root: the checkout.
        indexed: function name to its bindings, as the worker indexes them.

    """
    names = set(app_settings(root)["base"])
    events = (root / "infra" / "events.bicep").read_text()
    found = []
    for function, each in indexed.items():
        for binding in each:
            asked = set(re.findall(r"%([^%]+)%", json.dumps(binding)))
            if connection := binding.get("connection"):
                suffixes = ("blobServiceUri", "queueServiceUri", "credential", "clientId")
                asked |= {f"{connection}__{suffix}" for suffix in suffixes}
            found += [f"{function}: {name} is not set" for name in sorted(asked - names)]
            if binding["type"] == "blobTrigger":
                container = binding["path"].partition("/")[0]
                if f"containers/{container}/blobs/'" not in events or container != TICKETS:
                    found.append(f"{function}: no events of container {container}")
                if f"functionName=Host.Functions.{function}&" not in events:
                    found.append(f"{function}: not the function of the webhook")
    return found


def azure_yaml(root: Path) -> list[str]:
    """The service has its site, and the hooks their files."""
    told = (root / "azure.yaml").read_text()
    service = re.search(r"^services:\n  ([\w-]+):", told, re.MULTILINE)
    app = (root / "infra" / "modules" / "app.bicep").read_text()
    found = []
    if not service or f"'azd-service-name': '{service[1]}'" not in app:
        found.append("no site has the tag of the service")
    hooks = re.findall(r"run: (\S+)", told)
    found += [f"hook {hook} does not exist" for hook in hooks if not (root / hook).exists()]
    return found
