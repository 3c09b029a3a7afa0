"""What is missing, broken or too much is no verdict of the advice, and the reason is named."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from devkit.overture import changelog_folder
from gem_core.advice.advise import Means, Output, advise
from gem_core.advice.result import State as Known
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.listing import Folder
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputUnreachable, RequestError
from tests.advice.three_releases import AFTER, AWAY, BEFORE, BETWEEN, NEW, PLANTED, ROADS, THREE
from tests.advice.world import FIRST, OLD, SECOND, advised, output, publish


@dataclass(frozen=True)
class Refusing:
    """A storage that refuses a list."""

    path: Path
    refused: str

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        return self._unless_refused(prefix) or Folder(self.path).files(container, prefix)

    def folders(self, container: str) -> Sequence[str]:
        return self._unless_refused(container) or Folder(self.path).folders(container)

    def _unless_refused(self, name: str) -> Sequence[Any]:
        if name.startswith(self.refused):
            raise OutputUnreachable("403")
        return ()


def test_a_refused_list_is_no_verdict(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    means, outputs = Means(OvertureLimits(), IdLimits()), [output(tmp_path, ROADS, OLD)]
    (advice,) = advise(outputs, SECOND, Refusing(tmp_path, FIRST), means)
    assert advice.state is Known.NOT_VERIFIABLE
    assert advice.reason == (
        f"the changelog of {FIRST} cannot be used: Overture's changelog cannot be listed: 403"
    )
    with pytest.raises(OutputUnreachable, match="403"):
        advise(outputs, SECOND, Refusing(tmp_path, "changelog"), means)


def not_verifiable(root: Path, *outputs: Output, limits: OvertureLimits | None = None) -> list[str]:
    advice, ids = advised(root, outputs, limits=limits)
    assert {each.state for each in advice} == {Known.NOT_VERIFIABLE}
    assert not ids.found
    assert not any(each.figures for each in advice)
    return [each.reason for each in advice]


def test_a_release_that_is_missing_between_two_is_noticed_by_counts(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    shutil.rmtree(tmp_path / "changelog" / FIRST)
    (reason,) = not_verifiable(tmp_path, output(tmp_path, ROADS, OLD))
    assert reason == (
        f"release {OLD} has 9 segments, and the changelog of {SECOND} is against a release of 8: "
        "one between them is missing, or not whole"
    )


@pytest.mark.parametrize("part", ["removed", "data_changed", "unchanged", "added"])
def test_a_part_that_is_missing_is_noticed(tmp_path: Path, part: str) -> None:
    publish(tmp_path, THREE)
    shutil.rmtree(changelog_folder(tmp_path, SECOND, part))
    first, second = (output(tmp_path, ROADS, name, f"{name}.parquet") for name in (OLD, FIRST))
    for reason in not_verifiable(tmp_path, first, second):
        assert part in reason or "is missing, or not whole" in reason


def test_a_part_may_be_absent_if_the_next_release_proves_that_it_is_empty(tmp_path: Path) -> None:
    between = {id_: columns for id_, columns in BETWEEN.items() if id_ != NEW}
    publish(tmp_path, {OLD: BEFORE, FIRST: between, SECOND: AFTER})
    shutil.rmtree(changelog_folder(tmp_path, FIRST, "added"))
    _, ids = advised(tmp_path, [output(tmp_path, ROADS, OLD)])
    assert ids.of(0) == PLANTED


@pytest.mark.parametrize("part", ["removed", "data_changed", "added"])
def test_a_file_that_is_missing_is_noticed_by_the_next_release(tmp_path: Path, part: str) -> None:
    publish(tmp_path, THREE)
    next(changelog_folder(tmp_path, FIRST, part).iterdir()).unlink()
    (reason,) = not_verifiable(tmp_path, output(tmp_path, ROADS, OLD))
    assert "is missing, or not whole" in reason


def test_a_broken_changelog_touches_only_those_that_need_it(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    for path in changelog_folder(tmp_path, FIRST, "added").iterdir():
        data = bytearray(path.read_bytes())
        data[4:60] = bytes(56)  # the footer stays as it is
        path.write_bytes(data)
    old = output(tmp_path, ROADS, OLD, "old.parquet")
    first = output(tmp_path, [AWAY], FIRST, "first.parquet")
    advice, ids = advised(tmp_path, [old, first])
    assert [each.state for each in advice] == [Known.NOT_VERIFIABLE, Known.OUTDATED]
    assert f"the changelog of {FIRST} could not be read" in advice[0].reason
    assert ids.of(0) == {}


def test_a_truncated_file_is_no_verdict(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    path = next(changelog_folder(tmp_path, FIRST, "unchanged").iterdir())
    path.write_bytes(path.read_bytes()[:-20])
    (reason,) = not_verifiable(tmp_path, output(tmp_path, ROADS, OLD))
    assert f"the changelog of {FIRST} cannot be used" in reason


def test_files_that_come_while_they_are_read_are_noticed(tmp_path: Path) -> None:
    publish(tmp_path, THREE)

    def add(step: str) -> None:
        if step == f"reading the changes of {FIRST}":
            folder = changelog_folder(tmp_path, FIRST, "removed")
            shutil.copy(next(folder.iterdir()), folder / "part-9.parquet")

    (advice,), _ = advised(tmp_path, [output(tmp_path, ROADS, OLD)], on_step=add)
    assert advice.state is Known.NOT_VERIFIABLE
    assert "files were added, removed or replaced meanwhile" in advice.reason


def test_what_would_be_too_much_is_not_read(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    limits = OvertureLimits(max_bytes=1)
    (reason,) = not_verifiable(tmp_path, output(tmp_path, ROADS, OLD), limits=limits)
    assert "--overture-max allows" in reason


def test_outputs_that_cannot_be_read_do_not_touch_the_others(tmp_path: Path) -> None:
    publish(tmp_path, THREE)

    def away() -> Source:
        raise OutputUnreachable("no answer")

    good, text = output(tmp_path, ROADS, OLD), output(tmp_path, ROADS, OLD, "text.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet")
    outputs = [
        replace(good, open=away),
        replace(good, release=None),
        replace(good, release="latest"),
        replace(good, release="2020-01-01.0"),
        good,
        text,
    ]
    advice, ids = advised(tmp_path, outputs)
    assert [each.reason for each in advice[:4]] == [
        "no answer",
        "its Overture release is not known",
        "its Overture release is not known",
        f"there is no changelog before that of {OLD}",
    ]
    assert ids.of(4) == PLANTED
    assert advice[5].reason.startswith("text.parquet is not readable Parquet")


def test_a_release_without_a_changelog_is_an_error(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    with pytest.raises(RequestError, match=f"2026-05-20.1'; the newest is {SECOND}"):
        advised(tmp_path, [output(tmp_path, ROADS, OLD)], "2026-05-20.1")
