"""The hook after a deployment, under dash with a stubbed az."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.contract import ROOT

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
