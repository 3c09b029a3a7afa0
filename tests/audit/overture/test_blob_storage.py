"""Overture in a blob service, as the app reads it: listed in pages, anonymous, by ranges."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.blob_storage import BlobStorage
from gem_core.audit.overture.listing import find_release, newest
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.release import NoRelease, Release
from tests.audit.build import PROMISES, write
from tests.audit.overture.world import AFTER, BEFORE, RELEASE, Truth, build, output, roads
from tests.gem.server import Reply, ScriptedServer


@pytest.fixture
def service(azurite: Azurite) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as client:
        yield client


def upload(service: BlobServiceClient, folder: Path) -> None:
    for container in ("changelog", "registry"):
        target = service.get_container_client(container)
        if not target.exists():
            target.create_container()
        for path in sorted((folder / container).rglob("*.parquet")):
            name = path.relative_to(folder / container).as_posix()
            target.upload_blob(name, path.read_bytes(), overwrite=True)


def test_planted_truths_are_found_in_a_blob_service(
    service: BlobServiceClient, tmp_path: Path
) -> None:
    planted = roads([*Truth] * 3)
    upload(service, build(tmp_path, planted))
    storage = BlobStorage(service.get_container_client)
    assert newest(storage) == AFTER
    release = find_release(storage, RELEASE)
    assert isinstance(release, Release)
    source = write(tmp_path, output(planted))
    found = look_up(source, PROMISES, release, OvertureLimits(), IdLimits())
    assert (found.removed.count, found.outside.count, found.unknown.count) == (3, 6, 6)
    assert (found.other_type.count, found.elsewhere.count, found.open_rows) == (3, 3, 0)
    changelog = service.get_container_client("changelog")
    changelog.upload_blob(release.files[0].name, b"replaced", overwrite=True)
    found = look_up(source, PROMISES, release, OvertureLimits(), IdLimits())
    assert "was replaced or deleted while it was read" in found.how_far
    assert found.unknown.count == 0


def test_a_list_that_goes_on_with_other_names_is_no_list() -> None:
    """The SDK asks for the next page with the prefix that the last page names."""
    page = (
        b"<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Blobs><Blob><Name>%s</Name>"
        b"<Properties><Etag>1</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType>"
        b"<Last-Modified>Tue, 20 Jan 2026 10:25:00 GMT</Last-Modified></Properties></Blob></Blobs>"
        b"<NextMarker>%s</NextMarker></EnumerationResults>"
    )
    name = b"%s/theme=transportation/type=segment/change_type=unchanged/a.parquet"
    pages = [
        Reply(200, page % (name % day, more), {"Content-Type": "application/xml"})
        for day, more in ((RELEASE.encode(), b"more"), (BEFORE.encode(), b""))
    ]
    with ScriptedServer(*pages) as server, BlobServiceClient(server.url) as client:
        found = find_release(BlobStorage(client.get_container_client), RELEASE)
    assert isinstance(found, NoRelease)
    assert "the list has other names" in found.reason


def test_a_service_that_refuses_is_a_reason(azurite: Azurite) -> None:
    with BlobServiceClient(azurite.blob_uri) as anonymous:
        found = find_release(BlobStorage(anonymous.get_container_client), RELEASE)
    assert isinstance(found, NoRelease)
    assert "403" in found.reason
    assert found.may_pass
