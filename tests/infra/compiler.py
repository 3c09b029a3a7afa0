"""The real Bicep compiler: builds, lints and makes snapshots, without a network.

`bicep build` also lints. It exits with 0 although a member or a value does not fit the type of a
resource: that is a warning on standard error. So any word there is a fault.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

VERSION = "0.49.2"
"""What GitHub's CI installs. Snapshots of another version may differ in form."""

ENTRIES = ("infra/main.bicep", "infra/events.bicep", "infra/without-azd.bicepparam")
SNAPSHOTS = "tests/infra/snapshots"
PLACE = (
    "--subscription-id=00000000-0000-0000-0000-000000000000",
    "--location=westeurope",
)
"""Where a snapshot pretends to be deployed."""


_CAUSED_BY_ANOTHER = "BCP104"
"""A module has errors, which are told themselves."""


@cache
def found() -> str | None:
    """The compiler on the PATH; None when there is none."""
    return shutil.which("bicep")


def bicep(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the compiler, which reads no file of the user and sends nothing.

    Raises:
        LookupError: there is no compiler on the PATH.

    """
    command = found()
    if command is None:
        raise LookupError("bicep is not on the PATH")
    quiet = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "BICEP_TRACING_ENABLED": "false"}
    return subprocess.run(
        [command, *words], env=os.environ | quiet, capture_output=True, text=True, check=False
    )


def _said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the compiler has said. Silence with another exit code than 0 is a fault too."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines or ([f"exit code {done.returncode}"] if done.returncode else [])


def compiled(root: Path) -> list[str]:
    """Every file builds and lints without a word, by the rules of infra/bicepconfig.json.

    What is told is about the first of the entries that has a fault.
    """
    for entry in ENTRIES:
        step = "build-params" if entry.endswith("param") else "build"
        said = _said(bicep(step, str(root / entry), "--stdout"))
        lines = sorted({line.replace(f"{root}/", "") for line in said})
        if lines:
            return [line for line in lines if _CAUSED_BY_ANOTHER not in line] or lines
    return []


def snapshots(root: Path) -> list[str]:
    """What each set of parameters deploys is what its committed snapshot says.

    After a change that is meant, `python -m tests.infra.compiler` writes them anew.
    """
    return [
        f"{file.stem}: {line}"
        for file in sorted((root / SNAPSHOTS).glob("*.bicepparam"))
        for line in _said(bicep("snapshot", str(file), "--mode=validate", *PLACE))
    ]


def refusal(template: Path, parameters: str, folder: Path) -> str:
    """What a person reads who deploys these parameters; "" when they are accepted.

    Args:
        template: main.bicep.
        parameters: the lines of a .bicepparam file, without `using`.
        folder: an empty folder.

    """
    file = folder / "tried.bicepparam"
    file.write_text(f"using '{os.path.relpath(template, folder)}'\n{parameters}\n")
    return "\n".join(_said(bicep("snapshot", str(file), "--mode=overwrite", *PLACE)))


def main() -> None:
    """Write the snapshots anew."""
    root = Path(__file__).resolve().parents[2]
    for file in sorted((root / SNAPSHOTS).glob("*.bicepparam")):
        done = bicep("snapshot", str(file), "--mode=overwrite", *PLACE)
        print(file.stem, *(_said(done) or ["written"]))  # noqa: T201 - a command of ours


if __name__ == "__main__":
    main()
