"""Any record that the app may store."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from gem_core.gem.contracts.known import read_stored
from gem_core.gem.job import GemJob
from gem_core.moments import LAST_YEAR
from gem_core.outcome import Outcome
from gem_core.watch.attempts import Attempts, Postponement
from gem_core.watch.record import JobRecord, Settlement, Stage, StatusChange
from tests.builders import job, new_record
from tests.fakes import START

LATER = START + timedelta(minutes=5)
OPTIONAL = {"sentTo", "attempts", "beyondDeadline", "contract", "discovered"}
"""Members that a record may lack."""
LATEST = START + timedelta(minutes=9)


def _of_tomorrow(answer: dict[str, str]) -> GemJob:
    return read_stored(answer, job_run_id=new_record().job_run_id, contract="of-tomorrow")


_MOMENTS = st.datetimes(
    max_value=datetime(LAST_YEAR + 1, 1, 1) - timedelta(microseconds=1),  # noqa: DTZ001 - as `datetimes` wants it
    timezones=st.just(UTC),
)
_COUNTS = st.integers(0, 10**6)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_JOBS = st.builds(
    job,
    st.sampled_from(["queued", "running", "finished", "odd ✓"]),
    progress=st.none() | st.integers(0, 100) | st.just("65%"),
    region=_TEXTS,
)
ATTEMPTS = st.builds(
    Attempts,
    etag=_TEXTS,
    begun=_COUNTS,
    waits=st.dictionaries(_TEXTS, _MOMENTS, max_size=2),
    postponement=st.none()
    | st.builds(
        Postponement,
        since=_MOMENTS,
        times=_COUNTS,
        reason=_TEXTS,
        until=_MOMENTS,
        ends=st.none() | _MOMENTS,
    ),
)
RECORDS = st.builds(
    JobRecord,
    job_run_id=st.just(new_record().job_run_id),
    registered_at=_MOMENTS,
    due_at=_MOMENTS,
    stage=st.sampled_from(Stage),
    labels=st.dictionaries(_TEXTS, _TEXTS, max_size=3),
    expected_input_name=st.none() | _TEXTS,
    times_checked=_COUNTS,
    checked_at=st.none() | _MOMENTS,
    failures=_COUNTS,
    last_problem=st.none() | _TEXTS,
    not_found=_COUNTS,
    not_found_since=st.none() | _MOMENTS,
    job=st.none() | _JOBS | st.builds(_of_tomorrow, st.dictionaries(_TEXTS, _TEXTS, max_size=3)),
    history=st.lists(st.builds(StatusChange, _MOMENTS, _TEXTS), max_size=3).map(tuple),
    settlement=st.none() | st.sampled_from(Settlement),
    settled_at=st.none() | _MOMENTS,
    tickets=_COUNTS,
    attempts=ATTEMPTS,
    outcome=st.none() | st.sampled_from(Outcome),
    manifest_id=st.none() | _TEXTS,
    delivered_at=st.none() | _MOMENTS,
    redelivered_at=st.none() | _MOMENTS,
    extra=st.dictionaries(_TEXTS.map("later {}".format), st.none() | _TEXTS, max_size=2),
)
