"""The GitHub workflows: what they may do, and whose code they run."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.infra import compiler

_PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+$")
_ALLOWED = {"contents": "read", "id-token": "write"}
"""A sign-in by OIDC needs `id-token: write`, which allows no writing."""


def workflows(root: Path) -> list[str]:
    """Actions are pinned by commit, permissions are minimal, and no secret is used.

    A tag of a version deploys after all checks, and nothing else does.
    """
    found = []
    for path in sorted((root / ".github" / "workflows").glob("*.yml")):
        source = path.read_text(encoding="utf-8")
        found += [f"{path.name}: not pinned: {line}" for line in _unpinned(source)]
        if "secrets." in source:
            found.append(f"{path.name}: a secret; sign in by OIDC instead")
        workflow = yaml.safe_load(source)
        if workflow.get("permissions") != {}:
            found.append(f"{path.name}: the permissions of the workflow are not empty")
        for name, job in workflow["jobs"].items():
            found += [f"{path.name}: {name}: {fault}" for fault in _job(job)]
    return found + _deployment(root)


def _unpinned(source: str) -> list[str]:
    uses = [line.strip().removeprefix("- ") for line in source.splitlines() if "uses:" in line]
    return [line for line in uses if not _PINNED.match(line) and not line.startswith("uses: ./")]


def _job(job: dict[str, Any]) -> list[str]:
    permissions = job.get("permissions", {"of the job": "missing"})
    found = [
        f"permission {name}: {value}"
        for name, value in permissions.items()
        if _ALLOWED.get(name) != value
    ]
    if "id-token" in permissions and "environment" not in job:
        found.append("signs in without an environment, so without its reviewers")
    if "uses" not in job and "timeout-minutes" not in job:
        found.append("has no time limit")
    return found


def _deployment(root: Path) -> list[str]:
    """A tag deploys after all checks of CI, and nothing else deploys."""
    folder = root / ".github" / "workflows"
    checks = yaml.safe_load((folder / "ci.yml").read_text(encoding="utf-8"))
    deploy = yaml.safe_load((folder / "deploy.yml").read_text(encoding="utf-8"))
    run = [step["run"] for step in checks["jobs"]["check"]["steps"] if "run" in step]
    commands = [command.partition("#")[0].strip() for command in run]
    found = [
        f"ci.yml does not run {command}"
        for command in ("make check", "make test", "make infra-check")
        if command not in commands
    ]
    script = "\n".join(run)
    found += [
        f"ci.yml does not {what}"
        for what, line in (
            ("install the pinned compiler", f"az bicep install --version v{compiler.VERSION}"),
            ("use it", f"bicep --version | grep --fixed-strings {compiler.VERSION}"),
            ("fail without PowerShell", "pwsh --version | grep"),
        )
        if line not in script
    ]
    triggers = deploy[True]  # YAML 1.1 reads `on` as True
    if triggers != {"push": {"tags": ["v*"]}}:
        found.append("deploy.yml runs on something other than a tag of a version")
    jobs = deploy["jobs"]
    if jobs["check"].get("uses") != "./.github/workflows/ci.yml":
        found.append("deploy.yml does not check first")
    if (jobs["provision"].get("needs"), jobs["deploy"].get("needs")) != ("check", "provision"):
        found.append("deploy.yml does not wait for the checks")
    if jobs["provision"].get("environment") == jobs["deploy"].get("environment"):
        found.append("deploy.yml deploys code with the rights of the one that provisions")
    upload = "\n".join(step.get("run", "") for step in jobs["deploy"]["steps"])
    if not all(word in upload for word in ("for try in 1 2 3", "if azd deploy", "sleep 90")):
        found.append("deploy.yml does not repeat an upload that was refused")
    return found
