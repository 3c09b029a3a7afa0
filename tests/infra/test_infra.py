"""The infrastructure keeps its promises, and each check is seen to fail on a seeded mistake."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gem_core.logs import Event
from gem_core.watch.heartbeat import Tick
from tests.infra import checks
from tests.infra.checks import ROOT

type Check = Callable[[Path], list[str]]

CHECKS: tuple[Check, ...] = (
    checks.syntax,
    checks.modules,
    checks.parameters,
    checks.security,
    checks.roles,
    checks.settings,
    checks.stores,
    checks.azure_yaml,
)

_INDEX = """
import json, function_app
print(json.dumps({f.get_function_name(): f.get_dict_repr()["bindings"]
                  for f in function_app.app.get_functions()}, default=str))
"""


@pytest.fixture(scope="module")
def indexed() -> dict[str, list[dict[str, str]]]:
    """The bindings of function_app.py, indexed in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _INDEX],
        cwd=ROOT,
        env={**os.environ, "GEM_TRIGGER_SOURCE": "EventGrid"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_infrastructure(check: Check) -> None:
    assert check(ROOT) == []


def test_bindings(indexed: dict[str, list[dict[str, str]]]) -> None:
    assert {"check_jobs", "deliver_results"} <= set(indexed)
    assert checks.bindings(ROOT, indexed) == []


@dataclass(frozen=True, slots=True)
class Mistake:
    """One seeded mistake, and the check that must catch it."""

    file: str
    old: str
    new: str
    caught_by: str


MISTAKES = {
    "missing brace": Mistake("modules/app.bicep", "reserved: true }", "reserved: true", "syntax"),
    "wrong module parameter": Mistake(
        "main.bicep", "quotaGb: logQuotaGb", "quota: logQuotaGb", "modules"
    ),
    "unknown deployment parameter": Mistake(
        "main.parameters.json", '"outputContainer"', '"outputContaner"', "parameters"
    ),
    "wrong property": Mistake(
        "modules/storage.bicep", "minimumTlsVersion", "minimumTlsVersions", "security"
    ),
    "shared keys on": Mistake(
        "modules/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "security",
    ),
    "plain http": Mistake("modules/app.bicep", "httpsOnly: true", "httpsOnly: false", "security"),
    "no purge protection": Mistake(
        "modules/vault.bicep", "    enablePurgeProtection: true\n", "", "security"
    ),
    "storage key read": Mistake(
        "modules/storage.bicep",
        "output id string = account.id",
        "output id string = account.listKeys().keys[0].value",
        "security",
    ),
    "wrong role": Mistake(
        "modules/roles.bicep",
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "roles",
    ),
    "wider scope": Mistake("modules/roles.bicep", "scope: results", "scope: stateStorage", "roles"),
    "missing setting": Mistake(
        "modules/app.bicep",
        "  GEM_STATE__queueServiceUri: 'https://${stateStorageName}.queue.${storageSuffix}'\n",
        "",
        "settings",
    ),
    "misspelt setting": Mistake(
        "modules/app.bicep", "GEM_RESULTS_QUEUE:", "GEM_RESULT_QUEUE:", "settings"
    ),
    "unset schedule": Mistake(
        "modules/app.bicep", "  GEM_CHECK_SCHEDULE: checkSchedule\n", "", "bindings"
    ),
    "renamed container": Mistake("main.bicep", "'gem-open'", "'gem-opened'", "stores"),
    "other container's events": Mistake(
        "events.bicep", "containers/gem-settled/blobs/", "containers/gem-settled", "bindings"
    ),
    "other function": Mistake("events.bicep", "deliver_results", "deliver_result", "bindings"),
    "service without a site": Mistake(
        "modules/app.bicep",
        "'azd-service-name': 'courier'",
        "'azd-service-name': 'app'",
        "azure_yaml",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_seeded_mistakes_are_caught(
    name: str, tmp_path: Path, indexed: dict[str, list[dict[str, str]]]
) -> None:
    mistake = MISTAKES[name]
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "operations.md", tmp_path / "docs")
    shutil.copy(ROOT / "azure.yaml", tmp_path)
    file = tmp_path / "infra" / mistake.file
    source = file.read_text()
    assert mistake.old in source
    file.write_text(source.replace(mistake.old, mistake.new))
    if mistake.caught_by == "bindings":
        assert checks.bindings(tmp_path, indexed) != []
    else:
        assert getattr(checks, mistake.caught_by)(tmp_path) != []


def logged() -> dict[str, set[str]]:
    """Every event that gem_core logs, with the names of its facts, found in its source."""
    found: dict[str, set[str]] = {event: set() for event in Event}
    tick = set(Tick(datetime.now(UTC)).to_json())
    for path in (ROOT / "gem_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log"):
                continue
            event = node.args[0]
            if isinstance(event, ast.Attribute):
                facts = {word.arg for word in node.keywords if word.arg}
                starred = any(word.arg is None for word in node.keywords)
                found[Event[event.attr]] |= facts | (tick if starred else set())
    return found


def queries() -> dict[str, str]:
    """Every query of alerts and workbook by name."""
    found = {path.stem: path.read_text() for path in (ROOT / "infra" / "queries").glob("*.kql")}
    workbook = json.loads((ROOT / "infra" / "workbook.json").read_text())
    for item in workbook["items"]:
        if query := item["content"].get("query"):
            found[item["name"]] = query
    return found


@pytest.mark.parametrize("name", queries())
def test_queries_name_what_is_logged(name: str) -> None:
    """An alert on a word that nothing logs would never fire."""
    query = queries()[name]
    known = logged()
    lists = re.findall(r"\bevent (?:in|==|!=) ?(\([^)]*\)|'[^']*')", query)
    events = {word for each in lists for word in re.findall(r"'(\w+)'", each)}
    events -= {"reported", "settled", "watching"}
    assert events <= set(known)
    fields = set(re.findall(r"\bline\.(\w+)", query)) - {"event"}
    assert fields <= {fact for event in events for fact in known[event]}
    assert not fields or events


def test_every_alert_has_its_query() -> None:
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
    files = {path.stem for path in (ROOT / "infra" / "queries").glob("*.kql")}
    assert set(re.findall(r"queries/([\w-]+)\.kql", alerts)) == files
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in files if f"`{name}`" not in page] == []


HOOK = ROOT / "infra" / "hooks" / "postdeploy.sh"
_AZ = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$1 $2" in
  "functionapp keys")
    count=$(grep -c '^functionapp keys' "$CALLS")
    if [ "$count" -ge "$KEY_AT" ]; then echo true; else echo false; fi ;;
  "deployment group") exit "$DEPLOY_EXIT" ;;
esac
"""


def run_hook(
    tmp_path: Path, *, key_at: int = 1, deploy_exit: int = 0, hook: Path = HOOK
) -> tuple[int, list[str], str]:
    """Run the hook under dash with stubs; its exit code, what az was asked, what it said."""
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("dash is not installed")
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, body in (("az", _AZ), ("curl", "#!/bin/sh\n"), ("sleep", "#!/bin/sh\n")):
        (stubs / name).write_text(body)
        (stubs / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    names = ("AZURE_RESOURCE_GROUP", "APP_NAME", "APP_HOST_NAME", "TOPIC_NAME", "STATE_STORAGE_ID")
    done = subprocess.run(
        [dash, str(hook)],
        env={
            **{name: name.lower() for name in names},
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "KEY_AT": str(key_at),
            "DEPLOY_EXIT": str(deploy_exit),
            "WAIT_TRIES": "4",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, calls.read_text().splitlines(), done.stderr


def test_hook_waits_for_the_key(tmp_path: Path) -> None:
    code, calls, _ = run_hook(tmp_path, key_at=3)
    assert code == 0
    assert [call.split()[0] for call in calls] == ["functionapp"] * 3 + ["deployment"]
    assert "appName=app_name" in calls[-1]


def test_hook_gives_up_and_says_what_to_do(tmp_path: Path) -> None:
    code, calls, said = run_hook(tmp_path, key_at=99)
    assert code == 1
    assert [call.split()[0] for call in calls] == ["functionapp"] * 4
    assert "azd hooks run postdeploy" in said


def test_hook_tells_of_a_failed_deployment(tmp_path: Path) -> None:
    code, _, said = run_hook(tmp_path, deploy_exit=1)
    assert code == 1
    assert "azd hooks run postdeploy" in said


def test_hook_without_wait_would_be_caught(tmp_path: Path) -> None:
    """The mistake of a hook that deploys at once shows in the order of its calls."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    hasty = folder / "postdeploy.sh"
    hasty.write_text(HOOK.read_text().replace("until key_exists", "until true"))
    _, calls, _ = run_hook(tmp_path, key_at=3, hook=hasty)
    assert [call.split()[0] for call in calls] == ["deployment"]


def test_package_holds_only_the_app() -> None:
    """What .funcignore leaves of the checkout is the app, and small; its size is printed (-s)."""
    git = shutil.which("git") or "git"
    listed, ignored = (
        subprocess.run(
            [git, "ls-files", "-z", *flags], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        for flags in ((), ("-ci", "-X", ".funcignore"))
    )
    left = {name for name in set(listed) - set(ignored) if name and (ROOT / name).exists()}
    tops = {name.partition("/")[0] for name in left}
    assert tops == {"function_app.py", "gem_core", "host.json", "requirements.txt"}
    size = sum((ROOT / name).stat().st_size for name in left)
    print(f"package: {len(left)} files, {size / 1024:.0f} KiB before the remote build")  # noqa: T201 - shown by make infra-check
    assert size < 2 * 1024 * 1024


def test_bicep_compiles(tmp_path: Path) -> None:
    bicep = shutil.which("bicep")
    if bicep is None:
        pytest.skip("bicep is not on the PATH: it is on no package registry")
    for file in ("main.bicep", "events.bicep"):
        source = str(ROOT / "infra" / file)
        subprocess.run([bicep, "lint", source], check=True)
        out = str(tmp_path / f"{file}.json")
        subprocess.run([bicep, "build", source, "--outfile", out], check=True)
