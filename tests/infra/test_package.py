"""What is deployed is small enough to be uploaded and started; `make infra-check` shows sizes."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from tests.infra.contract import ROOT
from tests.infra.package import installed_bytes, uploaded

MIB = 1024 * 1024


def test_the_upload_is_the_source_alone(tmp_path: Path) -> None:
    names = uploaded(ROOT)
    with ZipFile(tmp_path / "app.zip", "w", ZIP_DEFLATED) as package:
        for name in names:
            package.write(ROOT / name, name)
    size = (tmp_path / "app.zip").stat().st_size
    print(f"\nupload: {len(names)} files, {size / 1024:.0f} KiB zipped")  # noqa: T201 - shown by make infra-check
    assert size < MIB


def test_what_azure_installs_is_known() -> None:
    """Its cold start reads it from storage; a new dependency that doubles it should be seen."""
    sizes = sorted(installed_bytes().items(), key=lambda item: -item[1])
    total = sum(size for _, size in sizes)
    largest = ", ".join(f"{name} {size / MIB:.0f}" for name, size in sizes[:5])
    print(f"\ninstalled: {len(sizes)} packages, {total / MIB:.0f} MiB ({largest})")  # noqa: T201 - as above
    assert {"pyarrow", "azure-functions"} <= dict(sizes).keys()
    assert total < 400 * MIB
