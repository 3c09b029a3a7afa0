"""Discovery on real storage and the runner: jobs of GEM's list lead to manifests by themselves."""

import pytest

from devkit.simulator import CLEAN, NEWER, PAGE, Generation
from devkit.stage import stage
from tests.integration.courier import FAST, Courier, wait_for

pytestmark = pytest.mark.azurite

DISCOVERY = {"GEM_DISCOVER": "roads", "GEM_DISCOVER_EVERY_MINUTES": "0.02"}


@pytest.mark.parametrize(
    ("generation", "found", "removed"),
    [
        pytest.param(PAGE, "job-found", "job-removed", id="page"),
        pytest.param(NEWER, "1001", "1002", id="newer"),
    ],
)
def test_a_job_that_nobody_registered_is_delivered_and_a_removed_one_stays_away(
    generation: Generation, found: str, removed: str
) -> None:
    with stage(time_scale=600, overrides=FAST | DISCOVERY) as up:
        courier = Courier(up)
        assert courier.call("DELETE", f"jobs/{removed}").status_code == 204
        for job in (removed, found):
            name = f"roads-{job}.parquet"
            up.simulator.add_job(job, CLEAN, input_file_name=name, generation=generation)
        up.simulator.add_job("3", CLEAN, input_file_name="places.parquet", generation=generation)
        (event,) = courier.events_of(found)
        lists = courier.log().count('"jobs_listed"')

        def asked_again() -> bool | None:
            return courier.log().count('"jobs_listed"') > lists or None

        wait_for(asked_again, what="another question for the list")
        jobs = courier.call("GET", "jobs").json()["jobs"]
    assert (event["data"]["outcome"], event["data"]["labels"]) == ("valid", {"discovered": "true"})
    assert [job["jobRunId"] for job in jobs] == [found]
