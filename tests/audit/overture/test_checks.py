"""The checks of ids in Overture: what each says of what was found."""

from dataclasses import replace
from pathlib import Path

import pytest

from gem_core.audit.audit import look_up_ids
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import AuditOptions, OvertureLimits
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.rows.offenders import Offenders
from gem_core.outcome import Outcome
from tests.audit.build import NO_SHARES, OVERTURE, audited, input_table, job, matched_table, write
from tests.audit.lines import detail
from tests.audit.overture.world import GOOD, RELEASE, Road, Truth, build, output, roads

ASKED = AuditOptions(overture=OvertureLimits())


def verdicts(report: Report) -> dict[str, Verdict]:
    return {line.name: line.verdict for line in report.checks if line.name in OVERTURE}


def looked_up(folder: Path, of: list[Road]) -> Report:
    report = audited(
        folder,
        source := write(folder, output(of)),
        of=job({**NO_SHARES, "num_roads_processed": len(of)}, overtureRelease=RELEASE),
        input_=input_table(len(of)),
        overture=ASKED.overture,
    )
    return look_up_ids(report, source, find_release(Folder(folder), RELEASE), ASKED)


def test_good_ids_pass_and_say_what_was_read(tmp_path: Path) -> None:
    of = roads([*GOOD] * 3)
    build(tmp_path, of)
    report = looked_up(tmp_path, of)
    assert set(verdicts(report).values()) == {Verdict.PASSED}
    assert detail(report, "gers_alive").startswith(f"18 ids of release {RELEASE}; ")
    assert report.not_looked_up == ""


def test_bad_ids_are_warnings_and_never_make_an_output_invalid(tmp_path: Path) -> None:
    of = roads([*Truth])
    build(tmp_path, of)
    report = looked_up(tmp_path, of)
    assert set(verdicts(report).values()) == {Verdict.FAILED}
    assert report.outcome is Outcome.VALID_WITH_WARNINGS
    assert detail(report, "gers_alive") == (
        f"5 of 13 rows have ids of no segment of release {RELEASE}: 1 removed by it, "
        "2 older or newer by the registry, 2 unknown in all of it"
    )


FOUND = OvertureFacts(release=RELEASE, rows=10, ids=10, reading="nothing")
ONE = Offenders(1)
OPEN = replace(FOUND, how_far="2 of 10 ids were not found in 3 of 9 groups: slow", open_rows=2)


@pytest.mark.parametrize(
    ("found", "alive", "kind", "in_place"),
    [
        (FOUND, "passed", "passed", "passed"),
        (replace(FOUND, removed=ONE), "failed", "passed", "passed"),
        (replace(FOUND, unknown=ONE), "failed", "passed", "passed"),
        (replace(FOUND, unknown=ONE, registry_note="none"), "failed", "not_run", "passed"),
        (replace(FOUND, other_type=ONE), "passed", "failed", "passed"),
        (replace(FOUND, elsewhere=ONE), "passed", "passed", "failed"),
        (replace(FOUND, without_place=1), "passed", "passed", "not_run"),
        (OPEN, "not_run", "not_run", "not_run"),
        (replace(OPEN, outside=ONE), "failed", "not_run", "not_run"),
        (OvertureFacts("no storage"), "not_run", "not_run", "not_run"),
    ],
)
def test_what_is_not_known_is_not_run(
    tmp_path: Path, found: OvertureFacts, alive: str, kind: str, in_place: str
) -> None:
    facts = replace(audited(tmp_path, matched_table()).facts, overture=found)
    report = judge(facts, bytes_read=0, requests=0)
    assert list(verdicts(report).values()) == [alive, kind, in_place]
    if found.how_far:
        assert found.how_far in detail(report, "gers_alive")


def test_without_a_release_the_reason_is_told(tmp_path: Path) -> None:
    source = write(tmp_path, matched_table())
    report = audited(tmp_path, source, overture=ASKED.overture)
    assert detail(report, "gers_alive") == "the look-up in Overture did not come to its end"
    assert report.not_looked_up
    told = look_up_ids(report, source, NoRelease("no name", may_pass=False), ASKED)
    assert detail(told, "gers_alive") == "no name"
    assert told.not_looked_up == ""


def test_an_error_of_ours_costs_the_look_up_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = roads([Truth.IN_PLACE] * 12)
    build(tmp_path, of)

    def fails(*_: object, **__: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("gem_core.audit.audit.look_up", fails)
    report = looked_up(tmp_path, of)
    assert detail(report, "gers_type") == "the look-up failed: KeyError: 'ours'"
    assert report.outcome is Outcome.VALID_WITH_WARNINGS  # as without the look-up
    assert isinstance(find_release(Folder(tmp_path), RELEASE), Release)
