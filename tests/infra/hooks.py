"""The hook after a deployment: what it does under dash with a stubbed az, and its twin."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tree_sitter_powershell
from tree_sitter import Language, Parser

from tests.infra.bicep import BicepFile, walk

NAMES = ("AZURE_RESOURCE_GROUP", "APP_NAME", "APP_HOST_NAME", "TOPIC_NAME", "STATE_STORAGE_ID")
"""What azd hands to the hook, by the names of main.bicep's outputs."""

TRIES = 4
REMEDY = "azd hooks run postdeploy"

_AZ = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$1 $2" in
  "functionapp keys")
    count=$(grep -c '^functionapp keys' "$CALLS")
    if [ "$count" -ge "$KEY_AT" ]; then echo true; else echo false; fi ;;
  "deployment group") exit "$DEPLOY_EXIT" ;;
esac
"""
_POWERSHELL = Parser(Language(tree_sitter_powershell.language()))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the hook."""

    code: int
    calls: list[str]
    """What az was asked."""
    said: str

    @property
    def steps(self) -> list[str]:
        """The first word of each call."""
        return [call.split()[0] for call in self.calls]


def run_hook(
    root: Path, *, key_at: int = 1, deploy_exit: int = 0, without: str = "", times: int = 1
) -> Run:
    """Run the hook of a checkout under dash (or what sh is here), some times in a row."""
    with TemporaryDirectory() as folder:
        stubs = Path(folder)
        for name, body in (("az", _AZ), ("curl", "#!/bin/sh\n"), ("sleep", "#!/bin/sh\n")):
            (stubs / name).write_text(body)
            (stubs / name).chmod(0o755)
        calls = stubs / "calls"
        calls.touch()
        environment = {name: name.lower() for name in NAMES if name != without} | {
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "KEY_AT": str(key_at),
            "DEPLOY_EXIT": str(deploy_exit),
            "WAIT_TRIES": str(TRIES),
        }
        command = [shutil.which("dash") or "sh", str(root / "infra" / "hooks" / "postdeploy.sh")]
        for _ in range(times):
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
        return Run(done.returncode, calls.read_text().splitlines(), done.stderr)


def hooks(root: Path) -> list[str]:
    """It waits for the key with a limit, deploys, may be repeated, and says what to do."""
    found = []

    def demand(what: str, *, holds: bool) -> None:
        if not holds:
            found.append(what)

    third = run_hook(root, key_at=3)
    waits = ["functionapp"] * 3 + ["deployment"]
    demand("does not wait for the key", holds=third.code == 0 and third.steps == waits)
    never = run_hook(root, key_at=99)
    demand("does not give up without a key", holds=never.code == 1 and len(never.calls) == TRIES)
    demand("does not say what to do without a key", holds=REMEDY in never.said)
    failed = run_hook(root, deploy_exit=1)
    demand("a failed deployment is no failure", holds=failed.code == 1)
    demand("does not say what to do after a failed deployment", holds=REMEDY in failed.said)
    twice = run_hook(root, times=2)
    half = len(twice.calls) // 2
    again = twice.code == 0 and twice.calls[:half] == twice.calls[half:]
    demand("cannot be repeated", holds=again)
    for name in NAMES:
        lacking = run_hook(root, without=name)
        demand(
            f"does not miss {name}",
            holds=lacking.code != 0 and not lacking.calls and name in lacking.said,
        )
    return found + _handed_on(root) + _shellcheck(root)


def _handed_on(root: Path) -> list[str]:
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


def twins(root: Path) -> list[str]:
    """The hook for PowerShell parses, and asks az the same in the same order as that for sh.

    It cannot be run here: PowerShell is on neither registry.
    """
    folder = root / "infra" / "hooks"
    shell = (folder / "postdeploy.sh").read_text(encoding="utf-8")
    power = (folder / "postdeploy.ps1").read_text(encoding="utf-8")
    found = [
        f"postdeploy.ps1:{node.start_point[0] + 1}: syntax"
        for node in walk(_POWERSHELL.parse(power.encode()).root_node)
        if node.type == "ERROR" or node.is_missing
    ]
    asked, twin = _az_calls(shell, "\\"), _az_calls(power, "`")
    found += [f"only one of both asks: {call}" for call in asked if call not in twin]
    found += [f"only one of both asks: {call}" for call in twin if call not in asked]
    for name in (*NAMES, "WAIT_TRIES", "WAIT_SECONDS"):
        found += [f"only one of both knows {name}"] * ((name in shell) != (name in power))
    found += ["both do not exit by 1 twice"] * (shell.count("exit 1") != power.count("exit 1"))
    return found


def _az_calls(source: str, continued: str) -> list[str]:
    """Each call of az as its words and flags, without values."""
    lines = source.replace(f"{continued}\n", " ").splitlines()
    code = [line for line in lines if not line.lstrip().startswith("#")]
    calls = re.findall(r"\baz ((?:[a-z-]+ )+)(.*)", "\n".join(code))
    return [f"{words}{' '.join(re.findall(r'--[a-z-]+', rest))}" for words, rest in calls]
