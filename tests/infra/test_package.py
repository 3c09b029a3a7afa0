"""What is deployed."""

import shutil
import subprocess

from tests.infra.contract import ROOT


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
