"""The hook after a deployment: under dash with a stub of az, and its PowerShell version."""

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
"""What azd passes to the hook, with the names of main.bicep's outputs."""

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
    """The arguments of each call of az."""
    stderr: str

    @property
    def steps(self) -> list[str]:
        """The first word of each call."""
        return [call.split()[0] for call in self.calls]


def run_hook(
    root: Path, *, key_at: int = 1, deploy_exit: int = 0, without: str = "", times: int = 1
) -> Run:
    """Run the hook of a checkout one or more times, under dash (or sh, if there is no dash)."""
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
    """The hook waits for the key with a limit, deploys, can be repeated, and says what to do."""
    found = []

    def demand(what: str, *, holds: bool) -> None:
        if not holds:
            found.append(what)

    third = run_hook(root, key_at=3)
    waits = ["functionapp"] * 3 + ["deployment"]
    demand("does not wait for the key", holds=third.code == 0 and third.steps == waits)
    never = run_hook(root, key_at=99)
    demand(
        "does not stop waiting without a key", holds=never.code == 1 and len(never.calls) == TRIES
    )
    demand("does not say what to do without a key", holds=REMEDY in never.stderr)
    failed = run_hook(root, deploy_exit=1)
    demand("hides a failed deployment", holds=failed.code == 1)
    demand("does not say what to do after a failed deployment", holds=REMEDY in failed.stderr)
    twice = run_hook(root, times=2)
    half = len(twice.calls) // 2
    again = twice.code == 0 and twice.calls[:half] == twice.calls[half:]
    demand("cannot be repeated", holds=again)
    for name in NAMES:
        lacking = run_hook(root, without=name)
        demand(
            f"does not need {name}",
            holds=lacking.code != 0 and not lacking.calls and name in lacking.stderr,
        )
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
    """The hook for PowerShell parses, and has the same calls of az as the one for sh.

    It does not run here: PowerShell is not on PyPI or npm.
    """
    folder = root / "infra" / "hooks"
    shell = (folder / "postdeploy.sh").read_text(encoding="utf-8")
    power = (folder / "postdeploy.ps1").read_text(encoding="utf-8")
    found = [
        f"postdeploy.ps1:{node.start_point[0] + 1}: syntax"
        for node in walk(_POWERSHELL.parse(power.encode()).root_node)
        if node.type == "ERROR" or node.is_missing
    ]
    calls, others = _az_calls(shell, "\\"), _az_calls(power, "`")
    found += [f"only one of the two calls: {call}" for call in calls if call not in others]
    found += [f"only one of the two calls: {call}" for call in others if call not in calls]
    for name in (*NAMES, "WAIT_TRIES", "WAIT_SECONDS"):
        found += [f"only one of the two uses {name}"] * ((name in shell) != (name in power))
    found += ["the two do not exit with 1 equally often"] * (
        shell.count("exit 1") != power.count("exit 1")
    )
    return found


def _az_calls(source: str, continued: str) -> list[str]:
    """Each call of az as its words and flags, without values."""
    lines = source.replace(f"{continued}\n", " ").splitlines()
    code = [line for line in lines if not line.lstrip().startswith("#")]
    calls = re.findall(r"\baz ((?:[a-z-]+ )+)(.*)", "\n".join(code))
    return [f"{words}{' '.join(re.findall(r'--[a-z-]+', rest))}" for words, rest in calls]
