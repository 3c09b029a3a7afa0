"""Whole ticks with the real client and the real token, while GEM answers badly over HTTP."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from typing import override
from urllib.parse import unquote

import pytest
from azure.core.credentials import AccessToken

from gem_core.errors import GemAccessError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.check_one import MAX_CHECK_TIME
from gem_core.flows.checker import Checker
from gem_core.gem.client import GemClient
from gem_core.gem.token import IdentityToken
from gem_core.secret import Secret
from gem_core.watch.record import Settlement, Stage
from tests.builders import JOB, World, answer, finished
from tests.fakes import START
from tests.gem.server import Asked, Reply, ScriptedServer

IDS = [f"job-{number}" for number in range(24)]
CONCURRENCY = 8

type Answer = Callable[[str, int, Asked], Reply]
"""From the job, the number of the request (all jobs, from 0) and the request."""


class Gem(ScriptedServer):
    """Answers each request by a function, one at a time."""

    def __init__(self, answer_: Answer) -> None:
        super().__init__()
        self._answer = answer_
        self._lock = Lock()
        self._count = 0

    @override
    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            self._count += 1
            return self._answer(self.job(asked), self._count - 1, asked)

    @staticmethod
    def job(asked: Asked) -> str:
        return unquote(asked.path.rpartition("/")[2])

    def times(self) -> Counter[str]:
        """How often each job was asked about."""
        return Counter(map(self.job, self.asked))


class Entra:
    """Gives the tokens t1, t2, …, one a call."""

    def __init__(self) -> None:
        self.fetched = 0

    def get_token(self, *_: str, **__: object) -> AccessToken:
        self.fetched += 1
        expires_on = int((START + timedelta(days=1)).timestamp())
        return AccessToken(f"t{self.fetched}", expires_on)


def reply_with(job_run_id: str, body: Mapping[str, object]) -> Reply:
    return Reply(body=json.dumps({"jobRunId": job_run_id, **body}).encode())


@contextmanager
def ticking(*job_run_ids: str, gem: Answer) -> Iterator[tuple[World, Checker, Gem, Entra]]:
    """A world of registered jobs, whose GEM is a server."""
    world, entra = World(concurrency=CONCURRENCY), Entra()
    world.add(*job_run_ids)
    token = IdentityToken(lambda: entra, "https://gem/.default", clock=world.clock)
    with (
        Gem(gem) as server,
        GemClient(server.url, api_key=Secret("key"), token=token) as client,
    ):
        yield world, replace(world.checker, gem=client), server, entra


def test_a_series_of_every_error_delays_jobs_and_ends_none() -> None:
    """Each job gets them in another order; then GEM recovers."""
    problems = [
        Reply(500),
        Reply(502, b"<html>Bad Gateway</html>"),
        Reply(503, headers={"Retry-After": "soon"}),
        Reply(504),
        Reply(429),
        Reply(200, b"<html>Sign in</html>"),
        Reply(200, b'["a list"]'),
        Reply(200, b"{}", cut=1),
        Reply(302, headers={"Location": "https://elsewhere.example/"}),
    ]
    asked_twice = 3
    """What may be an answer of another contract: HTML, a list, a redirect."""
    ticks = [0]

    def gem(job: str, _: int, __: Asked) -> Reply:
        if ticks[0] == len(problems):
            return reply_with(job, finished())
        return problems[(ticks[0] + IDS.index(job)) % len(problems)]

    with ticking(*IDS, gem=gem) as (world, checker, server, _):
        for number in range(len(problems)):
            assert check_jobs(checker).problems == len(IDS)
            records = [world.record(job) for job in IDS]
            assert {record.failures for record in records} == {number + 1}
            assert {record.stage for record in records} == {Stage.WATCHING}
            world.clock.move(world.policy.check_max)
            ticks[0] += 1
        assert check_jobs(checker).settled == len(IDS)
        assert set(server.times().values()) == {len(problems) + asked_twice + 1}
    assert {world.record(job).settlement for job in IDS} == {Settlement.FINISHED}


@pytest.mark.parametrize("status", [429, 503])
def test_gem_is_left_alone_for_as_long_as_it_asks(status: int) -> None:
    replies = [Reply(status, headers={"Retry-After": "1800"}), reply_with(JOB, finished())]
    with ticking(JOB, gem=lambda _, number, __: replies[number]) as (world, checker, server, _):
        check_jobs(checker)
        world.clock.move(minutes=29)
        check_jobs(checker)
        assert len(server.asked) == 1
        world.clock.move(minutes=1)
        assert check_jobs(checker).settled == 1


def test_a_token_that_expires_in_the_middle_of_a_tick_is_fetched_once() -> None:
    """All running questions are refused at once; none is lost, and none counts as failed."""

    def gem(job: str, number: int, asked: Asked) -> Reply:
        dead = number >= 10 and asked.headers["authorization"] == "Bearer t1"
        return Reply(401) if dead else reply_with(job, answer("running"))

    with ticking(*IDS, gem=gem) as (world, checker, _, entra):
        tick = check_jobs(checker)
    assert (tick.checked, tick.problems, tick.remaining) == (len(IDS), 0, 0)
    assert entra.fetched == 2
    assert {world.record(job).failures for job in IDS} == {0}


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_revoked_in_the_middle_of_a_tick(status: int) -> None:
    """Earlier answers are kept; the other jobs are asked about later.

    Jobs that were refused come a little later: the refusal may be about one of them alone, and
    while answers still arrive, it looks so.
    """
    good = [10]

    def gem(job: str, number: int, _: Asked) -> Reply:
        return Reply(status) if number >= good[0] else reply_with(job, answer("running"))

    with ticking(*IDS, gem=gem) as (world, checker, _, __):
        with pytest.raises(GemAccessError, match=str(status)):
            check_jobs(checker)
        records = [world.record(job) for job in IDS]
        assert len([one for one in records if one.times_checked and not one.failures]) == good[0]
        good[0] = 10_000
        for _ in range(3):
            check_jobs(checker)
            world.clock.move(MAX_CHECK_TIME)
        records = [world.record(job) for job in IDS]
        assert all(one.times_checked and not one.failures for one in records)


def test_a_404_that_comes_and_goes_loses_no_job() -> None:
    """Each half of an hour; the job would be lost after an hour of nothing else."""
    gone, there = Reply(404), reply_with(JOB, answer("running"))
    replies = [gone, gone, there, gone, gone, there, gone, reply_with(JOB, finished())]
    with ticking(JOB, gem=lambda _, __, ___: replies[0]) as (world, checker, _, __):
        while len(replies) > 1:
            check_jobs(checker)
            assert world.record().stage is Stage.WATCHING
            replies.pop(0)
            world.clock.move(minutes=30)
        check_jobs(checker)
    assert world.record().settlement is Settlement.FINISHED


def test_a_job_that_ended_is_not_asked_about_again() -> None:
    replies = [reply_with(JOB, finished()), reply_with(JOB, answer("running"))]
    with ticking(JOB, gem=lambda _, number, __: replies[number]) as (world, checker, server, _):
        for _ in range(4):
            check_jobs(checker)
            world.clock.move(hours=1)
        assert len(server.asked) == 1
    assert world.record().settlement is Settlement.FINISHED


@pytest.mark.parametrize(
    ("wrong", "drift"),
    [
        ({"status": "paused"}, "paused"),
        ({"progress": 140}, "140"),
        ({"progress": "65%"}, "progress"),
        ({"createdAt": "yesterday"}, "createdAt"),
    ],
)
def test_a_wrong_member_is_logged_and_the_job_goes_on(
    wrong: dict[str, object], drift: str, caplog: pytest.LogCaptureFixture
) -> None:
    replies = [reply_with(JOB, answer("running") | wrong), reply_with(JOB, finished())]
    with ticking(JOB, gem=lambda _, number, __: replies[number]) as (world, checker, _, __):
        assert check_jobs(checker).problems == 0
        assert world.record().failures == 0
        (line,) = [one for one in caplog.messages if '"job_drifted"' in one]
        assert drift in line
        world.clock.move(world.policy.check_max)
        assert check_jobs(checker).settled == 1


@pytest.mark.parametrize(
    "allowed",
    [
        {"createdAt": "2026-01-20T10:00:00", "modifiedAt": "2026-01-20T10:00:00"},
        {"region": "EU", "warnings": [None, {"a": []}]},
        dict.fromkeys(("inputFileName", "progress", "createdAt", "modifiedAt", "statistics")),
    ],
    ids=["no zone", "unknown members", "nulls"],
)
def test_what_the_page_leaves_open_is_not_drift(
    allowed: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with ticking(JOB, gem=lambda job, *_: reply_with(job, answer("running") | allowed)) as (
        world,
        checker,
        _,
        __,
    ):
        assert check_jobs(checker).problems == 0
    assert "job_drifted" not in caplog.text
    assert world.record().failures == 0
