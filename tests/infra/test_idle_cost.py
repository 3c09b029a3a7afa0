"""What an idle month costs: the lines of a tick, with the levels of host.json and without."""

import pytest

from bench.idle import DEFAULT, Idle, is_sent, levels_of_the_app, read_log

LOG = """\
00:00:01.000 INFO  [runner] Serving on http://127.0.0.1:1
00:00:02.000 INFO  [runner] Executing check_jobs (Id=1)
00:00:02.010 INFO  [check_jobs] {"event": "tick_started"}
00:00:02.020 INFO  [check_jobs] {"event": "tick_ended"}
00:00:02.030 INFO  [runner] Executed check_jobs (Succeeded, Id=1, Duration=30ms)
00:00:04.000 INFO  [runner] Executing check_jobs (Id=2)
00:00:04.010 INFO  [check_jobs] {"event": "tick_started"}
00:00:04.020 INFO  [check_jobs] {"event": "tick_ended"}
00:00:04.050 INFO  [runner] Executed check_jobs (Succeeded, Id=2, Duration=50ms)
00:00:06.000 INFO  [runner] Executing check_jobs (Id=3)
"""


def test_an_idle_tick_sends_at_most_half_of_the_lines() -> None:
    """host.json drops the host's two; the app's own two are what the alerts read."""
    idle = read_log(LOG)
    assert idle.seconds == [0.03, 0.05]
    assert (idle.lines(DEFAULT), idle.lines(levels_of_the_app())) == (4, 2)


@pytest.mark.parametrize(("seconds", "billed"), [(0.03, 1), (1.0, 1), (1.01, 1.1), (2.34, 2.4)])
def test_a_run_is_billed_for_a_second_at_least(seconds: float, billed: float) -> None:
    assert Idle([seconds], []).billed_seconds == billed


@pytest.mark.parametrize(
    ("category", "sent"),
    [
        ("Function.check_jobs.User", True),
        ("Function.check_jobs", False),
        ("Function.other.User", False),
        ("Host.Results", True),
        ("Host.ResultsOfOthers", False),
        ("Microsoft.Azure", False),
    ],
)
def test_the_longest_prefix_of_a_category_counts(category: str, *, sent: bool) -> None:
    assert is_sent(category, levels_of_the_app()) is sent
    assert is_sent(category, DEFAULT)
