"""What the diagnostics of one run share."""

from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from gem_core.errors import StoreError
from gem_core.wiring import doctor
from tests.wiring.fresh import NEEDED


def test_the_time_out_of_the_recent_records_is_waited_for_once(
    fresh: pytest.MonkeyPatch,
) -> None:
    """Three diagnostics ask for them at the same time."""
    fresh.setattr("os.environ", NEEDED)
    asked = Mock(side_effect=StoreError("storage did not answer"))
    fresh.setattr(doctor, "_recent", asked)
    recent = doctor.installation("the environment").recent
    with ThreadPoolExecutor(3) as pool:
        for found in [pool.submit(recent) for _ in range(3)]:
            with pytest.raises(StoreError, match="did not answer"):
                found.result()
    assert asked.call_count == 1
