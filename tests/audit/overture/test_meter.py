"""Each limit of a look-up ends it alone."""

import pytest

from gem_core.audit.options import OvertureLimits
from gem_core.audit.overture.meter import Meter, Stopped


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (OvertureLimits(cpu_seconds=-1), "-1 s and 150 s are allowed"),
        (OvertureLimits(wall_seconds=-1), "120 s and -1 s are allowed"),
    ],
)
def test_time_of_either_kind_ends_it(limits: OvertureLimits, said: str) -> None:
    meter = Meter(limits)
    with pytest.raises(Stopped, match=said):
        meter.check()
    Meter(OvertureLimits()).check()


def test_bytes_end_it_before_they_are_read() -> None:
    meter = Meter(OvertureLimits(max_bytes=1 << 20))
    meter.allow(1 << 20, "the last group")
    meter.count(1, 1)
    with pytest.raises(Stopped, match=r"would take 1 MiB after 1; .* allows 1"):
        meter.allow(1 << 20, "the next group")
