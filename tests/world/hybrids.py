"""Hybrids: jobs whose answers and files mix the words of every generation, and of none.

A seed is a hybrid. `hybrid_runs` takes it through the pure core.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from gem_core.errors import GemAnswerError, GemError, GemJobNotFound, GemUnavailable
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.figures import OLDEST
from tests.builders import JOB

CONTRACTS = (*known.CONTRACTS.values(),)
INVENTED = {
    "job_id": "run", "storage_id": "store", "input_name": "source", "output_name": "target",
    "matching_type": "task", "overture_release": "base", "created_at": "began", "status": "state",
    "statistics": "numbers", "progress": "done", "modified_at": "touched", "message": "why",
}  # fmt: skip
INVENTED_WORDS = ("waiting", "ready", "Finished", "success", "stopped", "FAIL")
NUMBER = "123456789"


@dataclass(frozen=True)
class Hybrid:
    """One job."""

    job_run_id: str
    answer: dict[str, Any] | GemError
    """GEM's last answer, or what every question about the job meets."""
    files: dict[str, tuple[str, ...]]
    """The files in the storage, by name: their columns."""
    sources: frozenset[str]
    """The generations whose words can be seen in the answer."""


def hybrid(seed: int) -> Hybrid:
    """Make one."""
    random = Random(seed)
    job_run_id = random.choice((JOB, NUMBER))
    if random.random() < 0.1:
        error = random.choice(
            (GemAnswerError("GEM answered 410"), GemAnswerError("GEM answered 400"),
             GemAnswerError("GEM answered 200 with something that is not JSON"),
             GemUnavailable("GEM answered 500"), GemJobNotFound("404"))
        )  # fmt: skip
        return Hybrid(job_run_id, error, {}, frozenset())
    answer, sources = _answer(random, job_run_id)
    return Hybrid(job_run_id, answer, dict(_files(random, answer)), frozenset(sources))


def _answer(random: Random, job_run_id: str) -> tuple[dict[str, Any], set[str]]:
    base = random.choice(CONTRACTS)
    strays = random.choice((0.0, 0.1, 0.5))
    """How many members come from elsewhere."""
    sources: set[str] = set()

    def of() -> Contract | None:
        """The contract of one member; None invents a name."""
        if random.random() >= strays:
            return base
        return random.choice((*CONTRACTS, None))

    answer: dict[str, Any] = {}
    input_name = random.choice(("roads.parquet", "a.b.parquet", "roads"))
    word, source = _word(random, of())
    values: dict[str, object] = {
        "job_id": int(NUMBER) if job_run_id == NUMBER and random.random() < 0.7 else job_run_id,
        "storage_id": "storage-001",
        "input_name": input_name,
        "output_name": random.choice(
            (base.output_name(input_name), *(each.output_name(input_name) for each in CONTRACTS),
             "predictions.parquet", None, 7)
        ),
        "matching_type": random.choice(("road", "ROAD_MATCHING", "LANE_LEVEL_MATCHING")),
        "overture_release": random.choice(("2026-01-21.0", "<latest-overture-release>", None)),
        "created_at": "2026-01-20T10:00:00Z",
        "progress": random.choice((None, 65, 140)),
        "modified_at": random.choice((None, "2026-01-20T10:25:00Z")),
        "message": random.choice((None, "no geometry")),
        "statistics": dict(_figures(random, of)),
    }  # fmt: skip
    for member, value in values.items():
        contract = base if member == "job_id" and random.random() < 0.9 else of()
        name = getattr(contract.members, member) if contract else INVENTED[member]
        if name and (value is not None or random.random() < 0.5):
            answer[name] = value
            if contract and value is not None and name not in _shared():
                sources.add(contract.name)
    for each in CONTRACTS:
        own = {*each.figures.names.values()} - _shared_figures()
        if any(value is not None for name, value in _read_figures(answer).items() if name in own):
            sources.add(each.name)
    if any(name in _read_figures(answer) for name in OLDEST.names.values()):
        sources.add(OLDEST.source)
    answer[INVENTED["status"] if random.random() < 0.02 else "status"] = word
    return answer, (sources | {source}) - {""}


@cache
def _shared() -> frozenset[str]:
    """Names that every contract has."""
    return frozenset.intersection(*(each.members.names for each in CONTRACTS))


@cache
def _shared_figures() -> frozenset[str]:
    return frozenset.intersection(*(frozenset(each.figures.names.values()) for each in CONTRACTS))


def _read_figures(answer: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = answer.get("statistics", {})
    return figures


def _word(random: Random, contract: Contract | None) -> tuple[str, str]:
    if contract is None:
        return random.choice(INVENTED_WORDS), "invented"
    words = contract.words.split(", ")
    word = random.choice((words[2], *words))
    is_shared = all(each.status(word) for each in CONTRACTS)
    return word, "" if is_shared else contract.name


def _figures(random: Random, of: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - the choice of a contract
    for statistic in CONTRACTS[0].figures.names:
        contract = of()
        if contract is None:
            continue
        share = random.choice(("75%", "75.00%", 0.75, 75, "150%", 1.5, None, "many", True))
        count: object = random.choice((12, 60, 12.0, -1, "12"))
        yield contract.figures.names[statistic], share if "Share" in statistic else count
    for name in OLDEST.names.values():
        if random.random() < 0.1:
            yield name, random.choice((12, 75.0, 950, "75%", True))


_COLUMNS = (
    "id", "gers_id", "match_confidence", "match_status", "gers", "confidence", "lr_id", "lr_gers",
    "match_type", "linear_ref_start", "linear_ref_end", "overture_release", "traceId",
    "mapRevisionId", "roads", "road", "entity", "geometry",
)  # fmt: skip
_LAYOUTS = (
    ("id", "geometry", "gers_id", "match_confidence", "match_status"),
    ("id", "gers", "confidence", "lr_id", "lr_gers"),
    ("id", "gers_id", "confidence", "match_type", "linear_ref_start", "linear_ref_end"),
    ("traceId", "mapRevisionId", "roads"),
    ("road", "entity"),
)


def _files(random: Random, answer: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = [value for value in answer.values() if isinstance(value, str) and "." in value]
    for name in {*names, "roads_matched.parquet", "roads.results.parquet", "predictions.parquet"}:
        if random.random() < 0.5:
            columns = [*random.choice(_LAYOUTS)]
            if random.random() < 0.3:
                columns.remove(random.choice(columns))
            columns += random.sample(_COLUMNS, random.choice((0, 0, 0, 1, 3)))
            yield name, tuple(dict.fromkeys(columns))
