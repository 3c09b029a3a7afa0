"""A stored page opens in a browser, and is not offered as a download."""

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from gem_core.deliver.outbox import Outbox
from gem_core.storage.blob_documents import BlobDocuments


@pytest.mark.parametrize("kind", ["html", "json"])
def test_what_the_storage_says_it_is(azurite: Azurite, kind: str) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client(f"stored-{kind}")
        container.create_container()
        documents = BlobDocuments(container)
        outbox = Outbox(events=documents, reports=documents, failures=documents)
        outbox.keep_report("job-1", {"id": "id-1"})
        outbox.keep_page("job-1", "id-1", "<!doctype html>é\ud800")
        stored = container.get_blob_client(f"job-1/id-1/report.{kind}").download_blob()
        assert stored.properties.content_settings.content_type == {
            "html": "text/html; charset=utf-8",
            "json": "application/json",
        }.get(kind)
        if kind == "html":
            assert stored.readall().decode() == "<!doctype html>é?"
