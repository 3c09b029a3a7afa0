"""`gem-courier` as it is installed: the wheel holds the app's package, and needs no checkout.

It is built by the locked backend, called as PEP 517 has it, so that nothing is fetched.
"""

import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.metadata import EntryPoint
from pathlib import Path, PurePath
from typing import TextIO
from zipfile import ZipFile

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

from gem_core import __main__ as command_line
from gem_core.commands.exit_codes import COULD_NOT
from tests.audit.build import matched_table, write
from tests.infra.package import uploaded

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
VERSION = PROJECT["version"]
INFO = f"gem_courier-{VERSION}.dist-info"

SCRIPT = (
    "import sys; from importlib.metadata import entry_points\n"
    "(found,) = entry_points(group='console_scripts', name='gem-courier')\n"
    "sys.exit(found.load()())"
)
"""What an installer writes into `bin/gem-courier`, but for the look-up."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = f"import {PYPROJECT['build-system']['build-backend']} as backend, sys\n"
    build += "backend.build_wheel(sys.argv[1])"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # its program is there
    subprocess.run(
        [sys.executable, "-c", build, folder],
        cwd=ROOT, env={**os.environ, "PATH": path}, check=True, timeout=60,
    )  # fmt: skip
    (found,) = folder.iterdir()
    return found


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """A folder as an installer leaves it, to be used with the libraries that are here."""
    folder = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def command(installed: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Away from the checkout, so that nothing comes from there."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=installed.parent, env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def from_the_checkout(
    *words: str, stdout: int | TextIO = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gem_core", *words],
        cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_wheel_is_the_apps_package_and_nothing_else(wheel: Path) -> None:
    """To the file what is deployed of it: data of the pages too, no tests, no dev kit."""
    metadata = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    deployed = {name for name in uploaded(ROOT) if name.startswith("gem_core/")}
    assert {"gem_core/__main__.py", "gem_core/page/templates/report.html"} <= deployed
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert names == deployed | {f"{INFO}/{name}" for name in metadata}
    assert wheel.name.endswith("-py3-none-any.whl")


def test_uv_builds_anew_when_a_file_of_the_wheel_changed(wheel: Path) -> None:
    """What it built before, it keeps for as long as no file of its cache keys changes."""
    keys = [key["file"] for key in PYPROJECT["tool"]["uv"]["cache-keys"]]
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".py", ".html", ".css"))]
    assert {name for name in names if not any(map(PurePath(name).full_match, keys))} == set()
    assert "pyproject.toml" in keys


def test_the_wheel_says_what_pyproject_says(installed: Path) -> None:
    metadata = Metadata.from_email((installed / INFO / "METADATA").read_bytes())
    assert (metadata.name, str(metadata.version)) == ("gem-courier", VERSION)
    assert (metadata.license_expression, metadata.license_files) == ("MIT", ["LICENSE"])
    assert {str(each) for each in metadata.requires_dist or []} == {
        str(Requirement(each)) for each in PROJECT["dependencies"]
    }
    assert metadata.project_urls in (None, {})


def test_the_command_is_the_module(installed: Path) -> None:
    scripts = ConfigParser()
    scripts.read(installed / INFO / "entry_points.txt")
    ((name, place),) = scripts["console_scripts"].items()
    assert name == "gem-courier"
    assert EntryPoint(name, place, "console_scripts").load() is command_line.run


def test_the_version_is_one(installed: Path) -> None:
    """Installed, and from the checkout, where nothing is installed by that name."""
    for done in (command(installed, "--version"), from_the_checkout("--version")):
        assert (done.returncode, done.stdout, done.stderr) == (0, f"gem-courier {VERSION}\n", "")


@pytest.mark.parametrize(("name", "version"), [("gem-courier", "9.8.7"), ("of-another", VERSION)])
def test_a_checkout_comes_before_what_is_installed(
    installed: Path, name: str, version: str
) -> None:
    """A pyproject.toml beside the package is a checkout's only where it has our name."""
    (installed / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "9.8.7"\n')
    assert command(installed, "--version").stdout == f"gem-courier {version}\n"


def test_a_version_that_cannot_be_printed_is_none() -> None:
    with Path("/dev/full").open("w") as full:
        done = from_the_checkout("--version", stdout=full)
    error = "gem-courier: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, error)


def test_its_help_names_it(installed: Path) -> None:
    """However it was started."""
    for done in (command(installed, "--help"), from_the_checkout("--help")):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: gem-courier [-h] [--version] COMMAND ...\n")


def test_it_audits_and_draws(installed: Path, tmp_path: Path) -> None:
    """The page comes from a template, which is no module."""
    output, page = write(tmp_path, matched_table()).path, tmp_path / "page.html"
    done = command(installed, "audit", output, "--html", page)
    assert (done.returncode, done.stderr) == (0, f"the page was written to {page}\n")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert command(installed, "audit", "absent").returncode == COULD_NOT


def test_the_backend_is_built_with_as_it_is_tested() -> None:
    """Whoever installs gets a backend of the range that the lock was made from."""
    wanted = PYPROJECT["build-system"]["requires"]
    assert [each for each in PYPROJECT["dependency-groups"]["dev"] if each in wanted] == wanted
