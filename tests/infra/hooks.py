"""The hook after a deployment, for sh and for PowerShell, run with stubs of az and curl.

PowerShell is not on PyPI or npm. Where there is no `pwsh`, its hook is only read, beside the one
for sh: syntax, calls of az, messages, statuses, limits. GitHub's CI installs it and runs both.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import tree_sitter_powershell
from tree_sitter import Language, Parser

from tests.infra.bicep import BicepFile, walk

NAMES = ("AZURE_RESOURCE_GROUP", "APP_NAME", "APP_HOST_NAME", "TOPIC_NAME", "STATE_STORAGE_ID")
"""What azd passes to the hook, with the names of main.bicep's outputs."""

TRIES = 4
AGAIN = "azd hooks run postdeploy"

_AZ = """#!/bin/sh
echo "az $*" >> "$CALLS"
calls() { grep -c "^az $1" "$CALLS"; }
case "$1 $2" in
  "account show") exit "$SIGNED_OUT" ;;
  "functionapp show") exit "$NO_APP" ;;
  "functionapp keys")
    if [ "$(calls 'functionapp keys')" -le "$KEYS_FAIL" ]; then echo "no such host" >&2; exit 1; fi
    if [ "$(calls 'functionapp keys')" -lt "$KEY_AT" ]; then echo 0; exit; fi
    printf "56$AFTER_KEY\\n" ;;
  "deployment group") [ "$(calls 'deployment group')" -ge "$SUBSCRIBED_AT" ] ;;
esac
"""
_CURL = """#!/bin/sh
echo "curl $*" >> "$CALLS"
set -- $HEALTH $(grep -c '^curl' "$CALLS")
for last; do :; done
shift $(( last < $# ? last - 1 : $# - 2 ))
printf '{"status": "%s"} %s' "$STATUS" "$1"
[ "$1" != 000 ]
"""
_SLEEP = '#!/bin/sh\necho "sleep $*" >> "$CALLS"\n'
_TOOLS = ("cat", "dirname", "grep", "tr")
_POWERSHELL = Parser(Language(tree_sitter_powershell.language()))


@dataclass(frozen=True, slots=True)
class Case:
    """What the hook meets, and what it must do."""

    world: Mapping[str, str]
    """Variables of the stubs and of the hook; "" removes one."""
    steps: Sequence[str]
    """The calls of az, by their first two words."""
    code: int = 0
    said: str = ""
    """Part of standard error."""
    az: bool = True
    """Whether az is installed."""


LOOK = ["account show", "functionapp show"]
KEYS, SUBSCRIBE = "functionapp keys", "deployment group"

CASES = {
    "everything works": Case({}, [*LOOK, KEYS, SUBSCRIBE]),
    "the key comes at the third try": Case({"KEY_AT": "3"}, [*LOOK, *[KEYS] * 3, SUBSCRIBE]),
    "the key never comes": Case(
        {"KEY_AT": "99"}, [*LOOK, *[KEYS] * TRIES], 1, "no blobs_extension key"
    ),
    "not signed in": Case({"SIGNED_OUT": "1"}, LOOK[:1], 1, "az login"),
    "no such group or app": Case({"NO_APP": "3"}, LOOK, 1, "az cannot read the app app_name"),
    "az fails, then answers": Case({"KEYS_FAIL": "2"}, [*LOOK, *[KEYS] * 3, SUBSCRIBE]),
    "az always fails": Case(
        {"KEYS_FAIL": "99"}, [*LOOK, *[KEYS] * TRIES], 1, "az failed to list the app's keys"
    ),
    "the app starts slowly": Case({"HEALTH": "000 502 503"}, [*LOOK, KEYS, SUBSCRIBE]),
    "the app never answers": Case({"HEALTH": "000"}, LOOK, 1, "does not answer (000)"),
    "no function is indexed": Case({"HEALTH": "404"}, LOOK, 1, "Run 'azd deploy' again"),
    "the app cannot be loaded": Case(
        {"HEALTH": "503", "STATUS": "not loaded"}, LOOK, 1, "the event app_not_loaded"
    ),
    "functions are indexed late": Case({"HEALTH": "404 200"}, [*LOOK, KEYS, SUBSCRIBE]),
    "the list of addresses refuses us": Case({"HEALTH": "403"}, [*LOOK, KEYS, SUBSCRIBE]),
    "the handshake fails twice": Case({"SUBSCRIBED_AT": "3"}, [*LOOK, KEYS, *[SUBSCRIBE] * 3]),
    "the handshake always fails": Case(
        {"SUBSCRIBED_AT": "99"}, [*LOOK, KEYS, *[SUBSCRIBE] * 3], 1, "not created in 3 tries"
    ),
    "az is not installed": Case({}, [], 1, "az is not installed", az=False),
    "a number of tries that is none": Case(
        {"WAIT_TRIES": "abc"}, [], 1, "must be whole numbers: abc is not"
    ),
    "az ends lines as Windows does": Case({"AFTER_KEY": "\\r"}, [*LOOK, KEYS, SUBSCRIBE]),
} | {
    f"{name} is missing": Case({name: ""}, [], 1, f"{name} is not set")
    for name in ("AZURE_SUBSCRIPTION_ID", *NAMES)
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the hook."""

    code: int
    stdout: str
    stderr: str
    calls: list[str] = field(default_factory=list)
    """Each call of az, curl and sleep, with its arguments."""

    @property
    def steps(self) -> list[str]:
        """The first two words of each call of az."""
        return [" ".join(call.split()[1:3]) for call in self.calls if call.startswith("az ")]


def shells() -> dict[str, list[str]]:
    """The hook's files with the commands that run them, as far as they are here.

    dash is stricter than other shells.
    """
    sh, pwsh = shutil.which("dash") or shutil.which("sh"), shutil.which("pwsh")
    found = {"postdeploy.sh": [sh]} if sh else {}
    if pwsh:
        found["postdeploy.ps1"] = [pwsh, "-NoProfile", "-File"]
    return found


def run_hook(
    root: Path, world: Mapping[str, str], *, az: bool = True, file: str = "postdeploy.sh"
) -> Run:
    """Run the hook of a checkout. Only the stubs and a few tools are on its PATH."""
    with TemporaryDirectory() as folder:
        stubs = Path(folder)
        for name, body in (("az", _AZ), ("curl", _CURL), ("sleep", _SLEEP)):
            if name != "az" or az:
                (stubs / name).write_text(body)
                (stubs / name).chmod(0o755)
        for tool in _TOOLS:
            (stubs / tool).symlink_to(shutil.which(tool) or tool)
        calls = stubs / "calls"
        calls.touch()
        usual = {name: name.lower() for name in ("AZURE_SUBSCRIPTION_ID", *NAMES)}
        usual |= {
            "SIGNED_OUT": "0",
            "NO_APP": "0",
            "KEYS_FAIL": "0",
            "KEY_AT": "1",
            "AFTER_KEY": "",
        }
        usual |= {"SUBSCRIBED_AT": "1", "HEALTH": "200", "STATUS": "ok", "WAIT_TRIES": str(TRIES)}
        if file.endswith(".ps1"):  # it waits by itself, so there is no stub of that
            usual |= {"WAIT_SECONDS": "0", "RETRY_SECONDS": "0", "HOME": folder}
        environment = {**usual, **world, "PATH": folder, "CALLS": str(calls)}
        done = subprocess.run(
            [*shells()[file], str(root / "infra" / "hooks" / file)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Run(done.returncode, done.stdout, done.stderr, calls.read_text().splitlines())


def departures(root: Path, name: str, file: str) -> list[str]:
    """How the hook departs from a case."""
    case = CASES[name]
    done = run_hook(root, case.world, az=case.az, file=file)
    found = []
    if done.code != case.code:
        found.append(f"ends with {done.code}")
    if done.steps != list(case.steps):
        found.append(f"calls {', '.join(done.steps)}")
    if case.code and not (case.said in done.stderr and AGAIN in done.stderr):
        found.append(f"says {done.stderr[-200:]!r}")
    calls = [call for call in done.calls if call.startswith("az ")]
    found += [f"no subscription: {call}" for call in calls if "--subscription" not in call]
    return [f"{file}: {name}: {each}" for each in found]


def hooks(root: Path) -> list[str]:
    """The hook does in each case what it must, in each shell that is here."""
    found = [each for file in shells() for name in CASES for each in departures(root, name, file)]
    return found + _outputs_passed(root) + _shellcheck(root)


def _outputs_passed(root: Path) -> list[str]:
    """The outputs of main.bicep become the parameters of events.bicep."""
    infra = root / "infra"
    outputs = BicepFile(infra / "main.bicep").declared("output")
    wanted = set(BicepFile(infra / "events.bicep").declared("parameter"))
    given = set(re.findall(r'"(\w+)=\$', (infra / "hooks" / "postdeploy.sh").read_text()))
    found = [f"main.bicep has no output {name}" for name in NAMES if name not in outputs]
    return found + [f"parameter {name} of events.bicep" for name in sorted(wanted ^ given)]


def _shellcheck(root: Path) -> list[str]:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    command = [str(shellcheck), "--format=gcc", "postdeploy.sh"]
    folder = root / "infra" / "hooks"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def powershell(root: Path) -> list[str]:
    """The hook for PowerShell parses, and calls, says and compares the same as the one for sh.

    This is reading. What it does is seen where there is pwsh, in GitHub's CI.
    """
    folder = root / "infra" / "hooks"
    shell = (folder / "postdeploy.sh").read_text(encoding="utf-8")
    power = (folder / "postdeploy.ps1").read_text(encoding="utf-8")
    found = [
        f"postdeploy.ps1:{node.start_point[0] + 1}: syntax"
        for node in walk(_POWERSHELL.parse(power.encode()).root_node)
        if node.type == "ERROR" or node.is_missing
    ]
    for what, one, other in (
        ("call", _az_calls(shell, "\\"), _az_calls(power, "`")),
        ("message", _messages(shell), _messages(power)),
        ("default", _defaults(shell), _defaults(power)),
        ("status", _statuses(shell), _statuses(power)),
        (
            "limit",
            re.findall(r'-lt "?\$?(\w+)', shell),
            re.findall(r"-ge (?:\[int\])?\$?(\w+)", power),
        ),
        ("failure", re.findall("return (1)", shell), ["1"] * power.count("return $false")),
    ):
        found += [f"only one has the {what}: {each}" for each in sorted({*one} ^ {*other})]
        if one != other and not found:
            found.append(f"the {what}s come in another number or order")
    return found + _only_in_powershell(_code(power))


def _only_in_powershell(code: str) -> list[str]:
    """What sh does by itself: a failed call is looked at, and each loop counts its tries."""
    found = []
    if code.count("$LASTEXITCODE") != len(_az_calls(code, "`")):
        found.append("a call of az whose exit code is not looked at")
    if code.count("$try++") != len(re.findall(r"\bwhile\b", code)):
        found.append("a loop that does not count its tries")
    if "$PSNativeCommandUseErrorActionPreference = $false" not in code:
        found.append("a failed call of az ends the script")
    if not re.search(r"\[Console\]::Error.*\n\s+exit 1\n", code):
        found.append("it does not end with 1 and a remedy on standard error")
    return found


def _statuses(source: str) -> list[str]:
    """Each HTTP status, in order."""
    return re.findall(r"\b(?:200|40\d|50\d)\b", _code(source))


def _code(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))


def _az_calls(source: str, continued: str) -> list[str]:
    """Each call of az as its words and flags, without values."""
    code = _code(source.replace(f"{continued}\n", " "))
    calls = re.findall(r"\baz ((?:[a-z-]+ )+)(--.*)", code)
    return [f"{words}{' '.join(re.findall(r'--[a-z-]+', rest))}" for words, rest in calls]


def _messages(source: str) -> list[str]:
    """Each text of four words or more, with variables by their bare names."""
    texts = re.findall(r'"([^"\n]*)"', _code(source))
    return [
        re.sub(r"\$\(\$env:(\w+)\)|\$\{(\w+)[^}]*\}|\$(\w+)", r"<\1\2\3>", each)
        for each in texts
        if len(each.split()) > 3
    ]


def _defaults(source: str) -> list[str]:
    """Each number that a variable has when it is not set."""
    return re.findall(r"(?:WAIT|RETRY)_(?:TRIES|SECONDS)(?::-| \} else \{ ')(\d+)", source)
