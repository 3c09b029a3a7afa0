"""Checks of GERS ids against Overture itself. Pure.

All are warnings: what they rest on was gathered from documents, and an output with dead ids is
still what GEM wrote.
"""

from itertools import chain

from gem_core.audit.judging.check import WARNING, Missing, NotAsked, check
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.parts import rows
from gem_core.audit.judging.verdict import Judgement, failed, not_run, passed
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.rows.example import Example


def looked_up(facts: Facts) -> OvertureFacts:
    """What Overture says of the GERS ids."""
    if facts.overture is None:
        raise NotAsked("the ids are not looked up; GEM_OVERTURE or --overture asks for it")
    rows(facts)
    if facts.overture.problem:
        raise Missing(facts.overture.problem)
    return facts.overture


@check(WARNING, "Every GERS id is in the job's Overture release.", looked_up)
def gers_alive(found: OvertureFacts) -> Judgement:
    """An id of another type is alive: it breaks `gers_type`."""
    if not found.dead:
        return _unless_open(found)
    kinds = {
        "removed by it": found.removed,
        "older or newer by the registry": found.outside,
        "unknown in all of it": found.unknown,
    }
    words = ", ".join(f"{each.count} {word}" for word, each in kinds.items() if each.count)
    examples = sorted(chain.from_iterable(each.examples for each in kinds.values()), key=_row)
    detail = f"{found.dead} of {found.rows} rows have ids of no segment of release {found.release}"
    first = tuple(examples[: found.removed.keep])
    return failed(f"{detail}: {words}{_and_open(found)}", found.dead, first)


@check(WARNING, "Every GERS id is the id of a road segment.", looked_up)
def gers_type(found: OvertureFacts) -> Judgement:
    """Only the registry has the type of an id that no segment has."""
    if other := found.other_type.count:
        detail = f"{other} of {found.rows} rows have ids of another type{_and_open(found)}"
        return failed(detail, other, found.other_type.examples)
    if found.unknown.count and found.registry_note:
        return not_run(
            f"{found.unknown.count} of {found.rows} rows have ids of no segment; whether they are "
            f"of another type is not known: {found.registry_note}"
        )
    return _unless_open(found)


@check(WARNING, "Every GERS id is that of a segment at its own road.", looked_up)
def gers_in_place(found: OvertureFacts) -> Judgement:
    """The box of the segment meets that of the road, enlarged by 100 metres."""
    if away := found.elsewhere.count:
        detail = f"{away} of {found.rows} rows have segments that are not where the road is"
        return failed(f"{detail}{_and_open(found)}", away, found.elsewhere.examples)
    if found.without_place:
        return not_run(
            f"{found.without_place} of {found.rows} rows have a road or a segment without a "
            "readable place"
        )
    return _unless_open(found)


def _row(example: Example) -> int:
    return example.row or 0


def _unless_open(found: OvertureFacts) -> Judgement:
    if found.how_far:
        return not_run(f"{found.open_rows} of {found.rows} rows: {found.how_far}")
    return passed(f"{found.ids} ids of release {found.release}; {found.reading}")


def _and_open(found: OvertureFacts) -> str:
    return f"; {found.open_rows} more are not known: {found.how_far}" if found.how_far else ""


OVERTURE_CHECKS = (gers_alive, gers_type, gers_in_place)
