"""A quarter of storage's answers to writes is withheld: a sample of `tests.world.lost_answers`."""

from unittest.mock import patch

import pytest

from gem_core.storage.blob_documents import BlobDocuments
from tests.world.campaign import quiet
from tests.world.lost_answers import LostAnswers

JOBS = 12


def faults(withheld: float) -> dict[str, int]:
    with quiet():
        world = LostAnswers(jobs_count=JOBS, withheld=withheld).run()
    assert len(world.sent_at) == JOBS
    assert (world.lost_answers > 0) == (withheld > 0)
    return {name: count for name, count in world.faults.items() if count}


@pytest.mark.parametrize("withheld", [0.0, 0.25])
def test_withheld_answers_lose_nothing_and_leave_nothing_behind(withheld: float) -> None:
    assert faults(withheld) == {}


def test_without_the_recognition_of_own_writes_there_are_faults() -> None:
    with patch.object(BlobDocuments, "_etag_of_write", lambda *_: None):
        assert faults(0.25)
