"""A pass over old jobs on real storage: pages, their tokens, ETags and storage's own times."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.names import CONTAINERS, FAILURES, JOBS, OUTBOX, REPORTS, TICKETS, WORKLIST
from gem_core.watch.retention import Retention

pytestmark = pytest.mark.azurite
OPEN = "job-open"


@pytest.fixture
def stores(azurite: Azurite) -> Iterator[dict[str, BlobDocuments]]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        mark = uuid.uuid4().hex
        yield {
            name: BlobDocuments(service.create_container(f"{name}-{mark}")) for name in CONTAINERS
        }


def test_a_pass_page_by_page(stores: dict[str, BlobDocuments]) -> None:
    for job_run_id, stage in ((OPEN, "settled"), *((f"job-{n}", "delivered") for n in range(5))):
        stores[JOBS].put(f"{job_run_id}.json", b"{}", metadata={"stage": stage})
        stores[TICKETS].put(f"{job_run_id}.json", b"{}")
        stores[OUTBOX].put(f"{job_run_id}/1.json", b"{}")
        stores[REPORTS].put(f"{job_run_id}/1/report.json", b"{}")
        stores[FAILURES].put(f"{job_run_id}/1/failures-0.parquet", b"PAR1")
    stores[OUTBOX].append("delivered-2026-01.jsonl", b"{}\n")
    retention = Retention(
        stores.__getitem__, keep=-timedelta(minutes=1), look_back=timedelta(days=1), page_size=2
    )
    for _ in range(40):
        now = datetime.now(UTC)
        if place := retention.place(now):
            page = retention.page(place)
            for item in page.items:
                if retention.is_old(place, item):
                    retention.delete(place, item)
            retention.go_on(place, page, now)
    assert [item.name for item in stores[JOBS].every()] == [f"{OPEN}.json"]
    assert [item.name for item in stores[TICKETS].every()] == [f"{OPEN}.json"]
    assert [item.name for item in stores[OUTBOX].every()] == [f"{OPEN}/1.json"]
    assert [item.name for item in stores[REPORTS].every()] == [f"{OPEN}/1/report.json"]
    kept = [item.name for item in stores[FAILURES].every()]
    assert kept == [f"{OPEN}/1/failures-0.parquet"]
    removed = [item.name for item in stores[WORKLIST].every(prefix="removed/")]
    assert removed == [f"removed/job-{n}" for n in range(5)]
