"""The text that is hashed into the id of a manifest: each version has one, and no two share one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gem_core.deliver.version import NotAudited, Version
from gem_core.outcome import Outcome
from tests.builders import new_record
from tests.fakes import START

LATER = START + timedelta(hours=1)
TEXTS = {
    Version.of_etag("0x8D"): '["output", "0x8D"]',
    Version.in_part("0x8D", None): '["in_part", "0x8D", null]',
    Version.in_part("0x8D", START): '["in_part", "0x8D", "2026-01-20T10:00:00+00:00"]',
    Version.not_audited("0x8D", NotAudited.LIMITS, None): '["not_audited", "0x8D", "limits", null]',
    Version.not_audited("0x8D", NotAudited.NEVER_ENDED, START): (
        '["not_audited", "0x8D", "never_ended", "2026-01-20T10:00:00+00:00"]'
    ),
    Version.changed(None): '["changed"]',
    Version.changed(START): '["changed", "2026-01-20T10:00:00+00:00"]',
    Version.refused(): '["refused"]',
    Version.output_missing(None): '["output_missing"]',
    Version.output_missing(START): '["output_missing", "2026-01-20T10:00:00+00:00"]',
    Version.of_settlement(Outcome.LOST): '["settlement", "lost"]',
}


@pytest.mark.parametrize("version", TEXTS)
def test_the_texts_are_fixed(version: Version) -> None:
    """With another text, listeners would get another id for a manifest that they have seen."""
    assert version.text == TEXTS[version]


def test_different_versions_have_different_texts() -> None:
    assert len({version.text for version in TEXTS}) == len(TEXTS)


def limits(etag: str, request: datetime | None) -> Version:
    return Version.not_audited(etag, NotAudited.LIMITS, request)


@pytest.mark.parametrize("made", [Version.in_part, limits])
def test_a_result_that_may_change_belongs_to_one_redelivery(
    made: Callable[[str, datetime | None], Version],
) -> None:
    versions = [made("1", None), made("1", START), made("1", LATER), made("2", START)]
    assert len(set(versions)) == len(versions)
    assert made("1", START) == made("1", START)


def test_an_id_belongs_to_a_registration_and_a_version() -> None:
    record = new_record("job-1")
    version = Version.of_etag("1")
    same = version.event_id(replace(record, tickets=7, redelivered_at=LATER))
    assert version.event_id(record) == same
    others = {
        version.event_id(new_record("job-2")),
        version.event_id(new_record("job-1", LATER)),
        Version.of_etag("2").event_id(record),
    }
    assert len(others | {same}) == 4
