"""A quarter of storage's answers to writes is withheld: a sample of `tests.world.lost_answers`."""

from unittest.mock import patch

import pytest

from gem_core.storage.blob_documents import BlobDocuments
from tests.world.campaign import quiet
from tests.world.lost_answers import LostAnswers

JOBS = 12


def run(withheld: float) -> LostAnswers:
    with quiet():
        return LostAnswers(jobs_count=JOBS, withheld=withheld).run()


@pytest.mark.parametrize("withheld", [0.0, 0.25])
def test_withheld_answers_lose_nothing_and_leave_nothing_behind(withheld: float) -> None:
    world = run(withheld)
    assert len(world.sent_at) == JOBS
    assert (world.lost_answers > 0) == (withheld > 0)
    assert not any(world.faults.values())


def test_without_the_recognition_of_own_writes_there_are_faults() -> None:
    with patch.object(BlobDocuments, "_etag_of_write", lambda *_: None):
        assert any(run(0.25).faults.values())
