"""GEM as a life of its own: what each job is like at which moment, whoever asks."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from gem_core.errors import GemJobNotFound
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import IMPOSSIBLE_JOB, GemJob
from tests.builders import answer

type Word = str
"""A status, or NOT_FOUND for an answer 404."""
NOT_FOUND = "404"


@dataclass(frozen=True, slots=True)
class Write:
    """One writing of an output."""

    at: float
    """Seconds after the start of the world."""
    outcome: str
    """What the audit will say of it."""


@dataclass(frozen=True, slots=True)
class Life:
    """One job at GEM."""

    job_run_id: str
    input_name: str
    """The output is named after it, so two jobs on one input share their output."""
    words: tuple[tuple[float, Word], ...]
    """From which second on GEM says what."""
    writes: tuple[Write, ...] = ()

    @property
    def output_name(self) -> str:
        """By the documented pattern."""
        return self.input_name.replace(".parquet", "_matched.parquet")

    def word_at(self, seconds: float) -> Word:
        """What GEM says of it then."""
        number = bisect_right(self.words, seconds, key=lambda step: step[0])
        return self.words[max(number - 1, 0)][1]

    @property
    def ends(self) -> bool:
        """Whether GEM's last word ends the job."""
        return self.words[-1][1] in {NOT_FOUND, "finished", "failed", "cancelled"}

    @property
    def settled_by(self) -> float:
        """When GEM's answers no longer change."""
        return max(step[0] for step in self.words)


class LivingGem:
    """Answers by the clock. Keeps what it said, so that nobody can claim anything else."""

    def __init__(self, lives: Mapping[str, Life], seconds: Callable[[], float]) -> None:
        self._lives = lives
        self._seconds = seconds
        self.said: dict[str, set[Word]] = {job_run_id: set() for job_run_id in lives}

    contracts = (X_VERSION_1,)

    def list_jobs(self, contract: Contract = X_VERSION_1) -> Sequence[GemJob]:
        """Every job that GEM does not answer 404 about."""
        words = {life: life.word_at(self._seconds()) for life in self._lives.values()}
        return [
            self._answer(life, word, contract) for life, word in words.items() if word != NOT_FOUND
        ]

    def get_job(self, job_run_id: str, contract: Contract = X_VERSION_1) -> GemJob:
        """What GEM says of the job now."""
        if job_run_id == IMPOSSIBLE_JOB:
            raise GemJobNotFound("404")
        life = self._lives[job_run_id]
        now = self._seconds()
        word = life.word_at(now)
        self.said[job_run_id].add(word)
        if word == NOT_FOUND:
            raise GemJobNotFound("404")
        return self._answer(life, word, contract)

    def _answer(self, life: Life, word: Word, contract: Contract) -> GemJob:
        job_run_id, now = life.job_run_id, self._seconds()
        body = answer(word, jobRunId=job_run_id, inputFileName=life.input_name, **_more(life, word))
        if word == "running":
            body["progress"] = min(99, round(100 * now / max(life.settled_by, 1)))
        return known.read(body, job_run_id=job_run_id, asked_in=contract)


def _more(life: Life, word: Word) -> dict[str, Any]:
    return {"outputFileName": life.output_name} if word == "finished" else {}


OUTCOMES = (
    "valid",
    "valid_with_warnings",
    "invalid",
    "not_audited",
    "output_missing",
    "failed",
    "cancelled",
    "lost",
    "expired",
)
_AUDITED = OUTCOMES[:4]


def plain_life(job_run_id: str, input_name: str, outcome: str, ends_at: float) -> Life:
    """A life without surprises that leads to this outcome."""
    if outcome in {"failed", "cancelled"}:
        return Life(job_run_id, input_name, ((0, "running"), (ends_at, outcome)))
    if outcome == "lost":
        return Life(job_run_id, input_name, ((0, "running"), (ends_at, NOT_FOUND)))
    if outcome == "expired":
        return Life(job_run_id, input_name, ((0, "running"),))
    written = () if outcome == "output_missing" else (Write(ends_at - 1, outcome),)
    return Life(job_run_id, input_name, ((0, "running"), (ends_at, "finished")), written)


def random_life(job_run_id: str, input_name: str, random: Random) -> Life:
    """Any life: spells of 404, words that nobody knows, an end that is taken back."""
    ends_at = random.uniform(60, 2400)
    plain = plain_life(job_run_id, input_name, random.choice(OUTCOMES), ends_at)
    words = list(plain.words)
    begun = random.uniform(0, ends_at / 2)
    if random.random() < 0.3:
        words[:1] = [(0.0, "queued"), (begun, "running")]
    if random.random() < 0.2:
        words[-1:-1] = _spell(random, begun, ends_at, NOT_FOUND)
    if random.random() < 0.1:
        words[-1:-1] = _spell(random, begun, ends_at, "on_hold")
    if random.random() < 0.2 and plain.words[-1][1] in {"finished", "failed", "cancelled"}:
        back = random.choice(("running", NOT_FOUND, "failed", "finished", "rolled_back"))
        words.append((ends_at + random.uniform(10, 600), back))
        words.append((words[-1][0] + random.uniform(10, 600), plain.words[-1][1]))
    words.sort(key=lambda step: step[0])
    return Life(job_run_id, input_name, tuple(words), _writes(plain, random, ends_at))


def _spell(random: Random, begun: float, ends_at: float, word: Word) -> list[tuple[float, Word]]:
    """Something else than `running` for a while."""
    at = random.uniform(begun, ends_at)
    return [(at, word), (random.uniform(at, ends_at), "running")]


def _writes(plain: Life, random: Random, ends_at: float) -> tuple[Write, ...]:
    """The output as it may really come: early, late, and more than once."""
    writes = []
    for write in plain.writes:
        at = ends_at + random.choice((-1, random.uniform(0, 120), random.uniform(0, 1200)))
        writes.append(Write(at, write.outcome))
        while random.random() < 0.3:
            at += random.expovariate(1 / 200)
            writes.append(Write(at, random.choice(_AUDITED)))
    return tuple(writes)
