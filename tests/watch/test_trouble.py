"""Which jobs need attention, and which do not."""

from datetime import timedelta

import pytest

from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.trouble import OVERDUE_AFTER, TroubleKind, trouble
from tests.builders import job, new_record
from tests.fakes import START

LATER = START + timedelta(hours=3)
SOON = LATER + timedelta(seconds=1)
RECORD = new_record().due(SOON)
SETTLED = RECORD.settled(Settlement.FINISHED, START).ticket_raised()


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        RECORD.answered(job("running"), START),
        SETTLED,
        SETTLED.ticket_raised().delivered("valid", "id", START).due(START),  # type: ignore[arg-type] # only the stage counts
        RECORD.due(LATER - OVERDUE_AFTER),
        RECORD.not_answered("GEM answered 500", START).answered(job("queued"), LATER),
    ],
    ids=["new", "running", "settled", "delivered", "due", "recovered"],
)
def test_a_job_without_a_problem_is_not_in_trouble(record: JobRecord) -> None:
    assert trouble(record, LATER) is None


@pytest.mark.parametrize(
    ("record", "kind", "since", "words"),
    [
        (SETTLED.ticket_raised(), TroubleKind.UNDELIVERED, START, "raised 2 times"),
        (
            SETTLED.due(START),
            TroubleKind.UNDELIVERED,
            START,
            "raised once, due again at 2026-01-20 10:00",
        ),
        (new_record(), TroubleKind.OVERDUE, START, "no tick"),
        (
            RECORD.not_answered("GEM answered 500", START),
            TroubleKind.NOT_ANSWERED,
            START,
            "once: GEM answered 500",
        ),
        (RECORD.answered_not_found(START), TroubleKind.NOT_FOUND, START, "404 once"),
        (RECORD.answered(job("paused"), START), TroubleKind.UNKNOWN_STATUS, START, "'paused'"),
    ],
    ids=["undelivered", "unswept", "overdue", "not_answered", "not_found", "unknown_status"],
)
def test_a_job_with_a_problem_is_in_trouble_since_it_began(
    record: JobRecord, kind: TroubleKind, since: object, words: str
) -> None:
    found = trouble(record, LATER)
    assert found
    assert (found.kind, found.since) == (kind, since)
    assert words in found.problem


def test_a_due_job_is_overdue_only_after_a_while() -> None:
    record = new_record()
    assert trouble(record, START + OVERDUE_AFTER) is None
    assert trouble(record, START + OVERDUE_AFTER + timedelta(seconds=1))
