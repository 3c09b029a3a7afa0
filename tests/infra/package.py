"""What is deployed: the files that azd and Core Tools upload, and what Azure installs for them."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.infra import bicep
from tests.infra.contract import ROOT

APP = {"function_app.py", "gem_core", "host.json", "requirements.txt"}
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def uploaded(root: Path) -> list[str]:
    """The files of this checkout that .funcignore does not exclude, tracked by git or not.

    Both tools read .funcignore as git reads .gitignore, and do not upload it.
    """
    listed = set(_git("-c", "-o", "-X", str(root / ".funcignore")))
    ignored = set(_git("-c", "-i", "-X", str(root / ".funcignore")))
    return sorted(name for name in listed - ignored if (ROOT / name).exists())


def _git(*flags: str) -> list[str]:
    git = shutil.which("git") or "git"
    command = [git, "ls-files", "-z", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


def package(root: Path) -> list[str]:
    """The whole app is deployed, and nothing else."""
    tops = {name.partition("/")[0] for name in uploaded(root)}
    extra = [f"{name} would be deployed" for name in sorted(tops - APP)]
    return extra + [f"{name} would not be deployed" for name in sorted(APP - tops)]


def pins(text: str) -> dict[str, str]:
    """Name to version of a lock file."""
    return {found["name"]: found["version"] for found in _PIN.finditer(text)}


def lock(root: Path) -> list[str]:
    """requirements.txt has what pyproject.toml requires, pinned and hashed; tests use the same."""
    text = (root / "requirements.txt").read_text()
    locked = pins(text)
    tested = pins((root / "requirements-dev.txt").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(each) for each in project["dependencies"]]
    found = [
        f"{each} is not what is locked ({locked.get(each.name)}): run make lock"
        for each in wanted
        if locked.get(each.name) is None or locked[each.name] not in each.specifier
    ]
    found += [
        f"{name} {version} is deployed, {tested.get(name)} is tested"
        for name, version in locked.items()
        if tested.get(name) != version
    ]
    entries = re.split(r"\n(?=\S)", text)
    found += [
        f"{entry.split()[0]} has no hash"
        for entry in entries
        if _PIN.match(entry) and "--hash=sha256:" not in entry
    ]
    return found


def runtime(root: Path) -> list[str]:
    """One version of Python: deployed, developed on, tested by CI."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    developed = re.findall(r">=([\d.]+)", project["requires-python"])[0]
    app = bicep.BicepFile(root / "infra" / "modules" / "app.bicep")
    site = next(each for each in app.resources() if each.kind == "Microsoft.Web/sites")
    deployed = bicep.properties(site.body)["properties.functionAppConfig.runtime.version"]
    tested = re.findall(
        r'python-version: "([\d.]+)"', (root / ".github" / "workflows" / "ci.yml").read_text()
    )
    versions = {"app.bicep": deployed.strip("'"), "ci.yml": tested[0]}
    return [
        f"{place} has Python {version}, pyproject.toml {developed}"
        for place, version in versions.items()
        if version != developed
    ]


def installed_bytes() -> dict[str, int]:
    """Size of each package of requirements.txt, as it is installed here."""
    found = {}
    for name in pins((ROOT / "requirements.txt").read_text()):
        try:
            files = distribution(name).files or []
        except ModuleNotFoundError:  # for another system
            continue
        paths = (Path(str(each.locate())) for each in files if each.suffix != ".pyc")
        found[name] = sum(path.stat().st_size for path in paths if path.exists())
    return found
