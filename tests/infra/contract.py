"""The app and its infrastructure name the same settings, stores, functions and files."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

from devkit.stage import sample_settings
from gem_core.settings.app_settings import read_settings
from gem_core.storage.names import CONTAINERS, POISON_QUEUES, TICKETS
from tests.infra import bicep

ROOT = Path(__file__).resolve().parent.parent.parent
_INDEX = """
import json, function_app
print(json.dumps({f.get_function_name(): f.get_dict_repr()["bindings"]
                  for f in function_app.app.get_functions()}, default=str))
"""


@cache
def indexed() -> dict[str, list[dict[str, str]]]:
    """Function name to its bindings in function_app.py, indexed in a process of its own.

    With batches, so that all functions are there.
    """
    done = subprocess.run(
        [sys.executable, "-c", _INDEX],
        cwd=ROOT,
        env={**os.environ, "GEM_TRIGGER_SOURCE": "EventGrid", "GEM_CHECK_BATCH_SIZE": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


def parameters(root: Path) -> list[str]:
    """Every parameter of main.bicep can be set by `azd env set`, and by a variable of the pipeline.

    Except for the principal who is signed in: azd knows that itself.
    """
    wanted = set(bicep.BicepFile(root / "infra" / "main.bicep").declared("parameter"))
    given = json.loads((root / "infra" / "main.parameters.json").read_text())["parameters"]
    found = [f"parameter {name}" for name in sorted(wanted ^ set(given))]
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(given)))
    asked -= {"AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
    deploy = yaml.safe_load((root / ".github" / "workflows" / "deploy.yml").read_text())
    passed = {*deploy["env"], *deploy["jobs"]["provision"]["env"]}
    found += [f"deploy.yml does not pass {name}" for name in sorted(asked - passed)]
    return found + [
        f"deploy.yml passes {name}, which nothing uses"
        for name in sorted(passed - asked - {"AZURE_SUBSCRIPTION_ID"})
    ]


def app_settings(root: Path) -> dict[str, dict[str, str]]:
    """The groups of app settings in app.bicep, by the name of the variable."""
    file = bicep.BicepFile(root / "infra" / "modules" / "app.bicep")
    groups = ("base", "gemPrincipal", "ownOutput", "foreignOutput", "overtureCopy")
    return {
        name: bicep.properties(bicep.object_of(node))
        for name, node in file.declared("variable").items()
        if name in groups
    }


LEFT_AT_DEFAULT = {
    "GEM_API_BASE_URL",
    "GEM_API_VERSION",
    "GEM_TOKEN_SCOPE",
    "GEM_CHECK_BATCH_SIZE",
    "GEM_CHECK_MIN_SECONDS",
    "GEM_CHECK_MAX_SECONDS",
    "GEM_CHECK_CONCURRENCY",
    "GEM_CHECK_REQUESTS_PER_SECOND",
    "GEM_JOB_DEADLINE_HOURS",
    "GEM_LOST_AFTER_MINUTES",
    "GEM_OUTPUT_GRACE_MINUTES",
    "GEM_DISCOVER",
    "GEM_DISCOVER_MAX_AGE_HOURS",
    "GEM_DISCOVER_EVERY_MINUTES",
    "GEM_REPEAT_TICKET_AFTER_MINUTES",
    "GEM_KEEP_DAYS",
    "GEM_INPUT_AUDIT",
    "GEM_INPUT_COMPARE",
    "GEM_IDS_MEMORY_MIB",
    "GEM_IDS_DISK_MIB",
    "GEM_IDS_FOLDER",
    "GEM_REPORT_PAGE",
    "GEM_REPORT_MAP",
    "GEM_REPORT_PAGE_URL",
    "GEM_FAILING_ROWS",
    "GEM_OVERTURE_MAX_MIB",
}
"""Settings that infra/ leaves to the code; an operator sets them by `extraSettings`."""

NOT_IN_AZURE = {
    "GEM_BEARER_TOKEN",  # development only
    "GEM_STATE",  # an identity instead of a connection string
    "GEM_STATE__tenantId",
    "GEM_STATE__clientSecret",
    "GEM_OUTPUT",
}


def settings(root: Path) -> list[str]:
    """The app can start with the settings of Bicep, in each variant, and knows every name.

    Bicep sets every setting of the code, or it is in one of the lists of exceptions.
    """
    groups = app_settings(root)
    known = {name for name in sample_settings() if name.startswith("GEM_")}
    assigned = {name for group in groups.values() for name in group if name.startswith("GEM_")}
    found = [f"{name} is not a setting of the app" for name in sorted(assigned - known)]
    found += [
        f"{name} is neither set in app.bicep nor in LEFT_AT_DEFAULT of tests/infra/contract.py"
        for name in sorted(known - assigned - LEFT_AT_DEFAULT - NOT_IN_AZURE)
    ]
    for chosen in (("ownOutput", "overtureCopy"), ("foreignOutput", "gemPrincipal")):
        sources = dict(groups["base"])
        for group in chosen:
            sources |= groups[group]
        try:
            read_settings({name: _value(name, source) for name, source in sources.items()})
        except Exception as error:  # noqa: BLE001 - any error is a fault of the settings
            found.append(f"{' + '.join(chosen)}: {error}")
    return found


def _value(name: str, source: str) -> str:
    """A setting as it could arrive: parameters as in the sample, references resolved."""
    if name == "GEM_RESULTS_ROUTES":
        return "[]"
    if name in {"GEM_OUTPUT__blobServiceUri", "GEM_OVERTURE"}:
        return "https://outputs.blob.core.windows.net"
    if name.lower().replace("_", "").endswith(("clientid", "tenantid")):
        return "00000000-0000-4000-8000-000000000000"
    if not source.startswith("'"):
        return sample_settings().get(name) or "value"
    value = re.sub(r"\$\{[^}]+\}", "name", source.strip("'"))
    return "resolved" if value.startswith("@Microsoft.KeyVault(") else value


def stores(root: Path) -> list[str]:
    """Bicep creates the containers and queues that the code uses."""
    made = set(re.findall(r"'([^']+)'", _variables(root)["containers"]))
    found = [f"container {name} is not created" for name in sorted(set(CONTAINERS) - made)]
    found += [f"container {name} is not used" for name in sorted(made - set(CONTAINERS))]
    queues = made_queues(root)
    found += _unmade(root, {*made, *queues.values()})
    base = app_settings(root)["base"]
    for name in (each for each in sample_settings() if each.endswith("_QUEUE")):
        variable = base.get(name, "")
        if variable not in queues:
            found.append(f"the queue of {name} is not created")
        elif queues[variable] != sample_settings()[name]:
            found.append(f"the queue of {name} is {queues[variable]}")
    return found


def _unmade(root: Path, made: set[str]) -> list[str]:
    """Containers that rights and events refer to, but nothing creates."""
    dead_letters = "gem-deadletter"
    if f"['{dead_letters}']" not in _state_storage(root)["params.containers"]:
        return [f"container {dead_letters} is not created"]
    roles = bicep.BicepFile(root / "infra" / "modules" / "roles.bicep")
    named = {
        bicep.properties(each.body)["name"].strip("'")
        for each in roles.resources()
        if each.kind.endswith("/containers")
    }
    events = (root / "infra" / "events.bicep").read_text()
    named |= set(re.findall(r"blobContainerName: '([^']+)'", events))
    return [f"container {name} is not created" for name in sorted(named - made - {dead_letters})]


def _variables(root: Path) -> dict[str, str]:
    """The variables of main.bicep and of the module that makes the stores."""
    files = ("main.bicep", "modules/stores.bicep")
    return {
        name: bicep.text(node.named_children[-1])
        for file in files
        for name, node in bicep.BicepFile(root / "infra" / file).declared("variable").items()
    }


def _state_storage(root: Path) -> dict[str, str]:
    """The properties of the module that makes the state storage."""
    stores = bicep.BicepFile(root / "infra" / "modules" / "stores.bicep")
    return bicep.properties(bicep.object_of(stores.declared("module")["stateStorage"]))


def made_queues(root: Path) -> dict[str, str]:
    """The queues that Bicep creates in the state storage: variable to name.

    The queues of routes have names that only a deployment gives.
    """
    variables, found = _variables(root), dict[str, str]()
    used = re.findall(r"\w+", _state_storage(root)["params.queues"])
    while used:
        name = used.pop()
        value = variables.pop(name, "")
        if value.startswith("'"):
            found[name] = value.strip("'")
        else:
            used += re.findall(r"\w+", value)
    return found


def bindings(root: Path) -> list[str]:
    """Every %SETTING% and connection of the app's bindings is set; each trigger gets events."""
    names = set(app_settings(root)["base"])
    queues = set(made_queues(root).values())
    found = []
    for function, binding in ((name, each) for name, all_ in indexed().items() for each in all_):
        asked = set(re.findall(r"%([^%]+)%", json.dumps(binding)))
        if connection := binding.get("connection"):
            suffixes = ("blobServiceUri", "queueServiceUri", "credential", "clientId")
            asked |= {f"{connection}__{suffix}" for suffix in suffixes}
        found += [f"{function}: {name} is not set" for name in sorted(asked - names)]
        if binding["type"] == "blobTrigger":
            found += _no_events(root, function, binding["path"].partition("/")[0])
        queue = binding.get("queueName", "%")
        if "%" not in queue and queue not in queues:
            found.append(f"{function}: its queue {queue} is not created")
        poison = {"blobTrigger": "webjobs-blobtrigger-poison", "queueTrigger": f"{queue}-poison"}
        if poison.get(binding["type"], POISON_QUEUES[0]) not in POISON_QUEUES:
            found.append(f"{function}: its poison queue is not counted")
    return found


def _no_events(root: Path, function: str, container: str) -> list[str]:
    """Why the events of a container would not reach a function."""
    events = bicep.BicepFile(root / "infra" / "events.bicep")
    subscriptions = [each for each in events.resources() if not each.existing]
    has = bicep.properties(subscriptions[0].body)
    prefix = f"'/blobServices/default/containers/{container}/blobs/'"
    wanted = {
        "properties.filter.subjectBeginsWith": prefix,
        "properties.filter.subjectEndsWith": "'.json'",
        "properties.filter.includedEventTypes": "['Microsoft.Storage.BlobCreated']",
        "properties.deadLetterWithResourceIdentity.identity.type": "'SystemAssigned'",
    }
    found = [
        f"{function}: {path} is not {value}"
        for path, value in wanted.items()
        if has.get(path) != value
    ]
    if (
        f"functionName=Host.Functions.{function}&"
        not in has["properties.destination.properties.endpointUrl"]
    ):
        found.append(f"{function}: is not the function of the webhook")
    if container != TICKETS:
        found.append(f"{function}: {container} is not the container of tickets")
    return found


def azure_yaml(root: Path) -> list[str]:
    """The service has a site, and each hook a file for each system."""
    config = yaml.safe_load((root / "azure.yaml").read_text())
    app = (root / "infra" / "modules" / "app.bicep").read_text()
    found = [
        f"no site has the tag of the service {service}"
        for service in config["services"]
        if f"'azd-service-name': '{service}'" not in app
    ]
    for name, hook in config["hooks"].items():
        for system in ("posix", "windows"):
            run = hook.get(system, {}).get("run")
            if not run or not (root / run).exists():
                found.append(f"hook {name}: no file for {system}")
    return found
